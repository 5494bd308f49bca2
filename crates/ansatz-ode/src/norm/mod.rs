//! How large an error is, against the tolerances: [`ErrorNorm`].

mod max;
mod per_component;
#[cfg(feature = "candle")]
mod per_row;
mod rms;

pub use max::Max;
pub use per_component::PerComponent;
#[cfg(feature = "candle")]
pub use per_row::MaxOverRows;
pub use rms::Rms;

use crate::{Error, Result};

/// Measures an error estimate; a step is within tolerance if the norm is at most 1.
///
/// Closures `Fn(error, before, after) -> Result<f64>` are norms:
///
/// ```
/// use ansatz_ode::{Pid, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Only the position counts, not the velocity.
/// let position = |error: &[f64; 2], _: &[f64; 2], _: &[f64; 2]| Ok(error[0].abs() / 1e-8);
/// let oscillator = |_t: f64, y: &[f64; 2]| [y[1], -y[0]];
/// let solution = solve(oscillator, [1.0, 0.0], (0.0, 1.0))
///     .with(Tsit5)
///     .controller(Pid::i(1e-8, 1e-8).norm(position))
///     .run()?;
/// assert!((solution.y_end[0] - 1f64.cos()).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
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

impl<F, Y> ErrorNorm<Y> for F
where
    F: Fn(&Y, &Y, &Y) -> Result<f64> + Clone + Send + Sync + 'static,
{
    fn norm(&self, error: &Y, before: &Y, after: &Y) -> Result<f64> {
        self(error, before, after)
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
