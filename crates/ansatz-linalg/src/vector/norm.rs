//! 2-norms that neither overflow nor underflow on the way.

use crate::Result;

/// What squares may be added up in a floating-point format without losing any.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// The smallest number with full precision.
    pub(crate) least: f64,
    pub(crate) epsilon: f64,
    /// The largest power of two that the format has whose inverse it has too.
    pub(crate) exponent: i32,
}

pub(crate) const DOUBLE: Format =
    Format { least: f64::MIN_POSITIVE, epsilon: f64::EPSILON, exponent: 1022 };

impl Format {
    /// Whether a sum of `count` squares has lost nothing: what underflows is at most `least` each.
    pub(crate) fn holds(self, square: f64, count: usize) -> bool {
        square.is_finite() && square >= count as f64 * self.least / self.epsilon
    }

    /// The power of two that brings a number near 1, exactly.
    pub(crate) fn scale(self, largest: f64) -> f64 {
        let exponent = if largest >= f64::MIN_POSITIVE { largest.log2().floor() } else { -1100.0 };
        2f64.powi(-(exponent as i32).clamp(-self.exponent, self.exponent))
    }

    /// `√square`; where that has lost something, from the `largest` absolute value and the sum of the
    /// squares of the components times a factor.
    pub(crate) fn norm(
        self,
        square: f64,
        count: usize,
        largest: impl FnOnce() -> Result<f64>,
        scaled: impl FnOnce(f64) -> Result<f64>,
    ) -> Result<f64> {
        if self.holds(square, count) || square.is_nan() {
            return Ok(square.sqrt());
        }
        let largest = largest()?;
        if largest == 0.0 || !largest.is_finite() {
            return Ok(largest);
        }
        let scale = self.scale(largest);
        Ok(scaled(scale)?.sqrt() / scale)
    }
}

/// The 2-norm of a slice whose squares have the sum `square`.
pub(super) fn of_slice(x: &[f64], square: f64) -> Result<f64> {
    let largest = || Ok(x.iter().fold(0.0f64, |most, x| most.max(x.abs())));
    let scaled = |scale: f64| Ok(x.iter().map(|x| (x * scale).powi(2)).sum());
    DOUBLE.norm(square, x.len(), largest, scaled)
}
