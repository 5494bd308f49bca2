//! How far a matrix is from one without an inverse: [`condition_1norm_estimate`].

use super::Factorised;
use crate::{Error, Result};

/// An estimate of the condition number `‖A‖₁ ‖A⁻¹‖₁` from a few solves, never too large but for
/// rounding and seldom less than a third of it (W. Hager, *Condition estimates*, 1984; N. Higham,
/// *FORTRAN codes for estimating the one-norm of a real or complex matrix*, 1988, Algorithm 674).
/// Infinite when a solution is not finite.
///
/// `norm` is `‖A‖₁`: [`Dense::norm_1`](crate::Dense::norm_1),
/// [`Sparse::norm_1`](crate::Sparse::norm_1).
///
/// ```
/// use ansatz_linalg::{Dense, Lu, condition_1norm_estimate};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Dense::from_rows(&[[1.0, 1.0], [0.0, 1e-6]])?;
/// let condition = condition_1norm_estimate(&Lu::new(&a)?, a.norm_1())?;
/// assert!((condition / (1.000001 * 2e6) - 1.0).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] when `norm` is negative or not finite.
pub fn condition_1norm_estimate(factors: &(impl Factorised + ?Sized), norm: f64) -> Result<f64> {
    if !(norm >= 0.0 && norm.is_finite()) {
        return Err(Error::invalid("1-norm of a matrix", norm, "a finite number from 0 on"));
    }
    Ok(norm * inverse_1norm(factors, &vec![1.0; factors.dimension()])?.norm)
}

/// `‖diag(w) A⁻¹‖₁`, and where the vector that shows it is largest.
pub(super) struct InverseNorm {
    pub(super) norm: f64,
    pub(super) at: usize,
}

/// Steps of Hager's ascent: two are usual, and the fifth seldom gains.
const STEPS: usize = 5;

pub(super) fn inverse_1norm(
    factors: &(impl Factorised + ?Sized),
    weights: &[f64],
) -> Result<InverseNorm> {
    let n = factors.dimension();
    if n == 0 {
        return Ok(InverseNorm { norm: 0.0, at: 0 });
    }
    // The first vector of the ascent, and one that finds what the ascent cannot (Higham's (2.3)).
    // Both at once: a solve reads all factors.
    let last = (n.max(2) - 1) as f64;
    let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
    let mut both = vec![1.0 / n as f64; 2 * n];
    both[n..].iter_mut().enumerate().for_each(|(i, x)| *x = sign(i) * (1.0 + i as f64 / last));
    factors.solve_in_place(&mut both)?;
    weigh(&mut both[..n], weights);
    weigh(&mut both[n..], weights);
    let mut best = measure(&both[..n]);
    if n == 1 || !best.norm.is_finite() {
        return Ok(best);
    }
    let mut signs: Vec<f64> = both[..n].iter().map(|y| y.signum()).collect();
    let mut unit = None;
    for _ in 0..STEPS {
        // The gradient of ‖diag(w) A⁻¹ x‖₁ says which unit vector to go to.
        let mut slope = signs.clone();
        weigh(&mut slope, weights);
        factors.solve_transposed_in_place(&mut slope)?;
        let steepest = measure(&slope).at;
        if unit == Some(steepest) {
            break;
        }
        unit = Some(steepest);
        let mut column = vec![0.0; n];
        column[steepest] = 1.0;
        factors.solve_in_place(&mut column)?;
        weigh(&mut column, weights);
        let found = measure(&column);
        if found.norm <= best.norm {
            break;
        }
        best = found;
        if !best.norm.is_finite() || column.iter().zip(&signs).all(|(y, s)| y.signum() == *s) {
            break;
        }
        signs.iter_mut().zip(&column).for_each(|(s, y)| *s = y.signum());
    }
    let other = measure(&both[n..]);
    let other = InverseNorm { norm: 2.0 * other.norm / (3 * n) as f64, ..other };
    Ok(if other.norm > best.norm { other } else { best })
}

/// Errors when the matrix has no inverse or none that can be told from rounding. `norms` are the
/// 1-norms of its columns: rounding of an elimination does not depend on their scale, so neither does
/// this.
pub(super) fn check(what: &'static str, factors: &impl Factorised, norms: &[f64]) -> Result<()> {
    let n = factors.dimension();
    let singular = |pivot, value| Err(Error::Singular { what, pivot, value });
    if let Some(empty) = norms.iter().position(|norm| *norm == 0.0) {
        return singular(empty, 0.0);
    }
    let inverse = inverse_1norm(factors, norms)?;
    let value = 1.0 / inverse.norm;
    if n > 0 && value <= super::rounding(n) { singular(inverse.at, value) } else { Ok(()) }
}

fn weigh(x: &mut [f64], weights: &[f64]) {
    x.iter_mut().zip(weights).for_each(|(x, w)| *x *= w);
}

/// The 1-norm, infinite where a number is not finite, and the place of the largest number.
fn measure(x: &[f64]) -> InverseNorm {
    if let Some(at) = x.iter().position(|x| !x.is_finite()) {
        return InverseNorm { norm: f64::INFINITY, at };
    }
    let larger = |a: (usize, f64), b: (usize, f64)| if b.1 > a.1 { b } else { a };
    let sizes = x.iter().map(|x| x.abs()).enumerate();
    InverseNorm { norm: x.iter().map(|x| x.abs()).sum(), at: sizes.fold((0, 0.0), larger).0 }
}
