//! Ruth's method of order 3.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The method of R. D. Ruth (IEEE Trans. Nucl. Sci. 30, 1983, 2669–2671): order 3, three kicks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ruth3;

impl Method for Ruth3 {
    type Family = Symplectic;
}

impl SymplecticMethod for Ruth3 {
    const SPLITTING: Splitting = Splitting {
        order: 3,
        drift: &[7.0 / 24.0, 0.75, -1.0 / 24.0],
        kick: &[2.0 / 3.0, -2.0 / 3.0, 1.0],
    };
}
