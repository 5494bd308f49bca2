//! Preconditioners: operators near the inverse of a sparse matrix.
//!
//! A preconditioner is any [`LinearOperator`](crate::LinearOperator) whose application comes near a
//! solve; those here are made from the entries of a [`Sparse`] matrix.

mod block_jacobi;
mod ic;
mod ilu;
mod jacobi;
mod rows;
mod schwarz;
mod sor;

pub use block_jacobi::BlockJacobi;
pub use ic::Ic0;
pub use ilu::Ilu0;
pub use jacobi::Jacobi;
pub use schwarz::AdditiveSchwarz;
pub use sor::{Sor, Ssor};

use rows::Rows;

use crate::{Error, LinearOperator, Result, Sparse};

const WHAT: &str = "matrix of a preconditioner";

/// The diagonal, none of which may be zero.
pub(crate) fn pivots(matrix: &Sparse) -> Result<Vec<f64>> {
    let diagonal = matrix.diagonal();
    match diagonal.iter().position(|d| *d == 0.0) {
        Some(pivot) => Err(Error::Singular { what: WHAT, pivot, value: 0.0 }),
        None => Ok(diagonal),
    }
}

/// The error of a part with the numbers of the whole matrix: `number` of a row of the part.
fn of_whole(error: Error, number: impl Fn(usize) -> usize) -> Error {
    match error {
        Error::Singular { pivot, value, .. } => {
            Error::Singular { what: WHAT, pivot: number(pivot), value }
        }
        other => other,
    }
}

fn check_square(matrix: &Sparse) -> Result<usize> {
    let [rows, columns] = matrix.shape();
    if rows == columns {
        return Ok(rows);
    }
    Err(Error::size(WHAT, "as many rows as columns", format!("{rows} × {columns}")))
}
