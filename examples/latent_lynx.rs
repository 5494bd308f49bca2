//! Missing years of the lynx and the hare, filled in by a latent differential equation.
//!
//! ```text
//! ANSATZ_DATA=FOLDER cargo run --release --example latent_lynx [-- --out FOLDER]
//! ```
//!
//! Of the pelts of 1845–1935 (data set `lynx_hare_1845_1935`) 36 years out of 91 are hidden, at
//! random, so that the series is irregular. A variational autoencoder in time is trained on windows
//! of 21 years (Y. Rubanova, R. T. Q. Chen, D. Duvenaud 2019, arXiv:1907.03907): a neural
//! controlled equation reads what was observed (P. Kidger et al. 2020, arXiv:2005.08926; there it
//! is a recurrent network), a state is drawn from the normal distribution that it names, a neural
//! differential equation carries it through all years, hidden ones too, and a network reads the
//! populations from it. The prediction of a year is the mean over all windows that it lies in.
//!
//! What to expect: in hidden years the latent equation errs about as much as straight lines between
//! the observed years, and less than their mean: by a quarter for the hares, by more than half for
//! the lynx. What is gained is a model: it rises and falls within gaps where a straight line cuts
//! across.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use ansatz::core::{
    Key, Module, Result,
    candle::{DType, Device, Tensor},
};
use ansatz::data::{DataDir, Dataset};
use ansatz::nn::{Adam, AdamConfig, Mlp, MlpConfig, Optimizer, Parameters, Schedule, fit};
use ansatz::ode::{Direct, FixedStep, Interpolation, NeuralCde, NeuralOde, Rk4, Scheme, with_time};
use ansatz_examples::{
    plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel},
    progress::Bar,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const YEARS: usize = 91;
const HIDDEN: usize = 36;
const WINDOW: usize = 21;
const LATENT: usize = 6;
/// Units of the recognition network, steps of training, and the spread of observations around the
/// curves, in standard deviations of the logarithm.
const UNITS: usize = 16;
const STEPS: u64 = 800;
const SPREAD: f64 = 0.3;

type Fixed = Scheme<Rk4, FixedStep, Direct>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or("unknown"));
            ExitCode::FAILURE
        }
    }
}

struct LatentOde {
    recognise: NeuralCde<Mlp, Mlp, Fixed>,
    posterior: Mlp,
    evolve: NeuralOde<Mlp, Fixed>,
    read: Mlp,
    times: Vec<f64>,
}

impl LatentOde {
    fn new(parameters: &Parameters) -> ansatz::nn::Result<Self> {
        let net = |name: &str, sizes: &[usize]| {
            Mlp::new(&MlpConfig::new(sizes), parameters.builder().pp(name))
        };
        // In decades.
        let times: Vec<f64> = (0..WINDOW).map(|k| k as f64 / 10.0).collect();
        let end = times[WINDOW - 1];
        let scheme = Scheme { method: Rk4, controller: FixedStep { step: 0.1 }, adjoint: Direct };
        let channels = 3; // time, hare, lynx
        let initial = net("initial", &[channels, UNITS])?;
        let recognise = NeuralCde::new(initial, net("cde", &[UNITS, 32, UNITS * channels])?)
            .times(times.clone())
            .interpolation(Interpolation::Linear)
            .scheme(scheme);
        let evolve = NeuralOde::new(net("ode", &[LATENT, 32, LATENT])?, (0.0, end))
            .save_at(times.clone())
            .scheme(scheme);
        let posterior = net("posterior", &[UNITS, 2 * LATENT])?;
        Ok(Self { recognise, posterior, evolve, read: net("read", &[LATENT, 16, 2])?, times })
    }

