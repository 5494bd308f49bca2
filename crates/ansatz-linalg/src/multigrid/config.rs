//! The settings of multigrid: [`MultigridConfig`].

use crate::{Error, Result};

/// In which order the grids are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cycle {
    /// Each once on the way down and once on the way up.
    #[default]
    V,
    /// Each coarser grid twice: more robust, and hardly dearer in three dimensions.
    W,
    /// Between the two: an F-cycle and then a V-cycle on each coarser grid. Not symmetric.
    F,
}

impl Cycle {
    /// What follows the first visit of the coarser grid.
    pub(super) fn second(self) -> Option<Self> {
        match self {
            Self::V => None,
            Self::W => Some(Self::W),
            Self::F => Some(Self::V),
        }
    }
}

/// What makes the error smooth on a grid.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Smoother {
    /// Gauss–Seidel by colours, two where cells are coupled along the axes alone, and up to eight
    /// where they are over corners too.
    #[default]
    RedBlack,
    /// Jacobi's method, damped.
    Jacobi {
        /// Between 0 and 1, relative to the largest step that converges.
        damping: f64,
    },
    /// A polynomial of Jacobi's method that is small for the upper part of the eigenvalues
    /// (M. Adams et al., J. Comput. Phys. 188, 2003).
    Chebyshev {
        /// Of the polynomial, at least 1.
        degree: usize,
        /// Where the upper part begins, between 0 and 1.
        lower: f64,
    },
}

/// The settings of [`Multigrid`](crate::Multigrid).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultigridConfig {
    /// The order of the grids.
    pub cycle: Cycle,
    /// What smoothes.
    pub smoother: Smoother,
    /// How often, before the correction from the coarser grid.
    pub before: usize,
    /// How often after it.
    pub after: usize,
    /// Whether a solve without a guess begins on the coarsest grid (full multigrid).
    pub full: bool,
}

impl Default for MultigridConfig {
    fn default() -> Self {
        Self { cycle: Cycle::V, smoother: Smoother::RedBlack, before: 1, after: 1, full: true }
    }
}

impl MultigridConfig {
    /// Errors unless something smoothes, and the numbers of the smoother are in their range.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn validate(&self) -> Result<()> {
        if self.before == 0 && self.after == 0 {
            return Err(Error::invalid("before and after", 0, "at least one smoothing"));
        }
        let inside = |x: f64| x > 0.0 && x < 1.0;
        match self.smoother {
            Smoother::Jacobi { damping } if !inside(damping) => {
                Err(Error::invalid("damping of Jacobi", damping, "a number between 0 and 1"))
            }
            Smoother::Chebyshev { lower, .. } if !inside(lower) => {
                Err(Error::invalid("lower of Chebyshev", lower, "a number between 0 and 1"))
            }
            Smoother::Chebyshev { degree: 0, .. } => {
                Err(Error::invalid("degree of Chebyshev", 0, "at least 1"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a cycle is a symmetric operator.
    pub fn is_symmetric(&self) -> bool {
        self.before == self.after && self.cycle != Cycle::F
    }
}
