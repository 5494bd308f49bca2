//! What an iteration has found: [`Solution`].

use std::fmt;

use crate::{Error, Result};

/// Why an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The residual is as small as was asked for; measured, not taken from a recurrence.
    Converged,
    /// The iterations are used up.
    Budget,
    /// The residual does not become smaller any more: the tolerance is below what rounding
    /// allows, the system has no solution, or the method does not suit it.
    Stagnation,
    /// The method cannot go on.
    Breakdown(
        /// Why.
        &'static str,
    ),
}

impl Outcome {
    /// Errors unless it is [`Outcome::Converged`].
    pub(crate) fn check(
        self,
        method: &'static str,
        iterations: usize,
        residual: f64,
        target: f64,
    ) -> Result<()> {
        if self == Self::Converged {
            return Ok(());
        }
        Err(Error::NotConverged { method, outcome: self, iterations, residual, target })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converged => f.write_str("converged"),
            Self::Budget => f.write_str("iterations used up"),
            Self::Stagnation => f.write_str("no further progress"),
            Self::Breakdown(reason) => write!(f, "breakdown ({reason})"),
        }
    }
}

/// What an iteration has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<V> {
    /// The last iterate.
    pub x: V,
    /// Why the iteration ended.
    pub outcome: Outcome,
    /// 2-norms of the residual: at the start and after each iteration. The last one is measured,
    /// those before are what the method believed.
    pub residuals: Vec<f64>,
    /// The norm of the residual that was asked for.
    pub target: f64,
}

impl<V> Solution<V> {
    /// Iterations made.
    pub fn iterations(&self) -> usize {
        self.residuals.len().saturating_sub(1)
    }

    /// `‖b − A x‖`.
    pub fn residual(&self) -> f64 {
        self.residuals.last().copied().unwrap_or(f64::NAN)
    }

    /// Itself if it converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] in the name of `method`.
    pub fn into_converged(self, method: &'static str) -> Result<Self> {
        self.outcome.check(method, self.iterations(), self.residual(), self.target)?;
        Ok(self)
    }
}
