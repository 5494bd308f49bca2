//! A ball that bounces until it lies still: events that change the state, and their gradients.
//!
//! ```text
//! cargo run --release --example bouncing_ball [-- --out FOLDER]
//! ```
//!
//! Height `x` and velocity `v` of a ball under gravity and quadratic drag, `x' = v`,
//! `v' = −g − c v |v|`, which keeps 80 % of its speed at each bounce: the usual first example of a
//! hybrid system (E. Hairer, S. P. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I*,
//! section II.6, on discontinuous equations). Bounces come ever faster and would go on for ever
//! within a finite time: the solve ends where they can no longer be told apart, with
//! `Status::Crowded`.
//!
//! What to expect: the heights and the time of rest, and the derivatives of the times of the first
//! bounces with respect to the speed of the throw, through all bounces before, which agree with
//! central differences. Without drag the time of rest is `(v + (1 + e) u / (1 − e)) / g`, with `u`
//! the speed of the first landing: the program compares with that too.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode};

use ansatz::core::candle::{Device, Tensor, Var};
use ansatz::ode::{Dopri5, Event, Result, Solution, Status, solve};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// In metres and seconds.
const GRAVITY: f64 = 9.81;
const HEIGHT: f64 = 1.5;
const THROW: f64 = 6.0;
const DRAG: f64 = 0.03;
const RESTITUTION: f64 = 0.8;
/// Bounces whose times are differentiated.
const BOUNCES: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

/// The flight from a throw upwards until the ball lies still.
fn fly(throw: f64, drag: f64) -> Result<Solution<[f64; 2]>> {
    let ball = move |_t: f64, y: &[f64; 2]| [y[1], -GRAVITY - drag * y[1] * y[1].abs()];
    let bounce = Event::new(|_t, y: &[f64; 2]| Ok(y[0]))
        .falling()
        .change(|_t, y: &[f64; 2]| Ok([0.0, -RESTITUTION * y[1]]));
    solve(ball, [HEIGHT, throw], (0.0, 60.0))
        .with(Dopri5)
        .tolerance(1e-12, 1e-13)
        .event(bounce)
        .save_at((0..=900).map(|k| f64::from(k) / 100.0).collect::<Vec<_>>())
        .run_partial()
}

/// The same flight on tensors, up to the last of `BOUNCES`: the times of the bounces.
fn times_of_bounces(throw: &Tensor) -> Result<Vec<Tensor>> {
    let ball = |_t: f64, y: &Tensor| {
        let v = y.narrow(0, 1, 1)?;
        let drag = ((&v * v.abs()?)? * DRAG)?;
        Tensor::cat(&[&v, &((drag + GRAVITY)?.neg()?)], 0)
    };
    let bounce = Event::of_tensor(|_t, y: &Tensor| Ok(y.get(0)?))
        .falling()
        .change(|_t, y: &Tensor| {
            let v = y.narrow(0, 1, 1)?;
            Ok(Tensor::cat(&[&v.zeros_like()?, &(v * -RESTITUTION)?], 0)?)
        })
        .stop_after(BOUNCES);
    let height = Tensor::new(&[HEIGHT], &Device::Cpu)?;
    let solution = solve(ball, Tensor::cat(&[&height, throw], 0)?, (0.0, 60.0))
        .with(Dopri5)
        .tolerance(1e-12, 1e-13)
        .event(bounce)
        .run()?;
    Ok(solution.crossings.into_iter().filter_map(|crossing| crossing.time).collect())
}

fn run() -> std::result::Result<(), Box<dyn Error>> {
    let out = output_folder()?;

    let landing = (THROW * THROW + 2.0 * GRAVITY * HEIGHT).sqrt();
    // The bounces last as long as a geometric series.
    let exact = (THROW + landing + 2.0 * landing * RESTITUTION / (1.0 - RESTITUTION)) / GRAVITY;
    let [vacuum, air] = [fly(THROW, 0.0)?, fly(THROW, DRAG)?];
    println!("                 bounces  time of rest, s");
    for (name, flight) in [("without drag", &vacuum), ("with drag", &air)] {
        println!("{name:<16} {:>7}  {:>16.6}", flight.crossings.len(), flight.t_end);
        if flight.status != (Status::Crowded { event: 0 }) {
            return Err(format!("{name}: the flight ended with {:?}", flight.status).into());
        }
    }
    println!("series           infinite {exact:>17.6}");
    if !(0.0..1e-6).contains(&(exact - vacuum.t_end)) || air.t_end > vacuum.t_end {
        return Err("the times of rest are not those expected".into());
    }

    let throw = Var::new(&[THROW], &Device::Cpu)?;
    let times = times_of_bounces(throw.as_tensor())?;
    println!("\nbounce  time, s      d time / d throw   by differences");
    for (i, time) in times.iter().enumerate() {
        let by_adjoint = time.backward()?.get(&throw).ok_or("no gradient")?.to_vec1::<f64>()?[0];
        let shift = 1e-3;
        let [above, below] = [fly(THROW + shift, DRAG)?, fly(THROW - shift, DRAG)?];
        let differences = (above.crossings[i].t - below.crossings[i].t) / (2.0 * shift);
        let t = air.crossings[i].t;
        println!("{:>6}  {t:.8}   {by_adjoint:.8}         {differences:.8}", i + 1);
        if (by_adjoint / differences - 1.0).abs() > 1e-5
            || (time.to_scalar::<f64>()? - t).abs() > 1e-8
        {
            return Err("the gradient is not that of central differences".into());
        }
    }
    if times.len() != BOUNCES {
        return Err(format!("expected {BOUNCES} bounces, got {}", times.len()).into());
    }

    let mut panel = Panel::new(
        "A bouncing ball",
        Axis::linear("time, s", [0.0, 8.5]),
        Axis::linear("height, m", [0.0, 3.5]),
    );
    for (i, (label, flight)) in
        [("without drag", vacuum), ("with drag", air)].into_iter().enumerate()
    {
        let points = flight.ts.iter().zip(&flight.ys).map(|(t, y)| [*t, y[0]]).collect();
        panel = panel.with(Layer::line(points, OKABE_ITO[i]).label(label));
    }
    let figure = Figure::new(720, 380).panel([0.0, 0.0, 1.0, 1.0], panel);
    let files = figure.save(&out, "bouncing_ball")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// `--out FOLDER`, or `target/bouncing_ball`.
fn output_folder() -> std::result::Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/bouncing_ball".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
