//! How large an error is, against the tolerances: [`ErrorNorm`].

use ansatz_core::State;

use crate::{Error, Result};

/// Measures an error estimate; a step is within tolerance if the norm is at most 1.
pub trait ErrorNorm<Y>: Clone + Send + Sync + 'static {
    /// Errors unless the tolerances make sense.
    ///
    /// # Errors
    /// Names the tolerance.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The norm of `error`, relative to the tolerances, for a step from `before` to `after`.
    ///
    /// # Errors
    /// When the sizes differ.
    fn norm(&self, error: &Y, before: &Y, after: &Y) -> Result<f64>;
}

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

/// Errors unless both are finite and not negative, and one of them is positive.
pub(crate) fn check_tolerances(rtol: f64, atol: f64) -> Result<()> {
    let expected = "a finite number ≥ 0, not both tolerances 0";
    for (what, value) in [("rtol", rtol), ("atol", atol)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::invalid(what, value, expected));
        }
    }
    if rtol + atol <= 0.0 {
        return Err(Error::invalid("rtol and atol", 0.0, expected));
    }
    Ok(())
}
