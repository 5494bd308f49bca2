//! Step size control: [`Controller`], one file for each.

mod fixed;
mod pid;
mod power;
mod predictive;
mod tolerance;

pub use fixed::FixedStep;
pub use pid::Pid;
pub(crate) use power::power;
pub use predictive::Predictive;
pub use tolerance::Tolerance;

use crate::Result;

/// Decides which steps are accepted and how long the next one is.
///
/// The type parameter is the method: a controller that needs an error estimate implements the
/// trait for [`Adaptive`](crate::Adaptive) methods only, so that a wrong combination does not
/// compile.
pub trait Controller<M>: Clone + Send + Sync + 'static {
    /// How errors are measured: an [`ErrorNorm`](crate::ErrorNorm).
    type Norm;

    /// Errors unless the settings make sense; the norm checks its own.
    ///
    /// # Errors
    /// Names the setting.
    fn validate(&self) -> Result<()>;

    /// The norm of error estimates; `None` if every step is accepted.
    fn norm(&self) -> Option<&Self::Norm>;

    /// A given length (positive) of the first step; `None` to have it chosen by the tolerance.
    fn first_step(&self) -> Option<f64>;

    /// The longest step.
    fn max_step(&self) -> f64 {
        f64::INFINITY
    }

    /// The shortest step: a solve that would need a shorter one stops.
    fn min_step(&self) -> f64 {
        0.0
    }

    /// Judges a step.
    fn judge(&self, trial: &Trial) -> Judgement;

    /// Judges the steps of so many trajectories of an ensemble, each like [`judge`](Self::judge).
    ///
    /// A controller that takes different ways for different settings may want to choose before the
    /// loop, which then becomes vector instructions.
    #[inline(always)]
    fn judge_each(
        &self,
        count: usize,
        trial: impl Fn(usize) -> Trial,
        mut verdict: impl FnMut(usize, Judgement),
    ) {
        for i in 0..count {
            verdict(i, self.judge(&trial(i)));
        }
    }
}

/// Controllers that choose the length of a step from errors alone. Every
/// [`AdaptiveFamily`](crate::AdaptiveFamily) whose own control is one of them takes all of them; methods
/// that vary their order do not.
pub trait ErrorControl {}

/// What a [`Controller`] knows of a step and those before it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// Length of the step, positive.
    pub h: f64,
    /// Norm of its error estimate; at most 1 is within tolerance.
    pub error: f64,
    /// The power of the step length in that estimate.
    pub order: u32,
    /// Norms of the last two accepted steps, newest first; 1 where there is none.
    pub previous: [f64; 2],
    /// Length of the last accepted step; that of this one where there is none.
    pub previous_h: f64,
    /// Whether this is another attempt after a rejected one.
    pub again: bool,
}

/// What a [`Controller`] decides about a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether the step counts.
    pub accept: bool,
    /// Length of the next attempt, positive.
    pub next: f64,
}
