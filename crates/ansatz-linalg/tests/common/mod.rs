//! Numbers and matrices of the tests.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(dead_code)] // no test needs all of them

use ansatz_linalg::{Dense, faer::Mat};

/// `n` numbers in (−1, 1) without a pattern.
pub(crate) fn wave(n: usize, phase: f64) -> Vec<f64> {
    (0..n).map(|i| (phase + 1.3 * i as f64 + 0.1 * (i * i) as f64).sin()).collect()
}

pub(crate) fn dense(rows: usize, columns: usize, phase: f64) -> Dense {
    let entries = wave(rows * columns, phase);
    Dense::new(Mat::from_fn(rows, columns, |i, j| entries[i * columns + j])).unwrap()
}

/// Symmetric positive definite.
pub(crate) fn definite(n: usize, phase: f64) -> Dense {
    let a = dense(n, n, phase);
    let square = a.as_faer().transpose() * a.as_faer();
    let sum = |i, j| 0.5 * (square[(i, j)] + square[(j, i)]) + f64::from(i == j);
    Dense::new(Mat::from_fn(n, n, sum)).unwrap()
}

/// The largest difference.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
