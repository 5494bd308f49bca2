//! Bogacki and Shampine's 3(2) pair.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The 3(2) pair of P. Bogacki and L. F. Shampine (Appl. Math. Lett. 2, 1989, 321–325): four
/// stages, first same as last, cubic Hermite dense output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bosh3;

impl Method for Bosh3 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Bosh3 {
    const TABLEAU: Tableau = Tableau {
        order: 3,
        embedded_order: 2,
        c: &[0.0, 0.5, 0.75, 1.0],
        a: &[&[], &[0.5], &[0.0, 0.75], &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0]],
        b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0],
        error: &[2.0 / 9.0 - 7.0 / 24.0, 1.0 / 3.0 - 1.0 / 4.0, 4.0 / 9.0 - 1.0 / 3.0, -1.0 / 8.0],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for Bosh3 {}
