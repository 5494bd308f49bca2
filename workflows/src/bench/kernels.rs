//! Workloads of single operations.

mod segment;

use super::Variant;

/// Every variant of every workload of this kind.
pub(super) fn variants() -> Vec<Variant> {
    [segment::variants()].concat()
}
