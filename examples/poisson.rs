//! Seven ways to solve one equation: −Δu = f on the unit square.
//!
//! ```text
//! cargo run --release --example poisson [-- FOLDER]
//! ```
//!
//! Finite volumes on 64², 128² and 256² cells, u = 0 around them. The right-hand side is a smooth wave,
//! steps along the lines of a chessboard, and noise in every cell, so that error of every wavelength
//! must go. All solvers start from zero and stop at a residual of 10⁻⁸ ‖f‖. Their results are compared
//! with the exact solution of the same equations by sine transforms, in which the matrix is diagonal;
//! residuals are measured with the operator, which needs no matrix.
//!
//! What to expect: with CG alone, or IC(0), iterations double with the cells along a side, so that
//! twice the resolution is eight times the work; with a well chosen SSOR they grow with the root. With
//! either multigrid they stay nearly the same: work in proportion to the unknowns, and the geometric
//! one, which knows the grid, is the fastest. On grids of a plane as small as these a sparse
//! factorisation keeps up with the algebraic one; its memory and time grow faster. A figure of the
//! residuals goes to the folder (target/examples). It is an error when a solver does not arrive, or
//! when multigrid does not keep its promise.
#![allow(clippy::print_stdout)]

use std::{error::Error, f64::consts::PI, path::PathBuf, time::Instant};

use ansatz::core::{Key, candle::Device, candle::Tensor};
use ansatz::linalg::{
    Boundary, Cg, Diffusion, Factorised, Gmres, Ic0, Ilu0, Iterative, LinearOperator, LinearSolver,
    Multigrid, MultigridConfig, SmoothedAggregation, Solution, Sparse, SparseCholesky, Ssor,
    Stopping, Vector,
};
use ansatz::ops::fft::{Norm, Type, dst, idst};
use ansatz_examples::plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SIDES: [usize; 3] = [64, 128, 256];
const TOLERANCE: f64 = 1e-8;
/// GMRES keeps this many vectors before it begins anew.
const RESTART: usize = 50;

/// The equations on `side`² cells.
struct Poisson {
    side: usize,
    operator: Diffusion,
    /// The same with its entries written down, for those that need them.
    matrix: Sparse,
    f: Vec<f64>,
    /// The exact solution of the discrete equations.
    exact: Vec<f64>,
}

impl Poisson {
    fn new(side: usize) -> Result<Self> {
        let h = 1.0 / side as f64;
        let operator = Diffusion::laplacian(&[side, side], &[h, h], &[Boundary::DIRICHLET; 2])?;
        let mut f = operator.cells(|x| {
            let smooth = 2.0 * PI * PI * (PI * x[0]).sin() * (PI * x[1]).sin();
            let dark = ((5.0 * x[0]) as usize + (5.0 * x[1]) as usize).is_multiple_of(2);
            smooth + if dark { 10.0 } else { -10.0 }
        });
        f.axpby(1.0, 5.0, &Key::new(7).normal(side * side))?;
        let exact = by_sines(&f, side)?;
        Ok(Self { side, matrix: operator.to_sparse()?, operator, f, exact })
    }

    /// `‖f − A u‖ / ‖f‖`.
    fn residual(&self, u: &Vec<f64>) -> Result<f64> {
        let mut left = self.operator.apply(u)?;
        left.axpby(1.0, -1.0, &self.f)?;
        Ok(left.norm2()? / self.f.norm2()?)
    }

    /// `‖u − exact‖ / ‖exact‖`.
    fn error(&self, u: &[f64]) -> Result<f64> {
        let mut apart = u.to_vec();
        apart.axpby(1.0, -1.0, &self.exact)?;
        Ok(apart.norm2()? / self.exact.norm2()?)
    }
}

