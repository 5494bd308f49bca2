//! The tensor layer of ansatz over [candle](candle_core): autodiff primitives and operations that
//! candle lacks, does slowly or gets wrong, of use to any candle user.
//!
//! **Gradients of one's own.** [`vjp`] pulls back through any function of tensors, [`custom_vjp`]
//! attaches a gradient to a tensor that was computed anywhere, [`Recorder`] reverses a chain of any
//! length with a fixed number of stored states, [`gradcheck`] compares what `backward` says with
//! central differences, [`backward_from`] and [`variables`] start candle's backward pass from
//! several outputs and say what it would reach.
//!
//! **Networks.** [`pointwise`]: tanh, sin, exp, gelu, … by vector kernels of known accuracy.
//! [`dense`], [`dense_chain`]: layers with their activations as one operation. [`matmul`].
//! [`softmax`], [`log_softmax`], [`logsumexp`], [`layer_norm`], [`rms_norm`], [`group_norm`],
//! [`instance_norm`]: right gradients in every dtype. [`adam_step`]: a whole set of parameters in
//! one pass.
//!
//! **Grids.** [`mod@fft`]: Fourier, cosine, sine and Chebyshev transforms; [`spectral_conv`], the
//! layer of Fourier neural operators; [`wavelet`]. [`conv`], [`conv_transpose`], [`pad`],
//! [`max_pool`], [`avg_pool`], [`upsample_linear`]: one to three dimensions, with boundary
//! conditions.
//!
//! **Graphs.** [`Segments`], [`Edges`], [`Csr`]: sums over groups of rows, gathers, sparse products;
//! [`gather`], [`scatter`], [`scatter_add`] by element.
//!
//! **Time.** [`scan`]: cumulative operations and linear recurrences. [`linear_combination`],
//! [`weighted_rms`], [`is_finite`]: what a solver computes between evaluations; [`combine_rows`],
//! [`weighted_rms_each_row`], [`pick_rows`]: the same where each row has a step of its own.
//!
//! Kernels run on the CPU in `f32` and `f64`, with the instruction set that the machine has, and
//! give the same bits on any number of threads. On other devices, and for other dtypes, a
//! composition of candle's operations takes their place.
//!
//! candle is re-exported as [`candle`]; its types are part of this crate's public API.
#![doc = include_str!("../README.md")]
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a kernel is not compiled for its instruction set"
)]

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
mod pad;
mod pointwise;
mod pool;
mod product;
mod resample;
pub mod scan;
mod scatter;
mod segment;
mod sparse;
mod spectral_conv;
mod vjp;
pub mod wavelet;

pub use adam::{AdamRule, AdamSlot, adam_step};
pub use candle_core as candle;
pub use checkpoint::Recorder;
pub use combine::{
    Real, check_like, combine_rows, combine_slices, finite_rows, is_finite, is_finite_slice,
    linear_combination, pick_rows, sum_of_squares, weighted_rms, weighted_rms_each_row,
    weighted_rms_rows, weighted_rms_slices,
};
pub use conv::{Conv, conv, conv_transpose};
pub use cpu::without_kernels;
pub use custom_vjp::custom_vjp;
pub use dense::{Dense, Stack, dense, dense_chain, dense_stack};
pub use device::{available_devices, float_types};
pub use error::{Error, Result};
pub use gradcheck::{GradCheck, GradCheckReport, gradcheck};
pub use norm::{group_norm, instance_norm, layer_norm, log_softmax, logsumexp, rms_norm, softmax};
pub use pad::{Padding, pad};
pub use pointwise::{Pointwise, pointwise};
pub use pool::{Pool, avg_pool, max_pool};
pub use product::matmul;
pub use resample::{adaptive_avg_pool, upsample_linear, upsample_nearest};
pub use scatter::{gather, scatter, scatter_add};
pub use segment::{
    Edges, Segments, edge_dot, gather_rows, gather_segment_sum, segment_logsumexp, segment_max,
    segment_mean, segment_min, segment_softmax, segment_sum,
};
pub use sparse::Csr;
pub use spectral_conv::spectral_conv;
pub use vjp::{Gradients, Pullback, backward_from, variables, vjp};
