//! The classical Runge–Kutta method.

use crate::{Explicit, ExplicitRungeKutta, Method, Tableau};

/// The classical Runge–Kutta method (W. Kutta 1901): four stages, order 4.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rk4;

impl Method for Rk4 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Rk4 {
    const TABLEAU: Tableau = Tableau {
        order: 4,
        embedded_order: 0,
        c: &[0.0, 0.5, 0.5, 1.0],
        a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
        b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
        error: &[],
        extra: &[],
        dense: &[],
    };
}
