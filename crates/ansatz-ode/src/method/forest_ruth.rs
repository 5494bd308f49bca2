//! Forest and Ruth's method of order 4.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The triple jump of order 4, three Verlet steps of which one goes back (E. Forest, R. D. Ruth,
/// Physica D 43, 1990, 105–117; H. Yoshida, Phys. Lett. A 150, 1990, 262–268): symmetric, three
/// kicks. Simple, but [`BlanesMoan4`](crate::BlanesMoan4) is far more accurate at equal cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForestRuth;

impl Method for ForestRuth {
    type Family = Symplectic;
}

impl SymplecticMethod for ForestRuth {
    const SPLITTING: Splitting = Splitting {
        order: 4,
        drift: &[
            0.6756035959798288,
            -0.17560359597982883,
            -0.17560359597982883,
            0.6756035959798288,
        ],
        kick: &[1.3512071919596575, -1.7024143839193153, 1.3512071919596575, 0.0],
    };
}
