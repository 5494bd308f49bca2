//! What a nonlinear iteration has found: [`Root`].

use crate::{Outcome, Result};

/// What a method for `F(x) = 0` or `x = g(x)` has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Root<V> {
    /// The last iterate.
    pub x: V,
    /// `F(x)`; of a fixed point `g(x) − x`.
    pub value: V,
    /// Why the iteration ended.
    pub outcome: Outcome,
    /// 2-norms of `F`: at the first guess and after each iteration, all measured.
    pub residuals: Vec<f64>,
    /// The norm that was asked for.
    pub target: f64,
    /// How often the method has evaluated the function. What Jacobians by differences need comes on
    /// top: one for each application.
    pub evaluations: usize,
    /// How often the method has asked for a Jacobian.
    pub jacobians: usize,
}

impl<V> Root<V> {
    /// Iterations made.
    pub fn iterations(&self) -> usize {
        self.residuals.len().saturating_sub(1)
    }

    /// `‖F(x)‖`.
    pub fn residual(&self) -> f64 {
        self.residuals.last().copied().unwrap_or(f64::NAN)
    }

    /// Itself if it converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`](crate::Error::NotConverged) in the name of `method`.
    pub fn into_converged(self, method: &'static str) -> Result<Self> {
        self.outcome.check(method, self.iterations(), self.residual(), self.target)?;
        Ok(self)
    }
}
