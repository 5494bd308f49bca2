//! What implicit methods need of a problem, and what they share.

mod dirk;
mod factor;
mod field;
pub(crate) mod initial;
mod jacobian;
pub(crate) mod linear;
mod mass;
pub(crate) mod newton;
pub(crate) mod reuse;
mod rosenbrock;
mod sparsity;

pub use dirk::{DiagonallyImplicit, Dirk, DirkInterpolant, DirkStages, DirkTableau};
pub use field::{ImplicitField, Linearisation};
pub use initial::consistent_initial;
pub use jacobian::{GivenJacobian, JacobianMatrix, JacobianStorage, WithJacobian};
pub use mass::{Mass, WithMass};
pub use rosenbrock::{
    Rosenbrock, RosenbrockInterpolant, RosenbrockMethod, RosenbrockStages, RosenbrockTableau,
};
pub use sparsity::{Sparsity, WithSparsity};
