//! L3: elliptic problems solved by multigrid to a relative residual of 1e-10, set-up included, f64.
//!
//! `L3.poisson2d.1024` is −Δu = f on 1024 × 1024 cells of the unit square with u = 0 around it,
//! `L3.poisson3d.128` the same in three dimensions, `L3.jump2d.512` −∇·(k ∇u) = f with k = 1 and 1000
//! on the fields of a 7 × 7 chess board. f is A times a known u, so that the error is known: the
//! largest difference, relative to the largest value. For Laplacians u is a wave,
//! `sin(3π x) sin(5π y) (sin(2π z))`, the sum of sines for the other problem.
use std::f64::consts::PI;

use ansatz::linalg::{
    Boundary, Cg, Diffusion, Field, Iterative, LinearOperator, LinearSolver, Multigrid,
    MultigridConfig, SmoothedAggregation, Stopping,
};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed};

const WAVES: [f64; 3] = [3.0, 5.0, 2.0];
const TOLERANCE: f64 = 1e-10;
/// What −Δ reads and writes of a cell: one read, one written.
const BYTES: f64 = 24.0;

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, method, run| Variant { workload, library: "ansatz", method, run };
    vec![
        v("L3.poisson2d.1024", "", |r| solved(r, &laplacian(&[1024; 2])?)),
        v("L3.poisson3d.128", "", |r| solved(r, &laplacian(&[128; 3])?)),
        v("L3.jump2d.512", "", |r| solved(r, &chessboard(512)?)),
        v("L3.poisson2d.1024", "amg-cg", |r| algebraic(r, &laplacian(&[1024; 2])?)),
        v("L3.poisson3d.128", "amg-cg", |r| algebraic(r, &laplacian(&[128; 3])?)),
        v("L3.jump2d.512", "amg-cg", |r| algebraic(r, &chessboard(512)?)),
    ]
}

fn laplacian(points: &[usize]) -> ansatz::linalg::Result<Diffusion> {
    let spacing: Vec<f64> = points.iter().map(|n| 1.0 / *n as f64).collect();
    Diffusion::laplacian(points, &spacing, &vec![Boundary::DIRICHLET; points.len()])
}

fn chessboard(n: usize) -> ansatz::linalg::Result<Diffusion> {
    let field = |i: usize| 7 * i / n;
    let k = (0..n * n).map(|i| if (field(i / n) + field(i % n)) % 2 == 0 { 1.0 } else { 1000.0 });
    let (points, spacing) = ([n, n], [1.0 / n as f64; 2]);
    let k = Field::Cells(k.collect());
    Diffusion::new(&points, &spacing, &[Boundary::DIRICHLET; 2], k, Field::Constant(0.0))
}

/// The same from the entries of the matrix alone: smoothed aggregation as a preconditioner.
fn algebraic(rules: &Rules, a: &Diffusion) -> Result<Measured, AnyError> {
    let wave = |x: &[f64]| x.iter().zip(WAVES).map(|(x, w)| (w * PI * x).sin()).product::<f64>();
    let u = a.cells(wave);
    let f = a.apply(&u)?;
    let matrix = a.to_sparse()?;
    let ((solution, complexity), timing) = timed(rules, || {
        let amg = SmoothedAggregation::new(&matrix)?;
        let solver = Iterative::new(Cg).preconditioner(&amg).relative(TOLERANCE);
        Ok((solver.solve(&matrix, &f)?, amg.operator_complexity()))
    })?;
    let largest = |x: &mut dyn Iterator<Item = f64>| x.map(f64::abs).fold(0.0, f64::max);
    let error = largest(&mut u.iter().zip(&solution.x).map(|(u, x)| u - x))
        / largest(&mut u.iter().copied());
    Ok(Measured::new(timing, Work::Steps(solution.iterations()), error)
        .with("relative_residual", solution.residual() * TOLERANCE / solution.target)
        .with("operator_complexity", complexity))
}

fn solved(rules: &Rules, a: &Diffusion) -> Result<Measured, AnyError> {
    let wave = |x: &[f64]| x.iter().zip(WAVES).map(|(x, w)| (w * PI * x).sin()).product::<f64>();
    let u = a.cells(wave);
    let f = a.apply(&u)?;
    let stopping = Stopping { relative: TOLERANCE, ..Stopping::default() };
    let config = MultigridConfig::default();
    let ((solution, work), timing) = timed(rules, || {
        let multigrid = Multigrid::new(a, config)?;
        let solution = multigrid.solve(&f, &stopping)?;
        let cycles = solution.iterations() - usize::from(config.full);
        let work = multigrid.work_of_start() + cycles as f64 * multigrid.work_of_cycle();
        Ok((solution, work))
    })?;
    let largest = |x: &mut dyn Iterator<Item = f64>| x.map(f64::abs).fold(0.0, f64::max);
    let error = largest(&mut u.iter().zip(&solution.x).map(|(u, x)| u - x))
        / largest(&mut u.iter().copied());
    let cycles = solution.iterations();
    // If smoothing alone moved memory.
    let gb = 1e-9 * work * BYTES * u.len() as f64 / timing.median_s;
    Ok(Measured::new(timing, Work::Steps(cycles), error)
        .with("relative_residual", solution.residual() * TOLERANCE / solution.target)
        .with("work_units", work)
        .with("gb_per_s_of_smoothing", gb))
}
