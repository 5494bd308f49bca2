#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! | question | answer |
//! |---|---|
//! | which data sets are there? | [`Dataset::all`], [`Dataset::find`] |
//! | where is its file? | [`DataDir`], [`Dataset::path`] |
//! | give me its numbers | [`Dataset::open`], then [`DatasetFile::arrays`] or [`DatasetFile::table`] |
//! | is the folder intact? | [`verify_all`], [`Dataset::verify`] |
//! | read a file of my own | [`Npz::open`], [`Table::open`] |
//!
//! The folder is an argument, [`DataDir`], so that a program can say where its data are without
//! touching the environment; [`DataDir::from_env`] is the usual value.

mod csv;
mod error;
mod locate;
mod lynx_hare;
mod npy;
mod npz;
mod registry;
mod verify;
mod zip;

pub use csv::Table;
pub use error::{Error, Result};
pub use locate::{DataDir, DatasetFile};
pub use lynx_hare::LynxHare;
pub use npz::Npz;
pub use registry::{ArraySpec, Dataset, Format};
pub use verify::{Verdict, verify_all};
