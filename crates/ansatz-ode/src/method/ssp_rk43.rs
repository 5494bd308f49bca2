//! The strong stability preserving method of order 3 with four stages.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The strong stability preserving method of order 3 with four stages (J. F. B. M. Kraaijevanger, BIT
/// 31, 1991, 482–528), with the error estimate of S. Conde, I. Fekete, J. N. Shadid (J. Comput. Appl.
/// Math. 412, 2022, 114325): twice the step of [`SspRk33`](crate::SspRk33) for one evaluation more.
///
/// Where an Euler step of length up to `h` does not increase a norm, or the total variation, neither
/// does a step of this method of length up to [`SSP_COEFFICIENT`](Self::SSP_COEFFICIENT)` · h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SspRk43;

impl SspRk43 {
    /// Steps are strong stability preserving up to this multiple of the longest Euler step that is.
    pub const SSP_COEFFICIENT: f64 = 2.0;
}

impl Method for SspRk43 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for SspRk43 {
    const TABLEAU: Tableau = Tableau {
        order: 3,
        embedded_order: 2,
        c: &[0.0, 0.5, 1.0, 0.5],
        a: &[&[], &[0.5], &[0.5, 0.5], &[1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]],
        b: &[1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.5],
        error: &[-1.0 / 12.0, -1.0 / 12.0, -1.0 / 12.0, 0.25],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for SspRk43 {}
