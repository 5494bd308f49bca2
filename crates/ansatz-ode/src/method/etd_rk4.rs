//! Exponential time differencing of order 4.

use crate::{Exponential, ExponentialMethod, ExponentialStage, ExponentialTableau, Method};

/// Exponential time differencing of order 4 (S. Cox, P. Matthews, J. Comput. Phys. 176, 2002,
/// 430–455), four stages, for fields with a linear part ([`SemiLinear`](crate::SemiLinear)). Fixed
/// steps: the φ-functions are found once. They are evaluated without the cancellation that A. Kassam
/// and L. Trefethen (SIAM J. Sci. Comput. 26, 2005, 1214–1233) describe.
///
/// Inside a step the solution is Hermite's cubic: transients of the linear part that are over within
/// one step are not resolved there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EtdRk4;

impl Method for EtdRk4 {
    type Family = Exponential;
}

impl ExponentialMethod for EtdRk4 {
    const TABLEAU: ExponentialTableau = ExponentialTableau {
        order: 4,
        embedded_order: 0,
        stages: &[
            ExponentialStage { c: 0.5, scale: 0.5, base: 0, weights: &[&[0.5]] },
            ExponentialStage { c: 0.5, scale: 0.5, base: 0, weights: &[&[0.0, 0.5]] },
            ExponentialStage { c: 1.0, scale: 0.5, base: 1, weights: &[&[-0.5, 0.0, 1.0]] },
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
