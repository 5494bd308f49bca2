//! The exponential of a dense matrix.

use faer::Mat;

use super::{divide, finite, norm_1, sum, times};
use crate::{Dense, Error, LinearOperator, Result, direct::check_square};

/// `e^A`, by scaling, a Padé approximant of degree 3 to 13 and repeated squaring (A. Al-Mohy,
/// N. Higham, *A new scaling and squaring algorithm for the matrix exponential*, 2009,
/// Algorithm 6.1).
///
/// The degree and the scaling follow from norms of powers of `A`, which keeps matrices like
/// `[[1, 10⁶], [0, −1]]` from being scaled, and so rounded, more than their eigenvalues ask for.
///
/// # Errors
/// [`Error::Size`] when the matrix is not square, [`Error::InvalidArgument`] when its norm is above
/// 2¹⁰⁰, [`Error::NotFinite`] when the result overflows.
///
/// ```
/// use ansatz_linalg::{Dense, exponential};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // A rotation by one radian.
/// let turn = exponential(&Dense::from_rows(&[[0.0, -1.0], [1.0, 0.0]])?)?;
/// assert!((turn.as_faer()[(1, 0)] - 1f64.sin()).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn exponential(matrix: &Dense) -> Result<Dense> {
    check_square(WHAT, matrix.shape())?;
    check_norm(WHAT, matrix)?;
    finite("exponential of a matrix", of(matrix.as_faer()))
}

const WHAT: &str = "matrix of an exponential";

/// Powers up to the tenth must not overflow; nothing of such an exponential would be right anyway.
pub(super) fn check_norm(what: &'static str, matrix: &Dense) -> Result<()> {
    let norm = matrix.norm_1();
    if norm <= 2f64.powi(100) {
        return Ok(());
    }
    Err(Error::invalid(what, format!("of the 1-norm {norm:e}"), "a 1-norm up to 2^100"))
}

/// Coefficients of the numerators of the diagonal Padé approximants (N. Higham, *Functions of
/// Matrices*, 2008, (10.33)).
const PADE_3: [f64; 4] = [120., 60., 12., 1.];
const PADE_5: [f64; 6] = [30240., 15120., 3360., 420., 30., 1.];
const PADE_7: [f64; 8] = [17297280., 8648640., 1995840., 277200., 25200., 1512., 56., 1.];
const PADE_9: [f64; 10] = [
    17643225600.,
    8821612800.,
    2075673600.,
    302702400.,
    30270240.,
    2162160.,
    110880.,
    3960.,
    90.,
    1.,
];
const PADE_13: [f64; 14] = [
    64764752532480000.,
    32382376266240000.,
    7771770303897600.,
    1187353796428800.,
    129060195264000.,
    10559470521600.,
    670442572800.,
    33522128640.,
    1323241920.,
    40840800.,
    960960.,
    16380.,
    182.,
    1.,
];

/// Up to which size of `‖Aᵏ‖^(1/k)` the approximants of degree 3, 5, 7, 9, 13 are exact but for
/// rounding (Al-Mohy & Higham, Table 3.1).
const THETA: [f64; 5] = [
    1.495585217958292e-2,
    2.539398330063230e-1,
    9.504178996162932e-1,
    2.097847961257068,
    4.25, // below 5.37 for the sake of the conditioning of the denominator
];

/// Not finite where it overflows.
pub(super) fn of(a: &Mat<f64>) -> Mat<f64> {
    let n = a.nrows();
    let a2 = times(a, a);
    let a4 = times(&a2, &a2);
    let a6 = times(&a2, &a4);
    let root = |power: &Mat<f64>, k: f64| norm_1(power).powf(1.0 / k);
    let (d4, d6) = (root(&a4, 4.0), root(&a6, 6.0));
    let eta = d4.max(d6);
    for (theta, coefficients) in [(THETA[0], &PADE_3[..]), (THETA[1], &PADE_5[..])] {
        if eta <= theta && extra_scaling(a, 0, coefficients.len() - 1) == 0 {
            return pade(a, &[&a2, &a4], coefficients);
        }
    }
    let a8 = times(&a4, &a4);
    let d8 = root(&a8, 8.0);
    let eta = d6.max(d8);
    for (theta, coefficients) in [(THETA[2], &PADE_7[..]), (THETA[3], &PADE_9[..])] {
        if eta <= theta && extra_scaling(a, 0, coefficients.len() - 1) == 0 {
            return pade(a, &[&a2, &a4, &a6, &a8], coefficients);
        }
    }
    let d10 = root(&times(&a4, &a6), 10.0);
    let eta = eta.min(d8.max(d10));
    let mut squarings = (eta / THETA[4]).log2().ceil().max(0.0) as i32;
    squarings += extra_scaling(a, squarings, 13);
    let scale = |m: &Mat<f64>, k: i32| sum(&[(0.5f64.powi(k * squarings), m)], 0.0, n);
    let mut result = pade_13(&scale(a, 1), &scale(&a2, 2), &scale(&a4, 4), &scale(&a6, 6));
    for _ in 0..squarings {
        result = times(&result, &result);
    }
    result
}

