//! The cubic through both ends of a step: [`Hermite`].

use ansatz_core::State;

use crate::{Interpolant, Result};

/// The cubic Hermite interpolant of one step, kept.
#[derive(Debug, Clone)]
pub struct Hermite<Y> {
    /// Signed length of the step.
    pub(super) h: f64,
    /// The states at both ends.
    pub(super) ends: [Y; 2],
    /// Their derivatives.
    pub(super) slopes: [Y; 2],
}

impl<Y: State> Interpolant<Y> for Hermite<Y> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.ends[0].clone();
        let ([a, b], [f, g]) = (&self.ends, &self.slopes);
        hermite(theta, self.h, [a, b], [f, g], &mut y)?;
        Ok(y)
    }
}

/// The state at `t + theta · h` of the cubic with these end values and end derivatives; at the ends
/// to the last bit what is there.
pub(super) fn hermite<Y: State>(
    theta: f64,
    h: f64,
    [start, end]: [&Y; 2],
    [slope, end_slope]: [&Y; 2],
    out: &mut Y,
) -> Result<()> {
    let rest = 1.0 - theta;
    let weights = [
        rest * rest * (1.0 + 2.0 * theta),
        theta * theta * (1.0 + 2.0 * rest),
        h * theta * rest * rest,
        -h * theta * theta * rest,
    ];
    let terms = [start, end, slope, end_slope].into_iter();
    Ok(out.combine_iter(None, 1.0, &weights, terms)?)
}
