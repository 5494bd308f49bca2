//! The heavy programs behind `cargo xtask`: what they do, apart from reading the command line.
//!
//! - [`mod@bench`]: times the workloads that the Python peers run too, one process for each;
//! - [`reproduce`]: runs the key claim of a paper and compares it with the published figure;
//! - [`device`]: compares a device with the CPU in f64, and times both;
//! - [`data`]: lists, locates and verifies the data sets;
//! - [`doctor`]: devices, compiled features and data on this machine.
//!
//! ```
//! use ansatz_workflows::bench::{Rules, timed};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let rules = Rules { budget_s: 0.0, ..Rules::default() };
//! let (sum, timing) = timed(&rules, || Ok((1..=100).sum::<u64>()))?;
//! assert_eq!((sum, timing.runs), (5050, 3));
//! # Ok(())
//! # }
//! ```
pub mod bench;
pub mod cli;
pub mod data;
pub mod device;
pub mod doctor;
mod error;
pub mod reproduce;

pub use error::Error;

/// What a workload or an entry may fail with: anything.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;
