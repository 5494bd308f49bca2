//! Robertson's reactions over eleven decades of time: what stiff means, and what it costs.
//!
//! ```text
//! cargo run --release --example robertson [-- --out FOLDER]
//! ```
//!
//! Three species, `A → B` slowly, `B + B → C + B` very fast, `B + C → A + C` fast (H. H. Robertson
//! 1966, "The solution of a set of reaction rate equations", in J. Walsh (ed.), *Numerical
//! Analysis: an Introduction*; E. Hairer, G. Wanner, *Solving Ordinary Differential Equations II*,
//! section IV.10). From pure `A` to t = 4 · 10¹⁰, with the Jacobian given.
//!
//! What to expect: the implicit methods take some 700 to 1500 steps, which grow with the time. An
//! explicit one, held to steps of a thousandth by stability alone, is stopped when a million of
//! them have brought it to t = 644. The program fails unless the implicit ones agree with reference
//! values.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode};

use ansatz::ode::{Bdf, RadauIia5, Rodas5P, Solution, Status, Tsit5, WithJacobian, solve};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PURE_A: [f64; 3] = [1.0, 0.0, 0.0];
const END: f64 = 4e10;
const RTOL: f64 = 1e-8;
/// Below the smallest amount of `B` that matters, 2 · 10⁻¹³.
const ATOL: f64 = 1e-18;

/// The amounts at `END`, by a Radau method in thirty digits.
const REFERENCE: [f64; 3] =
    [5.208_345_176_853_003e-8, 2.083_338_177_946_994_6e-13, 0.999_999_947_916_34];
/// Largest accepted relative error: hundreds of tolerances add up over the decades.
const ACCEPTED: f64 = 1e-5;
const MOST_STEPS: usize = 3000;

/// States for the curves for each factor of ten of the time.
const PER_DECADE: i32 = 20;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

fn rates(_t: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, fast, very_fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [fast - slow, slow - fast - very_fast, very_fast]
}

fn jacobian(_t: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (by_b, by_c, square) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, by_b, by_c], [0.04, -by_b - square, -by_c], [0.0, square, 0.0]]
}

/// The largest relative error of a component at the end.
fn error(y: &[f64; 3]) -> f64 {
    let errors = y.iter().zip(REFERENCE).map(|(y, exact)| (y / exact - 1.0).abs());
    errors.fold(0.0, f64::max)
}

fn run() -> Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    let times: Vec<f64> = (-5 * PER_DECADE..=10 * PER_DECADE)
        .map(|k| 10f64.powf(f64::from(k) / f64::from(PER_DECADE)))
        .chain([END])
        .collect();

    let reactions = solve(WithJacobian::new(rates, jacobian), PURE_A, (0.0, END)).save_at(times);
    let solutions = [
        ("Bdf", reactions.clone().with(Bdf::default()).tolerance(RTOL, ATOL).run()?),
        ("RadauIia5", reactions.clone().with(RadauIia5).tolerance(RTOL, ATOL).run()?),
        ("Rodas5P", reactions.with(Rodas5P).tolerance(RTOL, ATOL).run()?),
    ];
    println!("to t = {END:e}, relative tolerance {RTOL:e}\n");
    println!("method       steps  rejected  evaluations  Jacobians  relative error");
    for (name, solution) in &solutions {
        let (s, error) = (&solution.statistics, error(&solution.y_end));
        println!(
            "{name:<10} {:>7} {:>9} {:>12} {:>10} {error:>15.1e}",
            s.accepted, s.rejected, s.evaluations, s.jacobians
        );
        if error.is_nan() || error > ACCEPTED || s.attempted() > MOST_STEPS {
            return Err(format!("{name} is {error:.1e} off or took too many steps").into());
        }
    }

    let explicit = solve(rates, PURE_A, (0.0, END))
        .with(Tsit5)
        .tolerance(RTOL, ATOL)
        .max_steps(1_000_000)
        .run_partial()?;
    println!("\nTsit5, stopped after a million steps, had come to t = {:.0}", explicit.t_end);
    if explicit.status != Status::StepBudgetExhausted {
        return Err(format!("Tsit5 ended with {:?}", explicit.status).into());
    }

    let files = figure(&solutions[1].1).save(&out, "robertson")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

fn figure(solution: &Solution<[f64; 3]>) -> Figure {
    let mut panel = Panel::new(
        "Robertson's reactions",
        Axis::log("time", [1e-5, END]),
        Axis::linear("amount", [-0.02, 1.02]),
    );
    for (i, (factor, label)) in [(1.0, "A"), (1e4, "10 000 B"), (1.0, "C")].into_iter().enumerate()
    {
        let points = solution.ts.iter().zip(&solution.ys).map(|(t, y)| [*t, factor * y[i]]);
        panel = panel.with(Layer::line(points.collect(), OKABE_ITO[i]).label(label));
    }
    Figure::new(720, 420).panel([0.0, 0.0, 1.0, 1.0], panel)
}

/// `--out FOLDER`, or `target/robertson`.
fn output_folder() -> Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/robertson".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
