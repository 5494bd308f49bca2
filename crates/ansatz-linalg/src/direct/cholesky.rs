//! Cholesky factorisation of a dense matrix.

use faer::{
    MatRef, Side,
    linalg::{
        cholesky::llt::factor::LltError,
        solvers::{Llt, Solve},
    },
};

use super::{Factorised, LogDeterminant, check_square, columns, rounded_pivot};
use crate::{Dense, Error, LinearOperator, Properties, Result};

/// `A = L Lᵀ` of a dense symmetric positive definite matrix.
#[derive(Debug, Clone)]
pub struct Cholesky {
    factor: Llt<f64>,
}

impl Cholesky {
    /// Of `matrix`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::NotPositiveDefinite`], also when what
    /// is left of an entry of the diagonal may be made by rounding.
    pub fn new(matrix: &Dense) -> Result<Self> {
        const WHAT: &str = "matrix of a Cholesky factorisation";
        check_square(WHAT, matrix.shape())?;
        let factor = matrix.as_faer().llt(Side::Lower).map_err(|error| match error {
            LltError::NonPositivePivot { index } => {
                Error::NotPositiveDefinite { what: WHAT, pivot: index }
            }
        })?;
        let (a, l) = (matrix.as_faer(), factor.L());
        let least = rounded_pivot(l.nrows());
        match (0..l.nrows()).find(|&i| l[(i, i)] * l[(i, i)] <= least * a[(i, i)]) {
            Some(pivot) => Err(Error::NotPositiveDefinite { what: WHAT, pivot }),
            None => Ok(Self { factor }),
        }
    }

    /// `L`, lower triangular with a positive diagonal.
    pub fn lower(&self) -> MatRef<'_, f64> {
        self.factor.L()
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let l = self.factor.L();
        let root = LogDeterminant::of_diagonal((0..l.nrows()).map(|i| l[(i, i)]), 1.0);
        LogDeterminant { sign: 1.0, log: 2.0 * root.log }
    }
}

impl Factorised for Cholesky {
    fn dimension(&self) -> usize {
        self.factor.L().nrows()
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        let n = self.dimension();
        self.factor.solve_in_place(columns("right-hand side of a Cholesky solve", n, x)?);
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.solve_in_place(x)
    }

    fn properties(&self) -> Properties {
        Properties::SPD
    }
}
