//! The implicit midpoint rule.

use crate::{Collocation, CollocationMethod, CollocationTableau, Method};

/// The implicit midpoint rule, Gauss–Legendre collocation with one stage, order 2: A- and B-stable,
/// symmetric, symplectic; keeps quadratic invariants to rounding. Fixed steps; each one's equation is
/// solved to rounding. Dense output is linear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImplicitMidpoint;

impl Method for ImplicitMidpoint {
    type Family = Collocation;
}

impl CollocationMethod for ImplicitMidpoint {
    const TABLEAU: CollocationTableau = CollocationTableau {
        order: 2,
        embedded_order: 0,
        c: &[0.5],
        t: &[&[1.0]],
        t_inverse: &[&[1.0]],
        real: Some(2.0),
        pairs: &[],
        d: &[2.0],
        error: &[],
        dense: &[&[2.0]],
    };
}
