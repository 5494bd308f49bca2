//! Three-stage Gauss–Legendre collocation, order 6.

use crate::{Collocation, CollocationMethod, CollocationTableau, Method};

/// Gauss–Legendre collocation with three stages, order 6 (E. Hairer, C. Lubich, G. Wanner,
/// *Geometric Numerical Integration*, section II.1.3): A- and B-stable, symmetric, symplectic; keeps
/// quadratic invariants to rounding and energies for a long time. Fixed steps; each one's equations
/// are solved to rounding. Dense output is the collocation polynomial: errors `O(h⁴)` inside a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GaussLegendre6;

impl Method for GaussLegendre6 {
    type Family = Collocation;
}

impl CollocationMethod for GaussLegendre6 {
    const TABLEAU: CollocationTableau = CollocationTableau {
        order: 6,
        embedded_order: 0,
        c: &[0.11270166537925831, 0.5, 0.8872983346207417],
        t: &[
            &[0.07146455671480077, -0.08224123057363067, -0.0601207386193085],
            &[0.11770061780985167, 0.053065090742061394, 0.3162050511322916],
            &[0.9904743215756461, 1.0, 0.0],
        ],
        t_inverse: &[
            &[6.049321980812396, 1.1501704489859705, 0.4364697845938464],
            &[-5.991698084937801, -1.1392142951557354, 0.5676878862161416],
            &[-1.2462132735862315, 2.9255596461923137, -0.25773520127343247],
        ],
        real: Some(4.644370709252171),
        pairs: &[(3.6778146453739144, 3.5087619195674433)],
        d: &[1.6666666666666667, -1.3333333333333333, 1.6666666666666667],
        error: &[],
        dense: &[
            &[13.121638910345695, -41.03158339770375, 29.57661115402472],
            &[-1.3333333333333333, 13.333333333333334, -13.333333333333334],
            &[0.21169442298763852, -2.3017499356295823, 3.7567221793086105],
        ],
    };
}
