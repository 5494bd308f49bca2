//! The principal square root of a dense matrix.

use super::{
    finite,
    schur::{Schur, root_of_triangular},
};
use crate::{Dense, Error, LinearOperator, Result, SymmetricEigen, direct::check_square};

/// The principal square root: `X² = A`, with the eigenvalues of `X` in the right half-plane.
///
/// Of a symmetric matrix by its eigenvectors, of others by the Schur form (Å. Björck, S. Hammarling,
/// *A Schur method for the square root of a matrix*, 1983).
///
/// # Errors
/// [`Error::Size`] when the matrix is not square, [`Error::NotPrincipal`] when an eigenvalue is zero
/// or negative but for rounding, [`Error::Factorisation`] when the eigenvalues do not converge,
/// [`Error::NotFinite`] when the result overflows.
pub fn square_root(matrix: &Dense) -> Result<Dense> {
    const FUNCTION: &str = "square root";
    check_square("matrix of a square root", matrix.shape())?;
    if matrix.properties().symmetric {
        return of_symmetric(FUNCTION, matrix, f64::sqrt);
    }
    let schur = Schur::new(matrix.as_faer())?;
    schur.check(FUNCTION, matrix)?;
    finite("square root of a matrix", schur.back(&root_of_triangular(&schur.t)))
}

pub(super) fn of_symmetric(
    function: &'static str,
    matrix: &Dense,
    f: impl Fn(f64) -> f64,
) -> Result<Dense> {
    let eigen = SymmetricEigen::new(matrix)?;
    let least = eigen.values().len() as f64 * f64::EPSILON * matrix.norm_1();
    if let Some(re) = eigen.values().iter().find(|value| **value <= least) {
        return Err(Error::NotPrincipal { function, re: *re, im: 0.0 });
    }
    eigen.function(f)
}
