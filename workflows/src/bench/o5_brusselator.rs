//! O5: the Brusselator on a periodic grid of 64 × 64, sparse Jacobian given.
//!
//! `u_t = 1 + u² v − 4.4 u + 0.1 Δu + f`, `v_t = 3.4 u − u² v + 0.1 Δv` with the five-point Laplacian
//! (E. Hairer, G. Wanner, *Solving ODEs II*, section IV.10), `rtol = atol = 1e-6`, t in [0, 10]; `f`
//! switches on in a disk at t = 1.1, where the solve starts anew. The state is u, then v, row after
//! row. The error is the largest of every 64th entry.
use std::hint::black_box;

use ansatz::linalg::{Sparse, nalgebra_sparse::CooMatrix};
use ansatz::ode::{
    Adaptive, AdaptiveFamily, Bdf, Controller, ErrorNorm, ImplicitField, InPlace, Kvaerno5,
    MatrixFree, Rodas5P, Solves, Statistics, WithJacobian, solve,
};

use super::{Measured, Rules, Variant, Work, o5_reference::EVERY_64TH, timed};
use crate::AnyError;

const N: usize = 64;
const CELLS: usize = N * N;
const DIFFUSION: f64 = 0.1 * (N * N) as f64;
const TOLERANCE: f64 = 1e-6;

/// Methods of each kind; those marked `krylov` without a matrix.
pub(super) fn variants() -> Vec<Variant> {
    macro_rules! with {
        ($($name:literal: $method:expr, $field:ident;)*) => {
            vec![$(Variant {
                workload: "O5",
                library: "ansatz",
                method: $name,
                run: |r| measure(r, $field, $method),
            },)*]
        };
    }
    with!(
        "Bdf-krylov": Bdf::default(), without_matrix;
        "Kvaerno5-krylov": Kvaerno5, without_matrix;
        "Bdf": Bdf::default(), field;
        "Kvaerno5": Kvaerno5, field;
        "Rodas5P": Rodas5P, field;
    )
}

/// The four neighbours of a cell.
fn neighbours(cell: usize) -> [usize; 4] {
    let (i, j) = (cell / N, cell % N);
    let at = |i: usize, j: usize| (i % N) * N + j % N;
    [at(i + 1, j), at(i + N - 1, j), at(i, j + 1), at(i, j + N - 1)]
}

fn initial_state() -> Vec<f64> {
    let at = |index: usize| index as f64 / N as f64;
    let bump = |x: f64| (x * (1.0 - x)).powf(1.5);
    let u = (0..CELLS).map(|cell| 22.0 * bump(at(cell % N)));
    let v = (0..CELLS).map(|cell| 27.0 * bump(at(cell / N)));
    u.chain(v).collect()
}

fn source() -> Vec<f64> {
    let inside = |cell: usize| {
        let (x, y) = ((cell / N) as f64 / N as f64, (cell % N) as f64 / N as f64);
        (x - 0.3).powi(2) + (y - 0.6).powi(2) <= 0.1f64.powi(2)
    };
    (0..CELLS).map(|cell| if inside(cell) { 5.0 } else { 0.0 }).collect()
}

/// `w_t = react(cell) + 0.1 Δw` for a whole row at a time, whose neighbours lie in the rows beside it.
fn diffuse(w: &[f64], out: &mut [f64]) {
    for i in 0..N {
        let row = |i: usize| &w[(i % N) * N..][..N];
        let (above, own, below) = (row(i + N - 1), row(i), row(i + 1));
        let out = &mut out[i * N..][..N];
        for j in 1..N - 1 {
            let sum = above[j] + below[j] + own[j - 1] + own[j + 1];
            out[j] += DIFFUSION * (sum - 4.0 * own[j]);
        }
        for (j, left, right) in [(0, N - 1, 1), (N - 1, N - 2, 0)] {
            let sum = above[j] + below[j] + own[left] + own[right];
            out[j] += DIFFUSION * (sum - 4.0 * own[j]);
        }
    }
}

