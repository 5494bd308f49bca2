//! Linear parts of which only products with vectors are known: [`Krylov`].

use ansatz_linalg::{ExponentialAction, LinearOperator};

use super::{LinearPart, linear_part::square};
use crate::Result;

/// An operator whose φ-functions are applied to vectors in Krylov spaces
/// ([`ExponentialAction`]): for sparse matrices, stencils and whatever has a product with a vector.
#[derive(Debug, Clone)]
pub struct Krylov<O> {
    operator: O,
    action: ExponentialAction,
}

impl<O: LinearOperator<Vec<f64>>> Krylov<O> {
    /// `operator`, with a relative error of 1e-10 of its functions.
    pub fn new(operator: O) -> Self {
        Self::with(operator, ExponentialAction::default())
    }

    /// `operator`, with other settings.
    pub fn with(operator: O, action: ExponentialAction) -> Self {
        Self { operator, action }
    }
}

impl<O: LinearOperator<Vec<f64>>> LinearPart for Krylov<O> {
    /// The time `t`.
    type Functions = f64;

    fn dimension(&self) -> Result<usize> {
        square(self.operator.shape())
    }

    fn functions(&self, t: f64, _: usize) -> Result<f64> {
        Ok(t)
    }

    fn combine(&self, &t: &f64, terms: &[Vec<f64>], out: &mut Vec<f64>) -> Result<()> {
        // The action is that of tᵏ φₖ.
        let mut power = 1.0;
        let mut scaled = terms.to_vec();
        for term in &mut scaled {
            for x in term.iter_mut() {
                *x /= power;
            }
            power *= t;
        }
        *out = self.action.phi_combination(&self.operator, t, &scaled)?.value;
        Ok(())
    }

    fn apply(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()> {
        Ok(self.operator.apply_into(x, out)?)
    }
}
