//! Denoising by thresholds on wavelet coefficients.
//!
//! ```text
//! cargo run --release --example wavelet_denoise [-- --out FOLDER]
//! ```
//!
//! The four test signals of D. L. Donoho and I. M. Johnstone (1994, *Ideal spatial adaptation by
//! wavelet shrinkage*), 2048 points, scaled to a standard deviation of 7, with normal noise of
//! variance 1. Details below the universal threshold `σ √(2 ln n)` are set to zero, with σ from the
//! median of the finest details. Hard thresholds leave the others as they are, soft ones shrink them
//! too. Printed is the ratio of signal to error before and after, in decibels.
//!
//! What to expect: hard thresholds gain 5 dB (bumps) to 14 dB (blocks, whose steps suit the Haar
//! wavelet). Soft ones at this level also shrink what is large; of the narrow bumps they take as much
//! as they take of the noise.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, f64::consts::PI, path::PathBuf, process::ExitCode};

use ansatz::core::{
    Key,
    candle::{DType, Device, Tensor},
};
use ansatz::ops::wavelet::{
    Boundary, Coefficients, Wavelet, dwt, hard_threshold, idwt, soft_threshold,
};
use ansatz_examples::plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel};

const POINTS: usize = 2048;
const LEVELS: usize = 6;

/// Positions of the features of "blocks" and "bumps".
const AT: [f64; 11] = [0.1, 0.13, 0.15, 0.23, 0.25, 0.4, 0.44, 0.65, 0.76, 0.78, 0.81];

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

fn blocks(t: f64) -> f64 {
    let heights = [4.0, -5.0, 3.0, -4.0, 5.0, -4.2, 2.1, 4.3, -3.1, 2.1, -4.2];
    AT.iter().zip(heights).map(|(at, h)| if t >= *at { h } else { 0.0 }).sum()
}

fn bumps(t: f64) -> f64 {
    let heights = [4.0, 5.0, 3.0, 4.0, 5.0, 4.2, 2.1, 4.3, 3.1, 5.1, 4.2];
    let widths = [0.005, 0.005, 0.006, 0.01, 0.01, 0.03, 0.01, 0.01, 0.005, 0.008, 0.005];
    let bump = |at: f64, w: f64| (1.0 + ((t - at) / w).abs()).powi(-4);
    AT.iter().zip(heights).zip(widths).map(|((at, h), w)| h * bump(*at, w)).sum()
}

fn heavisine(t: f64) -> f64 {
    4.0 * (4.0 * PI * t).sin() - (t - 0.3).signum() - (0.72 - t).signum()
}

fn doppler(t: f64) -> f64 {
    (t * (1.0 - t)).sqrt() * (2.0 * PI * 1.05 / (t + 0.05)).sin()
}

/// The noise's standard deviation: 1.4826 times the median of the finest details' sizes.
fn noise_level(bands: &Coefficients) -> Result<f64, Box<dyn Error>> {
    let finest = bands.details.last().ok_or("no details")?;
    let mut sizes = finest.abs()?.to_vec1::<f64>()?;
    sizes.sort_by(f64::total_cmp);
    Ok(1.4826 * sizes[sizes.len() / 2])
}

/// `10 log₁₀` of the variance of the signal over the mean square of the error.
fn ratio_in_decibels(signal: &Tensor, estimate: &Tensor) -> Result<f64, Box<dyn Error>> {
    let error = (signal - estimate)?.sqr()?.mean_all()?.to_scalar::<f64>()?;
    Ok(10.0 * (49.0 / error).log10())
}

fn run() -> Result<(), Box<dyn Error>> {
    let out = output_folder()?;
    std::fs::create_dir_all(&out).map_err(|e| format!("cannot write {}: {e}", out.display()))?;
    let t: Vec<f64> = (0..POINTS).map(|i| (i as f64 + 0.5) / POINTS as f64).collect();
    let signals: [(&str, fn(f64) -> f64, Wavelet); 4] = [
        ("Blocks", blocks, Wavelet::Haar),
        ("Bumps", bumps, Wavelet::Symlet(8)),
        ("HeaviSine", heavisine, Wavelet::Symlet(8)),
        ("Doppler", doppler, Wavelet::Symlet(8)),
    ];
    println!("signal to error, dB          noisy     soft     hard   σ (true: 1)");
    let mut figure = Figure::new(1000, 640);
    for (i, (name, f, wavelet)) in signals.into_iter().enumerate() {
        let clean = Tensor::new(t.iter().map(|t| f(*t)).collect::<Vec<_>>(), &Device::Cpu)?;
        let clean = clean.broadcast_sub(&clean.mean_all()?)?;
        let deviation = clean.sqr()?.mean_all()?.sqrt()?;
        let clean = (clean.broadcast_div(&deviation)? * 7.0)?;
        let noise = Key::new(i as u64).normal_tensor(POINTS, 0.0, 1.0, DType::F64, &Device::Cpu)?;
        let noisy = (&clean + noise)?;

        let bands = dwt(&noisy, 0, wavelet, Boundary::Symmetric, LEVELS)?;
        let sigma = noise_level(&bands)?;
        let threshold = sigma * (2.0 * (POINTS as f64).ln()).sqrt();
        let soft = idwt(&bands.map_details(|d| soft_threshold(d, threshold))?)?;
        let hard = idwt(&bands.map_details(|d| hard_threshold(d, threshold))?)?;
        println!(
            "{name:<10} {:<15} {:>8.1} {:>8.1} {:>8.1} {sigma:>8.2}",
            format!("{wavelet:?}"),
            ratio_in_decibels(&clean, &noisy)?,
            ratio_in_decibels(&clean, &soft)?,
            ratio_in_decibels(&clean, &hard)?,
        );

        let curve = |x: &Tensor| -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
            Ok(t.iter().zip(x.to_vec1::<f64>()?).map(|(t, y)| [*t, y]).collect())
        };
        let values = noisy.to_vec1::<f64>()?;
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let y = Axis::linear("", [low - 1.0, high + 1.0]);
        let panel = Panel::new(name, Axis::linear("t", [0.0, 1.0]), y)
            .with(Layer::points(curve(&noisy)?, GREY).size(0.8).label("noisy"))
            .with(Layer::line(curve(&hard)?, OKABE_ITO[1]).size(1.4).label("hard threshold"));
        let (left, top) = (0.5 * (i % 2) as f64, 0.5 * (i / 2) as f64);
        figure = figure.panel([left, top, left + 0.5, top + 0.5], panel);
    }
    let files = figure.save(&out, "wavelet_denoise")?;
    println!("\nwrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// `--out FOLDER`, or `target/wavelet_denoise`.
fn output_folder() -> Result<PathBuf, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok("target/wavelet_denoise".into()),
        [option, folder] if option == "--out" => Ok(folder.into()),
        other => Err(format!("expected nothing or `--out FOLDER`, got {other:?}").into()),
    }
}
