//! A linear state-space layer fitted to a real series, by scans instead of loops.
//!
//! ```text
//! ANSATZ_DATA=FOLDER cargo run --release --example recurrence [-- --out FOLDER]
//! ```
//!
//! The data are the pelts of hare and lynx of 1845–1935 (data set `lynx_hare_1845_1935`, which is not
//! bundled). A diagonal state-space layer `hₜ = a hₜ₋₁ + B xₜ`, `yₜ = C hₜ + D xₜ + c` (A. Gu et al.
//! 2022, *On the parameterization and initialization of diagonal state space models*; real gates
//! here) predicts the logarithms of next year's pelts from those of all years before. It is trained
//! on the years up to 1905; the later ones are held out. Each step of training is one scan over all
//! years, forwards and backwards.
//!
//! What to expect: a third better than "as last year" for the lynx, in the held-out years too. The
//! hares are predicted better in training only: their later cycles are unlike the earlier ones.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::core::{
    Key,
    candle::{DType, Device, Tensor, Var},
};
use ansatz::data::{DataDir, Dataset};
use ansatz::nn::{Adam, AdamConfig, Optimizer, Schedule, fit};
use ansatz::ops::scan::{Direction, linear_recurrence};
use ansatz_examples::{
    plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel},
    progress::Bar,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Years of the series to train on, 1845–1905.
const TRAINING_YEARS: usize = 61;
/// Channels of the state, and steps of Adam.
const CHANNELS: usize = 4;
const STEPS: u64 = 1500;

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

/// The layer: gates in (0, 1) through a sigmoid, `B`, `C`, `D` and `c`.
struct StateSpace {
    gates: Var,
    into: Var,
    out_of: Var,
    past: Var,
    offset: Var,
}

impl StateSpace {
    fn new(key: &Key) -> Result<Self, Box<dyn Error>> {
        let draw = |name: &str, dims: (usize, usize)| -> Result<Var, Box<dyn Error>> {
            let values = key.fold_in_str(name);
            let values = values.normal_tensor(dims, 0.0, 0.3, DType::F64, &Device::Cpu)?;
            Ok(Var::from_tensor(&values)?)
        };
        // Memories of one to some ten years.
        let gates: Vec<f64> = (0..CHANNELS).map(|i| i as f64 - 0.5).collect();
        Ok(Self {
            gates: Var::from_tensor(&Tensor::new(gates, &Device::Cpu)?)?,
            into: draw("into", (2, CHANNELS))?,
            out_of: draw("out_of", (CHANNELS, 2))?,
            past: draw("past", (2, 2))?,
            offset: Var::zeros(2, DType::F64, &Device::Cpu)?,
        })
    }

    fn variables(&self) -> Vec<Var> {
        [&self.gates, &self.into, &self.out_of, &self.past, &self.offset].map(Clone::clone).to_vec()
    }

    fn gates(&self) -> ansatz::core::Result<Tensor> {
        // 1 / (1 + exp(−x))
        Ok((self.gates.neg()?.exp()? + 1.0)?.recip()?)
    }

    /// `[years, 2]` to `[years, 2]`; row t depends on the rows up to t.
    fn forward(&self, x: &Tensor) -> ansatz::core::Result<Tensor> {
        let input = x.matmul(&self.into)?;
        let gates = self.gates()?.broadcast_as(input.shape())?;
        let state = linear_recurrence(&gates, &input, None, 0, Direction::Forward)?;
        let output = (state.matmul(&self.out_of)? + x.matmul(&self.past)?)?;
        Ok(output.broadcast_add(&self.offset)?)
    }
}

/// Root mean squares of the two columns over rows `from` to `to`.
fn rms(residual: &Tensor, from: usize, to: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    Ok(residual.narrow(0, from, to - from)?.sqr()?.mean(0)?.sqrt()?.to_vec1::<f64>()?)
}

fn run() -> Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    std::fs::create_dir_all(&out).map_err(|e| format!("cannot write {}: {e}", out.display()))?;
    let clock = Instant::now();
    let table = Dataset::find("lynx_hare_1845_1935")?.open(&DataDir::from_env())?.table()?;
    let years = table.column("year")?.to_vec();
    let pelts = table.to_tensor(&["hare", "lynx"], DType::F64, &Device::Cpu)?;
    let series = pelts.log()?;
    let mean = series.narrow(0, 0, TRAINING_YEARS)?.mean_keepdim(0)?;
    let series = series.broadcast_sub(&mean)?;
    let n = years.len();
    let (inputs, next) = (series.narrow(0, 0, n - 1)?, series.narrow(0, 1, n - 1)?);

    let layer = StateSpace::new(&Key::new(0))?;
    let training = TRAINING_YEARS - 1;
    let (seen, wanted) = (inputs.narrow(0, 0, training)?, next.narrow(0, 0, training)?);
    let mut adam = Adam::new(layer.variables(), AdamConfig::new(0.01))?;
    let schedule = Schedule::Cosine { peak: 0.01, floor: 0.0, warmup: 10, steps: STEPS };
    let loss = |_| Ok((layer.forward(&seen)? - &wanted)?.sqr()?.mean_all()?);
    let history = fit(&mut adam, &schedule, 0..STEPS, loss, &Bar::new())?;

    let predicted = layer.forward(&inputs)?.detach();
    let model = (&predicted - &next)?;
    let persistence = (&inputs - &next)?;
    println!("mean square in training: {:.4} to {:.4}", history[0], history[history.len() - 1]);
    println!("\none year ahead, root mean square of logarithms");
    println!("                     hare          lynx");
    println!("               training  held out  training  held out");
    for (name, residual) in [("last year", &persistence), ("layer", &model)] {
        let (a, b) = (rms(residual, 0, training)?, rms(residual, training, n - 1)?);
        println!("{name:<12} {:>10.3} {:>9.3} {:>9.3} {:>9.3}", a[0], b[0], a[1], b[1]);
    }
    let gates = layer.gates()?.to_vec1::<f64>()?;
    let memories: Vec<String> = gates.iter().map(|a| format!("{:.1}", -1.0 / a.ln())).collect();
    println!("\nmemories of the channels, years: {}", memories.join(", "));

    let predicted = predicted.broadcast_add(&mean)?.exp()?;
    let mut figure = Figure::new(900, 560);
    for (row, (name, range)) in
        [("Hare", [2.0, 250.0]), ("Lynx", [2.0, 120.0])].into_iter().enumerate()
    {
        let column = |x: &Tensor, shift: usize| -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
            let values = x.narrow(1, row, 1)?.squeeze(1)?.to_vec1::<f64>()?;
            Ok(years[shift..].iter().zip(values).map(|(t, y)| [*t, y]).collect())
        };
        let x = Axis::linear("year", [years[0] - 1.0, years[n - 1] + 1.0]);
        let panel = Panel::new(name, x, Axis::log("thousand pelts", range))
            .with(Layer::shade(years[TRAINING_YEARS] - 0.5, 1e4).label("held out"))
            .with(Layer::points(column(&pelts, 0)?, GREY).size(2.4).label("data"))
            .with(Layer::line(column(&predicted, 1)?, OKABE_ITO[row]).label("one year ahead"));
        let top = 0.5 * row as f64;
        figure = figure.panel([0.0, top, 1.0, top + 0.5], panel);
    }
    let files = figure.save(&out, "recurrence")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// `--out FOLDER`, or `target/recurrence`.
fn output_folder() -> Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/recurrence".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
