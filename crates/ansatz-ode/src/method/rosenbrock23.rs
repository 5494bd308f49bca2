//! Shampine and Reichelt's pair of order 2.

use crate::{Adaptive, Method, Rosenbrock, RosenbrockMethod, RosenbrockTableau};

/// The method of `ode23s` (L. F. Shampine, M. W. Reichelt, SIAM J. Sci. Comput. 18, 1997, 1–22): three
/// stages, order 2 with an estimate by order 3, L-stable. It keeps its order with any approximation of
/// the Jacobian. For low accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rosenbrock23;

impl Method for Rosenbrock23 {
    type Family = Rosenbrock;
}

impl RosenbrockMethod for Rosenbrock23 {
    const TABLEAU: RosenbrockTableau = RosenbrockTableau {
        order: 2,
        embedded_order: 3,
        gamma: 0.2928932188134525,
        nodes: &[0.0, 0.5, 1.0],
        d: &[0.2928932188134525, 0.0, -0.2928932188134525],
        a: &[&[], &[1.7071067811865475], &[3.414213562373095, 3.414213562373095]],
        c: &[&[], &[-3.414213562373095], &[-6.82842712474619, -25.31370849898476]],
        m: &[3.414213562373095, 3.414213562373095, 0.0],
        error: &[-0.5690355937288492, -3.080880229039762, -0.5690355937288492],
        dense: &[&[3.414213562373095, 0.0], &[-4.82842712474619, 8.242640687119286], &[0.0, 0.0]],
    };
}

impl Adaptive for Rosenbrock23 {}
