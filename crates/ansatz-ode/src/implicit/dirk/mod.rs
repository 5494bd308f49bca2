//! Diagonally implicit Runge–Kutta methods with an explicit first stage.

mod interpolant;
#[cfg(feature = "candle")]
mod replay;
mod stepper;
mod tableau;

pub use interpolant::DirkInterpolant;
pub use stepper::DirkStages;
pub use tableau::{DiagonallyImplicit, DirkTableau};

use crate::{AdaptiveFamily, Pid};

/// The family of diagonally implicit Runge–Kutta methods.
#[derive(Debug, Clone, Copy)]
pub struct Dirk;

impl AdaptiveFamily for Dirk {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::stiff(rtol, atol)
    }
}
