//! Sparse matrices on plain vectors: [`Sparse`].

use std::sync::OnceLock;

use faer::sparse::{SparseColMat, SymbolicSparseColMat};
use nalgebra_sparse::{CooMatrix, CscMatrix, CsrMatrix};
use rayon::prelude::*;

use super::check_finite;
use crate::{Error, LinearOperator, Properties, Result};

/// A sparse matrix in compressed rows. Its transpose is made when it is first needed, and kept.
///
/// Sparse matrices come in and go out in the formats of [`nalgebra_sparse`] and of [`faer`].
///
/// ```
/// use ansatz_linalg::{LinearOperator, Sparse};
/// use ansatz_linalg::nalgebra_sparse::CooMatrix;
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let mut entries = CooMatrix::new(2, 3);
/// entries.push(0, 0, 2.0);
/// entries.push(1, 2, 5.0);
/// entries.push(1, 2, 1.0); // added to the one before
/// let a = Sparse::from_coo(&entries)?;
/// assert_eq!(a.apply(&vec![1.0, 10.0, 100.0])?, [2.0, 600.0]);
/// assert_eq!(a.apply_transposed(&vec![1.0, 10.0])?, [2.0, 0.0, 60.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sparse {
    rows: CsrMatrix<f64>,
    columns: OnceLock<CsrMatrix<f64>>,
    properties: OnceLock<Properties>,
}

/// From this many entries on the rows are shared between threads, this many together.
const PARALLEL_FROM: usize = 1 << 15;
const ROWS: usize = 1 << 11;

impl Sparse {
    /// From compressed rows.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when an entry is NaN or infinite.
    pub fn new(matrix: CsrMatrix<f64>) -> Result<Self> {
        check_finite("sparse matrix", matrix.values())?;
        Ok(Self { rows: matrix, columns: OnceLock::new(), properties: OnceLock::new() })
    }

    /// From entries in any order; those at the same place are added.
    ///
    /// # Errors
    /// As [`Sparse::new`].
    pub fn from_coo(matrix: &CooMatrix<f64>) -> Result<Self> {
        Self::new(CsrMatrix::from(matrix))
    }

    /// From compressed columns.
    ///
    /// # Errors
    /// As [`Sparse::new`].
    pub fn from_csc(matrix: &CscMatrix<f64>) -> Result<Self> {
        Self::new(CsrMatrix::from(matrix))
    }

    /// From a matrix of faer.
    ///
    /// # Errors
    /// As [`Sparse::new`].
    pub fn from_faer(matrix: &SparseColMat<usize, f64>) -> Result<Self> {
        let mut entries = CooMatrix::new(matrix.nrows(), matrix.ncols());
        for triplet in matrix.triplet_iter() {
            entries.push(triplet.row, triplet.col, *triplet.val);
        }
        Self::from_coo(&entries)
    }

    /// The matrix for faer's factorisations.
    pub fn to_faer(&self) -> SparseColMat<usize, f64> {
        let columns = self.columns();
        let symbolic = SymbolicSparseColMat::new_checked(
            self.rows.nrows(),
            self.rows.ncols(),
            columns.row_offsets().to_vec(),
            None,
            columns.col_indices().to_vec(),
        );
        SparseColMat::new(symbolic, columns.values().to_vec())
    }

    /// The compressed rows.
    pub fn as_csr(&self) -> &CsrMatrix<f64> {
        &self.rows
    }

    /// The transpose in compressed rows: the compressed columns.
    fn columns(&self) -> &CsrMatrix<f64> {
        self.columns.get_or_init(|| self.rows.transpose())
    }

    /// The diagonal, zeros where it has no entry.
    pub fn diagonal(&self) -> Vec<f64> {
        let entry = |i| {
            self.rows.get_row(i).and_then(|row| {
                let at = row.col_indices().binary_search(&i).ok()?;
                Some(row.values()[at])
            })
        };
        (0..self.rows.nrows().min(self.rows.ncols())).map(|i| entry(i).unwrap_or(0.0)).collect()
    }

    /// The largest sum of the absolute values of a column.
    pub fn norm_1(&self) -> f64 {
        let sums = self.columns().row_iter().map(|c| c.values().iter().map(|a| a.abs()).sum());
        sums.fold(0.0, f64::max)
    }

    /// The same matrix with other values at the same places, in the order of its rows.
    ///
    /// # Errors
    /// [`Error::Size`] when their number differs, [`Error::NotFinite`].
    pub fn with_values(&self, values: Vec<f64>) -> Result<Self> {
        let mut rows = self.rows.clone();
        if rows.values().len() != values.len() {
            let expected = format!("{} values", rows.values().len());
            return Err(Error::size("values of a sparse matrix", expected, values.len()));
        }
        rows.values_mut().copy_from_slice(&values);
        Self::new(rows)
    }
}

/// `y ← A x`, or `y ← y + A x` where `add`.
pub(crate) fn multiply(matrix: &CsrMatrix<f64>, x: &[f64], y: &mut Vec<f64>, add: bool) {
    y.resize(matrix.nrows(), 0.0);
    let (offsets, columns, values) = matrix.csr_data();
    let rows = |(first, y): (usize, &mut [f64])| {
        for (i, y) in y.iter_mut().enumerate() {
            let row = offsets[first + i]..offsets[first + i + 1];
            let entries = columns[row.clone()].iter().zip(&values[row]);
            let sum: f64 = entries.map(|(j, a)| a * x[*j]).sum();
            *y = if add { *y + sum } else { sum };
        }
    };
    if values.len() >= PARALLEL_FROM {
        y.par_chunks_mut(ROWS).enumerate().for_each(|(i, y)| rows((i * ROWS, y)));
    } else {
        rows((0, y));
    }
}

impl LinearOperator<Vec<f64>> for Sparse {
    fn shape(&self) -> [usize; 2] {
        [self.rows.nrows(), self.rows.ncols()]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        multiply(&self.rows, x, y, false);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        multiply(self.columns(), x, y, false);
        Ok(())
    }

    /// What the entries say; positive definiteness is not read from them.
    fn properties(&self) -> Properties {
        *self.properties.get_or_init(|| {
            let mut found = Properties {
                symmetric: self.rows == *self.columns(),
                diagonal: true,
                tridiagonal: true,
                lower_triangular: true,
                upper_triangular: true,
                positive_definite: false,
            };
            for (i, j, _) in self.rows.triplet_iter().filter(|(_, _, a)| **a != 0.0) {
                found.diagonal &= i == j;
                found.tridiagonal &= i.abs_diff(j) <= 1;
                found.lower_triangular &= i >= j;
                found.upper_triangular &= i <= j;
            }
            found
        })
    }
}
