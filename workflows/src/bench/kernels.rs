//! Workloads of single tensor operations, one file for each family: K1, K2, …
//!
//! The same work in PyTorch is in workflows/peers, in a script whose first line names the family.
mod conv;

use super::Variant;

/// Every variant of every kernel.
pub(super) fn variants() -> Vec<Variant> {
    [conv::variants()].concat()
}
