//! The solution inside a step of an exponential integrator: [`ExponentialInterpolant`].

use ansatz_linalg::Components;

use crate::{Interpolant, Result};

/// Hermite's cubic through both ends.
pub(super) fn hermite<Y: Components>(
    theta: f64,
    h: f64,
    ends: [&Y; 2],
    slopes: [&Y; 2],
    out: &mut Y,
) -> Result<()> {
    let rise = theta * theta * (3.0 - 2.0 * theta);
    let (left, right) = (theta * (1.0 - theta) * (1.0 - theta), theta * theta * (theta - 1.0));
    let all = [ends[0].clone(), ends[1].clone(), slopes[0].clone(), slopes[1].clone()];
    Ok(out.combine(None, 1.0, &[1.0 - rise, rise, h * left, h * right], &all)?)
}

/// The cubic Hermite interpolant of one step of an exponential integrator, kept.
#[derive(Debug, Clone)]
pub struct ExponentialInterpolant<Y> {
    h: f64,
    ends: [Y; 2],
    slopes: [Y; 2],
}

impl<Y> ExponentialInterpolant<Y> {
    pub(super) fn new(h: f64, ends: [Y; 2], slopes: [Y; 2]) -> Self {
        Self { h, ends, slopes }
    }
}

impl<Y: Components> Interpolant<Y> for ExponentialInterpolant<Y> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.ends[0].clone();
        hermite(
            theta,
            self.h,
            [&self.ends[0], &self.ends[1]],
            [&self.slopes[0], &self.slopes[1]],
            &mut y,
        )?;
        Ok(y)
    }
}
