//! The outer solar system for a hundred thousand years, at one price for every method.
//!
//! ```text
//! cargo run --release --example n_body [-- --out FOLDER]
//! ```
//!
//! Sun, Jupiter, Saturn, Uranus, Neptune and Pluto from 5 September 1994 on (E. Hairer, C. Lubich,
//! G. Wanner, *Geometric Numerical Integration*, section I.2.4), each method with one evaluation of
//! the forces every 30 days.
//!
//! What to expect: the energy errors of `Rk4` and `Tsit5` grow with time, whatever their order.
//! Those of the symplectic methods are as large at the end as at the start; the best of them for
//! such equations, `BlanesMoanNystrom4`, is a thousand times more accurate than Verlet's.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::ode::{
    BlanesMoanNystrom4, ForestRuth, KahanLi8, Method, Newtonian, Rk4, Save, Solves, Tsit5,
    VelocityVerlet, solve,
};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// In units of the astronomical unit, the day and the mass of the sun.
const GRAVITY: f64 = 2.959_122_082_86e-4;

/// Mass, position and velocity. The sun's mass is that of the inner planets too.
const BODIES: [(&str, f64, [f64; 3], [f64; 3]); 6] = [
    ("Sun", 1.000_005_976_82, [0.0; 3], [0.0; 3]),
    (
        "Jupiter",
        9.547_861_040_43e-4,
        [-3.502_365_3, -3.816_984_7, -1.550_796_3],
        [0.005_654_29, -0.004_124_90, -0.001_905_89],
    ),
    (
        "Saturn",
        2.855_837_331_51e-4,
        [9.075_531_4, -3.045_835_3, -1.648_370_8],
        [0.001_683_18, 0.004_835_25, 0.001_924_62],
    ),
    (
        "Uranus",
        4.372_731_645_46e-5,
        [8.310_142_0, -16.290_108_6, -7.252_127_8],
        [0.003_541_78, 0.001_371_02, 0.000_550_29],
    ),
    (
        "Neptune",
        5.177_591_384_49e-5,
        [11.470_766_6, -25.729_482_9, -10.816_945_6],
        [0.002_889_30, 0.001_145_27, 0.000_396_77],
    ),
    (
        "Pluto",
        1.0 / 1.3e8,
        [-15.538_735_7, -25.222_559_4, -3.190_238_2],
        [0.002_767_25, -0.001_707_02, -0.001_365_04],
    ),
];

const YEAR: f64 = 365.25;
const YEARS: f64 = 100_000.0;
/// Days for each evaluation of the forces.
const DAYS: f64 = 30.0;
/// Points of a curve, and states saved for each.
const POINTS: usize = 200;
const SAMPLES: usize = 100;

