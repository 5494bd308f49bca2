//! LU factorisation of a sparse matrix.

use faer::{
    linalg::solvers::Solve,
    sparse::{
        SparseColMat,
        linalg::{
            LuError,
            solvers::{Lu, SymbolicLu},
        },
    },
};

use super::{Factorised, Pattern, check_square, columns, failed};
use crate::{Error, LinearOperator, Result, Sparse};

/// `P A Q = L U` of a sparse matrix, columns ordered for little fill-in, rows exchanged for
/// stability.
///
/// The order of the columns and the places of the fill-in depend only on where the entries are.
/// [`SparseLu::refactorise`] uses them again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseLu {
    symbolic: SymbolicLu<usize>,
    factors: Lu<usize, f64>,
    pattern: Pattern,
}

impl SparseLu {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::Singular`] when it is singular by the places
    /// of its entries or a pivot is exactly zero (one that rounding has made is not found), [`Error::Factorisation`] when memory runs out.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        check_square(WHAT, matrix.shape())?;
        let columns = matrix.to_faer();
        let symbolic =
            SymbolicLu::try_new(columns.symbolic()).map_err(|error| failed(TASK, &error))?;
        let factors = numeric(&symbolic, &columns)?;
        Ok(Self { symbolic, factors, pattern: Pattern::of(matrix) })
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseLu::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        self.pattern.check(matrix)?;
        self.factors = numeric(&self.symbolic, &matrix.to_faer())?;
        Ok(())
    }
}

const WHAT: &str = "matrix of a sparse LU factorisation";
const TASK: &str = "sparse LU factorisation";

fn numeric(
    symbolic: &SymbolicLu<usize>,
    matrix: &SparseColMat<usize, f64>,
) -> Result<Lu<usize, f64>> {
    let factors = Lu::try_new_with_symbolic(symbolic.clone(), matrix.as_ref());
    let factors = factors.map_err(|error| match error {
        LuError::SymbolicSingular { index } => {
            Error::Singular { what: WHAT, pivot: index, value: 0.0 }
        }
        LuError::Generic(other) => failed(TASK, &other),
    })?;
    // The library goes on past a pivot of zero: what it then returns is not finite.
    let mut probe = vec![1.0; matrix.nrows()];
    factors.solve_in_place(super::columns("probe", matrix.nrows(), &mut probe)?);
    match probe.iter().position(|x| !x.is_finite()) {
        Some(pivot) => Err(Error::Singular { what: WHAT, pivot, value: 0.0 }),
        None => Ok(factors),
    }
}

impl Factorised for SparseLu {
    fn dimension(&self) -> usize {
        self.pattern.shape[0]
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        let x = columns("right-hand side of a sparse LU solve", self.dimension(), x)?;
        self.factors.solve_in_place(x);
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        let x = columns("right-hand side of a sparse LU solve", self.dimension(), x)?;
        self.factors.solve_transpose_in_place(x);
        Ok(())
    }
}
