//! The times of the steps of a solve: [`Times`].

use crate::sides::Sides;

/// Start of each step and, last, the end of the last one. From them and the jumps the forward solve
/// computes where a step is taken, so that it can be replayed to the last bit.
///
/// Kept in blocks, because a vector that grows holds its numbers three times over while it moves.
#[derive(Clone)]
pub(crate) struct Times {
    blocks: Vec<Vec<f64>>,
    pub(crate) sides: Sides,
}

impl Times {
    const BLOCK: usize = 4096;

    pub(crate) fn starting_at(t0: f64, sides: Sides) -> Self {
        let mut times = Self { blocks: Vec::new(), sides };
        times.push(t0);
        times
    }

    pub(crate) fn push(&mut self, t: f64) {
        match self.blocks.last_mut() {
            Some(block) if block.len() < Self::BLOCK => block.push(t),
            _ => {
                let mut block = Vec::with_capacity(Self::BLOCK);
                block.push(t);
                self.blocks.push(block);
            }
        }
    }

    /// Start of a step, or the end of the last one.
    pub(crate) fn at(&self, index: usize) -> f64 {
        self.blocks[index / Self::BLOCK][index % Self::BLOCK]
    }

    /// Number of steps.
    pub(crate) fn steps(&self) -> usize {
        let (full, last) = (self.blocks.len() - 1, self.blocks.last().map_or(0, Vec::len));
        full * Self::BLOCK + last - 1
    }

    /// Start and signed length of a step.
    pub(crate) fn step(&self, index: usize) -> (f64, f64) {
        self.sides.inside(self.at(index), self.at(index + 1))
    }
}
