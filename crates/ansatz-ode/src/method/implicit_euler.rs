//! The implicit Euler method.

use crate::{Adaptive, DiagonallyImplicit, Dirk, DirkTableau, Method};

/// The implicit Euler method: order 1, L-stable. The error is estimated against the trapezoidal rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImplicitEuler;

impl Method for ImplicitEuler {
    type Family = Dirk;
}

impl DiagonallyImplicit for ImplicitEuler {
    const TABLEAU: DirkTableau = DirkTableau {
        order: 1,
        embedded_order: 2,
        c: &[0.0, 1.0],
        a: &[&[0.0], &[0.0, 1.0]],
        error: &[-0.5, 0.5],
        dense: &[&[0.0], &[1.0]],
        predictor: &[&[], &[1.0]],
    };
}

impl Adaptive for ImplicitEuler {}
