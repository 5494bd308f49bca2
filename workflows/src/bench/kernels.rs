//! Workloads of single operations.
mod spectral;

use super::Variant;

/// All variants of all kernels.
pub(super) fn variants() -> Vec<Variant> {
    spectral::variants()
}
