//! The tensor layer of ansatz over [candle](candle_core): autodiff primitives and operations that
//! candle lacks or gets wrong, of use to any candle user.
//!
//! - [`vjp`]: the pullback of any function of tensors, with gradients of what it captured.
//! - [`custom_vjp`]: attach a gradient of your own to a tensor that was computed anywhere.
//! - [`Recorder`]: reverse a chain of any length with a fixed number of stored states.
//! - [`gradcheck`]: compare what `backward` says with central differences.
//! - [`softmax`], [`log_softmax`], [`layer_norm`]: right gradients in every dtype.
//! - [`linear_combination`], [`weighted_rms`], [`is_finite`]: what a solver computes between
//!   evaluations.
//! - [`backward_from`], [`variables`]: candle's backward pass from several outputs, and what it
//!   would reach.
//!
//! candle is re-exported as [`candle`]; its types are part of this crate's public API.
#![doc = include_str!("../README.md")]

mod checkpoint;
mod combine;
mod cpu;
mod custom_vjp;
mod error;
pub mod fft;
mod gradcheck;
mod norm;
mod spectral_conv;
mod vjp;

pub use candle_core as candle;
pub use checkpoint::Recorder;
pub use combine::{check_like, is_finite, linear_combination, weighted_rms};
pub use custom_vjp::custom_vjp;
pub use error::{Error, Result};
pub use gradcheck::{GradCheck, GradCheckReport, gradcheck};
pub use norm::{layer_norm, log_softmax, softmax};
pub use spectral_conv::spectral_conv;
pub use vjp::{Gradients, Pullback, backward_from, variables, vjp};
