//! Kværnø's ESDIRK pair of order 3(2).

use crate::{Adaptive, DiagonallyImplicit, Dirk, DirkTableau, Method};

/// The 3(2) pair of A. Kværnø (BIT 44, 2004, 489–502): four stages, A- and L-stable, stage order 2.
/// Dense output of order 3 (derived from the order conditions, bounded for infinitely stiff components).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kvaerno3;

impl Method for Kvaerno3 {
    type Family = Dirk;
}

impl DiagonallyImplicit for Kvaerno3 {
    const TABLEAU: DirkTableau = DirkTableau {
        order: 3,
        embedded_order: 2,
        c: &[0.0, 0.871733043016918, 1.0, 1.0],
        a: &[
            &[0.0],
            &[0.435866521508459, 0.435866521508459],
            &[0.49056338842178054, 0.07357009006976042, 0.435866521508459],
            &[0.30880996997674653, 1.4905633884217806, -1.2352398799069861, 0.435866521508459],
        ],
        error: &[-0.18175341844503404, 1.4169932983520201, -1.671106401415445, 0.435866521508459],
        dense: &[
            &[1.0, -1.0735700900697605, 0.38238006004650693],
            &[0.0, 4.471690165265342, -2.981126776843561],
            &[1.0452602553351023, -5.796240150391163, 3.5157400151490745],
            &[-1.0452602553351023, 2.3981200751955813, -0.9169932983520201],
        ],
        predictor: &[
            &[],
            &[0.871733043016918],
            &[0.42642990993023955, 0.5735700900697605],
            &[0.30880996997674653, 1.4905633884217806, -0.7993733583985271],
        ],
    };
}

impl Adaptive for Kvaerno3 {}
