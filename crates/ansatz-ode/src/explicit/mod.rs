//! Explicit Runge–Kutta methods: [`ExplicitRungeKutta`] and how they step.

mod stepper;
mod tableau;

#[cfg(any(feature = "ensemble", feature = "candle"))]
pub(crate) use stepper::of_both;
pub use stepper::{StageInterpolant, Stages};
pub(crate) use stepper::{error_order, run_stages};
pub use tableau::{ExplicitRungeKutta, ExtraStage, SecondEstimate, Tableau};

use crate::{AdaptiveFamily, Pid};

/// The family of explicit Runge–Kutta methods.
#[derive(Debug, Clone, Copy)]
pub struct Explicit;

impl AdaptiveFamily for Explicit {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}
