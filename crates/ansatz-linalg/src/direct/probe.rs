//! The entries of an operator of few diagonals, from few applications: [`tridiagonal_of`].

use crate::{Components, LinearOperator, Result, Tridiagonal, operator::check_length};

/// The matrix of an operator that is [tridiagonal](crate::Properties::tridiagonal), for vectors like
/// `like`, from three applications (A. Curtis, M. Powell, J. Reid, *On the estimation of sparse
/// Jacobian matrices*, 1974), or from one if it is diagonal.
///
/// # Errors
/// Those of the operator; [`Error::Size`](crate::Error::Size) when it is not square.
pub(super) fn tridiagonal_of<V: Components>(
    operator: &dyn LinearOperator<V>,
    like: &V,
) -> Result<Tridiagonal> {
    let n = super::check_square("matrix of a direct solver", operator.shape())?;
    check_length("argument of a linear operator", n, like.dimension())?;
    let mut diagonal = vec![0.0; n];
    let (mut below, mut above) = (vec![0.0; n.max(1) - 1], vec![0.0; n.max(1) - 1]);
    // Columns that are so far apart share no row.
    let stride = if operator.properties().diagonal { 1 } else { n.min(3) };
    for first in 0..stride {
        let mut probe = vec![0.0; n];
        probe.iter_mut().skip(first).step_by(stride).for_each(|x| *x = 1.0);
        let image = operator.apply(&like.with_components(probe)?)?.components()?;
        check_length("result of a linear operator", n, image.len())?;
        for j in (first..n).step_by(stride) {
            diagonal[j] = image[j];
            if stride > 1 && j > 0 {
                above[j - 1] = image[j - 1];
            }
            if stride > 1 && j + 1 < n {
                below[j] = image[j + 1];
            }
        }
    }
    Tridiagonal::new(below, diagonal, above)
}
