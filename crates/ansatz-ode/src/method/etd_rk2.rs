//! Exponential time differencing of order 2.

use crate::{
    Adaptive, Exponential, ExponentialMethod, ExponentialStage, ExponentialTableau, Method,
};

/// Exponential time differencing of order 2 (S. Cox, P. Matthews, J. Comput. Phys. 176, 2002,
/// 430–455), two stages, for fields with a linear part ([`SemiLinear`](crate::SemiLinear)). The error
/// estimate is that of the exponential Euler method.
///
/// Inside a step the solution is Hermite's cubic: transients of the linear part that are over within
/// one step are not resolved there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EtdRk2;

impl Method for EtdRk2 {
    type Family = Exponential;
}

impl ExponentialMethod for EtdRk2 {
    const TABLEAU: ExponentialTableau = ExponentialTableau {
        order: 2,
        embedded_order: 1,
        stages: &[ExponentialStage { c: 1.0, scale: 1.0, base: 0, weights: &[&[1.0]] }],
        step: ExponentialStage {
            c: 1.0,
            scale: 1.0,
            base: 0,
            weights: &[&[1.0, 0.0], &[-1.0, 1.0]],
        },
        error: &[&[], &[-1.0, 1.0]],
    };
}

impl Adaptive for EtdRk2 {}
