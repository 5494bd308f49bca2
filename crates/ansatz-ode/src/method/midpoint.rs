//! The explicit midpoint method.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The explicit midpoint method (C. Runge 1895): two stages, order 2, with Euler's method as the
/// companion of its error estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Midpoint;

impl Method for Midpoint {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Midpoint {
    const TABLEAU: Tableau = Tableau {
        order: 2,
        embedded_order: 1,
        c: &[0.0, 0.5],
        a: &[&[], &[0.5]],
        b: &[0.0, 1.0],
        error: &[-1.0, 1.0],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for Midpoint {}