    /// Mean and logarithm of the standard deviation of the latent state at the start of windows
    /// `[windows, WINDOW, 2]`, NaN where hidden: `[windows, LATENT]` each.
    fn recognise(&self, windows: &Tensor) -> Result<(Tensor, Tensor)> {
        let read = self.recognise.forward(&with_time(&self.times, windows)?)?;
        let both = self.posterior.forward(&read)?;
        Ok((both.narrow(1, 0, LATENT)?, both.narrow(1, LATENT, LATENT)?))
    }

    /// Populations in all years of the windows, `[windows, WINDOW, 2]`.
    fn populations(&self, start: &Tensor) -> Result<Tensor> {
        self.read.forward(&self.evolve.forward(start)?)
    }

    /// What is minimised: the negative evidence lower bound, for each window.
    fn loss(&self, windows: &Tensor, filled: &Tensor, mask: &Tensor, key: &Key) -> Result<Tensor> {
        let (mean, log_std) = self.recognise(windows)?;
        let std = log_std.exp()?;
        let noise = key.normal_tensor(mean.shape(), 0.0, 1.0, mean.dtype(), mean.device())?;
        let path = self.populations(&(&mean + (&std * noise)?)?)?;
        let misfit =
            ((path - filled)?.broadcast_mul(mask)?.sqr()?.sum_all()? / (2.0 * SPREAD * SPREAD))?;
        let divergence = (((mean.sqr()? + std.sqr()?)? / 2.0)? - log_std)?.sum_all()?;
        Ok(((misfit + divergence)? / windows.dim(0)? as f64)?)
    }
}

/// Windows that start in each year, of a series `[YEARS, n]`.
fn windows(series: &[Vec<f64>]) -> Result<Tensor> {
    let all = series.windows(WINDOW).flat_map(<[_]>::concat);
    let shape = (YEARS + 1 - WINDOW, WINDOW, series[0].len());
    Ok(Tensor::from_iter(all, &Device::Cpu)?.reshape(shape)?.to_dtype(DType::F32)?)
}

/// The straight line between the observed years on either side.
fn interpolated(series: &[Vec<f64>], observed: &[bool], year: usize, species: usize) -> f64 {
    let before = (0..=year).rev().find(|y| observed[*y]).unwrap_or(0);
    let after = (year..YEARS).find(|y| observed[*y]).unwrap_or(YEARS - 1);
    let part = if before == after { 0.0 } else { (year - before) as f64 / (after - before) as f64 };
    series[before][species] * (1.0 - part) + series[after][species] * part
}

