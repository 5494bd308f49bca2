//! The trapezoidal rule.

use crate::{Adaptive, DiagonallyImplicit, Dirk, DirkTableau, Method};

/// The trapezoidal rule (J. Crank, P. Nicolson 1947): order 2, A-stable, but stiff components oscillate
/// rather than decay. The error is estimated against the implicit Euler method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trapezoidal;

impl Method for Trapezoidal {
    type Family = Dirk;
}

impl DiagonallyImplicit for Trapezoidal {
    const TABLEAU: DirkTableau = DirkTableau {
        order: 2,
        embedded_order: 1,
        c: &[0.0, 1.0],
        a: &[&[0.0], &[0.5, 0.5]],
        error: &[0.5, -0.5],
        dense: &[&[1.0, -0.5], &[0.0, 0.5]],
        predictor: &[&[], &[1.0]],
    };
}

impl Adaptive for Trapezoidal {}
