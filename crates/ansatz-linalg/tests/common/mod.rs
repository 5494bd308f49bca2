//! Numbers and matrices of the tests.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(dead_code)] // no test needs all of them

use ansatz_linalg::{Dense, Sparse, faer::Mat, nalgebra_sparse::CooMatrix};

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

/// Of rows, columns and values.
pub(crate) fn sparse(rows: usize, columns: usize, entries: &[(usize, usize, f64)]) -> Sparse {
    let mut all = CooMatrix::new(rows, columns);
    for (i, j, a) in entries {
        all.push(*i, *j, *a);
    }
    Sparse::from_coo(&all).unwrap()
}

/// A Laplacian on a grid of `n` × `n` points with a term of transport, which breaks its symmetry.
pub(crate) fn transport(n: usize, wind: f64) -> Sparse {
    let mut entries = CooMatrix::new(n * n, n * n);
    for i in 0..n {
        for j in 0..n {
            let row = i * n + j;
            entries.push(row, row, 4.0 + 0.1 * (row as f64).sin());
            if i > 0 {
                entries.push(row, row - n, -1.0);
            }
            if i + 1 < n {
                entries.push(row, row + n, -1.0);
            }
            if j > 0 {
                entries.push(row, row - 1, -1.0 - wind);
            }
            if j + 1 < n {
                entries.push(row, row + 1, -1.0 + wind);
            }
        }
    }
    Sparse::from_coo(&entries).unwrap()
}
