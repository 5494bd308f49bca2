//! The strong stability preserving method with three stages.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The strong stability preserving method of order 3 with three stages (C.-W. Shu, S. Osher, J.
/// Comput. Phys. 77, 1988, 439–471).
///
/// Where an Euler step of length up to `h` does not increase a norm, or the total variation, neither
/// does a step of this method of length up to [`SSP_COEFFICIENT`](Self::SSP_COEFFICIENT)` · h`. The
/// error estimate is the difference from [`SspRk22`](crate::SspRk22), which has the same first two
/// stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SspRk33;

impl SspRk33 {
    /// Steps are strong stability preserving up to this multiple of the longest Euler step that is.
    pub const SSP_COEFFICIENT: f64 = 1.0;
}

impl Method for SspRk33 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for SspRk33 {
    const TABLEAU: Tableau = Tableau {
        order: 3,
        embedded_order: 2,
        c: &[0.0, 1.0, 0.5],
        a: &[&[], &[1.0], &[0.25, 0.25]],
        b: &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0],
        error: &[-1.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for SspRk33 {}
