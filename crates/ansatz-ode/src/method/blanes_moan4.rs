//! Blanes and Moan's partitioned Runge–Kutta method of order 4.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The method S6 of S. Blanes and P. C. Moan (J. Comput. Appl. Math. 142, 2002, 313–330): order 4,
/// symmetric, six kicks chosen for a very small error. The first choice for separable problems of
/// moderate accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlanesMoan4;

impl Method for BlanesMoan4 {
    type Family = Symplectic;
}

impl SymplecticMethod for BlanesMoan4 {
    const SPLITTING: Splitting = Splitting {
        order: 4,
        drift: &[
            0.0792036964311957,
            0.353172906049774,
            -0.0420650803577195,
            0.2193769557534996,
            -0.0420650803577195,
            0.353172906049774,
            0.0792036964311957,
        ],
        kick: &[
            0.209515106613362,
            -0.143851773179818,
            0.434336666566456,
            0.434336666566456,
            -0.143851773179818,
            0.209515106613362,
            0.0,
        ],
    };
}
