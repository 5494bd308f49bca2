//! Workloads of single tensor operations, one file for each family: K1, K2, …, L1, L2, L3
//!
//! Most last microseconds: use [`timed_repeated`](super::timed_repeated). The same work in PyTorch
//! is in workflows/peers, in a script whose first line names the family.
mod adam;
mod combine;
mod conv;
mod dense;
mod factorisation;
mod implicit;
mod linear_operator;
mod multigrid;
mod norm;
mod pointwise;
mod scan;
mod segment;
mod spectral;
mod wavelet;

use candle_core::{Device, Tensor};

use super::Variant;

/// Every variant of every kernel.
pub(super) fn variants() -> Vec<Variant> {
    [
        pointwise::variants(),
        combine::variants(),
        dense::variants(),
        spectral::variants(),
        wavelet::variants(),
        segment::variants(),
        conv::variants(),
        scan::variants(),
        adam::variants(),
        norm::variants(),
        linear_operator::variants(),
        factorisation::variants(),
        multigrid::variants(),
        implicit::variants(),
    ]
    .concat()
}

/// `sin(0.1 + 0.05 (i mod 1000) + 1.3 k)` for i < n.
fn wave(n: usize, k: usize) -> Vec<f64> {
    (0..n).map(|i| (0.1 + 0.05 * (i % 1000) as f64 + 1.3 * k as f64).sin()).collect()
}

/// [`wave`] as a tensor in f32.
fn wave_of(dims: &[usize], k: usize) -> candle_core::Result<Tensor> {
    Tensor::from_vec(single(&wave(dims.iter().product(), k)), dims, &Device::Cpu)
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}
