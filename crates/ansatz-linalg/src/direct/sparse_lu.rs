//! LU factorisation of a sparse matrix.

mod analysis;
mod factors;

use std::sync::Arc;

use faer::{
    dyn_stack::{MemBuffer, StackReq},
    sparse::{FaerError, SparseColMat, linalg::LuError},
};

use self::{
    analysis::{Analysis, is_dominant},
    factors::Factors,
};
use super::{
    Factorised, LogDeterminant, Pattern, check_square, columns, condition, failed, parity,
};
use crate::{Error, LinearOperator, Result, Sparse};

/// `P A Q = L U` of a sparse matrix, columns ordered for little fill-in, rows exchanged for
/// stability.
///
/// The order of the columns depends on where the entries are, and on whether each number of the
/// diagonal is as large as the others of its column together: no rows are exchanged then, and there
/// is less fill-in (discretised diffusion, M-matrices, implicit steps in time).
/// [`SparseLu::refactorise`] uses the order again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseLu {
    analysis: Arc<Analysis>,
    factors: Factors,
    matrix: SparseColMat<usize, f64>,
    pattern: Pattern,
}

const WHAT: &str = "matrix of a sparse LU factorisation";
const TASK: &str = "sparse LU factorisation";

impl SparseLu {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::Singular`] when it has no inverse or none
    /// that can be told from rounding: when the condition number of `A D⁻¹`, where the diagonal `D`
    /// makes the 1-norm of every column one, is estimated ([`condition_1norm_estimate`]) as more than
    /// `1 / (√n 2⁻⁵²)`. [`Error::Factorisation`] when memory runs out.
    ///
    /// [`condition_1norm_estimate`]: crate::condition_1norm_estimate
    pub fn new(matrix: &Sparse) -> Result<Self> {
        Self::unchecked(matrix)?.checked()
    }

    /// As [`new`](Self::new), but a matrix is only found to have no inverse where a pivot is missing:
    /// the estimate of the condition number takes a quarter of the time. For iterations that notice
    /// themselves that they lead nowhere.
    ///
    /// # Errors
    /// As [`SparseLu::new`].
    pub fn unchecked(matrix: &Sparse) -> Result<Self> {
        check_square(WHAT, matrix.shape())?;
        let columns = matrix.to_faer();
        let analysis = Arc::new(Analysis::new(columns.as_ref()).map_err(library)?);
        Self::of(analysis, columns, Pattern::of(matrix))
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseLu::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        *self = self.again(matrix)?.checked()?;
        Ok(())
    }

    /// As [`refactorise`](Self::refactorise), with no more checks than
    /// [`unchecked`](Self::unchecked).
    ///
    /// # Errors
    /// As [`refactorise`](Self::refactorise).
    pub fn refactorise_unchecked(&mut self, matrix: &Sparse) -> Result<()> {
        *self = self.again(matrix)?;
        Ok(())
    }

    fn again(&self, matrix: &Sparse) -> Result<Self> {
        self.pattern.check(matrix)?;
        let columns = matrix.to_faer();
        if self.analysis.dominant && !is_dominant(columns.as_ref()) {
            // The order is a bad one where rows are exchanged.
            return Self::unchecked(matrix);
        }
        Self::of(self.analysis.clone(), columns, self.pattern.clone())
    }

    fn checked(self) -> Result<Self> {
        condition::check(WHAT, &self, &column_norms(&self.matrix))?;
        Ok(self)
    }

    fn of(
        analysis: Arc<Analysis>,
        matrix: SparseColMat<usize, f64>,
        pattern: Pattern,
    ) -> Result<Self> {
        let factors = Factors::new(&analysis, &matrix).map_err(broken)?;
        Ok(Self { analysis, factors, matrix, pattern })
    }

    /// The determinant.
    ///
    /// The library does not show the pivots of a factorisation in blocks, so that this factorises
    /// again, entry by entry: take it for large matrices only where the determinant itself is wanted.
    ///
    /// # Errors
    /// [`Error::Factorisation`] when memory runs out.
    pub fn log_determinant(&self) -> Result<LogDeterminant> {
        let (pivots, rows) = self.factors.pivots(&self.analysis, &self.matrix).map_err(broken)?;
        let columns = self.analysis.columns().arrays().0.to_vec();
        Ok(LogDeterminant::of_diagonal(pivots.into_iter(), parity(rows) * parity(columns)))
    }

    fn each(&self, x: &mut [f64], transposed: bool) -> Result<()> {
        let x = columns("right-hand side of a sparse LU solve", self.dimension(), x)?;
        self.factors.solve(&self.analysis, x, transposed).map_err(library)
    }
}

fn library(error: FaerError) -> Error {
    failed(TASK, &error)
}

fn memory(size: StackReq) -> Result<MemBuffer, FaerError> {
    MemBuffer::try_new(size).map_err(|_| FaerError::OutOfMemory)
}

fn column_norms(matrix: &SparseColMat<usize, f64>) -> Vec<f64> {
    (0..matrix.ncols()).map(|j| matrix.val_of_col(j).iter().map(|a| a.abs()).sum()).collect()
}

fn broken(error: LuError) -> Error {
    match error {
        LuError::SymbolicSingular { index } => {
            Error::Singular { what: WHAT, pivot: index, value: 0.0 }
        }
        LuError::Generic(other) => library(other),
    }
}

impl Factorised for SparseLu {
    fn dimension(&self) -> usize {
        self.pattern.shape[0]
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, false)
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, true)
    }
}
