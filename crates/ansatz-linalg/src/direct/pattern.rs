//! Where the entries of a sparse matrix are: [`Pattern`].

use crate::{Error, LinearOperator, Result, Sparse};

/// Where the entries of a matrix are: factorisations of other values at the same places reuse the
/// order that was found for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) shape: [usize; 2],
    offsets: Vec<usize>,
    indices: Vec<usize>,
}

impl Pattern {
    pub(super) fn of(matrix: &Sparse) -> Self {
        let rows = matrix.as_csr();
        Self {
            shape: matrix.shape(),
            offsets: rows.row_offsets().to_vec(),
            indices: rows.col_indices().to_vec(),
        }
    }

    /// Errors unless the entries of `matrix` are at the same places.
    pub(super) fn check(&self, matrix: &Sparse) -> Result<()> {
        let rows = matrix.as_csr();
        let same = matrix.shape() == self.shape
            && (rows.row_offsets(), rows.col_indices()) == (&self.offsets[..], &self.indices[..]);
        if same {
            return Ok(());
        }
        let text = |[m, n]: [usize; 2], entries, places| {
            format!("{m} × {n} with {entries} entries at {places} places")
        };
        Err(Error::size(
            "matrix for an existing factorisation",
            text(self.shape, self.indices.len(), "the same"),
            text(matrix.shape(), rows.nnz(), "other"),
        ))
    }
}