/// The solution by sine transforms, in which differences are multiplications. Those of the second
/// type are for values in the middle of cells.
fn by_sines(f: &[f64], side: usize) -> Result<Vec<f64>> {
    let h = 1.0 / side as f64;
    let along: Vec<f64> =
        (1..=side).map(|k| (2.0 * (PI * k as f64 * h / 2.0).sin() / h).powi(2)).collect();
    let eigenvalues: Vec<f64> =
        (0..side * side).map(|at| along[at / side] + along[at % side]).collect();
    let eigenvalues = Tensor::from_vec(eigenvalues, (side, side), &Device::Cpu)?;
    let f = Tensor::from_slice(f, (side, side), &Device::Cpu)?;
    let f = dst(&dst(&f, 0, Type::Two, Norm::Ortho)?, 1, Type::Two, Norm::Ortho)?;
    let u = (f / eigenvalues)?;
    let u = idst(&idst(&u, 0, Type::Two, Norm::Ortho)?, 1, Type::Two, Norm::Ortho)?;
    Ok(u.flatten_all()?.to_vec1()?)
}

/// What a solver did.
struct Run {
    u: Vec<f64>,
    /// At the start and after each iteration; empty for a direct solver.
    residuals: Vec<f64>,
    /// To prepare, and to solve, in seconds.
    seconds: [f64; 2],
}

impl Run {
    fn iterations(&self) -> usize {
        self.residuals.len().saturating_sub(1)
    }
}

/// Prepares and solves, and takes the time of both.
fn timed<P>(
    prepare: impl FnOnce() -> ansatz::linalg::Result<P>,
    solve: impl FnOnce(P) -> ansatz::linalg::Result<Solution<Vec<f64>>>,
) -> Result<Run> {
    let clock = Instant::now();
    let prepared = prepare()?;
    let setup = clock.elapsed().as_secs_f64();
    let solution = solve(prepared)?;
    let seconds = [setup, clock.elapsed().as_secs_f64() - setup];
    Ok(Run { u: solution.x, residuals: solution.residuals, seconds })
}

struct Solver {
    name: &'static str,
    run: fn(&Poisson) -> Result<Run>,
}

/// The factor of over-relaxation that suits this grid (D. Young, 1954).
fn relaxation(side: usize) -> f64 {
    2.0 / (1.0 + (PI / side as f64).sin())
}

const SOLVERS: [Solver; 7] = [
    Solver {
        name: "CG",
        run: |p| {
            let solver = Iterative::new(Cg).relative(TOLERANCE);
            timed(|| Ok(()), |()| solver.solve(&p.matrix, &p.f))
        },
    },
    Solver {
        name: "CG, SSOR",
        run: |p| {
            let solver = Iterative::new(Cg).relative(TOLERANCE);
            timed(
                || Ssor::new(&p.matrix, relaxation(p.side)),
                |m| solver.preconditioner(m).solve(&p.matrix, &p.f),
            )
        },
    },
    Solver {
        name: "CG, IC(0)",
        run: |p| {
            let solver = Iterative::new(Cg).relative(TOLERANCE);
            timed(|| Ic0::new(&p.matrix), |m| solver.preconditioner(m).solve(&p.matrix, &p.f))
        },
    },
    Solver {
        name: "GMRES(50), ILU(0)",
        run: |p| {
            let method = Gmres { restart: RESTART };
            let solver = Iterative::new(method).relative(TOLERANCE).iterations(5000);
            timed(|| Ilu0::new(&p.matrix), |m| solver.preconditioner(m).solve(&p.matrix, &p.f))
        },
    },
    Solver {
        name: "CG, algebraic multigrid",
        run: |p| {
            let solver = Iterative::new(Cg).relative(TOLERANCE);
            timed(
                || SmoothedAggregation::new(&p.matrix),
                |m| solver.preconditioner(m).solve(&p.matrix, &p.f),
            )
        },
    },
    Solver {
        name: "geometric multigrid",
        run: |p| {
            let stopping = Stopping { relative: TOLERANCE, ..Stopping::default() };
            timed(
                || Multigrid::new(&p.operator, MultigridConfig::default()),
                |m| m.solve(&p.f, &stopping),
            )
        },
    },
    Solver {
        name: "sparse Cholesky",
        run: |p| {
            let clock = Instant::now();
            let factors = SparseCholesky::new(&p.matrix)?;
            let setup = clock.elapsed().as_secs_f64();
            let u = Factorised::solve(&factors, &p.f)?;
            let seconds = [setup, clock.elapsed().as_secs_f64() - setup];
            Ok(Run { u, residuals: Vec::new(), seconds })
        },
    },
];
/// Where multigrid is among them.
const MULTIGRID: [usize; 2] = [4, 5];

