//! McLachlan and Atela's method of order 4.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The optimal method with four kicks of R. I. McLachlan and P. Atela (Nonlinearity 5, 1992,
/// 541–562), not symmetric.
///
/// Of order 4 where the drift is linear in the momenta and does not depend on time, as in
/// [`Newtonian`](crate::Newtonian) fields (`H = pᵀM⁻¹p/2 + V(q, t)`); for other fields of order 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct McLachlanAtela4;

impl Method for McLachlanAtela4 {
    type Family = Symplectic;
}

impl SymplecticMethod for McLachlanAtela4 {
    const SPLITTING: Splitting = Splitting {
        order: 4,
        drift: &[
            0.0,
            0.5153528374311229,
            -0.08578201941297364,
            0.4415830236164665,
            0.12884615836538418,
        ],
        kick: &[
            0.1344961992774311,
            -0.22481980307942082,
            0.7563200005156683,
            0.33400360328632145,
            0.0,
        ],
    };
}
