//! The semi-implicit Euler method.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The semi-implicit or symplectic Euler method (R. de Vogelaere 1956): one kick, then a drift with
/// the new momenta. Order 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SemiImplicitEuler;

impl Method for SemiImplicitEuler {
    type Family = Symplectic;
}

impl SymplecticMethod for SemiImplicitEuler {
    const SPLITTING: Splitting = Splitting { order: 1, drift: &[0.0, 1.0], kick: &[1.0, 0.0] };
}
