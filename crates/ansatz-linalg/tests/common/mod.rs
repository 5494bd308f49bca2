//! Numbers and matrices of the tests.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(dead_code)] // no test needs all of them

use ansatz_linalg::{Dense, LinearOperator, Sparse, Vector, faer::Mat, nalgebra_sparse::CooMatrix};

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

/// `‖b − A x‖`.
pub(crate) fn residual(a: &dyn LinearOperator<Vec<f64>>, b: &Vec<f64>, x: &Vec<f64>) -> f64 {
    let mut r = a.apply(x).unwrap();
    r.axpby(-1.0, 1.0, b).unwrap();
    r.norm2().unwrap()
}

/// Entries of a matrix on a grid of `n × n` points; what lies outside is left out.
pub(crate) fn grid(n: usize, row: impl Fn(i64, i64, &mut dyn FnMut(i64, i64, f64))) -> Sparse {
    let mut entries = CooMatrix::new(n * n, n * n);
    let inside = |i: i64, j: i64| {
        let (i, j) = (usize::try_from(i).ok()?, usize::try_from(j).ok()?);
        (i < n && j < n).then_some(i * n + j)
    };
    for at in 0..n * n {
        row((at / n) as i64, (at % n) as i64, &mut |i, j, a| {
            if let Some(column) = inside(i, j) {
                entries.push(at, column, a);
            }
        });
    }
    Sparse::from_coo(&entries).unwrap()
}

/// The five-point Laplacian with zeros around.
pub(crate) fn poisson(n: usize) -> Sparse {
    grid(n, |i, j, push| {
        push(i, j, 4.0);
        for (k, l) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            push(i + k, j + l, -1.0);
        }
    })
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
