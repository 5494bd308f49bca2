//! Who follows whom when a club splits: diffusion on a real graph, fitted through its gradient.
//!
//! ```text
//! ANSATZ_DATA=FOLDER cargo run --release --example karate [-- --out FOLDER]
//! ```
//!
//! The graph is the karate club of W. W. Zachary (1977, *An information flow model for conflict and
//! fission in small groups*): 34 members, 78 friendships, each with the number of contexts in which
//! the two met (data set `karate`). A quarrel between the instructor and an officer split the club.
//!
//! Each member listens to his friends with attention `softmax(β ln contexts)`, a softmax over the
//! edges that end at him; the opinions `u`, +1 at the instructor and −1 at the officer in the
//! beginning, diffuse by `du/dt = (A − 1) u`. Diffusion time `t`, exponent `β` and a scale `s` are
//! fitted, so that `s u(t)` is the faction (±1) of every second member; the others are held out.
//! All of it is sums over edges, forwards and backwards; the sparse result and its gradient are
//! compared with a dense matrix exponential.
//!
//! What to expect: the fit finds a long time and a large exponent (members follow those friends
//! whom they meet most). All 16 members that were held out come out on the side that they chose.
//! Without the counts (`β = 0`) the error is several times larger.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::core::candle::{DType, Device, Tensor, Var};
use ansatz::data::{DataDir, Dataset};
use ansatz::nn::{Adam, AdamConfig, Optimizer, Schedule, fit};
use ansatz::ops::{Edges, gather_segment_sum, segment_softmax};
use ansatz_examples::{
    plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel},
    progress::Bar,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MEMBERS: usize = 34;
const INSTRUCTOR: usize = 0;
const OFFICER: usize = 33;
/// Terms of the series in [`Club::diffuse`]; enough to rounding up to t = 40.
const TERMS: usize = 128;
const STEPS: u64 = 1000;

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

/// The club: friendships in both directions, and what came of it.
struct Club {
    edges: Edges,
    pairs: Vec<(usize, usize)>,
    /// ln of the number of contexts, for each direction.
    contexts: Tensor,
    /// 1 for the instructor's side, −1 for the officer's.
    factions: Vec<f64>,
}

/// ln t, β and ln s.
struct Parameters([Var; 3]);

impl Parameters {
    fn start() -> Result<Self> {
        let zero = || Var::zeros((), DType::F64, &Device::Cpu);
        Ok(Self([zero()?, zero()?, zero()?]))
    }

    /// t, β and s.
    fn values(&self) -> Result<[f64; 3]> {
        let [t, beta, s] = &self.0;
        Ok([t.exp()?.to_scalar()?, beta.to_scalar()?, s.exp()?.to_scalar()?])
    }
}

impl Club {
    fn open() -> Result<Self> {
        let table = Dataset::find("karate")?.open(&DataDir::from_env())?.table()?;
        let column = |name: &str| -> Result<Vec<f64>> { Ok(table.column(name)?.to_vec()) };
        let (from, to) = (column("source")?, column("target")?);
        let (from_side, to_side) = (column("source_faction")?, column("target_faction")?);
        let counts = column("weight")?;
        let (mut pairs, mut contexts) = (Vec::new(), Vec::new());
        let mut factions = vec![0.0; MEMBERS];
        for i in 0..from.len() {
            let (a, b) = (from[i] as usize, to[i] as usize);
            pairs.extend([(a, b), (b, a)]);
            contexts.extend([counts[i].ln(); 2]);
            factions[a] = 1.0 - 2.0 * from_side[i];
            factions[b] = 1.0 - 2.0 * to_side[i];
        }
        let ends = |pick: fn(&(usize, usize)) -> usize| {
            Tensor::from_iter(pairs.iter().map(|p| pick(p) as u32), &Device::Cpu)
        };
        let edges = Edges::new(&ends(|p| p.0)?, &ends(|p| p.1)?, MEMBERS, MEMBERS)?;
        let contexts = Tensor::new(contexts, &Device::Cpu)?;
        Ok(Self { edges, pairs, contexts, factions })
    }

