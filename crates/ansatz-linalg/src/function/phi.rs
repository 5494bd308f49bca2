//! The φ-functions of exponential integrators, of a dense matrix.

use faer::Mat;

use super::{exponential::check_norm, finite, norm_1, sum, times};
use crate::{Dense, Error, LinearOperator, Result, direct::check_square};

/// `φ₀(A), …, φ_p(A)`: `φ₀(z) = e^z`, `φₖ(z) = Σⱼ zʲ/(j + k)!`, so that
/// `φₖ(z) = (φₖ₋₁(z) − 1/(k − 1)!)/z`.
///
/// By the Taylor series of `φ_p` of a scaled matrix, the recurrence downwards, in which nothing
/// cancels, and repeated doubling (B. Skaflestad, W. Wright, *The scaling and modified squaring method
/// for matrix functions related to the exponential*, 2009). The scaling follows from norms of powers
/// of the matrix (A. Al-Mohy, N. Higham, *A new scaling and squaring algorithm for the matrix
/// exponential*, 2009, Theorem 4.2): matrices far from normal are not halved, and so rounded, more
/// than their eigenvalues ask for.
///
/// # Errors
/// [`Error::Size`] when the matrix is not square, [`Error::InvalidArgument`] when `p` is above 100 or
/// the norm above 2¹⁰⁰, [`Error::NotFinite`] when a result overflows.
pub fn phi_functions(matrix: &Dense, p: usize) -> Result<Vec<Dense>> {
    const WHAT: &str = "matrix of φ-functions";
    let n = check_square(WHAT, matrix.shape())?;
    check_norm(WHAT, matrix)?;
    if p > 100 {
        return Err(Error::invalid("index of a φ-function", p, "an index up to 100"));
    }
    let doublings = doublings(matrix.as_faer());
    let z = sum(&[(0.5f64.powi(doublings), matrix.as_faer())], 0.0, n);
    let mut phi = of_small(&z, p);
    for _ in 0..doublings {
        phi = doubled(&phi);
    }
    phi.into_iter().map(|phi| finite("φ-function of a matrix", phi)).collect()
}

fn inverse_factorial(k: usize) -> f64 {
    1.0 / (1..=k).fold(1.0, |product, k| product * k as f64)
}

/// How often to halve `a` for [`of_small`].
fn doublings(a: &Mat<f64>) -> i32 {
    let a4 = times(&times(a, a), &times(a, a));
    let size = norm_1(&a4).powf(0.25).max(norm_1(&times(&a4, a)).powf(0.2));
    size.max(1.0).log2().ceil() as i32
}

/// For `max(‖z⁴‖^¼, ‖z⁵‖^⅕) ≤ 1` but for rounding: then `‖zᵏ‖ ≤ 1` from k = 4 · 3 on.
fn of_small(z: &Mat<f64>, p: usize) -> Vec<Mat<f64>> {
    let n = z.nrows();
    // Degree 23, of which the first neglected term is 1/24!, in powers of z⁴ (M. Paterson,
    // L. Stockmeyer, 1973).
    let z2 = times(z, z);
    let z3 = times(&z2, z);
    let z4 = times(&z2, &z2);
    // c_k / c_0 of the series is p!/(k + p)!.
    let ratio = |k: usize| (1..=k).fold(1.0, |product, j| product / (j + p) as f64);
    let mut top = Mat::zeros(n, n);
    for i in (0..6).rev() {
        let c = |r: usize| ratio(4 * i + r);
        let shifted = times(&z4, &top);
        top = sum(&[(1.0, &shifted), (c(1), z), (c(2), &z2), (c(3), &z3)], c(0), n);
    }
    let mut all = vec![sum(&[(inverse_factorial(p), &top)], 0.0, n)];
    for k in (0..p).rev() {
        let above = times(z, &all[all.len() - 1]);
        all.push(sum(&[(1.0, &above)], inverse_factorial(k), n));
    }
    all.reverse();
    all
}

/// `φₖ(2z) = 2⁻ᵏ (φ₀(z) φₖ(z) + Σⱼ₌₁ᵏ φⱼ(z)/(k − j)!)`.
fn doubled(phi: &[Mat<f64>]) -> Vec<Mat<f64>> {
    let n = phi[0].nrows();
    let of = |k: usize| {
        let scale = 0.5f64.powi(k as i32);
        let product = times(&phi[0], &phi[k]);
        let mut terms = vec![(scale, &product)];
        terms.extend((1..=k).map(|j| (scale * inverse_factorial(k - j), &phi[j])));
        sum(&terms, 0.0, n)
    };
    (0..phi.len()).map(of).collect()
}