/// Fails unless `right`.
fn require(right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(what().into()) }
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| "target/examples".into(), PathBuf::from);
    let problems: Vec<Poisson> =
        SIDES.iter().map(|side| Poisson::new(*side)).collect::<Result<_>>()?;
    let mut by_iteration = Panel::new(
        "256² cells, relative residual",
        Axis::log("iterations", [1.0, 1500.0]),
        Axis::log("‖f − A u‖ / ‖f‖", [1e-9, 100.0]),
    );
    let mut by_time = Panel::new(
        "the same by time; the dot is the direct solver",
        Axis::log("seconds, preparation included", [1e-3, 20.0]),
        Axis::log("‖f − A u‖ / ‖f‖", [1e-13, 100.0]),
    );
    println!("                          iterations on              on 256²");
    println!(
        "{:<24} {:>5} {:>5} {:>5} {:>9} {:>8} {:>10} {:>9}",
        "solver", "64²", "128²", "256²", "prepare s", "solve s", "residual", "error"
    );
    let mut counts = Vec::new();
    for (solver, colour) in SOLVERS.iter().zip(OKABE_ITO.into_iter().chain([GREY])) {
        let mut iterations = Vec::new();
        let mut last = None;
        for problem in &problems {
            let run = (solver.run)(problem)?;
            let (residual, error) = (problem.residual(&run.u)?, problem.error(&run.u)?);
            require(residual <= 1.01 * TOLERANCE, || format!("{}: {residual:.1e}", solver.name))?;
            require(error <= 1e-5, || format!("{}: error {error:.1e}", solver.name))?;
            iterations.push(run.iterations());
            last = Some((run, residual, error));
        }
        let (run, residual, error) = last.ok_or("no grid")?;
        let [prepare, solve] = run.seconds;
        let text = |n: &usize| if *n == 0 { "–".into() } else { n.to_string() };
        let [a, b, c] = [0, 1, 2].map(|i| text(&iterations[i]));
        println!(
            "{:<24} {a:>5} {b:>5} {c:>5} {prepare:>9.3} {solve:>8.3} {residual:>10.1e} {error:>9.1e}",
            solver.name
        );
        let start = run.residuals.first().copied().unwrap_or(1.0);
        let each = solve / run.iterations().max(1) as f64;
        let points = run.residuals.iter().enumerate().map(|(i, r)| (i as f64, r / start));
        let points: Vec<(f64, f64)> = points.collect();
        let steps = points.iter().skip(1).map(|(i, r)| [*i, *r]).collect();
        let times = points.iter().map(|(i, r)| [prepare + i * each, *r]);
        let times = times.filter(|[t, _]| *t > 1e-3).collect();
        if run.residuals.is_empty() {
            let at = vec![[prepare + solve, residual]];
            by_time = by_time.with(Layer::points(at, colour).label(solver.name));
        } else {
            by_iteration = by_iteration.with(Layer::line(steps, colour).label(solver.name));
            by_time = by_time.with(Layer::line(times, colour).label(solver.name));
        }
        counts.push(iterations);
    }
    let growth = |i: usize| counts[i][2] as f64 / counts[i][0] as f64;
    let [algebraic, geometric] = MULTIGRID.map(growth);
    println!(
        "\niterations on 256² over those on 64² cells: CG {:.1}, multigrid {algebraic:.1} and \
         {geometric:.1}",
        growth(0)
    );
    require(algebraic.max(geometric) < 1.6, || "multigrid slows down on finer grids".into())?;
    require(growth(0) > 3.0, || "CG alone should take four times the steps".into())?;
    let [first, last] = [[1.0, TOLERANCE], [1500.0, TOLERANCE]];
    let target = Layer::line(vec![first, last], GREY).dashed(4.0);
    let figure = Figure::new(1100, 460)
        .panel([0.0, 0.0, 0.5, 1.0], by_iteration.with(target))
        .panel([0.5, 0.0, 1.0, 1.0], by_time);
    for path in figure.save(&folder, "poisson")? {
        println!("{}", path.display());
    }
    Ok(())
}
