//! Solves that choose between an explicit and an implicit method as they go.

mod detector;
mod explicit_estimate;
mod interpolant;
mod spectral_radius;
mod stepper;

pub use interpolant::SwitchingInterpolant;
pub use stepper::{JacobianAtHand, SwitchingSteps};

use crate::{AdaptiveFamily, Pid};

/// The family of methods that switch between an explicit and an implicit one.
#[derive(Debug, Clone, Copy)]
pub struct Switching;

impl AdaptiveFamily for Switching {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}
