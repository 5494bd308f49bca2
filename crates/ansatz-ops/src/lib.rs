//! The tensor layer of ansatz over [candle](candle_core): autodiff primitives and operations that
//! candle lacks or gets wrong, of use to any candle user.
//!
//! - [`vjp`]: the pullback of any function of tensors, with gradients of what it captured.
//! - [`custom_vjp`]: attach a gradient of your own to a tensor that was computed anywhere.
//! - [`Recorder`]: reverse a chain of any length with a fixed number of stored states.
//! - [`gradcheck`]: compare what `backward` says with central differences.
//! - [`softmax`], [`log_softmax`], [`layer_norm`]: right gradients in every dtype.
//! - [`Segments`], [`Edges`], [`Csr`]: sums over groups of rows, gathers, sparse products.
//! - [`gather`], [`scatter`], [`scatter_add`]: by element, with right gradients.
//! - [`conv`], [`conv_transpose`], [`pad`], [`max_pool`], [`avg_pool`], [`upsample_linear`]: grids in
//!   one to three dimensions, with boundary conditions.
//! - [`linear_combination`], [`weighted_rms`], [`is_finite`]: what a solver computes between
//!   evaluations.
//! - [`pointwise`]: tanh, sin, exp, gelu, … by vector kernels of known accuracy.
//! - [`backward_from`], [`variables`]: candle's backward pass from several outputs, and what it
//!   would reach.
//!
//! candle is re-exported as [`candle`]; its types are part of this crate's public API.
#![doc = include_str!("../README.md")]

mod adam;
mod checkpoint;
mod combine;
mod conv;
mod cpu;
mod custom_vjp;
mod dense;
mod device;
mod error;
pub mod fft;
mod gradcheck;
mod norm;
mod pointwise;
mod product;
mod spectral_conv;
pub mod scan;
mod scatter;
mod segment;
mod sparse;
mod pad;
mod pool;
mod resample;
mod vjp;
pub mod wavelet;

pub use adam::{AdamRule, AdamSlot, adam_step};
pub use candle_core as candle;
pub use checkpoint::Recorder;
pub use combine::{
    Real, check_like, combine_slices, is_finite, is_finite_slice, linear_combination,
    sum_of_squares, weighted_rms, weighted_rms_rows, weighted_rms_slices,
};
pub use combine::{check_like, is_finite, linear_combination, weighted_rms};
pub use conv::{Conv, conv, conv_transpose};
pub use custom_vjp::custom_vjp;
pub use dense::{Dense, Stack, dense, dense_chain, dense_stack};
pub use error::{Error, Result};
pub use gradcheck::{GradCheck, GradCheckReport, gradcheck};
pub use norm::{layer_norm, log_softmax, softmax};
pub use pointwise::{Pointwise, pointwise};
pub use product::matmul;
pub use spectral_conv::spectral_conv;
pub use scatter::{gather, scatter, scatter_add};
pub use segment::{
    Edges, Segments, edge_dot, gather_rows, gather_segment_sum, segment_logsumexp, segment_max,
    segment_mean, segment_min, segment_softmax, segment_sum,
};
pub use sparse::Csr;
pub use device::{available_devices, float_types};
pub use error::{Error, Result};
pub use gradcheck::{GradCheck, GradCheckReport, gradcheck};
pub use norm::{group_norm, instance_norm, layer_norm, log_softmax, logsumexp, rms_norm, softmax};
pub use pad::{Padding, pad};
pub use pool::{Pool, avg_pool, max_pool};
pub use resample::{adaptive_avg_pool, upsample_linear, upsample_nearest};
pub use vjp::{Gradients, Pullback, backward_from, variables, vjp};
