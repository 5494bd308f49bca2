//! What a solve returns: [`Solution`], [`Statistics`], [`Status`].

use crate::{Crossing, Error, Result};

/// The result of a solve.
#[derive(Debug, Clone)]
pub struct Solution<Y> {
    /// Times of the saved states.
    pub ts: Vec<f64>,
    /// Saved states, one for each entry of `ts`.
    pub ys: Vec<Y>,
    /// Time reached: the end of the interval, unless something ended the solve before.
    pub t_end: f64,
    /// State at `t_end`.
    pub y_end: Y,
    /// How the solve ended.
    pub status: Status,
    /// The crossings of events, in the order in which they happened.
    pub crossings: Vec<Crossing<Y>>,
    /// What it cost.
    pub statistics: Statistics,
}

/// How a solve ended.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// The end of the interval was reached.
    Finished,
    /// An [`Event`](crate::Event) ended it.
    Stopped {
        /// Which, in the order in which they were given.
        event: usize,
    },
    /// The step budget ran out before: of an explicit method often because the problem is stiff,
    /// which `AutoSwitch` finds out.
    StepBudgetExhausted,
    /// A step below the resolution of time, or below the shortest allowed, was needed.
    StepTooSmall {
        /// The length that was asked for.
        h: f64,
    },
    /// A value became NaN or infinite and no smaller step mended it.
    NotFinite {
        /// Which value.
        what: &'static str,
    },
    /// An event that changes the state happens again and again within no time, like the bounces of
    /// a ball that comes to rest.
    Crowded {
        /// Which, in the order in which they were given.
        event: usize,
    },
    /// The equations of an implicit step could not be solved.
    NotConverged {
        /// The length of the step.
        h: f64,
    },
}

impl Status {
    /// The error that it is where a complete solve was needed: at `t`, after so many steps.
    pub(crate) fn error(&self, t: f64, step: usize) -> Option<Error> {
        Some(match *self {
            Self::Finished | Self::Stopped { .. } => return None,
            Self::StepBudgetExhausted => Error::StepBudgetExhausted { t, steps: step },
            Self::StepTooSmall { h } => Error::StepTooSmall { t, h, step },
            Self::NotFinite { what } => Error::NotFinite { what, t, step },
            Self::Crowded { event } => Error::Crowded { t, event },
            Self::NotConverged { h } => Error::NotConverged { t, h, step },
        })
    }
}

/// Counts of what a solve did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Accepted steps.
    pub accepted: usize,
    /// Rejected steps: their error was too large, or their equations could not be solved.
    pub rejected: usize,
    /// Evaluations of the vector field; by a symplectic method, of its kick.
    pub evaluations: usize,
    /// Evaluations of the Jacobian (those of the field that differences need are counted there
    /// too).
    pub jacobians: usize,
    /// Factorisations of an iteration matrix.
    pub factorisations: usize,
    /// Solutions of linear systems.
    pub linear_solves: usize,
    /// Iterations of solutions of linear systems without a matrix.
    pub linear_iterations: usize,
    /// Rejected steps whose equations could not be solved.
    pub not_converged: usize,
    /// Switches between the methods of an `AutoSwitch`: the first to the implicit one because the
    /// problem had become stiff, the second back, and so on.
    pub switches: usize,
}

impl Statistics {
    /// Steps, accepted and rejected.
    pub fn attempted(&self) -> usize {
        self.accepted + self.rejected
    }
}

impl<Y> Solution<Y> {
    /// The solution if the end was reached or an event ended it.
    ///
    /// # Errors
    /// Those of [`Solve::run`](crate::Solve::run) for what stopped it before.
    pub fn finished(self) -> Result<Self> {
        match self.status.error(self.t_end, self.statistics.attempted()) {
            Some(error) => Err(error),
            None => Ok(self),
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
