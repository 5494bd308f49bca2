//! The vocabulary that every ansatz crate speaks.

mod error;
mod state;

#[cfg(feature = "candle")]
mod module;
#[cfg(feature = "candle")]
mod pointwise;
#[cfg(feature = "candle")]
mod tensor_like;

pub use error::{Error, Result};
pub use state::State;

#[cfg(feature = "candle")]
pub use candle_core as candle;
#[cfg(feature = "candle")]
pub use module::{Candle, Module};
#[cfg(feature = "candle")]
pub use pointwise::Pointwise;
#[cfg(feature = "candle")]
pub use tensor_like::TensorLike;
