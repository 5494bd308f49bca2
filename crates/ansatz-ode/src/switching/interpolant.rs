//! The solution inside a step of either method: [`SwitchingInterpolant`].

use crate::{Interpolant, Result};

/// The dense output of one step of the explicit or of the implicit method, kept.
#[derive(Debug, Clone)]
pub enum SwitchingInterpolant<E, I> {
    /// Of the explicit method.
    Explicit(E),
    /// Of the implicit method.
    Implicit(I),
}

impl<Y, E: Interpolant<Y>, I: Interpolant<Y>> Interpolant<Y> for SwitchingInterpolant<E, I> {
    fn at(&self, theta: f64) -> Result<Y> {
        match self {
            Self::Explicit(explicit) => explicit.at(theta),
            Self::Implicit(implicit) => implicit.at(theta),
        }
    }
}
