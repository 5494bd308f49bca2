//! LU factorisation of a sparse matrix.

use std::sync::Arc;

use faer::{
    Conj, MatMut, Spec,
    dyn_stack::{MemBuffer, MemStack, StackReq},
    sparse::{
        SparseColMat,
        linalg::{
            LuError,
            lu::{
                LuRef, LuSymbolicParams, NumericLu, SymbolicLu, factorize_symbolic_lu, simplicial,
            },
        },
    },
};

use super::{
    Factorised, LogDeterminant, Pattern, check_square, columns, condition, failed, parity,
};
use crate::{Error, LinearOperator, Result, Sparse};

/// `P A Q = L U` of a sparse matrix, columns ordered for little fill-in, rows exchanged for
/// stability.
///
/// The order of the columns and the places of the fill-in depend only on where the entries are.
/// [`SparseLu::refactorise`] uses them again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseLu {
    symbolic: Arc<SymbolicLu<usize>>,
    numeric: NumericLu<usize, f64>,
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
        check_square(WHAT, matrix.shape())?;
        let columns = matrix.to_faer();
        let symbolic = factorize_symbolic_lu(columns.symbolic(), LuSymbolicParams::default())
            .map_err(|error| failed(TASK, &error))?;
        let lu = Self {
            numeric: numeric(&symbolic, &columns)?,
            symbolic: Arc::new(symbolic),
            matrix: columns,
            pattern: Pattern::of(matrix),
        };
        lu.check()?;
        Ok(lu)
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseLu::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        self.pattern.check(matrix)?;
        let columns = matrix.to_faer();
        let new = Self {
            numeric: numeric(&self.symbolic, &columns)?,
            symbolic: self.symbolic.clone(),
            matrix: columns,
            pattern: self.pattern.clone(),
        };
        new.check()?;
        *self = new;
        Ok(())
    }

    /// Rounding of the elimination does not depend on the scale of the columns, so neither does
    /// this.
    fn check(&self) -> Result<()> {
        let n = self.dimension();
        let norms = column_norms(&self.matrix);
        let singular = |pivot, value| Err(Error::Singular { what: WHAT, pivot, value });
        if let Some(empty) = norms.iter().position(|norm| *norm == 0.0) {
            return singular(empty, 0.0);
        }
        let inverse = condition::inverse_1norm(self, &norms)?;
        let value = 1.0 / inverse.norm;
        if n > 0 && value <= super::rounding(n) { singular(inverse.at, value) } else { Ok(()) }
    }

    /// The determinant.
    ///
    /// The library does not show the pivots of a factorisation in blocks, so that this factorises
    /// again, entry by entry: take it for large matrices only where the determinant itself is wanted.
    ///
    /// # Errors
    /// [`Error::Factorisation`] when memory runs out.
    pub fn log_determinant(&self) -> Result<LogDeterminant> {
        let n = self.dimension();
        let mut lu = simplicial::SimplicialLu::new();
        let (mut rows, mut inverse) = (vec![0; n], vec![0; n]);
        let scratch = simplicial::factorize_simplicial_numeric_lu_scratch::<usize, f64>(n, n);
        simplicial::factorize_simplicial_numeric_lu(
            &mut rows,
            &mut inverse,
            &mut lu,
            self.matrix.as_ref(),
            self.symbolic.col_perm(),
            MemStack::new(&mut memory(scratch)?),
        )
        .map_err(broken)?;
        let u = lu.u_factor_unsorted();
        // The pivot is the last that is stored of a column.
        let pivots = (0..n).filter_map(|j| u.val_of_col(j).last().copied());
        let columns = self.symbolic.col_perm().arrays().0.to_vec();
        Ok(LogDeterminant::of_diagonal(pivots, parity(rows) * parity(columns)))
    }

    fn each(
        &self,
        x: &mut [f64],
        solve: impl Fn(LuRef<'_, usize, f64>, MatMut<'_, f64>, faer::Par, &mut MemStack),
    ) -> Result<()> {
        let x = columns("right-hand side of a sparse LU solve", self.dimension(), x)?;
        let parallel = faer::get_global_parallelism();
        let scratch = self.symbolic.solve_in_place_scratch::<f64>(x.ncols(), parallel);
        let factors = LuRef::new_unchecked(&self.symbolic, &self.numeric);
        solve(factors, x, parallel, MemStack::new(&mut memory(scratch)?));
        Ok(())
    }
}

fn memory(size: StackReq) -> Result<MemBuffer> {
    MemBuffer::try_new(size).map_err(|error| failed(TASK, &error))
}

fn column_norms(matrix: &SparseColMat<usize, f64>) -> Vec<f64> {
    (0..matrix.ncols()).map(|j| matrix.val_of_col(j).iter().map(|a| a.abs()).sum()).collect()
}

fn broken(error: LuError) -> Error {
    match error {
        LuError::SymbolicSingular { index } => {
            Error::Singular { what: WHAT, pivot: index, value: 0.0 }
        }
        LuError::Generic(other) => failed(TASK, &other),
    }
}

fn numeric(
    symbolic: &SymbolicLu<usize>,
    matrix: &SparseColMat<usize, f64>,
) -> Result<NumericLu<usize, f64>> {
    let parallel = faer::get_global_parallelism();
    let mut numeric = NumericLu::new();
    let scratch = symbolic.factorize_numeric_lu_scratch::<f64>(parallel, Spec::default());
    symbolic
        .factorize_numeric_lu(
            &mut numeric,
            matrix.as_ref(),
            parallel,
            MemStack::new(&mut memory(scratch)?),
            Spec::default(),
        )
        .map_err(broken)?;
    Ok(numeric)
}

impl Factorised for SparseLu {
    fn dimension(&self) -> usize {
        self.pattern.shape[0]
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, |lu, x, parallel, stack| {
            lu.solve_in_place_with_conj(Conj::No, x, parallel, stack);
        })
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, |lu, x, parallel, stack| {
            lu.solve_transpose_in_place_with_conj(Conj::No, x, parallel, stack);
        })
    }
}
