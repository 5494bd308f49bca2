//! Yoshida's method of order 6.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// Solution A of H. Yoshida (Phys. Lett. A 150, 1990, 262–268): order 6, symmetric, seven kicks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Yoshida6;

impl Method for Yoshida6 {
    type Family = Symplectic;
}

impl SymplecticMethod for Yoshida6 {
    const SPLITTING: Splitting = Splitting {
        order: 6,
        drift: &[
            0.39225680523877865,
            0.5100434119184577,
            -0.47105338540975644,
            0.0687531682525201,
            0.0687531682525201,
            -0.47105338540975644,
            0.5100434119184577,
            0.39225680523877865,
        ],
        kick: &[
            0.7845136104775573,
            0.23557321335935813,
            -1.177679984178871,
            1.3151863206839112,
            -1.177679984178871,
            0.23557321335935813,
            0.7845136104775573,
            0.0,
        ],
    };
}
