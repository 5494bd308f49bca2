//! Exponential integrators: the linear part of a problem is solved exactly.

mod complex_diagonal;
mod krylov;
mod linear_part;
mod phi;
mod rosenbrock;
mod semilinear;
mod stepper;
mod tableau;

pub use complex_diagonal::ComplexDiagonal;
pub use krylov::Krylov;
pub use linear_part::LinearPart;
pub use rosenbrock::{
    ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockStage,
    ExponentialRosenbrockStages, ExponentialRosenbrockTableau,
};
pub use semilinear::{SemiLinear, SemiLinearField};
pub use stepper::ExponentialStages;
pub use tableau::{Exponential, ExponentialMethod, ExponentialStage, ExponentialTableau};
