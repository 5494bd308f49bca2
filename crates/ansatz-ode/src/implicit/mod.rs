//! What implicit methods need of a problem, and what they share.

mod collocation;
mod differences;
mod dirk;
mod factor;
mod field;
mod imex;
pub(crate) mod initial;
mod jacobian;
mod joined;
pub(crate) mod krylov;
pub(crate) mod linear;
mod mass;
mod matrix_free;
pub(crate) mod newton;
pub(crate) mod reuse;
mod rosenbrock;
mod sparsity;
mod time_derivative;

pub(crate) use linear::{Linear, value};
pub(crate) use time_derivative::time_derivative;

pub use collocation::{
    Collocation, CollocationInterpolant, CollocationMethod, CollocationStages, CollocationTableau,
};
pub use dirk::{DiagonallyImplicit, Dirk, DirkInterpolant, DirkStages, DirkTableau};
pub use field::{ImplicitField, Linearisation};
pub use imex::{Imex, ImexInterpolant, ImexMethod, ImexStages, ImexTableau, Split, SplitField};
pub use initial::consistent_initial;
pub use jacobian::{GivenJacobian, JacobianMatrix, JacobianStorage, WithJacobian};
pub use mass::{Mass, WithMass};
pub use matrix_free::{
    Absent, Given, MatrixFree, MatrixFreeParts, PreconditionerPart, ProductPart,
};
pub use rosenbrock::{
    Rosenbrock, RosenbrockInterpolant, RosenbrockMethod, RosenbrockStages, RosenbrockTableau,
};
pub use sparsity::{Sparsity, WithSparsity};
