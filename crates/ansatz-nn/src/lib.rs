//! Neural networks over candle: layers, seeded initialisation, optimisers, training, checkpoints.
//!
//! Parameters live in a [`Parameters`] store. Layers ask it for theirs through candle's
//! [`VarBuilder`], by path, as layers of candle do; unlike candle's `VarMap`, the store is ordered
//! and draws every parameter from a [`Key`](ansatz_core::Key) folded with its path, so that the
//! same key gives the same model.
//!
//! The layers are [`Linear`], [`Mlp`], [`ResidualMlp`], [`FourierFeatures`], [`Siren`] and
//! [`LayerNorm`]. Each is a [`Module`](ansatz_core::Module) of every
//! [`TensorLike`](ansatz_core::TensorLike) type: tensors, Taylor series, bounds. Which to take:
//!
//! - [`Mlp`] with tanh (the default) for smooth fields and dynamics;
//! - [`ResidualMlp`] when it has to be deep;
//! - [`FourierFeatures`] in front, or a [`Siren`], when the solution oscillates fast.
//!
//! [`Adam`] is Adam and AdamW, with clipping of the gradient, and takes its rate from a
//! [`Schedule`]. [`fit`] is the loop around it; loops written by hand with candle's [`Optimizer`]
//! work as well. A [`Checkpoint`] is a safetensors file that is never half written and never half
//! loaded, from which training continues to the bit.
#![doc = include_str!("../README.md")]

mod activation;
mod adam;
mod checkpoint;
mod clip;
mod error;
mod fit;
mod fourier_features;
mod initializer;
mod layer_norm;
mod linear;
mod mlp;
mod parameters;
mod residual_mlp;
mod resume;
mod schedule;
mod siren;

pub use activation::Activation;
pub use adam::{Adam, AdamConfig, WeightDecay};
pub use candle_nn::{Init, Optimizer, VarBuilder};
pub use checkpoint::Checkpoint;
pub use clip::Clip;
pub use error::{Error, Result};
pub use fit::fit;
pub use fourier_features::FourierFeatures;
pub use initializer::Initializer;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{Mlp, MlpConfig};
pub use parameters::Parameters;
pub use residual_mlp::{ResidualMlp, ResidualMlpConfig};
pub use resume::Resume;
pub use schedule::Schedule;
pub use siren::{Siren, SirenConfig};
