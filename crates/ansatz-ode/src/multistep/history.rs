//! What a multistep method remembers: [`History`].

use super::polynomial::{MOST, Weights};

/// Values at the last points, of the solution or of its derivative.
///
/// Values stay where they are in memory; only their numbers move up.
#[derive(Debug, Clone)]
pub(super) struct History<Y> {
    /// The values, in no order.
    slots: Vec<Y>,
    /// Where they are: the newest first, the room for the next one last.
    places: Vec<usize>,
    /// Signed lengths of the steps between the points, the newest first.
    lengths: [f64; MOST],
    count: usize,
}

impl<Y: Clone> History<Y> {
    /// Room for `depth` points and the next one.
    pub(super) fn new(like: &Y, depth: usize) -> Self {
        let places = (0..=depth).collect();
        Self { slots: vec![like.clone(); depth + 1], places, lengths: [0.0; MOST], count: 0 }
    }

    /// The number of points.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All room, which [`weights`](Self::weights) are for.
    pub(super) fn slots(&self) -> &[Y] {
        &self.slots
    }

    /// The newest value.
    pub(super) fn newest(&self) -> &Y {
        &self.slots[self.places[0]]
    }

    /// Room for the value at the end of the step.
    pub(super) fn next(&mut self) -> &mut Y {
        let place = self.places[self.places.len() - 1];
        &mut self.slots[place]
    }

    /// Forgets all points; the value in [`next`](Self::next) is the first one.
    pub(super) fn restart(&mut self) {
        self.places.rotate_right(1);
        self.count = 1;
    }

    /// Goes on to the value in [`next`](Self::next), a step of `h` further.
    pub(super) fn advance(&mut self, h: f64) {
        self.places.rotate_right(1);
        self.lengths.rotate_right(1);
        self.lengths[0] = h;
        self.count = (self.count + 1).min(self.places.len() - 1);
    }

    /// Goes on to the value in [`next`](Self::next), and forgets the newest one: two points much
    /// closer to each other than to the others would make polynomials that amplify their errors.
    pub(super) fn advance_merging(&mut self, h: f64) {
        let next = self.places.len() - 1;
        self.places.swap(0, next);
        self.lengths[0] += h;
    }

    /// Whether a step of `h` is so short that its ends should not both be kept, if it is an
    /// exception among longer ones.
    pub(super) fn is_sliver(&self, h: f64) -> bool {
        self.count > 1 && h.abs() < 0.5 * self.lengths[0].abs()
    }

    /// Where the points are, the newest first, in units of a step of `h` that ends at 0.
    pub(super) fn positions(&self, h: f64) -> Weights {
        let mut positions = [0.0; MOST];
        let mut at = -1.0;
        for i in 0..self.count {
            positions[i] = at;
            at -= self.lengths[i] / h;
        }
        positions
    }

    /// Coefficients for [`slots`](Self::slots) from weights of the points, the newest first, and
    /// of the value at the end of the step.
    pub(super) fn weights(&self, past: &[f64], next: f64) -> Weights {
        let mut all = [0.0; MOST];
        for (weight, place) in past.iter().zip(&self.places) {
            all[*place] = *weight;
        }
        all[self.places[self.places.len() - 1]] = next;
        all
    }

    /// The values at the end of the step and at the newest `points`.
    pub(super) fn kept(&self, points: usize) -> Vec<Y> {
        let last = self.places[self.places.len() - 1];
        let places = std::iter::once(&last).chain(&self.places[..points]);
        places.map(|place| self.slots[*place].clone()).collect()
    }
}
