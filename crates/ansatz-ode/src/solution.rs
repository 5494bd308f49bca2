//! What a solve returns: [`Solution`], [`Statistics`], [`Status`].

use crate::{Error, Result};

/// The result of a solve.
#[derive(Debug, Clone)]
pub struct Solution<Y> {
    /// Times of the saved states.
    pub ts: Vec<f64>,
    /// Saved states, one for each entry of `ts`.
    pub ys: Vec<Y>,
    /// Time reached: the end of the interval, or less if the step budget ran out.
    pub t_end: f64,
    /// State at `t_end`.
    pub y_end: Y,
    /// Whether the solve reached the end.
    pub status: Status,
    /// What it cost.
    pub statistics: Statistics,
}

/// Whether a solve reached the end of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The end was reached.
    Finished,
    /// The step budget ran out before; what was computed up to then is in the solution.
    StepBudgetExhausted,
}

/// Counts of what a solve did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Accepted steps.
    pub accepted: usize,
    /// Rejected steps.
    pub rejected: usize,
    /// Evaluations of the vector field.
    pub evaluations: usize,
}

impl<Y> Solution<Y> {
    /// The solution if the end was reached.
    ///
    /// # Errors
    /// [`Error::StepBudgetExhausted`] otherwise.
    pub fn finished(self) -> Result<Self> {
        match self.status {
            Status::Finished => Ok(self),
            Status::StepBudgetExhausted => Err(Error::StepBudgetExhausted {
                t: self.t_end,
                steps: self.statistics.accepted + self.statistics.rejected,
            }),
        }
    }
}

#[cfg(feature = "candle")]
impl Solution<candle_core::Tensor> {
    /// All saved states as one tensor `[times, …state]`, attached to the graph like they are.
    ///
    /// # Errors
    /// When nothing was saved, or candle fails.
    pub fn stacked(&self) -> crate::Result<candle_core::Tensor> {
        Ok(candle_core::Tensor::stack(&self.ys, 0)?)
    }
}
