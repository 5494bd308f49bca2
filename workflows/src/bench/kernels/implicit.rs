//! L4: gradients through a sparse solve, −Δ on 256 × 256 points with zeros around, f64.
//!
//! The loss is `½ |x|²` of the solution of `A x = b` with `b = A² u`, so that the gradient with respect to
//! `b` is known: `u`. `L4.gradient.256` takes set-up, solve and the gradients of all
//! 325,632 values and of `b`, `forward_s` is the time without gradients and `ratio` what both together
//! cost in its units. `L4.memory` solves by plain CG to two tolerances: the memory on top of what was
//! there before must not grow with the iterations.
use ansatz::linalg::{
    Cg, Factorised, Iterative, LinearSolver, Prepared, SmoothedAggregation, Sparse, SparseCholesky,
    implicit,
};
use ansatz::ops::Csr;
use candle_core::{Device, Tensor, Var};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed};

const N: usize = 256;

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, method, run| Variant { workload, library: "ansatz", method, run };
    vec![
        v("L4.gradient.256", "cholesky", |r| gradient(r, SparseCholesky::new)),
        v("L4.gradient.256", "amg-cg", |r| {
            gradient(r, |a| {
                Ok(prepared(
                    a,
                    Iterative::new(Cg).preconditioner(SmoothedAggregation::new(a)?).relative(1e-12),
                ))
            })
        }),
        v("L4.memory.1e-3", "cg", |r| {
            gradient(r, |a| Ok(prepared(a, Iterative::new(Cg).relative(1e-3))))
        }),
        v("L4.memory.1e-10", "cg", |r| {
            gradient(r, |a| Ok(prepared(a, Iterative::new(Cg).relative(1e-10).iterations(5000))))
        }),
    ]
}

fn prepared<S: LinearSolver<Vec<f64>>>(a: &Sparse, solver: S) -> Prepared<Sparse, S> {
    Prepared { operator: a.clone(), solver }
}

/// Rows, columns and values.
fn system() -> (Vec<u32>, Vec<u32>, Vec<f64>) {
    let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut push = |i: usize, j: usize, a: f64| {
        rows.push(u32::try_from(i).unwrap_or(u32::MAX));
        columns.push(u32::try_from(j).unwrap_or(u32::MAX));
        values.push(a);
    };
    for row in 0..N * N {
        push(row, row, 4.0);
        for (stride, at) in [(N, row / N), (1, row % N)] {
            if at > 0 {
                push(row, row - stride, -1.0);
            }
            if at + 1 < N {
                push(row, row + stride, -1.0);
            }
        }
    }
    (rows, columns, values)
}

fn gradient<S: Factorised + Send + Sync + 'static>(
    rules: &Rules,
    factorise: impl Fn(&Sparse) -> ansatz::linalg::Result<S>,
) -> Result<Measured, AnyError> {
    let cpu = &Device::Cpu;
    let (rows, columns, entries) = system();
    let n = entries.len();
    let ids = (rows.clone(), columns.clone());
    let (rows, columns) = (Tensor::from_vec(rows, n, cpu)?, Tensor::from_vec(columns, n, cpu)?);
    let values = Var::from_tensor(&Tensor::from_slice(&entries, n, cpu)?)?;
    // No pattern that a few iterations could catch.
    let u: Vec<f64> = (0..N * N).map(|i| (1.3 * i as f64 + 0.1 * (i * i) as f64).sin()).collect();
    let product = |x: &[f64]| -> Vec<f64> {
        let mut y = vec![0.0; x.len()];
        let entries = ids.0.iter().zip(&ids.1).zip(&entries);
        entries.for_each(|((i, j), a)| y[*i as usize] += a * x[*j as usize]);
        y
    };
    let b = product(&product(&u));
    let right = Var::from_tensor(&Tensor::from_slice(&b, N * N, cpu)?)?;
    let matrix = Csr::from_triplets(&rows, &columns, values.as_tensor(), (N * N, N * N))?;
    let plain = matrix.with_values(&matrix.values().detach())?;
    let (_, forward) = timed(rules, || {
        let x = implicit::sparse_solve(&plain, &right.as_detached_tensor(), &factorise)?;
        Ok((x.sqr()?.sum_all()? * 0.5)?.to_scalar::<f64>()?)
    })?;
    let (found, timing) = timed(rules, || {
        let x = implicit::sparse_solve(&matrix, right.as_tensor(), &factorise)?;
        let gradients = (x.sqr()?.sum_all()? * 0.5)?.backward()?;
        let of = |v: &Var| gradients.get(v).cloned().ok_or("no gradient");
        Ok((of(&values)?, of(&right)?))
    })?;
    let found = found.1.to_vec1::<f64>()?;
    let error = found.iter().zip(&u).map(|(g, u)| (g - u).abs()).fold(0.0, f64::max);
    let ratio = timing.median_s / forward.median_s;
    let grown = timing.peak_rss_mb.zip(timing.rss_before_mb).map_or(f64::NAN, |(a, b)| a - b);
    Ok(Measured::new(timing, Work::Steps(1), error)
        .with("forward_s", forward.median_s)
        .with("ratio", ratio)
        .with("grown_mb", grown))
}
