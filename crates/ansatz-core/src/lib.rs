#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! | for | see |
//! |---|---|
//! | models that run on tensors, jets, bounds, … | [`TensorLike`], [`Module`], [`Candle`] |
//! | derivatives in space and time | [`Jet`], [`ForwardLaplacian`], [`gradient`], [`hessian`], [`laplacian`], [`mixed_partial`], [`jvp`] |
//! | randomness | [`Key`] |
//! | states of a solver | [`State`] |
//! | devices and dtypes from the command line | [`parse_device`], [`best_device`], [`parse_dtype`] |
//! | progress bars | [`Progress`], [`ProgressEvent`] |
//!
//! With `default-features = false` only [`Key`], [`State`], [`Progress`] and [`Error`] remain, and
//! no tensor library is compiled.
// Without candle, links in the table above lead nowhere.
#![cfg_attr(not(feature = "candle"), allow(rustdoc::broken_intra_doc_links))]

mod error;
mod key;
mod progress;
mod state;

#[cfg(feature = "candle")]
mod conv;
#[cfg(feature = "candle")]
mod derivatives;
#[cfg(feature = "candle")]
mod device;
#[cfg(feature = "candle")]
mod forward_laplacian;
#[cfg(feature = "candle")]
mod jet;
#[cfg(feature = "candle")]
mod jvp;
#[cfg(feature = "candle")]
mod module;
#[cfg(feature = "candle")]
mod stacked;
#[cfg(feature = "candle")]
mod tensor_like;

pub use error::{Error, Result};
pub use key::Key;
pub use num_complex::Complex64;
pub use progress::{Progress, ProgressEvent, Silent};
pub use state::State;

#[cfg(feature = "candle")]
pub use ansatz_ops::{Dense, Pointwise, available_devices, float_types};
#[cfg(feature = "candle")]
pub use candle_core as candle;
#[cfg(feature = "candle")]
pub use derivatives::{
    directional_derivatives, gradient, hessian, laplacian, mixed_partial, mixed_partials,
    value_and_gradient,
};
#[cfg(feature = "candle")]
pub use device::{
    best_device, check_same_device, check_same_dtype, parse_device, parse_dtype, supports_dtype,
};
#[cfg(feature = "candle")]
pub use forward_laplacian::ForwardLaplacian;
#[cfg(feature = "candle")]
pub use jet::Jet;
#[cfg(feature = "candle")]
pub use jvp::jvp;
#[cfg(feature = "candle")]
pub use module::{Candle, Module};
#[cfg(feature = "candle")]
pub use tensor_like::TensorLike;
