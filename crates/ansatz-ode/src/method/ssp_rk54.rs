//! The strong stability preserving method of order 4 with five stages.

use crate::{Explicit, ExplicitRungeKutta, Method, Tableau};

/// The strong stability preserving method of order 4 with five stages (R. J. Spiteri, S. J. Ruuth,
/// SIAM J. Numer. Anal. 40, 2002, 469–491, whose coefficients have 15 digits).
///
/// Where an Euler step of length up to `h` does not increase a norm, or the total variation, neither
/// does a step of this method of length up to [`SSP_COEFFICIENT`](Self::SSP_COEFFICIENT)` · h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SspRk54;

impl SspRk54 {
    /// Steps are strong stability preserving up to this multiple of the longest Euler step that is.
    pub const SSP_COEFFICIENT: f64 = 1.50818004918983;
}

impl Method for SspRk54 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for SspRk54 {
    const TABLEAU: Tableau = Tableau {
        order: 4,
        embedded_order: 0,
        c: &[0.0, 0.39175222657189, 0.5860796893115398, 0.47454236312139997, 0.935010630967653],
        a: &[
            &[],
            &[0.39175222657189],
            &[0.2176690962611688, 0.368410593050371],
            &[0.0826920866578106, 0.13995850219189537, 125945887135847.0 / 500000000000000.0],
            &[0.06796628363711477, 0.11503469850463158, 0.20703489859738564, 0.544974750228521],
        ],
        b: &[
            0.1468118760847866,
            0.2484829094449762,
            0.10425883033198097,
            0.2744389009013507,
            113003741618453.0 / 500000000000000.0,
        ],
        error: &[],
        extra: &[],
        dense: &[],
    };
}