    /// `exp(t (A − 1)) u₀ = Σₖ exp(−t) tᵏ/k! Aᵏ u₀`, `[members]`, for `ln t` and `β`.
    fn diffuse(&self, log_time: &Tensor, beta: &Tensor) -> ansatz::core::Result<Tensor> {
        let attention =
            segment_softmax(&self.contexts.broadcast_mul(beta)?, self.edges.by_target())?;
        let mut opinions = vec![Tensor::from_vec(start(), (MEMBERS, 1), &Device::Cpu)?];
        for k in 1..TERMS {
            opinions.push(gather_segment_sum(&opinions[k - 1], Some(&attention), &self.edges)?);
        }
        let k = Tensor::arange(0f64, TERMS as f64, &Device::Cpu)?;
        let mut factorials = vec![0.0]; // ln k!
        for k in 1..TERMS {
            factorials.push(factorials[k - 1] + (k as f64).ln());
        }
        let factorials = Tensor::new(factorials, &Device::Cpu)?;
        let poisson = (k.broadcast_mul(log_time)? - factorials)?;
        let poisson = poisson.broadcast_sub(&log_time.exp()?)?.exp()?;
        Ok(Tensor::cat(&opinions, 1)?.matmul(&poisson.reshape((TERMS, 1))?)?.squeeze(1)?)
    }

    /// The mean square of `s u(t) − faction` over `members`.
    fn loss(&self, p: &Parameters, members: &[usize]) -> ansatz::core::Result<Tensor> {
        let [log_time, beta, log_scale] = &p.0;
        let predicted = self.diffuse(log_time, beta)?.broadcast_mul(&log_scale.exp()?)?;
        let ids = Tensor::from_iter(members.iter().map(|&i| i as u32), &Device::Cpu)?;
        let factions = Tensor::new(self.factions.as_slice(), &Device::Cpu)?;
        let apart = (predicted.index_select(&ids, 0)? - factions.index_select(&ids, 0)?)?;
        Ok(apart.sqr()?.mean_all()?)
    }

    /// [`Self::diffuse`] by plain loops over a dense matrix: scaling and squaring.
    fn diffuse_dense(&self, time: f64, beta: f64) -> Result<Vec<f64>> {
        const HALVINGS: i32 = 12;
        let n = MEMBERS;
        let mut matrix = vec![0.0; n * n];
        let contexts = self.contexts.to_vec1::<f64>()?;
        for ((from, to), c) in self.pairs.iter().zip(&contexts) {
            matrix[to * n + from] = (beta * c).exp();
        }
        for (i, row) in matrix.chunks_mut(n).enumerate() {
            let sum: f64 = row.iter().sum();
            for a in row.iter_mut() {
                *a *= time / sum / 2f64.powi(HALVINGS);
            }
            row[i] -= time / 2f64.powi(HALVINGS);
        }
        let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let entry = |i: usize, j: usize| (0..n).map(|k| a[i * n + k] * b[k * n + j]).sum();
            (0..n * n).map(|at| entry(at / n, at % n)).collect()
        };
        let identity: Vec<f64> =
            (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect();
        // 1 + m (1 + m/2 (1 + m/3 (…)))
        let mut exponential = identity.clone();
        for k in (1..=10).rev() {
            let next = product(&matrix, &exponential);
            exponential =
                next.iter().zip(&identity).map(|(x, one)| one + x / f64::from(k)).collect();
        }
        for _ in 0..HALVINGS {
            exponential = product(&exponential, &exponential);
        }
        let u = start();
        Ok(exponential.chunks(n).map(|row| row.iter().zip(&u).map(|(a, u)| a * u).sum()).collect())
    }

    /// [`Self::loss`] by [`Self::diffuse_dense`], at `ln t`, `β`, `ln s`.
    fn loss_dense(&self, p: [f64; 3], members: &[usize]) -> Result<f64> {
        let u = self.diffuse_dense(p[0].exp(), p[1])?;
        let square = |i: &usize| (p[2].exp() * u[*i] - self.factions[*i]).powi(2);
        Ok(members.iter().map(square).sum::<f64>() / members.len() as f64)
    }
}

/// What everyone thinks in the beginning.
fn start() -> Vec<f64> {
    let mut u = vec![0.0; MEMBERS];
    (u[INSTRUCTOR], u[OFFICER]) = (1.0, -1.0);
    u
}

/// Fits the parameters; without `counts`, β stays 0.
fn fitted(club: &Club, members: &[usize], counts: bool) -> Result<Parameters> {
    let p = Parameters::start()?;
    let [t, beta, s] = p.0.clone();
    let variables = if counts { vec![t, beta, s] } else { vec![t, s] };
    let mut adam = Adam::new(variables, AdamConfig::new(0.1))?;
    let schedule = Schedule::Cosine { peak: 0.1, floor: 0.0, warmup: 10, steps: STEPS };
    fit(&mut adam, &schedule, 0..STEPS, |_| club.loss(&p, members), &Bar::new())?;
    Ok(p)
}

