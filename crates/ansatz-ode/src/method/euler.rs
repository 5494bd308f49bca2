//! Euler's method.

use crate::{Explicit, ExplicitRungeKutta, Method, Tableau};

/// Euler's method (L. Euler 1768): one stage, order 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Euler;

impl Method for Euler {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Euler {
    const TABLEAU: Tableau = Tableau {
        order: 1,
        embedded_order: 0,
        c: &[0.0],
        a: &[&[]],
        b: &[1.0],
        error: &[],
        extra: &[],
        dense: &[],
    };
}
