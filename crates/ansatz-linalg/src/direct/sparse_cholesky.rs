//! Cholesky factorisation of a sparse matrix.

use std::sync::Arc;

use faer::{
    Conj, Side, Spec,
    dyn_stack::{MemBuffer, MemStack},
    linalg::cholesky::llt::factor::{LltError, LltRegularization},
    sparse::linalg::cholesky::{
        CholeskySymbolicParams, LltRef, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering,
        factorize_symbolic_cholesky, supernodal::SupernodalLltRef,
    },
};

use super::{Factorised, LogDeterminant, Pattern, check_square, columns, failed, rounded_pivot};
use crate::{Error, LinearOperator, Properties, Result, Sparse};

/// `P A Pᵀ = L Lᵀ` of a sparse symmetric positive definite matrix, ordered for little fill-in.
///
/// [`SparseCholesky::refactorise`] uses the order again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseCholesky {
    symbolic: Arc<SymbolicCholesky<usize>>,
    values: Vec<f64>,
    pattern: Pattern,
}

const WHAT: &str = "matrix of a sparse Cholesky factorisation";
const TASK: &str = "sparse Cholesky factorisation";

impl SparseCholesky {
    /// Of `matrix`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::NotPositiveDefinite`], also when what is left
    /// of an entry of the diagonal may be made by rounding; its pivot is a step in the order of
    /// little fill-in. [`Error::Factorisation`] when memory runs out.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        check_square(WHAT, matrix.shape())?;
        let symbolic = factorize_symbolic_cholesky(
            matrix.to_faer().symbolic(),
            Side::Lower,
            SymmetricOrdering::Amd,
            CholeskySymbolicParams::default(),
        )
        .map_err(|error| failed(TASK, &error))?;
        let values = numeric(&symbolic, matrix)?;
        Ok(Self { symbolic: Arc::new(symbolic), values, pattern: Pattern::of(matrix) })
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseCholesky::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        self.pattern.check(matrix)?;
        self.values = numeric(&self.symbolic, matrix)?;
        Ok(())
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let diagonal = diagonal(&self.symbolic, &self.values);
        let root = LogDeterminant::of_diagonal(diagonal.into_iter(), 1.0);
        LogDeterminant { sign: 1.0, log: 2.0 * root.log }
    }
}

/// Of `L`.
fn diagonal(symbolic: &SymbolicCholesky<usize>, values: &[f64]) -> Vec<f64> {
    match symbolic.raw() {
        // Each column begins with its pivot.
        SymbolicCholeskyRaw::Simplicial(columns) => {
            let starts = &columns.col_ptr()[..columns.ncols()];
            starts.iter().map(|start| values[*start]).collect()
        }
        // Each block of columns begins with its triangle.
        SymbolicCholeskyRaw::Supernodal(blocks) => {
            let factor = SupernodalLltRef::new(blocks, values);
            let block = |s| factor.supernode(s).val();
            let pivots = |s| (0..block(s).ncols()).map(move |i| block(s)[(i, i)]);
            (0..blocks.n_supernodes()).flat_map(pivots).collect()
        }
    }
}

fn numeric(symbolic: &SymbolicCholesky<usize>, matrix: &Sparse) -> Result<Vec<f64>> {
    let parallel = faer::get_global_parallelism();
    let mut values = vec![0.0; symbolic.len_val()];
    let scratch = symbolic.factorize_numeric_llt_scratch::<f64>(parallel, Spec::default());
    let mut scratch = MemBuffer::try_new(scratch).map_err(|error| failed(TASK, &error))?;
    let factor = symbolic.factorize_numeric_llt(
        &mut values,
        matrix.to_faer().as_ref(),
        Side::Lower,
        LltRegularization::default(),
        parallel,
        MemStack::new(&mut scratch),
        Spec::default(),
    );
    let indefinite = |pivot| Error::NotPositiveDefinite { what: WHAT, pivot };
    factor.map_err(|LltError::NonPositivePivot { index }| match symbolic.raw() {
        // It counts from one.
        SymbolicCholeskyRaw::Simplicial(_) => indefinite(index.saturating_sub(1)),
        SymbolicCholeskyRaw::Supernodal(_) => indefinite(index),
    })?;
    let entries = matrix.diagonal();
    let order = symbolic.perm().map(|order| order.arrays().0);
    let entry = |k: usize| entries[order.map_or(k, |order| order[k])];
    let least = rounded_pivot(entries.len());
    let pivots = diagonal(symbolic, &values);
    match pivots.iter().enumerate().position(|(k, l)| l * l <= least * entry(k)) {
        Some(pivot) => Err(indefinite(pivot)),
        None => Ok(values),
    }
}

impl Factorised for SparseCholesky {
    fn dimension(&self) -> usize {
        self.pattern.shape[0]
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        let x = columns("right-hand side of a sparse Cholesky solve", self.dimension(), x)?;
        let parallel = faer::get_global_parallelism();
        let scratch = self.symbolic.solve_in_place_scratch::<f64>(x.ncols(), parallel);
        let mut scratch = MemBuffer::try_new(scratch).map_err(|error| failed(TASK, &error))?;
        LltRef::new(&self.symbolic, &self.values).solve_in_place_with_conj(
            Conj::No,
            x,
            parallel,
            MemStack::new(&mut scratch),
        );
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.solve_in_place(x)
    }

    fn properties(&self) -> Properties {
        Properties::SPD
    }
}
