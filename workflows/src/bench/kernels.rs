//! Workloads of single tensor operations, one file for each family: K1, K2, …
//!
//! They last microseconds: use [`timed_repeated`](super::timed_repeated). The same work in PyTorch
//! is in workflows/peers, in a script whose first line names the family.
mod dense;
mod pointwise;

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
}
