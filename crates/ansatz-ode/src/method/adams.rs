//! Adams' formulas.

use crate::{AdamsBashforthMoulton, Adaptive, Error, Method, Result};

/// The predictor of J. C. Adams and F. Bashforth with one correction by that of Adams and
/// F. R. Moulton (PECE), with coefficients for steps of any lengths (L. F. Shampine, M. K. Gordon,
/// *Computer Solution of Ordinary Differential Equations*, 1975): for problems that are not stiff
/// and whose right-hand side is expensive. Two evaluations a step whatever the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adams {
    /// The highest order of the predictor and of the error estimate, 1 to 12. The corrected step
    /// is one order better.
    pub max_order: usize,
}

impl Default for Adams {
    fn default() -> Self {
        Self { max_order: 12 }
    }
}

impl Adams {
    /// Errors unless the highest order is one that there is.
    pub(crate) fn validate(self) -> Result<()> {
        if (1..=12).contains(&self.max_order) {
            return Ok(());
        }
        Err(Error::invalid("max_order of Adams", self.max_order, "an order from 1 to 12"))
    }
}

impl Method for Adams {
    type Family = AdamsBashforthMoulton;
}

impl Adaptive for Adams {}
