//! Heun's method.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// Heun's method, the explicit trapezoidal rule (K. Heun 1900): two stages, order 2, with Euler's
/// method as the companion of its error estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heun;

impl Method for Heun {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Heun {
    const TABLEAU: Tableau = Tableau {
        order: 2,
        embedded_order: 1,
        c: &[0.0, 1.0],
        a: &[&[], &[1.0]],
        b: &[0.5, 0.5],
        error: &[-0.5, 0.5],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for Heun {}
