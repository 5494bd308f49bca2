//! The Störmer–Verlet method, begun with a kick.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The Störmer–Verlet method as kick–drift–kick (W. C. Swope, H. C. Andersen, P. H. Berens, K. R.
/// Wilson, J. Chem. Phys. 76, 1982, 637–649): order 2, symmetric, one new kick per step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VelocityVerlet;

impl Method for VelocityVerlet {
    type Family = Symplectic;
}

impl SymplecticMethod for VelocityVerlet {
    const SPLITTING: Splitting = Splitting { order: 2, drift: &[0.0, 1.0], kick: &[0.5, 0.5] };
}
