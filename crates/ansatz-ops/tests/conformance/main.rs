//! Every operation of candle that ansatz relies on: its values against independent loops, its
//! gradient against central differences, on each device there is, for contiguous, permuted, offset
//! and broadcast operands. What candle gets wrong is pinned in `candle_faults.rs`.
//!
//! An operation that a crate begins to use gets a line in one of the tables (`pointwise.rs`,
//! `reductions.rs`, `rearrangements.rs`, `products.rs`).
#![allow(clippy::unwrap_used)] // in helpers of tests

mod array;
mod check;
mod layout;
mod pointwise;
mod products;
mod rearrangements;
mod reductions;
