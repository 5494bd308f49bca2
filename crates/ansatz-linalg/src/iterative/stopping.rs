//! When an iteration stops: [`Stopping`].

use crate::{Error, Result};

/// When an iteration stops: as soon as `‖b − A x‖ ≤ max(relative ‖b‖, absolute)` in the 2-norm, or
/// when its iterations are used up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopping {
    /// Tolerance relative to the right-hand side.
    pub relative: f64,
    /// Tolerance of the residual itself.
    pub absolute: f64,
    /// The most iterations that it may take.
    pub iterations: usize,
}

impl Default for Stopping {
    fn default() -> Self {
        Self { relative: 1e-8, absolute: 0.0, iterations: 1000 }
    }
}

impl Stopping {
    /// Errors unless a tolerance is positive and none is negative or NaN.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn validate(&self) -> Result<()> {
        for (what, value) in [("relative", self.relative), ("absolute", self.absolute)] {
            if value < 0.0 || !value.is_finite() {
                return Err(Error::invalid(what, value, "a tolerance of at least 0"));
            }
        }
        if self.relative == 0.0 && self.absolute == 0.0 {
            return Err(Error::invalid("relative and absolute", 0, "a positive one among them"));
        }
        Ok(())
    }

    /// The norm of the residual that is asked for, where `norm` is that of the right-hand side.
    pub fn target(&self, norm: f64) -> f64 {
        self.absolute.max(self.relative * norm)
    }
}
