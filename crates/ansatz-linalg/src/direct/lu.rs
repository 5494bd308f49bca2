//! LU factorisation of a dense matrix with exchanges of rows.

use faer::linalg::solvers::{PartialPivLu, Solve};

use super::{Factorised, LogDeterminant, check_pivots, check_square, columns, parity};
use crate::{Dense, LinearOperator, Result};

/// `P A = L U` of a dense matrix.
#[derive(Debug, Clone)]
pub struct Lu {
    factors: PartialPivLu<f64>,
}

impl Lu {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when it is not square,
    /// [`Error::Singular`](crate::Error::Singular) when a pivot is zero but for rounding.
    pub fn new(matrix: &Dense) -> Result<Self> {
        check_square("matrix of an LU factorisation", matrix.shape())?;
        let factors = matrix.as_faer().partial_piv_lu();
        let u = factors.U();
        check_pivots("matrix of an LU factorisation", (0..u.nrows()).map(|i| u[(i, i)]))?;
        Ok(Self { factors })
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let u = self.factors.U();
        let rows: Vec<usize> = self.factors.P().arrays().0.to_vec();
        LogDeterminant::of_diagonal((0..u.nrows()).map(|i| u[(i, i)]), parity(rows))
    }
}

impl Factorised for Lu {
    fn dimension(&self) -> usize {
        self.factors.U().nrows()
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        let n = self.dimension();
        self.factors.solve_in_place(columns("right-hand side of an LU solve", n, x)?);
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        let n = self.dimension();
        self.factors.solve_transpose_in_place(columns("right-hand side of an LU solve", n, x)?);
        Ok(())
    }
}
