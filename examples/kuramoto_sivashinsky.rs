//! Chaos in space and time: the equation of Kuramoto and Sivashinsky by an exponential integrator.
//!
//! ```text
//! cargo run --release --example kuramoto_sivashinsky [-- --out FOLDER]
//! ```
//!
//! `u_t = −u u_x − u_xx − u_xxxx` on the periodic interval `[0, 32π]`, from
//! `cos(x/16) (1 + sin(x/16))`, by Fourier modes (A.-K. Kassam, L. N. Trefethen 2005,
//! "Fourth-order time-stepping for stiff PDEs", *SIAM J. Sci. Comput.* 26, section 4). The linear
//! part is diagonal there, down to −240 and stiff; `EtdRk4B` solves it exactly and steps over the
//! nonlinear one.
//!
//! What to expect: stripes that merge and split without end. The state at t = 30 agrees with that
//! of an explicit method, which needs four times as many steps, and three times the evaluations in
//! each. Two solutions that start 1e-4 apart differ nearly as much as any two states at the end.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, f64::consts::PI, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::ode::{
    ComplexDiagonal, Dop853, EtdRk4B, InPlace, Result, SemiLinear, VectorField, solve,
};
use ansatz_examples::plot::{Axis, ColourMap, Figure, Layer, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Points, and modes `0..=N/2` of a real function on them.
const N: usize = 128;
const MODES: usize = N / 2 + 1;
const END: f64 = 150.0;
const STEPS: usize = 1500;
/// What another solution starts apart by.
const NUDGE: f64 = 1e-4;

/// Until when an explicit method is tried too.
const EARLY: f64 = 30.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

/// The discrete Fourier transform between `N` points and `MODES` modes, `[re₀, im₀, re₁, …]`,
/// by its sums.
struct Fourier(Vec<(f64, f64)>);

impl Fourier {
    fn new() -> Self {
        Self((0..N).map(|k| (2.0 * PI * k as f64 / N as f64).sin_cos()).collect())
    }

    fn modes(&self, u: &[f64], modes: &mut [f64]) {
        for (k, mode) in modes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *mode = [0.0; 2];
            for (j, u) in u.iter().enumerate() {
                let (sin, cos) = self.0[j * k % N];
                mode[0] += u * cos;
                mode[1] -= u * sin;
            }
        }
    }

    fn values(&self, modes: &[f64]) -> Vec<f64> {
        let modes = modes.as_chunks::<2>().0;
        let value = |j: usize| {
            let term =
                |k: usize| modes[k][0] * self.0[j * k % N].1 - modes[k][1] * self.0[j * k % N].0;
            let inner: f64 = (1..MODES - 1).map(term).sum();
            (modes[0][0] + 2.0 * inner + term(MODES - 1)) / N as f64
        };
        (0..N).map(value).collect()
    }
}

/// The equation of the modes.
fn field() -> Result<SemiLinear<ComplexDiagonal, impl VectorField<Vec<f64>>>> {
    let wave = |k: usize| k as f64 / 16.0;
    let linear = (0..MODES).map(|k| (wave(k).powi(2) - wave(k).powi(4), 0.0)).collect();
    let fourier = Fourier::new();
    // −u u_x is −½ (u²)_x, of the mode k that times −½ i k.
    let advection = InPlace(move |_t: f64, modes: &Vec<f64>, out: &mut Vec<f64>| {
        let squares: Vec<f64> = fourier.values(modes).iter().map(|u| u * u).collect();
        fourier.modes(&squares, out);
        for (k, [re, im]) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            // The last mode has no sine, and so no derivative.
            let factor = if k + 1 == MODES { 0.0 } else { 0.5 * wave(k) };
            (*re, *im) = (factor * *im, -factor * *re);
        }
    });
    Ok(SemiLinear::new(ComplexDiagonal::new(linear)?, advection))
}

fn run() -> std::result::Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    let clock = Instant::now();
    let x: Vec<f64> = (0..N).map(|j| 32.0 * PI * j as f64 / N as f64).collect();
    let start: Vec<f64> = x.iter().map(|x| (x / 16.0).cos() * (1.0 + (x / 16.0).sin())).collect();
    let nudged: Vec<f64> = x.iter().zip(&start).map(|(x, u)| u + NUDGE * (x / 8.0).sin()).collect();
    let fourier = Fourier::new();
    let modes = |u: &[f64]| {
        let mut modes = vec![0.0; 2 * MODES];
        fourier.modes(u, &mut modes);
        modes
    };
    let times: Vec<f64> = (0..=END as usize).map(|t| t as f64).collect();
    let evolve = |u: &[f64]| -> Result<Vec<Vec<f64>>> {
        let problem = solve(field()?, modes(u), (0.0, END)).with(EtdRk4B);
        let solution = problem.steps(STEPS).save_at(times.clone()).run()?;
        Ok(solution.ys.iter().map(|y| fourier.values(y)).collect())
    };
    let (states, others) = (evolve(&start)?, evolve(&nudged)?);
    let explicit =
        solve(field()?, modes(&start), (0.0, EARLY)).with(Dop853).tolerance(1e-10, 1e-10).run()?;
    let pairs = fourier.values(&explicit.y_end).into_iter().zip(&states[EARLY as usize]);
    let error = pairs.map(|(u, v)| (u - v).abs()).fold(0.0, f64::max);
    println!("steps to t = {EARLY}: EtdRk4B {}", STEPS as f64 * EARLY / END);
    println!("                 Dop853  {}", explicit.statistics.attempted());
    println!("largest difference there: {error:.1e}\n");
    println!("   t   root mean square of u   distance to the solution nudged by 1e-4");
    let rms = |u: &[f64], v: &[f64]| {
        (u.iter().zip(v).map(|(u, v)| (u - v).powi(2)).sum::<f64>() / N as f64).sqrt()
    };
    for t in (0..=END as usize).step_by(25) {
        let (size, distance) = (rms(&states[t], &[0.0; N]), rms(&states[t], &others[t]));
        println!("{t:>4} {size:>23.3} {distance:>41.1e}");
    }
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    let size = rms(&states[states.len() - 1], &[0.0; N]);
    if error.is_nan() || error > 1e-3 || !(0.9..1.8).contains(&size) {
        return Err("the solution is not the one expected".into());
    }

    let levels = (-6..=6).map(|k| f64::from(k) / 2.0).collect();
    let panel = Panel::new(
        "Kuramoto–Sivashinsky: u(x, t)",
        Axis::linear("x", [0.0, x[N - 1]]),
        Axis::linear("t", [0.0, END]),
    )
    .with(Layer::surface(x, times, states.concat(), levels, ColourMap::Diverging));
    let figure = Figure::new(640, 760).panel([0.0, 0.0, 1.0, 1.0], panel);
    let files = figure.save(&out, "kuramoto_sivashinsky")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// `--out FOLDER`, or `target/kuramoto_sivashinsky`.
fn output_folder() -> std::result::Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/kuramoto_sivashinsky".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
