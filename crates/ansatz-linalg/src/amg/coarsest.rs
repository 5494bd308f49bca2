//! The end of the hierarchy.

use nalgebra_sparse::CsrMatrix;

use crate::{
    Cholesky, Dense, Error, Factorised, LinearOperator, Result, Sparse, SparseCholesky,
    SymmetricEigen, to_dense,
};

/// Solves on the coarsest level: by Cholesky, or, for a singular matrix, in the least-squares sense.
#[derive(Debug)]
pub(super) struct Coarsest {
    dimension: usize,
    entries: usize,
    solver: Solver,
}

#[derive(Debug)]
enum Solver {
    Dense(Cholesky),
    Sparse(Box<SparseCholesky>),
    /// The pseudo-inverse.
    Singular(Dense),
}

/// Up to this many unknowns a dense matrix is faster.
const DENSE: usize = 600;
/// What the diagonal of a large singular matrix is raised by, relative.
const RAISED: f64 = 1e-8;

impl Coarsest {
    pub(super) fn new(a: CsrMatrix<f64>) -> Result<Self> {
        let (dimension, entries) = (a.nrows(), a.nnz());
        let a = Sparse::new(a)?;
        let solver = if dimension > DENSE {
            Solver::Sparse(Box::new(factorised(&a)?))
        } else {
            let dense = Dense::new(to_dense(&a)?)?;
            // A pivot that rounding made is a sign of a singular matrix as well.
            let largest = a.diagonal().into_iter().fold(0.0, f64::max);
            match Cholesky::new(&dense) {
                Ok(factor) if well(&factor, dimension, largest) => Solver::Dense(factor),
                _ => Solver::Singular(pseudo_inverse(&dense)?),
            }
        };
        Ok(Self { dimension, entries, solver })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    pub(super) fn solve(&self, b: &[f64], x: &mut Vec<f64>) -> Result<()> {
        x.clear();
        x.extend_from_slice(b);
        match &self.solver {
            Solver::Dense(factor) => factor.solve_in_place(x),
            Solver::Sparse(factor) => factor.solve_in_place(x),
            Solver::Singular(inverse) => inverse.apply_into(&b.to_vec(), x),
        }
    }
}

/// Of a singular matrix that of one close to it, which does as well for a preconditioner.
fn factorised(a: &Sparse) -> Result<SparseCholesky> {
    let diagonal = a.diagonal();
    let largest = diagonal.iter().copied().fold(0.0, f64::max);
    match SparseCholesky::new(a) {
        Ok(factor) if well(&factor, diagonal.len(), largest) => Ok(factor),
        Err(error @ Error::Factorisation { .. }) => Err(error),
        _ => {
            let entries = a.as_csr().triplet_iter();
            let raised = entries.map(|(i, j, a)| if i == j { a * (1.0 + RAISED) } else { *a });
            SparseCholesky::new(&a.with_values(raised.collect())?)
        }
    }
}

/// Whether a solve does not blow up what rounding leaves.
fn well(factor: &impl Factorised, n: usize, largest: f64) -> bool {
    let mut probe: Vec<f64> =
        (0..n).map(|i| (1.3 * i as f64 + 0.1 * (i * i) as f64).sin() + 0.5).collect();
    let size = probe.iter().map(|p| p * p).sum::<f64>().sqrt();
    let solved = factor.solve_in_place(&mut probe).is_ok();
    let norm = probe.iter().map(|p| p * p).sum::<f64>().sqrt();
    solved && norm * largest < 1e12 * size
}

fn pseudo_inverse(dense: &Dense) -> Result<Dense> {
    let eigen = SymmetricEigen::new(dense)?;
    let largest = eigen.values().iter().fold(0.0f64, |a, v| a.max(v.abs()));
    if let Some(pivot) = eigen.values().iter().position(|v| *v < -1e-8 * largest) {
        return Err(Error::NotPositiveDefinite { what: super::WHAT, pivot });
    }
    eigen.function(|value| if value > 1e-11 * largest { 1.0 / value } else { 0.0 })
}
