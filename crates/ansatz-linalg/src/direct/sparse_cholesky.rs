//! Cholesky factorisation of a sparse matrix.

use faer::{
    Side,
    linalg::{cholesky::llt::factor::LltError as Pivot, solvers::Solve},
    sparse::{
        SparseColMat,
        linalg::{
            LltError,
            solvers::{Llt, SymbolicLlt},
        },
    },
};

use super::{Factorised, Pattern, check_square, columns, failed};
use crate::{Error, LinearOperator, Result, Sparse};

/// `P A Pᵀ = L Lᵀ` of a sparse symmetric positive definite matrix, ordered for little fill-in.
///
/// [`SparseCholesky::refactorise`] uses the order again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseCholesky {
    symbolic: SymbolicLlt<usize>,
    factor: Llt<usize, f64>,
    pattern: Pattern,
}

const WHAT: &str = "matrix of a sparse Cholesky factorisation";
const TASK: &str = "sparse Cholesky factorisation";

impl SparseCholesky {
    /// Of `matrix`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::NotPositiveDefinite`],
    /// [`Error::Factorisation`] when memory runs out.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        check_square(WHAT, matrix.shape())?;
        let columns = matrix.to_faer();
        let symbolic = SymbolicLlt::try_new(columns.symbolic(), Side::Lower)
            .map_err(|error| failed(TASK, &error))?;
        let factor = numeric(&symbolic, &columns)?;
        Ok(Self { symbolic, factor, pattern: Pattern::of(matrix) })
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseCholesky::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        self.pattern.check(matrix)?;
        self.factor = numeric(&self.symbolic, &matrix.to_faer())?;
        Ok(())
    }
}

fn numeric(
    symbolic: &SymbolicLlt<usize>,
    matrix: &SparseColMat<usize, f64>,
) -> Result<Llt<usize, f64>> {
    Llt::try_new_with_symbolic(symbolic.clone(), matrix.as_ref(), Side::Lower).map_err(|error| {
        match error {
            LltError::Numeric(Pivot::NonPositivePivot { index }) => {
                Error::NotPositiveDefinite { what: WHAT, pivot: index }
            }
            LltError::Generic(other) => failed(TASK, &other),
        }
    })
}

impl Factorised for SparseCholesky {
    fn dimension(&self) -> usize {
        self.pattern.shape[0]
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        let x = columns("right-hand side of a sparse Cholesky solve", self.dimension(), x)?;
        self.factor.solve_in_place(x);
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.solve_in_place(x)
    }
}
