//! L2: factorisations of a sparse matrix and exponentials of an operator, f64: −Δ on a square grid
//! with zeros around.
//!
//! `L2.cholesky.256`, `L2.lu.256`, and the same with 512: order, factorise, and solve for one
//! right-hand side, on 256 × 256 and 512 × 512 points. The solution is an eigenvector of the grid,
//! `sin(3π i/(n + 1)) sin(5π j/(n + 1))`; error: the largest difference, relative to the largest value.
//!
//! `L2.helmholtz.256` and 512: the same with LU for `−Δ − 1/2`, whose diagonal does not dominate, so
//! that rows are exchanged.
//!
//! `L2.expm.256`: `e^{tA} v` with `A = Δ` for the spacing 1/257, t = 0.001, so that t‖A‖ = 528, and
//! `v = sin(0.1 + 0.05 i) cos(0.2 + 0.03 j)`, by products with a sparse matrix. The exact result is a
//! product of two sine series; error: in the 2-norm, relative to v.
use std::f64::consts::PI;

use ansatz::linalg::{
    ExponentialAction, Factorised, Scaled, Sparse, SparseCholesky, SparseLu,
    nalgebra_sparse::{CooMatrix, CsrMatrix},
};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed};

const WAVES: [f64; 2] = [3.0, 5.0];
/// What Helmholtz' equation takes from the diagonal.
const SHIFT: f64 = 0.5;
const POINTS: usize = 256;
const TIME: f64 = 1e-3;
const TOLERANCE: f64 = 1e-13;

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, run| Variant { workload, library: "ansatz", method: "", run };
    vec![
        v("L2.cholesky.256", |r| solved(r, 256, 0.0, |a, b| SparseCholesky::new(a)?.solve(b))),
        v("L2.cholesky.512", |r| solved(r, 512, 0.0, |a, b| SparseCholesky::new(a)?.solve(b))),
        v("L2.lu.256", |r| solved(r, 256, 0.0, |a, b| SparseLu::new(a)?.solve(b))),
        v("L2.lu.512", |r| solved(r, 512, 0.0, |a, b| SparseLu::new(a)?.solve(b))),
        v("L2.helmholtz.256", |r| solved(r, 256, SHIFT, |a, b| SparseLu::new(a)?.solve(b))),
        v("L2.helmholtz.512", |r| solved(r, 512, SHIFT, |a, b| SparseLu::new(a)?.solve(b))),
        v("L2.expm.256", exponential),
    ]
}

fn matrix(n: usize, shift: f64) -> CsrMatrix<f64> {
    let mut entries = CooMatrix::new(n * n, n * n);
    for row in 0..n * n {
        let (i, j) = (row / n, row % n);
        entries.push(row, row, 4.0 - shift);
        let neighbours = [
            (i > 0, row.wrapping_sub(n)),
            (i + 1 < n, row + n),
            (j > 0, row.wrapping_sub(1)),
            (j + 1 < n, row + 1),
        ];
        for (_, column) in neighbours.into_iter().filter(|(inside, _)| *inside) {
            entries.push(row, column, -1.0);
        }
    }
    CsrMatrix::from(&entries)
}

fn solved(
    rules: &Rules,
    n: usize,
    shift: f64,
    solve: impl Fn(&Sparse, &[f64]) -> ansatz::linalg::Result<Vec<f64>>,
) -> Result<Measured, AnyError> {
    let angles = WAVES.map(|wave| PI * wave / (n + 1) as f64);
    let wave = |axis: usize, i: usize| (angles[axis] * (i + 1) as f64).sin();
    let want: Vec<f64> = (0..n * n).map(|k| wave(0, k / n) * wave(1, k % n)).collect();
    let eigenvalue = 4.0 - shift - 2.0 * angles[0].cos() - 2.0 * angles[1].cos();
    let b: Vec<f64> = want.iter().map(|x| eigenvalue * x).collect();
    let csr = matrix(n, shift);
    // Made anew each time: a matrix keeps its columns once they have been needed.
    let (got, timing) = timed(rules, || Ok(solve(&Sparse::new(csr.clone())?, &b)?))?;
    let error = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    Ok(Measured::new(timing, Work::Steps(1), error))
}

fn exponential(rules: &Rules) -> Result<Measured, AnyError> {
    let n = POINTS;
    let f: Vec<f64> = (0..n).map(|i| (0.1 + 0.05 * i as f64).sin()).collect();
    let g: Vec<f64> = (0..n).map(|j| (0.2 + 0.03 * j as f64).cos()).collect();
    let product = |f: &[f64], g: &[f64]| -> Vec<f64> {
        f.iter().flat_map(|f| g.iter().map(move |g| f * g)).collect()
    };
    let v = product(&f, &g);
    let want = product(&later(&f), &later(&g));
    let spacing = 1.0 / (n + 1) as f64;
    let factor = -1.0 / (spacing * spacing);
    let operator = Scaled { factor, operator: Sparse::new(matrix(n, 0.0))? };
    let action = ExponentialAction { tolerance: TOLERANCE, ..ExponentialAction::default() };
    let (got, timing) = timed(rules, || Ok(action.exponential(&operator, TIME, &v)?))?;
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut got.value.iter().zip(&want).map(|(a, b)| a - b));
    let error = difference / norm(&mut v.iter().copied());
    Ok(Measured::new(timing, Work::Nfev(got.applications), error)
        .with("dimension", got.dimension as f64)
        .with("sub_steps", got.sub_steps as f64))
}

/// `e^{tL} f` of the second difference on a line, by its sine series.
fn later(f: &[f64]) -> Vec<f64> {
    let n = f.len();
    let step = PI / (n + 1) as f64;
    let sine = |i: usize, k: usize| (step * ((i + 1) * (k + 1)) as f64).sin();
    let amplitude = |k: usize| {
        let sum: f64 = f.iter().enumerate().map(|(i, f)| f * sine(i, k)).sum();
        let rate = (2.0 * (n + 1) as f64 * (0.5 * step * (k + 1) as f64).sin()).powi(2);
        2.0 / (n + 1) as f64 * sum * (-TIME * rate).exp()
    };
    let amplitudes: Vec<f64> = (0..n).map(amplitude).collect();
    (0..n).map(|i| amplitudes.iter().enumerate().map(|(k, a)| a * sine(i, k)).sum()).collect()
}
