//! LU factorisation of a dense matrix with exchanges of rows.

use faer::{
    MatRef,
    linalg::solvers::{PartialPivLu, Solve},
};

use super::{Factorised, LogDeterminant, check_square, columns, condition, parity};
use crate::{Dense, Error, LinearOperator, Result};

/// `P A = L U` of a dense matrix.
#[derive(Debug, Clone)]
pub struct Lu {
    factors: PartialPivLu<f64>,
}

impl Lu {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::Singular`] when it has no inverse but for
    /// rounding, whatever the units of its columns: by the rule of [`SparseLu`](crate::SparseLu).
    pub fn new(matrix: &Dense) -> Result<Self> {
        const WHAT: &str = "matrix of an LU factorisation";
        check_square(WHAT, matrix.shape())?;
        let lu = Self { factors: matrix.as_faer().partial_piv_lu() };
        let u = lu.upper();
        if let Some(pivot) = (0..u.nrows()).find(|&i| u[(i, i)] == 0.0) {
            return Err(Error::Singular { what: WHAT, pivot, value: 0.0 });
        }
        let norm = |column: faer::ColRef<'_, f64>| column.iter().map(|a| a.abs()).sum();
        condition::check(WHAT, &lu, &matrix.as_faer().col_iter().map(norm).collect::<Vec<_>>())?;
        Ok(lu)
    }

    /// `L`, lower triangular with ones on the diagonal.
    pub fn lower(&self) -> MatRef<'_, f64> {
        self.factors.L()
    }

    /// `U`, upper triangular.
    pub fn upper(&self) -> MatRef<'_, f64> {
        self.factors.U()
    }

    /// `P`: row `i` of `P A` is row `permutation[i]` of `A`.
    pub fn permutation(&self) -> &[usize] {
        self.factors.P().arrays().0
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let u = self.factors.U();
        let rows = self.permutation().to_vec();
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
