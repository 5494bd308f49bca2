//! Exponential Rosenbrock methods: the linear part is the Jacobian of each step.

mod jacobian;
mod stepper;
mod tableau;

pub use stepper::ExponentialRosenbrockStages;
pub use tableau::{
    ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockStage,
    ExponentialRosenbrockTableau,
};
