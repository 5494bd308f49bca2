//! The vocabulary that every ansatz crate speaks.

mod error;
mod key;
mod progress;
mod state;

#[cfg(feature = "candle")]
mod device;
#[cfg(feature = "candle")]
mod module;
#[cfg(feature = "candle")]
mod pointwise;
#[cfg(feature = "candle")]
mod tensor_like;

pub use error::{Error, Result};
pub use key::Key;
pub use progress::{Progress, ProgressEvent, Silent};
pub use state::State;

#[cfg(feature = "candle")]
pub use candle_core as candle;
#[cfg(feature = "candle")]
pub use device::{
    best_device, check_same_device, check_same_dtype, parse_device, parse_dtype, supports_dtype,
};
#[cfg(feature = "candle")]
pub use module::{Candle, Module};
#[cfg(feature = "candle")]
pub use pointwise::Pointwise;
#[cfg(feature = "candle")]
pub use tensor_like::TensorLike;
