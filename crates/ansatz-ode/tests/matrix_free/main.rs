//! Systems without a matrix: the same solutions as with one, preconditioners, what is refused.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod brusselator;
mod preconditioner;
mod small;
#[cfg(feature = "candle")]
mod tensors;

fn largest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
