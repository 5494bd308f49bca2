//! Workloads of single operations.
mod scan;
mod wavelet;

use super::Variant;

/// All variants of all kernels.
pub(super) fn variants() -> Vec<Variant> {
    [scan::variants(), wavelet::variants()].concat()
}
