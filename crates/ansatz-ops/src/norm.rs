//! Softmax and normalisation with right gradients in every dtype.
//!
//! candle-nn's fused versions return tensors without a gradient and take no f64. On the CPU in f32
//! and f64 these are vectorised kernels with hand-written gradients; elsewhere compositions of
//! operations whose gradients are tested. Gradients of gradients are right too (under
//! `CANDLE_GRAD_DO_NOT_DETACH`), to second order for the normalisations.

mod geometry;
mod group;
mod layer;
mod normalize;
mod rows;
mod softmax;

pub use group::{group_norm, instance_norm};
pub use layer::{layer_norm, rms_norm};
pub use softmax::{log_softmax, logsumexp, softmax};
