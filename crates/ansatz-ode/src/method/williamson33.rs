//! Williamson's low-storage method.

use crate::{LowStorage, LowStorageCoefficients, LowStorageRungeKutta, Method, Recurrence};

/// The low-storage method of order 3 with three stages of J. H. Williamson (J. Comput. Phys. 35, 1980,
/// 48–56).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Williamson33;

impl Method for Williamson33 {
    type Family = LowStorage;
}

impl LowStorageRungeKutta for Williamson33 {
    const COEFFICIENTS: LowStorageCoefficients = LowStorageCoefficients {
        order: 3,
        c: &[0.0, 1.0 / 3.0, 0.75],
        recurrence: Recurrence::TwoN {
            a: &[0.0, -5.0 / 9.0, -153.0 / 128.0],
            b: &[1.0 / 3.0, 15.0 / 16.0, 8.0 / 15.0],
        },
        embedded: None,
    };
}
