//! Symplectic methods and equations of second order.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod dense;
mod geometry;
mod input;
mod kepler;
mod order;
mod second_order;
#[cfg(feature = "candle")]
mod tensors;

/// Slope of log error against log step, by least squares over halvings.
fn slope(errors: &[f64]) -> f64 {
    let n = errors.len() as f64;
    let logs: Vec<f64> = errors.iter().map(|e| e.log2()).collect();
    let (mean_x, mean_y) = ((n - 1.0) / 2.0, logs.iter().sum::<f64>() / n);
    let (mut sxy, mut sxx) = (0.0, 0.0);
    for (i, l) in logs.iter().enumerate() {
        sxy += (i as f64 - mean_x) * (l - mean_y);
        sxx += (i as f64 - mean_x).powi(2);
    }
    -sxy / sxx
}
