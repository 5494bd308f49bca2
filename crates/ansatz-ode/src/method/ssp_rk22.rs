//! The strong stability preserving method with two stages.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Heun, Method, Tableau};

/// The strong stability preserving method of order 2 with two stages (C.-W. Shu, S. Osher, J. Comput.
/// Phys. 77, 1988, 439–471): [`Heun`]'s method by the name it has among those.
///
/// Where an Euler step of length up to `h` does not increase a norm, or the total variation, neither
/// does a step of this method of length up to [`SSP_COEFFICIENT`](Self::SSP_COEFFICIENT)` · h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SspRk22;

impl SspRk22 {
    /// Steps are strong stability preserving up to this multiple of the longest Euler step that is.
    pub const SSP_COEFFICIENT: f64 = 1.0;
}

impl Method for SspRk22 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for SspRk22 {
    const TABLEAU: Tableau = Heun::TABLEAU;
}

impl Adaptive for SspRk22 {}
