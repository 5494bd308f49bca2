//! Two-stage Gauss–Legendre collocation, order 4.

use crate::{Collocation, CollocationMethod, CollocationTableau, Method};

/// Gauss–Legendre collocation with two stages, order 4 (E. Hairer, C. Lubich, G. Wanner, *Geometric
/// Numerical Integration*, section II.1.3): A- and B-stable, symmetric, symplectic; keeps quadratic
/// invariants to rounding and energies for a long time. Fixed steps; each one's equations are solved
/// to rounding. Dense output is the collocation polynomial: errors `O(h³)` inside a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GaussLegendre4;

impl Method for GaussLegendre4 {
    type Family = Collocation;
}

impl CollocationMethod for GaussLegendre4 {
    const TABLEAU: CollocationTableau = CollocationTableau {
        order: 4,
        embedded_order: 0,
        c: &[0.2113248654051871, 0.7886751345948129],
        t: &[&[0.0, 0.2679491924311227], &[1.0, 0.0]],
        t_inverse: &[&[0.0, 1.0], &[3.732050807568877, 0.0]],
        real: None,
        pairs: &[(3.0, 1.7320508075688772)],
        d: &[-1.7320508075688772, 1.7320508075688772],
        error: &[],
        dense: &[
            &[6.464101615137754, -8.196152422706632],
            &[-0.4641016151377546, 2.196152422706632],
        ],
    };
}
