//! When a nonlinear iteration stops: [`NonlinearStopping`].

use crate::{Error, Result};

/// When a nonlinear iteration stops: as soon as `‖F(x)‖ ≤ max(relative ‖F(x₀)‖, absolute)` in the
/// 2-norm, where `F` is the residual or, for a minimum, the gradient; when a whole step is small
/// beside `x`; or when its iterations are used up.
///
/// A first guess that is the solution already leaves nothing to be reduced: where no step makes the
/// norm smaller and it is no more than what rounding of `x` makes of zero, that is convergence too,
/// if `relative` or `step` is not below the rounding unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonlinearStopping {
    /// Tolerance relative to the norm at the first guess.
    pub relative: f64,
    /// Tolerance of the norm itself.
    pub absolute: f64,
    /// A whole step `s` with `‖s‖ ≤ step (‖x‖ + step)` is taken for convergence too
    /// (K. Madsen, H. Nielsen, O. Tingleff, *Methods for Non-Linear Least Squares Problems*, 2004,
    /// eq. 3.15b); with 0, the default, it never is. Where a method converges slowly, what it seems
    /// to have before it counts, not its step.
    pub step: f64,
    /// The most iterations that it may take.
    pub iterations: usize,
}

impl Default for NonlinearStopping {
    fn default() -> Self {
        Self { relative: 1e-8, absolute: 0.0, step: 0.0, iterations: 200 }
    }
}

impl NonlinearStopping {
    /// Errors unless a tolerance is positive and none is negative or NaN.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn validate(&self) -> Result<()> {
        let all = [("relative", self.relative), ("absolute", self.absolute), ("step", self.step)];
        for (what, value) in all {
            if value < 0.0 || !value.is_finite() {
                return Err(Error::invalid(what, value, "a tolerance of at least 0"));
            }
        }
        if all.iter().all(|(_, value)| *value == 0.0) {
            return Err(Error::invalid(
                "relative, absolute and step",
                0,
                "a positive one among them",
            ));
        }
        Ok(())
    }

    /// The norm that is asked for, where `norm` is that at the first guess.
    pub fn target(&self, norm: f64) -> f64 {
        self.absolute.max(self.relative * norm)
    }

    /// Whether a norm that is nothing but rounding will do.
    pub(crate) fn allows_rounding(&self, epsilon: f64) -> bool {
        self.relative.max(self.step) >= epsilon
    }

    /// Whether a step of length `step` from or to a point of length `x` is small.
    pub fn is_small(&self, step: f64, x: f64) -> bool {
        self.step > 0.0 && step <= self.step * (x + self.step)
    }
}
