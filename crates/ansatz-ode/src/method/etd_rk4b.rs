//! Krogstad's exponential method of order 4.

use crate::{Exponential, ExponentialMethod, ExponentialStage, ExponentialTableau, Method};

/// ETDRK4-B (S. Krogstad, J. Comput. Phys. 203, 2005, 72–88), order 4, four stages, for fields with a
/// linear part ([`SemiLinear`](crate::SemiLinear)). Fixed steps. Its errors are smaller than those of
/// [`EtdRk4`](crate::EtdRk4), above all where the nonlinear part excites stiff components.
///
/// Inside a step the solution is Hermite's cubic: transients of the linear part that are over within
/// one step are not resolved there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EtdRk4B;

impl Method for EtdRk4B {
    type Family = Exponential;
}

impl ExponentialMethod for EtdRk4B {
    const TABLEAU: ExponentialTableau = ExponentialTableau {
        order: 4,
        embedded_order: 0,
        stages: &[
            ExponentialStage { c: 0.5, scale: 0.5, base: 0, weights: &[&[0.5]] },
            ExponentialStage { c: 0.5, scale: 0.5, base: 0, weights: &[&[0.5], &[-1.0, 1.0]] },
            ExponentialStage { c: 1.0, scale: 1.0, base: 0, weights: &[&[1.0], &[-2.0, 0.0, 2.0]] },
        ],
        step: ExponentialStage {
            c: 1.0,
            scale: 1.0,
            base: 0,
            weights: &[&[1.0, 0.0, 0.0, 0.0], &[-3.0, 2.0, 2.0, -1.0], &[4.0, -4.0, -4.0, 4.0]],
        },
        error: &[],
    };
}
