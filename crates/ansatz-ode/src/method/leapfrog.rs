//! The Störmer–Verlet method, begun with a drift.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The Störmer–Verlet method as drift–kick–drift (L. Verlet, Phys. Rev. 159, 1967, 98–103): order
/// 2, symmetric, one kick per step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leapfrog;

impl Method for Leapfrog {
    type Family = Symplectic;
}

impl SymplecticMethod for Leapfrog {
    const SPLITTING: Splitting = Splitting { order: 2, drift: &[0.5, 0.5], kick: &[1.0, 0.0] };
}
