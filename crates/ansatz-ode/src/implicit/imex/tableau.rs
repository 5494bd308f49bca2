//! Butcher tableaux of implicit–explicit methods: [`ImexTableau`].

use super::Imex;
use crate::{DirkTableau, Method};

/// The coefficients of an additive Runge–Kutta method (C. A. Kennedy, M. H. Carpenter, Appl. Numer.
/// Math. 44, 2003, 139–181): two methods with the same nodes and weights, a diagonally implicit one
/// for the stiff part and an explicit one for the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImexTableau {
    /// The method of the implicit part, whose orders, nodes, weights, error estimate, dense output
    /// and first guesses are those of both together. Its dense output must be given.
    pub implicit: DirkTableau,
    /// Rows of the explicit part's matrix; row `i` has `i` entries.
    pub explicit: &'static [&'static [f64]],
}

impl ImexTableau {
    /// Number of stages, with the explicit one.
    pub const fn stages(&self) -> usize {
        self.implicit.stages()
    }

    /// Whether the lengths fit together.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        if !self.implicit.is_well_formed() || self.explicit.len() != stages {
            return false;
        }
        let mut i = 0;
        while i < stages {
            if self.explicit[i].len() != i {
                return false;
            }
            i += 1;
        }
        self.implicit.dense.len() == stages
    }
}

/// An implicit–explicit Runge–Kutta method: a name for an [`ImexTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait ImexMethod: Method<Family = Imex> + Copy {
    /// The coefficients.
    const TABLEAU: ImexTableau;
}