/// The largest differences from the dense computation: of the opinions, and of the gradient of the
/// loss from central differences.
fn compare(club: &Club, p: &Parameters, members: &[usize]) -> Result<[f64; 2]> {
    let [t, beta, s] = p.values()?;
    let largest =
        |x: Vec<f64>, y: Vec<f64>| x.iter().zip(&y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    let sparse = club.diffuse(&p.0[0], &p.0[1])?.to_vec1::<f64>()?;
    let apart = largest(sparse, club.diffuse_dense(t, beta)?);
    let gradients = club.loss(p, members)?.backward()?;
    let (mut ours, mut differences) = (Vec::new(), Vec::new());
    for (i, variable) in p.0.iter().enumerate() {
        ours.push(gradients.get(variable).ok_or("no gradient")?.to_scalar::<f64>()?);
        let at = |step: f64| {
            let mut p = [t.ln(), beta, s.ln()];
            p[i] += step;
            club.loss_dense(p, members)
        };
        differences.push((at(1e-5)? - at(-1e-5)?) / 2e-5);
    }
    Ok([apart, largest(ours, differences)])
}

fn run() -> Result<()> {
    let out = output_folder()?;
    std::fs::create_dir_all(&out).map_err(|e| format!("cannot write {}: {e}", out.display()))?;
    let clock = Instant::now();
    let club = Club::open()?;
    let others: Vec<usize> = (0..MEMBERS).filter(|&i| i != INSTRUCTOR && i != OFFICER).collect();
    let training: Vec<usize> = others.iter().copied().step_by(2).collect();
    let held_out: Vec<usize> = others.iter().copied().skip(1).step_by(2).collect();

    let first = compare(&club, &Parameters::start()?, &training)?;
    println!("from a dense matrix exponential, at t = 1, β = 0, s = 1: opinions {:.1e}", first[0]);
    println!("its central differences: gradient of the loss {:.1e}", first[1]);
    println!("\n                     t      β      s   training  held out   right of 16");
    let mut fits = Vec::new();
    for (name, counts) in [("friends alike", false), ("by contexts", true)] {
        let p = fitted(&club, &training, counts)?;
        let [t, beta, s] = p.values()?;
        let errors = [&training, &held_out].map(|m| club.loss(&p, m));
        let [a, b] = errors.map(|e| Ok::<f64, Box<dyn Error>>(e?.to_scalar()?));
        let u = club.diffuse(&p.0[0], &p.0[1])?.to_vec1::<f64>()?;
        let right = held_out.iter().filter(|&&i| u[i] * club.factions[i] > 0.0).count();
        let (a, b) = (a?, b?);
        println!("{name:<14} {t:>7.2} {beta:>6.2} {s:>6.2} {a:>10.4} {b:>9.4} {right:>13}");
        fits.push((p, t, beta, s));
    }
    let last = compare(&club, &fits[1].0, &training)?;
    println!("\nthere, from dense: opinions {:.1e}, gradient {:.1e}", last[0], last[1]);

    // Opinions over time, by the two fits.
    let mut figure = Figure::new(900, 620);
    for (row, (name, (_, t, beta, s))) in
        ["Friends alike", "By contexts"].iter().zip(&fits).enumerate()
    {
        let title = format!("{name} (β = {beta:.1})");
        let times: Vec<f64> = (0..61).map(|i| 10f64.powf(-1.0 + 0.045 * f64::from(i))).collect();
        let mut lines = vec![Vec::new(); MEMBERS];
        for &time in &times {
            let u = club.diffuse_dense(time, *beta)?;
            lines.iter_mut().zip(u).for_each(|(line, u)| line.push([time, s * u]));
        }
        let mut panel = Panel::new(
            title,
            Axis::log("diffusion time t", [0.1, times[60]]),
            Axis::linear("s u", [-2.0, 2.0]),
        )
        .with(Layer::shade(0.97 * t, 1.03 * t).label("fitted time"));
        for (side, name) in [(1.0, "followed the instructor"), (-1.0, "followed the officer")] {
            let colour = OKABE_ITO[usize::from(side < 0.0)];
            let members = others.iter().filter(|&&i| club.factions[i] == side);
            for (nth, &i) in members.enumerate() {
                let line = Layer::line(lines[i].clone(), colour);
                panel = panel.with(if nth == 0 { line.label(name) } else { line });
            }
        }
        let zero = vec![[0.1, 0.0], [times[60], 0.0]];
        panel = panel.with(Layer::line(zero, GREY).dashed(4.0));
        let top = 0.5 * row as f64;
        figure = figure.panel([0.0, top, 1.0, top + 0.5], panel);
    }
    let files = figure.save(&out, "karate")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// `--out FOLDER`, or `target/karate`.
fn output_folder() -> Result<PathBuf> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/karate".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