/// How many more halvings the first neglected term of the backward error asks for, when `A` has been
/// halved `squarings` times: `|A|` may have larger powers than `A`.
fn extra_scaling(a: &Mat<f64>, squarings: i32, degree: usize) -> i32 {
    let n = a.nrows();
    let norm = norm_1(a);
    if norm == 0.0 {
        return 0;
    }
    // ‖|A|ᵏ‖₁ = ‖eᵀ|A|ᵏ‖_∞. In units of ‖A‖, so that nothing overflows.
    let mut row = vec![1.0; n];
    for _ in 0..=2 * degree {
        let entry = |j: usize| (0..n).map(|i| row[i] * (a[(i, j)].abs() / norm)).sum();
        row = (0..n).map(entry).collect();
    }
    let power = row.into_iter().fold(0.0, f64::max);
    // (2m)!/(m!)² (2m + 1)!, the inverse of the coefficient of that term.
    let m = degree as f64;
    let inverse = (1..=degree).fold(1.0, |product, k| product * (m + k as f64) / k as f64)
        * (1..=2 * degree + 1).fold(1.0, |product, k| product * k as f64);
    let halved = norm * 0.5f64.powi(squarings);
    let excess = power.log2() + 2.0 * m * halved.log2() - inverse.log2() + 53.0;
    (excess / (2.0 * m)).ceil().max(0.0) as i32
}

/// The approximant of degree up to 9; `powers` are A², A⁴, ….
fn pade(a: &Mat<f64>, powers: &[&Mat<f64>], coefficients: &[f64]) -> Mat<f64> {
    let part = |odd: usize| {
        let pairs = coefficients[odd..].iter().step_by(2).copied();
        let terms: Vec<_> = pairs.skip(1).zip(powers.iter().copied()).collect();
        sum(&terms, coefficients[odd], a.nrows())
    };
    quotient(&times(a, &part(1)), &part(0))
}

fn pade_13(a: &Mat<f64>, a2: &Mat<f64>, a4: &Mat<f64>, a6: &Mat<f64>) -> Mat<f64> {
    let b = &PADE_13;
    let part = |odd: usize| {
        let c = |k: usize| b[k + odd];
        let high = sum(&[(c(12), a6), (c(10), a4), (c(8), a2)], 0.0, a.nrows());
        let low = sum(&[(c(6), a6), (c(4), a4), (c(2), a2)], c(0), a.nrows());
        sum(&[(1.0, &times(a6, &high)), (1.0, &low)], 0.0, a.nrows())
    };
    quotient(&times(a, &part(1)), &part(0))
}

/// `(v − u)⁻¹ (v + u)`.
fn quotient(u: &Mat<f64>, v: &Mat<f64>) -> Mat<f64> {
    let n = u.nrows();
    divide(&sum(&[(1.0, v), (-1.0, u)], 0.0, n), &sum(&[(1.0, v), (1.0, u)], 0.0, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the formula evaluated in NumPy with the powers of |A| themselves.
    #[test]
    fn powers_of_absolute_values_ask_for_more_halvings() {
        let (large, small) = (16.0 + 1.0 / 64.0, -16.0 + 1.0 / 64.0);
        let a = faer::mat![[large, -16.0], [16.0, small]];
        let all = |squarings| [3, 5, 7, 9, 13].map(|degree| extra_scaling(&a, squarings, degree));
        assert_eq!(all(0), [12, 7, 6, 4, 3]);
        assert_eq!(all(2), [10, 5, 4, 2, 1]);
        assert_eq!(extra_scaling(&faer::mat![[0.0, 1e6], [0.0, 0.0]], 0, 3), 0);
        assert_eq!(extra_scaling(&faer::mat![[0.0]], 0, 3), 0);
    }
}
