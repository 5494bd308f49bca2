//! Workloads of single tensor operations, one file for each family: K1, K2, …
//!
//! They last microseconds: use [`timed_repeated`](super::timed_repeated). The same work in PyTorch
//! is in workflows/peers, in a script whose first line names the family.
mod dense;
mod pointwise;
//! The same work in PyTorch is in workflows/peers, in a script whose first line names the family.
mod conv;

use super::Variant;

/// Every variant of every kernel.
pub(super) fn variants() -> Vec<Variant> {
    [pointwise::variants(), dense::variants()].concat()
//! Workloads of single operations.
mod spectral;
//! Workloads of single operations.
mod scan;
mod wavelet;

use super::Variant;

/// All variants of all kernels.
pub(super) fn variants() -> Vec<Variant> {
    spectral::variants()
    [scan::variants(), wavelet::variants()].concat()
//! Workloads of single operations.

mod segment;

use super::Variant;

/// Every variant of every workload of this kind.
pub(super) fn variants() -> Vec<Variant> {
    [segment::variants()].concat()
//! Workloads of single operations.
mod adam;
mod combine;
mod norm;

use super::{Rules, Timing, Variant, timed};
use crate::AnyError;

/// All variants of all kernels.
pub(super) fn variants() -> Vec<Variant> {
    [combine::variants(), adam::variants(), norm::variants()].concat()
}

/// Times one call of `work` as the `calls`th part of a run, for work too short for a clock.
fn timed_calls<T>(
    rules: &Rules,
    calls: usize,
    mut work: impl FnMut() -> Result<T, AnyError>,
) -> Result<(T, Timing), AnyError> {
    let (value, timing) = timed(rules, || {
        for _ in 1..calls {
            work()?;
        }
        work()
    })?;
    let part = |seconds: f64| seconds / calls as f64;
    let timing = Timing {
        median_s: part(timing.median_s),
        min_s: part(timing.min_s),
        first_extra_s: part(timing.first_extra_s),
        ..timing
    };
    Ok((value, timing))
}

/// `sin(0.1 + 0.05 (i mod 1000) + 1.3 k)` for i < n.
fn wave(n: usize, k: usize) -> Vec<f64> {
    (0..n).map(|i| (0.1 + 0.05 * (i % 1000) as f64 + 1.3 * k as f64).sin()).collect()
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
    [conv::variants()].concat()
}