/// Coordinates of all bodies, one after the other.
type Half = [f64; 18];
type State = (Half, Half);
type Field = Newtonian<fn(f64, &Half) -> Half>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = error.to_string();
            eprintln!("error: {}", message.lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

/// From body `j` to body `i`, and the length of that.
fn between(q: &Half, i: usize, j: usize) -> ([f64; 3], f64) {
    let d = [0, 1, 2].map(|k| q[3 * i + k] - q[3 * j + k]);
    (d, (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt())
}

fn gravity(_: f64, q: &Half) -> Half {
    let mut acceleration = [0.0; 18];
    for i in 0..6 {
        for j in 0..i {
            let (d, r) = between(q, i, j);
            let strength = GRAVITY / (r * r * r);
            for k in 0..3 {
                acceleration[3 * i + k] -= strength * BODIES[j].1 * d[k];
                acceleration[3 * j + k] += strength * BODIES[i].1 * d[k];
            }
        }
    }
    acceleration
}

fn energy((q, v): &State) -> f64 {
    let mut sum = 0.0;
    for (i, (_, mass, _, _)) in BODIES.iter().enumerate() {
        sum += mass * v[3 * i..3 * i + 3].iter().map(|v| v * v).sum::<f64>() / 2.0;
        for (j, other) in BODIES.iter().enumerate().take(i) {
            sum -= GRAVITY * mass * other.1 / between(q, i, j).1;
        }
    }
    sum
}

fn start() -> State {
    let mut state = ([0.0; 18], [0.0; 18]);
    for (i, (_, _, q, v)) in BODIES.iter().enumerate() {
        state.0[3 * i..3 * i + 3].copy_from_slice(q);
        state.1[3 * i..3 * i + 3].copy_from_slice(v);
    }
    state
}

/// The largest relative error of the energy in each stretch of time, `[years, error]`.
struct Errors {
    name: &'static str,
    points: Vec<[f64; 2]>,
}

/// Solves with `evaluations` of them per step and prints what came of it.
fn measure<M>(method: M, name: &'static str, evaluations: usize) -> ansatz::ode::Result<Errors>
where
    M: Method + Solves<Field, State>,
{
    let clock = Instant::now();
    let h = DAYS * evaluations as f64;
    let steps = (YEARS * YEAR / h).ceil() as usize;
    let every = (steps / (POINTS * SAMPLES)).max(1);
    let s =
        solve(Newtonian::new(gravity as fn(f64, &Half) -> Half), start(), (0.0, h * steps as f64))
            .with(method)
            .step(h)
            .save(Save::Every(every))
            .max_steps(steps)
            .run()?;
    let before = energy(&start());
    let stretch = s.ts.len().div_ceil(POINTS);
    let points: Vec<[f64; 2]> =
        s.ts.chunks(stretch)
            .zip(s.ys.chunks(stretch))
            .map(|(ts, ys)| {
                let errors = ys.iter().map(|y| (energy(y) / before - 1.0).abs());
                [ts[ts.len() / 2] / YEAR, errors.fold(0.0, f64::max)]
            })
            .collect();
    println!(
        "{name:<20} {h:>5.0} {:>12} {:>10.1e} {:>10.1e} {:>7.1}",
        s.statistics.evaluations,
        points[0][1],
        points[points.len() - 1][1],
        clock.elapsed().as_secs_f64()
    );
    Ok(Errors { name, points })
}

/// The orbits of the planets for the longest of their years.
fn orbits() -> ansatz::ode::Result<Vec<Vec<[f64; 2]>>> {
    let s = solve(Newtonian::new(gravity), start(), (0.0, 250.0 * YEAR))
        .with(BlanesMoanNystrom4)
        .step(100.0)
        .save(Save::Steps)
        .run()?;
    let from_sun = |i: usize| s.ys.iter().map(move |(q, _)| [0, 1].map(|k| q[3 * i + k] - q[k]));
    Ok((1..6).map(|i| from_sun(i).collect()).collect())
}

fn run() -> Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    let clock = Instant::now();
    println!("                                         relative error of the energy");
    println!("method                days  evaluations  first 0.5%  last 0.5% seconds");
    let errors = [
        measure(VelocityVerlet, "VelocityVerlet", 1)?,
        measure(ForestRuth, "ForestRuth", 3)?,
        measure(BlanesMoanNystrom4, "BlanesMoanNystrom4", 6)?,
        measure(KahanLi8, "KahanLi8", 17)?,
        measure(Rk4, "Rk4", 4)?,
        measure(Tsit5, "Tsit5", 6)?,
    ];

    let mut map = Panel::new(
        "250 years, seen from the sun",
        Axis::linear("x, astronomical units", [-52.0, 52.0]),
        Axis::linear("y, astronomical units", [-52.0, 52.0]),
    );
    for (i, orbit) in orbits()?.into_iter().enumerate() {
        map = map.with(Layer::line(orbit, OKABE_ITO[i]).size(1.2).label(BODIES[i + 1].0));
    }
    let mut over_time = Panel::new(
        "One evaluation every 30 days",
        Axis::linear("years", [0.0, YEARS]),
        Axis::log("relative error of the energy", [1e-9, 10.0]),
    );
    for (i, Errors { name, points }) in errors.into_iter().enumerate() {
        let line = Layer::line(points, OKABE_ITO[i]).label(name);
        // Dashed: not symplectic.
        over_time =
            over_time.with(if name == "Rk4" || name == "Tsit5" { line.dashed(9.0) } else { line });
    }
    let figure = Figure::new(1080, 480)
        .panel([0.0, 0.0, 0.45, 1.0], map)
        .panel([0.45, 0.0, 1.0, 1.0], over_time);
    let files = figure.save(&out, "n_body")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// `--out FOLDER`, or `target/n_body`.
fn output_folder() -> Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/n_body".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
