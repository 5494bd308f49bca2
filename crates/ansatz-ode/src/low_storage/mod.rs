//! Explicit Runge–Kutta methods that keep few states: [`LowStorageRungeKutta`] and how they step.

mod coefficients;
mod stepper;

pub use coefficients::{EmbeddedWeights, LowStorageCoefficients, LowStorageRungeKutta, Recurrence};
pub use stepper::Registers;

use crate::{AdaptiveFamily, Pid};

/// The family of explicit Runge–Kutta methods in low-storage form, for states so large that a slope
/// for each stage does not fit into memory.
///
/// Two states are held beside those before and after a step, whatever the number of stages; with an
/// error estimate one more. Steps that are looked into hold the slopes at their ends as well, for
/// the cubic Hermite interpolant, and cost one evaluation more. After a rejected step the slope at
/// its start is computed again.
///
/// The discrete adjoints need the stages, and the memory for them: solve for tensors with
/// [`NoGradient`](crate::NoGradient).
#[derive(Debug, Clone, Copy)]
pub struct LowStorage;

impl AdaptiveFamily for LowStorage {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}
