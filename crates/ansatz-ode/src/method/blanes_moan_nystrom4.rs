//! Blanes and Moan's Runge–Kutta–Nyström method of order 4.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The method SRKN6 of S. Blanes and P. C. Moan (J. Comput. Appl. Math. 142, 2002, 313–330): order
/// 4, symmetric, six new kicks per step, its error made small for fields with a drift linear in the
/// momenta, as in [`Newtonian`](crate::Newtonian) ones. There the first choice; the order is 4 for
/// any separable field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlanesMoanNystrom4;

impl Method for BlanesMoanNystrom4 {
    type Family = Symplectic;
}

impl SymplecticMethod for BlanesMoanNystrom4 {
    const SPLITTING: Splitting = Splitting {
        order: 4,
        drift: &[
            0.0,
            0.245298957184271,
            0.60487266571108,
            -0.350171622895351,
            -0.350171622895351,
            0.60487266571108,
            0.245298957184271,
        ],
        kick: &[
            0.0829844064174052,
            0.396309801498368,
            -0.0390563049223486,
            0.1195241940131508,
            -0.0390563049223486,
            0.396309801498368,
            0.0829844064174052,
        ],
    };
}
