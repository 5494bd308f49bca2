//! `solve_rows`: batches whose rows step independently.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod alone;
mod bad_input;
mod common;
mod gradients;
mod independence;
