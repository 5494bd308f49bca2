//! The vocabulary that every ansatz crate speaks.

mod error;
mod state;

#[cfg(feature = "candle")]
mod derivatives;
#[cfg(feature = "candle")]
mod forward_laplacian;
#[cfg(feature = "candle")]
mod jet;
#[cfg(feature = "candle")]
mod jvp;
#[cfg(feature = "candle")]
mod module;
#[cfg(feature = "candle")]
mod pointwise;
#[cfg(feature = "candle")]
mod stacked;
#[cfg(feature = "candle")]
mod tensor_like;

pub use error::{Error, Result};
pub use state::State;

#[cfg(feature = "candle")]
pub use candle_core as candle;
#[cfg(feature = "candle")]
pub use derivatives::{
    directional_derivatives, gradient, hessian, laplacian, mixed_partial, mixed_partials,
    value_and_gradient,
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
pub use pointwise::Pointwise;
#[cfg(feature = "candle")]
pub use tensor_like::TensorLike;
