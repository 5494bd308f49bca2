#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! Each module is a crate of its own that can be taken alone.
//!
//! | for | module | start with |
//! |---|---|---|
//! | gradients of one's own, gradient checks, any candle program | [`ops`] | [`ops::custom_vjp`], [`ops::vjp`], [`ops::gradcheck`] |
//! | models that run on tensors and on Taylor series | [`core`] | [`core::TensorLike`], [`core::Module`] |
//! | derivatives of a model with respect to its inputs | [`core`] | [`core::laplacian`], [`core::mixed_partials`], [`core::Jet`] |
//! | randomness | [`core`] | [`core::Key`] |
//! | layers, optimisers, training, checkpoints | [`nn`] | [`nn::Parameters`], [`nn::Mlp`], [`nn::Adam`], [`nn::fit`] |
//! | linear operators, matrix-free, sparse and dense | [`linalg`] | [`linalg::LinearOperator`], [`linalg::Stencil`], [`linalg::Sparse`] |
//! | ordinary differential equations and their gradients | [`ode`] | [`ode::solve`], [`ode::Tsit5`] |
//! | data sets, CSV and NPZ files | [`data`] | [`data::Dataset`], [`data::Table`], [`data::Npz`] |
//!
//! candle is [`core::candle`]; its types are part of the public API, so take it from there and the
//! versions agree.
//!
//! # How the parts fit
//!
//! A model is a [`core::Module`], written once for every [`core::TensorLike`] type. Evaluated on a
//! tensor it gives values, on a [`core::Jet`] the derivatives of a differential equation, still
//! trainable by candle's ordinary `backward`:
//!
//! ```
//! use ansatz::core::{Key, candle::{DType, Device}, mixed_partials};
//! use ansatz::nn::{Mlp, MlpConfig, Parameters};
//!
//! # fn main() -> ansatz::nn::Result<()> {
//! let parameters = Parameters::new(Key::new(0), DType::F64, &Device::Cpu)?;
//! let net = Mlp::new(&MlpConfig::new([2, 16, 1]), parameters.builder())?;
//! let points = Key::new(1).uniform_tensor((64, 2), 0.0, 1.0, DType::F64, &Device::Cpu)?;
//!
//! // The residual of the heat equation u_t = u_xx at points (t, x).
//! let partials = mixed_partials(&net, &points, &[&[0], &[1, 1]])?;
//! let residual = (&partials[0] - &partials[1])?;
//! let gradients = residual.sqr()?.mean_all()?.backward()?;
//! assert!(parameters.vars().iter().any(|weight| gradients.get(weight).is_some()));
//! # Ok(())
//! # }
//! ```
//!
//! The same model can be the right-hand side of an equation: [`ode::solve`] takes any closure, and
//! the variables that it captures receive gradients through the solver. That is the example at the
//! top.
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `nn` | yes | the module [`nn`] |
//! | `ode` | yes | the module [`ode`] |
//! | `data` | yes | the module [`data`] |
//! | `linalg` | yes | the module [`linalg`] |
//! | `cuda` | no | candle on NVIDIA GPUs; needs the CUDA toolkit to build. Type-checked, not yet run |
//! | `metal` | no | candle on Apple GPUs. Type-checked, not yet run |
//! | `accelerate` | no | Apple's linear algebra on the CPU |
//! | `mkl` | no | Intel's linear algebra on the CPU |
//!
//! Whoever wants the ODE solver for plain arrays and no tensor library takes `ansatz-ode` directly,
//! with `default-features = false`.
// With a crate switched off, links in the tables above lead nowhere.
#![cfg_attr(
    not(all(feature = "nn", feature = "ode", feature = "data")),
    allow(rustdoc::broken_intra_doc_links)
)]

pub use ansatz_core as core;
#[cfg(feature = "data")]
pub use ansatz_data as data;
#[cfg(feature = "linalg")]
pub use ansatz_linalg as linalg;
#[cfg(feature = "nn")]
pub use ansatz_nn as nn;
#[cfg(feature = "ode")]
pub use ansatz_ode as ode;
pub use ansatz_ops as ops;

/// The Rust snippets of the README and the book are tests of this crate. Only `rustdoc --test`
/// sees this module.
#[cfg(all(doctest, feature = "nn", feature = "ode", feature = "data", feature = "linalg"))]
mod book {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/src/introduction.md")]
    mod introduction {}
    #[doc = include_str!("../../../docs/src/architecture.md")]
    mod architecture {}
    #[doc = include_str!("../../../docs/src/solving.md")]
    mod solving {}
    #[doc = include_str!("../../../docs/src/derivatives.md")]
    mod derivatives {}
    #[doc = include_str!("../../../docs/src/linear_algebra.md")]
    mod linear_algebra {}
    #[doc = include_str!("../../../docs/src/transforms.md")]
    mod transforms {}
    #[doc = include_str!("../../../docs/src/graphs.md")]
    mod graphs {}
    #[doc = include_str!("../../../docs/src/grids.md")]
    mod grids {}
    #[doc = include_str!("../../../docs/src/training.md")]
    mod training {}
    #[doc = include_str!("../../../docs/src/data.md")]
    mod data {}
    #[doc = include_str!("../../../docs/src/randomness.md")]
    mod randomness {}
    #[doc = include_str!("../../../docs/src/candle.md")]
    mod candle {}
    #[doc = include_str!("../../../docs/src/kernels.md")]
    mod kernels {}
    #[doc = include_str!("../../../docs/src/extending.md")]
    mod extending {}
    #[doc = include_str!("../../../docs/src/devices.md")]
    mod devices {}
    #[doc = include_str!("../../../docs/src/benchmarks.md")]
    mod benchmarks {}
    #[doc = include_str!("../../../docs/src/atlas.md")]
    mod atlas {}
    #[doc = include_str!("../../../docs/src/capabilities.md")]
    mod capabilities {}
}