fn rate(source: &[f64], y: &[f64], out: &mut [f64]) {
    let (u, v) = y.split_at(CELLS);
    let (du, dv) = out.split_at_mut(CELLS);
    for cell in 0..CELLS {
        let reaction = u[cell] * u[cell] * v[cell];
        du[cell] = 1.0 + reaction - 4.4 * u[cell] + source[cell];
        dv[cell] = 3.4 * u[cell] - reaction;
    }
    diffuse(u, du);
    diffuse(v, dv);
}

fn jacobian(y: &[f64]) -> Result<Sparse, ansatz::linalg::Error> {
    let (u, v) = y.split_at(CELLS);
    let mut entries = CooMatrix::new(2 * CELLS, 2 * CELLS);
    for cell in 0..CELLS {
        let (square, product) = (u[cell] * u[cell], 2.0 * u[cell] * v[cell]);
        let other = CELLS + cell;
        entries.push(cell, cell, product - 4.4 - 4.0 * DIFFUSION);
        entries.push(cell, other, square);
        entries.push(other, cell, 3.4 - product);
        entries.push(other, other, -square - 4.0 * DIFFUSION);
        for beside in neighbours(cell) {
            entries.push(cell, beside, DIFFUSION);
            entries.push(other, CELLS + beside, DIFFUSION);
        }
    }
    Sparse::from_coo(&entries)
}

/// The field while the source is `source`.
fn field(source: Vec<f64>) -> impl ImplicitField<Vec<f64>> + Clone {
    WithJacobian::new(
        InPlace(move |_: f64, y: &Vec<f64>, out: &mut Vec<f64>| rate(&source, y, out)),
        |_: f64, y: &Vec<f64>| jacobian(y),
    )
}

/// The same, of which implicit methods only know products of the Jacobian, by differences.
fn without_matrix(source: Vec<f64>) -> impl ImplicitField<Vec<f64>> + Clone {
    MatrixFree::new(InPlace(move |_: f64, y: &Vec<f64>, out: &mut Vec<f64>| rate(&source, y, out)))
}

fn measure<F, M>(
    rules: &Rules,
    field: impl Fn(Vec<f64>) -> F,
    method: M,
) -> Result<Measured, AnyError>
where
    M: Adaptive + Solves<F, Vec<f64>>,
    <M::Family as AdaptiveFamily>::Controller: Controller<M>,
    <<M::Family as AdaptiveFamily>::Controller as Controller<M>>::Norm: ErrorNorm<Vec<f64>>,
{
    let (solutions, timing) = timed(rules, || {
        let mut y = black_box(initial_state());
        let mut solutions = Vec::new();
        for (source, span) in [(vec![0.0; CELLS], (0.0, 1.1)), (source(), (1.1, 10.0))] {
            let setup = solve(field(source), y, span).with(method.clone());
            let solution = setup.tolerance(TOLERANCE, TOLERANCE).run()?;
            let end = solution.y_end.clone();
            solutions.push(solution);
            y = end;
        }
        Ok(solutions)
    })?;
    let end = &solutions[1].y_end;
    let kept = end.iter().step_by(64).zip(EVERY_64TH.iter().flatten());
    let error = kept.map(|(y, exact)| (y - exact).abs()).fold(0.0, f64::max);
    let total = |count: fn(&Statistics) -> usize| -> usize {
        solutions.iter().map(|solution| count(&solution.statistics)).sum()
    };
    Ok(Measured::new(timing, Work::Nfev(total(|s| s.evaluations)), error)
        .with("accepted", total(|s| s.accepted))
        .with("rejected", total(|s| s.rejected))
        .with("jacobians", total(|s| s.jacobians))
        .with("factorisations", total(|s| s.factorisations))
        .with("linear_solves", total(|s| s.linear_solves))
        .with("linear_iterations", total(|s| s.linear_iterations)))
}
