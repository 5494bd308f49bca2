//! Trapezoidal rule and BDF2 in one step.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use crate::{Adaptive, DiagonallyImplicit, Dirk, DirkTableau, Method};

/// The trapezoidal rule followed by BDF2 (R. E. Bank et al., IEEE Trans. Comput.-Aided Des. 4, 1985,
/// 436–451) with the error estimate of M. E. Hosea and L. F. Shampine (Appl. Numer. Math. 20, 1996,
/// 21–37): three stages, order 2, A- and L-stable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrBdf2;

impl Method for TrBdf2 {
    type Family = Dirk;
}

impl DiagonallyImplicit for TrBdf2 {
    const TABLEAU: DirkTableau = DirkTableau {
        order: 2,
        embedded_order: 3,
        c: &[0.0, 0.585786437626905, 1.0],
        a: &[
            &[0.0],
            &[0.2928932188134525, 0.2928932188134525],
            &[0.3535533905932738, 0.3535533905932738, 0.2928932188134525],
        ],
        error: &[0.13807118745769836, -0.3333333333333333, 0.19526214587563498],
        dense: &[
            &[FRAC_1_SQRT_2, -0.3535533905932738],
            &[FRAC_1_SQRT_2, -0.3535533905932738],
            &[1.0 - SQRT_2, FRAC_1_SQRT_2],
        ],
        predictor: &[&[], &[0.585786437626905], &[0.14644660940672624, 0.8535533905932737]],
    };
}

impl Adaptive for TrBdf2 {}
