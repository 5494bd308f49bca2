//! The principal square root of a dense matrix.

use super::{
    check_undone, finite,
    schur::{Schur, root_of_triangular},
    times,
};
use crate::{Dense, Error, LinearOperator, Result, SymmetricEigen, direct::check_square};

/// The principal square root: `X² = A`, with the eigenvalues of `X` in the right half-plane.
///
/// Of a symmetric matrix, which may be semidefinite, by its eigenvectors, of others by the Schur form
/// (Å. Björck, S. Hammarling, *A Schur method for the square root of a matrix*, 1983).
///
/// # Errors
/// [`Error::Size`] when the matrix is not square, [`Error::NotPrincipal`] when an eigenvalue is zero
/// or negative but for rounding (of a symmetric matrix only when it is negative),
/// [`Error::Factorisation`] when the eigenvalues do not converge, or are so close to the negative real
/// axis that the square of the root is not the matrix, [`Error::NotFinite`] when the result overflows.
pub fn square_root(matrix: &Dense) -> Result<Dense> {
    const FUNCTION: &str = "square root";
    const WHAT: &str = "square root of a matrix";
    check_square("matrix of a square root", matrix.shape())?;
    if matrix.properties().symmetric {
        let root = |value: f64| value.max(0.0).sqrt();
        return of_symmetric(FUNCTION, matrix, |value, rounding| value < -rounding, root);
    }
    let schur = Schur::new(matrix.as_faer())?;
    schur.check(FUNCTION, matrix)?;
    let root = finite(WHAT, schur.back(&root_of_triangular(&schur.t)))?;
    check_undone(WHAT, &times(root.as_faer(), root.as_faer()), matrix.as_faer(), 0.0)?;
    Ok(root)
}

/// `f` of the eigenvalues, unless one is `bad`, given the size of its rounding.
pub(super) fn of_symmetric(
    function: &'static str,
    matrix: &Dense,
    bad: impl Fn(f64, f64) -> bool,
    f: impl Fn(f64) -> f64,
) -> Result<Dense> {
    let eigen = SymmetricEigen::new(matrix)?;
    let rounding = eigen.values().len() as f64 * f64::EPSILON * matrix.norm_1();
    if let Some(re) = eigen.values().iter().find(|value| bad(**value, rounding)) {
        return Err(Error::NotPrincipal { function, re: *re, im: 0.0 });
    }
    eigen.function(f)
}
