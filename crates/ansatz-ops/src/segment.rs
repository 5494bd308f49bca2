//! Reductions over groups of rows, gathers, and products with sparse matrices.
//!
//! [`Segments`] says which group each row belongs to, [`Edges`] which row is sent where. Both are
//! sorted once, when they are made; every sum then runs over its own rows in their order, in
//! parallel over the groups, so that results have the same bits for any number of threads.

// Kernels are compiled for several instruction sets: what is not inlined is not.
#![allow(clippy::inline_always)]
// Both sides are numbers at hand; a branch would keep the loops from being vectorised.
#![allow(clippy::needless_bitwise_bool)]
// Arrays of one length, indexed together: the compiler turns these loops, and not those over
// zipped array iterators, into vector registers.
#![allow(clippy::needless_range_loop)]

mod chunks;
mod edges;
mod extremum;
mod linear;
mod product;
mod segments;
mod softmax;

pub use edges::Edges;
pub use extremum::{segment_max, segment_min};
pub use linear::{gather_rows, segment_mean, segment_sum};
pub use product::{edge_dot, gather_segment_sum};
pub use segments::Segments;
pub(crate) use segments::read_ids;
pub use softmax::{segment_logsumexp, segment_softmax};

#[cfg(test)]
mod tests;
