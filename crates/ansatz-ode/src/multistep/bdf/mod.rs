//! Backward differentiation.

mod interpolant;
mod stepper;

pub use interpolant::BdfInterpolant;
pub use stepper::{BackwardDifferentiation, BdfSteps};
