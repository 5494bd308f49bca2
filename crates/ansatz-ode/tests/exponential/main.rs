//! Exponential integrators: measured order, what they solve exactly, partial differential equations
//! against independent solutions.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod order;
mod problems;
mod spectral;
#[cfg(feature = "candle")]
mod tensors;

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

fn growth(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0], t * y[1]]
}

/// y' = −y² (1 + t), nonlinear in the state: 1/(1 + t + t²/2).
fn rational(t: f64, y: &f64) -> f64 {
    -y * y * (1.0 + t)
}

fn rational_solution(t: f64) -> f64 {
    1.0 / (1.0 + t + 0.5 * t * t)
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

fn largest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
