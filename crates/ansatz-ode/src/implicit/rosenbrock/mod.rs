//! Rosenbrock methods: linearly implicit, one linear system for each stage and no iteration.

mod stepper;
mod tableau;

pub use stepper::{RosenbrockInterpolant, RosenbrockStages};
pub use tableau::{RosenbrockMethod, RosenbrockTableau};

use crate::{AdaptiveFamily, Pid};

/// The family of Rosenbrock methods.
#[derive(Debug, Clone, Copy)]
pub struct Rosenbrock;

impl AdaptiveFamily for Rosenbrock {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}
