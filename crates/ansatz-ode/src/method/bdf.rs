//! Backward differentiation formulas.

use crate::{Adaptive, BackwardDifferentiation, Error, Method, Result};

/// Backward differentiation formulas of order 1 to 5 (C. W. Gear 1971), for stiff problems: the
/// order and the length of the steps are chosen by the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bdf {
    /// The highest order, 1 to 5. Orders above 2 are not A-stable: with eigenvalues near the
    /// imaginary axis 2 may need fewer steps.
    pub max_order: usize,
}

impl Default for Bdf {
    fn default() -> Self {
        Self { max_order: 5 }
    }
}

impl Bdf {
    /// Errors unless the highest order is one that there is.
    pub(crate) fn validate(self) -> Result<()> {
        if (1..=5).contains(&self.max_order) {
            return Ok(());
        }
        Err(Error::invalid("max_order of Bdf", self.max_order, "an order from 1 to 5"))
    }
}

impl Method for Bdf {
    type Family = BackwardDifferentiation;
}

impl Adaptive for Bdf {}
