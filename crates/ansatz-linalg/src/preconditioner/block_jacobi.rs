//! [`BlockJacobi`].

use rayon::prelude::*;

use super::{WHAT, check_square, of_whole};
use crate::{Dense, Error, Factorised, LinearOperator, Lu, Properties, Result, Sparse};

/// Solves with the square blocks on the diagonal, each factorised: Jacobi's preconditioner for
/// systems with several unknowns per point.
#[derive(Debug, Clone)]
pub struct BlockJacobi {
    size: usize,
    blocks: Vec<Lu>,
    dimension: usize,
    symmetric: bool,
}

impl BlockJacobi {
    /// Of `matrix`, with blocks of `size` rows; the last one is smaller where that does not divide.
    ///
    /// # Errors
    /// [`Error::Size`] when the matrix is not square, [`Error::InvalidArgument`] when `size` is
    /// zero, [`Error::Singular`] when a block is.
    pub fn new(matrix: &Sparse, size: usize) -> Result<Self> {
        let dimension = check_square(matrix)?;
        if size == 0 {
            return Err(Error::invalid("size of a block", size, "at least one row"));
        }
        let starts: Vec<usize> = (0..dimension).step_by(size).collect();
        let block = |start: &usize| {
            let rows: Vec<usize> = (*start..dimension.min(start + size)).collect();
            Lu::new(&submatrix(matrix, &rows)?).map_err(|e| of_whole(e, |pivot| start + pivot))
        };
        let blocks: Vec<Result<_>> = starts.par_iter().map(block).collect();
        // In order: the first error is the one reported.
        let blocks = blocks.into_iter().collect::<Result<_>>()?;
        let symmetric = matrix.properties().symmetric;
        Ok(Self { size, blocks, dimension, symmetric })
    }

    fn each(&self, y: &mut [f64], solve: fn(&Lu, &mut [f64]) -> Result<()>) -> Result<()> {
        y.chunks_mut(self.size).zip(&self.blocks).try_for_each(|(y, block)| solve(block, y))
    }
}

/// The entries of consecutive rows in the columns of the same numbers.
fn submatrix(matrix: &Sparse, rows: &[usize]) -> Result<Dense> {
    let n = rows.len();
    let mut block = faer::Mat::zeros(n, n);
    for (local, i) in rows.iter().enumerate() {
        let row = matrix.as_csr().get_row(*i).ok_or_else(|| Error::size(WHAT, "a row", i))?;
        for (j, a) in row.col_indices().iter().zip(row.values()) {
            if let Some(column) = j.checked_sub(rows[0]).filter(|column| *column < n) {
                block[(local, column)] = *a;
            }
        }
    }
    Dense::new(block)
}

impl LinearOperator<Vec<f64>> for BlockJacobi {
    fn shape(&self) -> [usize; 2] {
        [self.dimension; 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        self.each(y, Lu::solve_in_place)
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.clone_from(x);
        self.each(y, Lu::solve_transposed_in_place)
    }

    /// Symmetric where the matrix is; positive definite as well where the matrix is, but that is
    /// not known here.
    fn properties(&self) -> Properties {
        if self.symmetric { Properties::SYMMETRIC } else { Properties::NONE }
    }
}
