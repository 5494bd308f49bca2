//! L1: linear operators on plain vectors, f64: −Δ of a grid of 1024 × 1024 points with zeros around.
//!
//! `L1.stencil.1024` applies it without a matrix, `L1.sparse.1024` as a sparse matrix of 5.2 million
//! entries, `L1.inner.1m` is an inner product of two vectors of that length. x is an eigenvector of
//! the grid, `sin(3π i/1025) sin(5π j/1025)`, so that the exact result is known; error: the largest
//! difference, relative to the largest value. One run is ten calls; times are of one.
use std::f64::consts::PI;

use ansatz::linalg::{
    Edge, LinearOperator, Sparse, Stencil, Vector,
    nalgebra_sparse::{CooMatrix, CsrMatrix},
};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed_repeated};

const N: usize = 1024;
const CALLS: usize = 10;
const WAVES: [f64; 2] = [3.0, 5.0];

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, run| Variant { workload, library: "ansatz", method: "", run };
    vec![
        // Read once, written once; the matrix besides with indices of 8 bytes.
        v("L1.stencil.1024", |r| applied(r, &stencil()?, 16 * N * N)),
        v("L1.sparse.1024", |r| {
            let matrix = Sparse::new(matrix())?;
            let bytes = 16 * matrix.as_csr().nnz() + 24 * N * N;
            applied(r, &matrix, bytes)
        }),
        v("L1.inner.1m", inner),
    ]
}

fn stencil() -> ansatz::linalg::Result<Stencil> {
    Stencil::laplacian(&[N, N], &[1.0, 1.0], &[Edge::Zero, Edge::Zero])
}

fn matrix() -> CsrMatrix<f64> {
    let mut entries = CooMatrix::new(N * N, N * N);
    for i in 0..N {
        for j in 0..N {
            let row = i * N + j;
            entries.push(row, row, 4.0);
            let neighbours = [
                (i > 0, row.wrapping_sub(N)),
                (i + 1 < N, row + N),
                (j > 0, row.wrapping_sub(1)),
                (j + 1 < N, row + 1),
            ];
            for (_, column) in neighbours.into_iter().filter(|(inside, _)| *inside) {
                entries.push(row, column, -1.0);
            }
        }
    }
    CsrMatrix::from(&entries)
}

fn angle(axis: usize) -> f64 {
    PI * WAVES[axis] / (N + 1) as f64
}

fn eigenvector() -> Vec<f64> {
    let wave = |axis, i: usize| (angle(axis) * (i + 1) as f64).sin();
    (0..N * N).map(|k| wave(0, k / N) * wave(1, k % N)).collect()
}

fn applied(
    rules: &Rules,
    operator: &dyn LinearOperator<Vec<f64>>,
    bytes: usize,
) -> Result<Measured, AnyError> {
    let x = eigenvector();
    let mut y = Vec::new();
    let ((), timing) = timed_repeated(rules, CALLS, || Ok(operator.apply_into(&x, &mut y)?))?;
    let eigenvalue = 4.0 - 2.0 * angle(0).cos() - 2.0 * angle(1).cos();
    let difference = x.iter().zip(&y).map(|(x, y)| (y - eigenvalue * x).abs()).fold(0.0, f64::max);
    let gb = 1e-9 * bytes as f64 / timing.median_s;
    Ok(Measured::new(timing, Work::Steps(1), difference / eigenvalue).with("gb_per_s", gb))
}

fn inner(rules: &Rules) -> Result<Measured, AnyError> {
    let x = eigenvector();
    let y = x.clone();
    let (product, timing) = timed_repeated(rules, CALLS, || Ok(x.inner(&y)?))?;
    // Σ sin² over a whole number of half waves.
    let exact = ((N + 1) as f64 / 2.0).powi(2);
    let gb = 16e-9 * (N * N) as f64 / timing.median_s;
    let error = (product / exact - 1.0).abs();
    Ok(Measured::new(timing, Work::Steps(1), error).with("gb_per_s", gb))
}
