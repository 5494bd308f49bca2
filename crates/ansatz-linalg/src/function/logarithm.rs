//! The principal logarithm of a dense matrix.

use faer::{Mat, c64, linalg::solvers::Solve};

use super::{
    check_undone, exponential, finite,
    schur::{Schur, root_of_triangular},
    square_root::of_symmetric,
};
use crate::{Dense, Error, LinearOperator, Result, direct::check_square};

/// Nodes and weights of Gauss and Legendre on [−1, 1] for eight points, those above zero.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// The principal logarithm: `e^X = A`, with the imaginary parts of the eigenvalues of `X` between −π
/// and π.
///
/// Of a symmetric matrix by its eigenvectors. Of others by square roots of the Schur form down to a
/// matrix near the identity, and there by the Padé approximant of degree 8 in partial fractions
/// (N. Higham, *Functions of Matrices*, 2008, §11.5, (11.18)).
///
/// # Errors
/// Those of [`square_root`](crate::square_root), and [`Error::NotPrincipal`] when an eigenvalue of a
/// symmetric matrix is zero but for rounding.
pub fn logarithm(matrix: &Dense) -> Result<Dense> {
    const FUNCTION: &str = "logarithm";
    const WHAT: &str = "logarithm of a matrix";
    let n = check_square("matrix of a logarithm", matrix.shape())?;
    if matrix.properties().symmetric {
        return of_symmetric(FUNCTION, matrix, |value, rounding| value <= rounding, f64::ln);
    }
    let schur = Schur::new(matrix.as_faer())?;
    schur.check(FUNCTION, matrix)?;
    let identity = |i: usize, j: usize| c64::new(f64::from(i == j), 0.0);
    let mut root = schur.t.clone();
    // The diagonal of `root − I`, which is small, without a difference of what is not.
    let mut diagonal: Vec<c64> = (0..n).map(|j| root[(j, j)] - 1.0).collect();
    let mut factor = 1.0;
    let x = loop {
        let x = Mat::from_fn(n, n, |i, j| if i == j { diagonal[j] } else { root[(i, j)] });
        // The approximant of degree 8 is exact but for rounding up to 0.34 (Higham, Table 11.1).
        if norm_1(&x) <= 0.3 {
            break x;
        }
        root = root_of_triangular(&root);
        for (j, d) in diagonal.iter_mut().enumerate() {
            *d *= (1.0 + root[(j, j)]).inv();
        }
        factor *= 2.0;
        if factor > 2f64.powi(1000) {
            let reason = "its roots do not approach the identity".to_owned();
            return Err(Error::Factorisation { what: WHAT, reason });
        }
    };
    let mut result = Mat::<c64>::zeros(n, n);
    for (node, weight) in GAUSS.into_iter().flat_map(|(node, w)| [(-node, w), (node, w)]) {
        let denominator =
            Mat::from_fn(n, n, |i, j| identity(i, j) + 0.5 * (1.0 + node) * x[(i, j)]);
        let fraction = denominator.partial_piv_lu().solve(&x);
        result =
            Mat::from_fn(n, n, |i, j| result[(i, j)] + 0.5 * factor * weight * fraction[(i, j)]);
    }
    for j in 0..n {
        result[(j, j)] = schur.t[(j, j)].ln();
    }
    let result = finite(WHAT, schur.back(&result))?;
    // A large logarithm, of a matrix far from normal, cannot be undone better than it is written down.
    let rounding = 1e3 * f64::EPSILON * result.norm_1();
    check_undone(WHAT, &exponential::of(result.as_faer()), matrix.as_faer(), rounding)?;
    Ok(result)
}

fn norm_1(a: &Mat<c64>) -> f64 {
    a.col_iter().map(|column| column.iter().map(|x| x.norm()).sum()).fold(0.0, f64::max)
}
