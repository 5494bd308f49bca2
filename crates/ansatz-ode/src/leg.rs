//! From one discontinuity to the next: [`Leg`].

/// A stretch without jumps, on the way to `target`.
pub(crate) struct Leg {
    start: f64,
    target: f64,
    direction: f64,
    /// Steps of one length are counted, not added up, so that rounding does not leave a sliver:
    /// their length, how many there are, and how many were taken.
    fixed: Option<(f64, usize, usize)>,
}

impl Leg {
    pub(crate) fn new(start: f64, target: f64, direction: f64, fixed: Option<f64>) -> Self {
        let fixed = fixed.map(|h| (h, count((target - start).abs(), h), 0));
        Self { start, target, direction, fixed }
    }

    /// The end of a step from `t`, and whether it is the last one of the leg. A step that would
    /// stop just short of the target goes all the way.
    #[inline]
    pub(crate) fn next(&self, t: f64, h: f64) -> (f64, bool) {
        let last = match self.fixed {
            Some((_, count, taken)) => taken + 1 == count,
            None => reaches(t, h, self.target),
        };
        let t_new = match self.fixed {
            _ if last => self.target,
            Some((h, _, taken)) => self.start + self.direction * (taken + 1) as f64 * h,
            None => t + self.direction * h,
        };
        (t_new, last)
    }

    /// A step was taken, up to `t`; one that ended at a crossing leaves the grid of fixed steps.
    #[inline]
    pub(crate) fn taken(&mut self, t: f64, crossed: bool) {
        if let Some((h, _, taken)) = &mut self.fixed {
            if crossed {
                *self = Self::new(t, self.target, self.direction, Some(*h));
            } else {
                *taken += 1;
            }
        }
    }
}

/// How many steps of length `h` there are in a stretch; forgives rounding in the division.
pub(crate) fn count(length: f64, h: f64) -> usize {
    ((length / h) * (1.0 - 1e-12)).ceil().max(1.0) as usize
}

/// Whether a step of length `h` from `t` goes as far as `target`, or so close that nothing sensible
/// would be left.
#[inline(always)]
pub(crate) fn reaches(t: f64, h: f64, target: f64) -> bool {
    h >= (target - t).abs() * (1.0 - 1e-12)
}