fn run() -> std::result::Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    let clock = Instant::now();
    let table = Dataset::find("lynx_hare_1845_1935")?.open(&DataDir::from_env())?.table()?;
    let [weights, choice, training] = Key::new(0).split();

    // The first and the last year stay, so that all others lie between observed ones.
    let mut observed = vec![true; YEARS];
    choice.permutation(YEARS - 2).into_iter().take(HIDDEN).for_each(|i| observed[i + 1] = false);
    let seen = |v: &[f64]| -> Vec<f64> {
        v.iter().zip(&observed).filter(|(_, seen)| **seen).map(|(x, _)| *x).collect()
    };
    let mut columns = Vec::new();
    for name in ["hare", "lynx"] {
        let logarithms: Vec<f64> = table.column(name)?.iter().map(|x| x.ln()).collect();
        let kept = seen(&logarithms);
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let variance = kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / kept.len() as f64;
        columns.push((logarithms, mean, variance.sqrt()));
    }
    let series: Vec<Vec<f64>> = (0..YEARS)
        .map(|year| columns.iter().map(|(x, mean, std)| (x[year] - mean) / std).collect())
        .collect();
    let masked = |missing: f64| -> Vec<Vec<f64>> {
        let keep =
            |(row, seen): (&Vec<f64>, &bool)| if *seen { row.clone() } else { vec![missing; 2] };
        series.iter().zip(&observed).map(keep).collect()
    };
    let (gaps, filled) = (windows(&masked(f64::NAN))?, windows(&masked(0.0))?);
    let mask =
        windows(&observed.iter().map(|seen| vec![f64::from(u8::from(*seen))]).collect::<Vec<_>>())?;

    let parameters = Parameters::new(weights, DType::F32, &Device::Cpu)?;
    let model = LatentOde::new(&parameters)?;
    let mut adam = Adam::new(parameters.vars(), AdamConfig::new(0.01))?;
    let schedule = Schedule::Cosine { peak: 0.01, floor: 0.0, warmup: 20, steps: STEPS };
    let bar = Bar::new();
    let loss = |step| model.loss(&gaps, &filled, &mask, &training.fold_in(step));
    let history = fit(&mut adam, &schedule, 0..STEPS, loss, &bar)?;
    drop(bar);
    println!("loss: {:.1} at first, {:.1} at last", history[0], history[history.len() - 1]);

    let (start, _) = model.recognise(&gaps)?;
    let paths = model.populations(&start.detach())?.to_dtype(DType::F64)?.to_vec3::<f64>()?;
    let predicted = |year: usize, species: usize| {
        let of: Vec<f64> = (year.saturating_sub(WINDOW - 1)..=year.min(YEARS - WINDOW))
            .map(|first| paths[first][year - first][species])
            .collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let rmse = |at: &dyn Fn(usize, usize) -> f64, wanted: bool, species: usize| {
        let years: Vec<usize> = (0..YEARS).filter(|y| observed[*y] == wanted).collect();
        let sum: f64 = years.iter().map(|y| (at(*y, species) - series[*y][species]).powi(2)).sum();
        (sum / years.len() as f64).sqrt() * columns[species].2
    };
    let linear = |year, species| interpolated(&series, &observed, year, species);
    println!("log-RMSE                     hare   lynx");
    let rows: [(&str, &dyn Fn(usize, usize) -> f64, bool); 4] = [
        ("observed, latent equation", &predicted, true),
        ("hidden,   latent equation", &predicted, false),
        ("hidden,   straight lines", &linear, false),
        ("hidden,   the mean", &|_, _| 0.0, false),
    ];
    for (name, at, wanted) in rows {
        println!("{name:<26} {:>6.3} {:>6.3}", rmse(at, wanted, 0), rmse(at, wanted, 1));
    }
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    for species in 0..2 {
        if rmse(&predicted, false, species) > 0.9 * rmse(&|_, _| 0.0, false, species) {
            return Err("the hidden years are not predicted".into());
        }
    }

    let mut figure = Figure::new(1000, 640);
    for (i, (name, (logarithms, mean, std))) in ["hares", "lynx"].iter().zip(&columns).enumerate() {
        let points = |wanted: bool| -> Vec<[f64; 2]> {
            let years = (0..YEARS).filter(|y| observed[*y] == wanted);
            years.map(|y| [1845.0 + y as f64, logarithms[y].exp()]).collect()
        };
        let curve = |at: &dyn Fn(usize, usize) -> f64| -> Vec<[f64; 2]> {
            (0..YEARS).map(|y| [1845.0 + y as f64, (mean + std * at(y, i)).exp()]).collect()
        };
        let panel = Panel::new(
            format!("Pelts of {name}"),
            Axis::linear("year", [1844.0, 1936.0]),
            Axis::log("thousands", [1.0, 200.0]),
        )
        .with(Layer::line(curve(&linear), GREY).dashed(4.0).size(1.0).label("straight lines"))
        .with(Layer::line(curve(&predicted), OKABE_ITO[i]).label("latent equation"))
        .with(Layer::points(points(true), GREY).size(2.5).label("observed"))
        .with(Layer::points(points(false), OKABE_ITO[1 - i]).hollow().label("hidden"));
        let top = i as f64 / 2.0;
        figure = figure.panel([0.0, top, 1.0, top + 0.5], panel);
    }
    let files = figure.save(&out, "latent_lynx")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// `--out FOLDER`, or `target/latent_lynx`.
fn output_folder() -> std::result::Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/latent_lynx".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
