//! What a minimisation has found: [`Minimum`].

use crate::{Outcome, Result};

/// What a method for minima has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum<V> {
    /// The last iterate.
    pub x: V,
    /// Why the iteration ended; it converged if the gradient is as small as was asked for. Nobody
    /// knows whether there is a lower minimum elsewhere.
    pub outcome: Outcome,
    /// Values of the objective, `½ |r|²` for least squares: at the first guess and after each
    /// iteration. They never rise but for rounding.
    pub objectives: Vec<f64>,
    /// 2-norms of the gradient: at the first guess and after each iteration.
    pub gradients: Vec<f64>,
    /// The norm of the gradient that was asked for.
    pub target: f64,
    /// How often the objective, with its gradient, or the residuals have been evaluated. What
    /// Jacobians by differences need comes on top.
    pub evaluations: usize,
    /// How often a Jacobian of the residuals was asked for; 0 where the objective has a gradient.
    pub jacobians: usize,
}

impl<V> Minimum<V> {
    /// Iterations made.
    pub fn iterations(&self) -> usize {
        self.gradients.len().saturating_sub(1)
    }

    /// The value of the objective.
    pub fn objective(&self) -> f64 {
        self.objectives.last().copied().unwrap_or(f64::NAN)
    }

    /// The norm of the gradient.
    pub fn gradient(&self) -> f64 {
        self.gradients.last().copied().unwrap_or(f64::NAN)
    }

    /// Itself if it converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`](crate::Error::NotConverged) in the name of `method`, whose residual is the norm of the gradient.
    pub fn into_converged(self, method: &'static str) -> Result<Self> {
        self.outcome.check(method, self.iterations(), self.gradient(), self.target)?;
        Ok(self)
    }
}
