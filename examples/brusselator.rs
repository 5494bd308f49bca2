//! The Brusselator in the plane: 8192 stiff equations with a sparse Jacobian.
//!
//! ```text
//! cargo run --release --example brusselator [-- --out FOLDER]
//! ```
//!
//! `u_t = 1 + u² v − 4.4 u + 0.1 Δu + f`, `v_t = 3.4 u − u² v + 0.1 Δv` on the periodic unit square
//! with 64 × 64 points and five-point Laplacians (E. Hairer, G. Wanner, *Solving Ordinary
//! Differential Equations II*, section IV.10); `f` switches on in a disk at t = 1.1. The Jacobian
//! is found by differences, of many columns at once: only the places of its entries are given.
//!
//! What to expect: an oscillation, which the disk stirs up again and diffusion evens out. At t = 10
//! the state agrees with one by an exponential integrator at two step sizes.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::ode::{Bdf, InPlace, Sparsity, WithSparsity, solve};
use ansatz_examples::plot::{Axis, ColourMap, Figure, Layer, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Points in each direction, and of the square.
const N: usize = 64;
const CELLS: usize = N * N;
const DIFFUSION: f64 = 0.1 * (N * N) as f64;
/// When the source switches on, and how strong it is.
const SWITCH: f64 = 1.1;
const SOURCE: f64 = 5.0;

/// Times of the figure.
const TIMES: [f64; 9] = [0.0, 0.4, 1.2, 2.0, 4.0, 4.5, 5.0, 6.0, 10.0];
/// Largest amount of `u` that the figure tells apart.
const HIGH: f64 = 4.0;

/// `u` at points `(x, y) = (i/64, 0)` at t = 10, as `(i, u)`; 9 digits trusted.
const REFERENCE: [(usize, f64); 3] =
    [(0, 0.472_802_649_694_66), (20, 0.513_163_787_009_69), (34, 0.484_843_769_264_84)];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

/// Where a cell lies: the state is `u`, then `v`, each in rows of constant `x`.
fn place(cell: usize) -> [f64; 2] {
    [cell / N, cell % N].map(|i| i as f64 / N as f64)
}

fn neighbours(cell: usize) -> [usize; 4] {
    let (i, j) = (cell / N, cell % N);
    let at = |i: usize, j: usize| (i % N) * N + j % N;
    [at(i + 1, j), at(i + N - 1, j), at(i, j + 1), at(i, j + N - 1)]
}

fn rates(t: f64, y: &[f64], out: &mut [f64]) {
    let (u, v) = y.split_at(CELLS);
    let (du, dv) = out.split_at_mut(CELLS);
    for cell in 0..CELLS {
        let [x, y] = place(cell);
        let inside = (x - 0.3).powi(2) + (y - 0.6).powi(2) <= 0.01;
        let source = if inside && t >= SWITCH { SOURCE } else { 0.0 };
        let beside = neighbours(cell);
        let laplacian = |w: &[f64]| beside.iter().map(|n| w[*n]).sum::<f64>() - 4.0 * w[cell];
        let reaction = u[cell] * u[cell] * v[cell];
        du[cell] = 1.0 + reaction - 4.4 * u[cell] + DIFFUSION * laplacian(u) + source;
        dv[cell] = 3.4 * u[cell] - reaction + DIFFUSION * laplacian(v);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    let clock = Instant::now();
    let bump = |x: f64| (x * (1.0 - x)).powf(1.5);
    let u = (0..CELLS).map(|cell| 22.0 * bump(place(cell)[1]));
    let v = (0..CELLS).map(|cell| 27.0 * bump(place(cell)[0]));
    let start: Vec<f64> = u.chain(v).collect();

    // Each species depends on itself around a cell and on the other in it.
    let entries = (0..CELLS).flat_map(|cell| {
        let around = neighbours(cell).into_iter().chain([cell]);
        let own = around.flat_map(move |n| [(cell, n), (CELLS + cell, CELLS + n)]);
        own.chain([(cell, CELLS + cell), (CELLS + cell, cell)])
    });
    let sparsity = Sparsity::new(2 * CELLS, entries)?;
    println!(
        "{} equations, {} entries of the Jacobian, found with {} evaluations",
        2 * CELLS,
        sparsity.entries(),
        sparsity.groups()
    );

    let field = WithSparsity::new(
        InPlace(|t: f64, y: &Vec<f64>, out: &mut Vec<f64>| rates(t, y, out)),
        sparsity,
    );
    let solution = solve(field, start, (0.0, TIMES[8]))
        .with(Bdf::default())
        .tolerance(1e-6, 1e-6)
        .jumps([SWITCH])
        .save_at(TIMES)
        .run()?;
    let s = &solution.statistics;
    println!(
        "{} steps, {} rejected, {} evaluations, {} Jacobians, {} factorisations",
        s.accepted, s.rejected, s.evaluations, s.jacobians, s.factorisations
    );
    println!("   t   smallest u   largest u");
    for (t, y) in solution.ts.iter().zip(&solution.ys) {
        let [low, high] = [f64::min, f64::max].map(|f| y[..CELLS].iter().copied().fold(y[0], f));
        println!("{t:>4} {low:>12.4} {high:>11.4}");
    }
    let errors = REFERENCE.iter().map(|&(i, u)| (solution.y_end[i * N] - u).abs());
    let error = errors.fold(0.0, f64::max);
    println!("error at t = 10: {error:.1e}");
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    if error.is_nan() || error > 2e-4 {
        return Err("the solution is not the one expected".into());
    }

    let axis: Vec<f64> = (0..N).map(|i| i as f64 / N as f64).collect();
    let last = axis[N - 1];
    let mut figure = Figure::new(1080, 940);
    for (tile, (t, y)) in solution.ts.iter().zip(&solution.ys).enumerate() {
        // Rows of constant y, not x.
        let rows = (0..CELLS).map(|k| y[(k % N) * N + k / N]).collect();
        let levels = (1..20).map(|k| HIGH * f64::from(k) / 20.0).collect();
        let panel = Panel::new(
            format!("u at t = {t}"),
            Axis::linear("x", [0.0, last]),
            Axis::linear("y", [0.0, last]),
        )
        .with(Layer::surface(axis.clone(), axis.clone(), rows, levels, ColourMap::Viridis));
        let [left, top] = [tile % 3, tile / 3].map(|i| i as f64 / 3.0);
        figure = figure.panel([left, top, left + 1.0 / 3.0, top + 1.0 / 3.0], panel);
    }
    let files = figure.save(&out, "brusselator")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// `--out FOLDER`, or `target/brusselator`.
fn output_folder() -> Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/brusselator".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
