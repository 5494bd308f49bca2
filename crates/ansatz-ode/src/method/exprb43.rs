//! An exponential Rosenbrock pair of order 4(3).

use crate::{
    Adaptive, ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockStage,
    ExponentialRosenbrockTableau, Method,
};

/// The exponential Rosenbrock pair `exprb43` of order 4(3), three stages (M. Hochbruck, A. Ostermann, J. Schweitzer, SIAM J.
/// Numer. Anal. 47, 2009, 786–803).
///
/// The Jacobian of the field is its linear part, found anew for each step: φ-functions of small ones
/// are found in full, products with those of sparse and of large ones in Krylov spaces. A large field
/// that says nothing of its Jacobian is only evaluated: products with it are differences.
///
/// Inside a step the solution is Hermite's cubic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exprb43;

impl Method for Exprb43 {
    type Family = ExponentialRosenbrock;
}

impl ExponentialRosenbrockMethod for Exprb43 {
    const TABLEAU: ExponentialRosenbrockTableau = ExponentialRosenbrockTableau {
        order: 4,
        embedded_order: 3,
        stages: &[
            ExponentialRosenbrockStage { c: 0.5, weights: &[] },
            ExponentialRosenbrockStage { c: 1.0, weights: &[&[1.0]] },
        ],
        step: &[&[], &[], &[16.0, -2.0], &[-48.0, 12.0]],
        error: &[&[], &[], &[], &[-48.0, 12.0]],
    };
}

impl Adaptive for Exprb43 {}
