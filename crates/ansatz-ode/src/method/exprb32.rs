//! An exponential Rosenbrock pair of order 3(2).

use crate::{
    Adaptive, ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockStage,
    ExponentialRosenbrockTableau, Method,
};

/// The exponential Rosenbrock pair `exprb32` of order 3(2), two stages (M. Hochbruck, A. Ostermann, J. Schweitzer, SIAM J.
/// Numer. Anal. 47, 2009, 786–803).
///
/// The Jacobian of the field is its linear part, found anew for each step: φ-functions of small ones
/// are found in full, products with those of sparse and of large ones in Krylov spaces. A large field
/// that says nothing of its Jacobian is only evaluated: products with it are differences.
///
/// Inside a step the solution is Hermite's cubic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exprb32;

impl Method for Exprb32 {
    type Family = ExponentialRosenbrock;
}

impl ExponentialRosenbrockMethod for Exprb32 {
    const TABLEAU: ExponentialRosenbrockTableau = ExponentialRosenbrockTableau {
        order: 3,
        embedded_order: 2,
        stages: &[ExponentialRosenbrockStage { c: 1.0, weights: &[] }],
        step: &[&[], &[], &[2.0]],
        error: &[&[], &[], &[2.0]],
    };
}

impl Adaptive for Exprb32 {}
