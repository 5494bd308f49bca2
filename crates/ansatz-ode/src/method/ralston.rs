//! Ralston's method of order 2.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The method of order 2 with the smallest error bound (A. Ralston, Math. Comput. 16, 1962, 431–437):
/// two stages, with an error estimate against [`Euler`](crate::Euler).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ralston;

impl Method for Ralston {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Ralston {
    const TABLEAU: Tableau = Tableau {
        order: 2,
        embedded_order: 1,
        c: &[0.0, 2.0 / 3.0],
        a: &[&[], &[2.0 / 3.0]],
        b: &[0.25, 0.75],
        error: &[-0.75, 0.75],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for Ralston {}
