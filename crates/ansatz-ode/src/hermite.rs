//! The cubic through the states and slopes at both ends of a step: [`HermiteInterpolant`].

use ansatz_core::State;

use crate::{Interpolant, Result};

/// The state at `theta` of the cubic Hermite interpolant of a step of signed length `h` with these
/// states and slopes at its ends.
pub(crate) fn hermite<Y: State>(
    theta: f64,
    h: f64,
    [y0, y1]: [&Y; 2],
    [f0, f1]: [&Y; 2],
    out: &mut Y,
) -> Result<()> {
    let rest = 1.0 - theta;
    let rise = theta * theta * (3.0 - 2.0 * theta);
    out.clone_from(y0);
    let first = (h * theta * rest * rest, f0);
    let last = (-h * theta * theta * rest, f1);
    Ok(out.accumulate(1.0 - rise, &[(rise, y1), first, last])?)
}

/// The cubic Hermite interpolant of one step, kept: of order 3, with a continuous derivative.
#[derive(Debug, Clone)]
pub struct HermiteInterpolant<Y> {
    /// Signed length of the step.
    pub(crate) h: f64,
    /// States before and after.
    pub(crate) y: [Y; 2],
    /// Slopes before and after.
    pub(crate) slopes: [Y; 2],
}

impl<Y: State> Interpolant<Y> for HermiteInterpolant<Y> {
    fn at(&self, theta: f64) -> Result<Y> {
        let ([y0, y1], [f0, f1]) = (&self.y, &self.slopes);
        let mut out = y0.clone();
        hermite(theta, self.h, [y0, y1], [f0, f1], &mut out)?;
        Ok(out)
    }
}
