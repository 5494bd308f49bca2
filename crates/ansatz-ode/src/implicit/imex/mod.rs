//! Implicit–explicit Runge–Kutta methods for problems in two parts.

mod split;
mod stepper;
mod tableau;

pub use split::{Split, SplitField};
pub use stepper::{ImexInterpolant, ImexStages};
pub use tableau::{ImexMethod, ImexTableau};

use crate::{AdaptiveFamily, Pid};

/// The family of implicit–explicit (additive) Runge–Kutta methods.
#[derive(Debug, Clone, Copy)]
pub struct Imex;

impl AdaptiveFamily for Imex {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::stiff(rtol, atol)
    }
}
