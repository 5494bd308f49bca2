//! Collocation methods: fully implicit Runge–Kutta methods, whose stages are solved together.

mod newton;
mod pair;
mod stepper;
mod systems;
mod tableau;

pub use stepper::{CollocationInterpolant, CollocationStages};
pub use tableau::{CollocationMethod, CollocationTableau};

use crate::{AdaptiveFamily, Predictive};

/// The family of collocation methods.
#[derive(Debug, Clone, Copy)]
pub struct Collocation;

impl AdaptiveFamily for Collocation {
    type Controller = Predictive;

    fn controller(rtol: f64, atol: f64) -> Predictive {
        Predictive::new(rtol, atol)
    }
}
