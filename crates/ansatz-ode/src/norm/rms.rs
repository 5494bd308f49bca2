//! The root mean square of the weighted errors: [`Rms`].

use ansatz_core::State;

use super::{ErrorNorm, check_tolerances};
use crate::Result;

/// The root mean square of the components' errors relative to `atol + rtol · max(|yₙ|, |yₙ₊₁|)`
/// (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, eq. II.4.11).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rms {
    /// Relative tolerance, positive or 0 if `atol` is positive.
    pub rtol: f64,
    /// Absolute tolerance, positive or 0 if `rtol` is positive.
    pub atol: f64,
}

impl<Y: State> ErrorNorm<Y> for Rms {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    #[inline]
    fn norm(&self, error: &Y, before: &Y, after: &Y) -> Result<f64> {
        Ok(error.weighted_rms(before, after, self.rtol, self.atol)?)
    }
}
