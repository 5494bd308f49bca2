//! The strong stability preserving method of order 4 with ten stages.

use crate::{Explicit, ExplicitRungeKutta, Method, Tableau};

/// The strong stability preserving method of order 4 with ten stages (D. I. Ketcheson, SIAM J. Sci.
/// Comput. 30, 2008, 2113–2136): the most step per evaluation of its order.
///
/// Where an Euler step of length up to `h` does not increase a norm, or the total variation, neither
/// does a step of this method of length up to [`SSP_COEFFICIENT`](Self::SSP_COEFFICIENT)` · h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SspRk104;

impl SspRk104 {
    /// Steps are strong stability preserving up to this multiple of the longest Euler step that is.
    pub const SSP_COEFFICIENT: f64 = 6.0;
}

impl Method for SspRk104 {
    type Family = Explicit;
}

const SIXTH: f64 = 1.0 / 6.0;
/// The first five weights of the stages after the fifth.
const S: f64 = 1.0 / 15.0;

impl ExplicitRungeKutta for SspRk104 {
    const TABLEAU: Tableau = Tableau {
        order: 4,
        embedded_order: 0,
        c: &[0.0, SIXTH, 1.0 / 3.0, 0.5, 2.0 / 3.0, 1.0 / 3.0, 0.5, 2.0 / 3.0, 5.0 / 6.0, 1.0],
        a: &[
            &[],
            &[SIXTH],
            &[SIXTH; 2],
            &[SIXTH; 3],
            &[SIXTH; 4],
            &[S; 5],
            &[S, S, S, S, S, SIXTH],
            &[S, S, S, S, S, SIXTH, SIXTH],
            &[S, S, S, S, S, SIXTH, SIXTH, SIXTH],
            &[S, S, S, S, S, SIXTH, SIXTH, SIXTH, SIXTH],
        ],
        b: &[0.1; 10],
        error: &[],
        extra: &[],
        dense: &[],
    };
}
