//! Cumulative operations and scans along an axis, in linear time and memory.
//!
//! | operation | value at position `i` | gradient |
//! |---|---|---|
//! | [`cumsum`] | `Σⱼ≤ᵢ xⱼ` | the cumulative sum in the other direction |
//! | [`cumprod`] | `Πⱼ≤ᵢ xⱼ` | a linear recurrence, right with zeros among the factors |
//! | [`logcumsumexp`] | `ln Σⱼ≤ᵢ exp xⱼ` | a linear recurrence with gates in `[0, 1]` |
//! | [`linear_recurrence`] | `hᵢ = aᵢ hᵢ₋₁ + bᵢ` | the recurrence in the other direction |
//! | [`associative_scan`] | any associative operation | by composition, to a depth of log n |
//!
//! A [`Direction`] says from which end they start. The gradients are made of the operations of this
//! module, so they are linear in time too and have gradients themselves
//! (tested to third order).
//!
//! On the CPU, f32 and f64 have kernels: vectors of neighbouring sequences where the axis is not the
//! last one, threads over the sequences, the same bits for any number of threads. f16 and bf16 are
//! computed in f32 and rounded. On other devices everything is an [`associative_scan`] of candle
//! operations: linear work in `2 log₂ n` steps, no `n × n` matrix (candle's own `cumsum` is a product
//! with one).

mod associative;
mod cumulative;
pub(crate) mod lanes;
mod recurrence;
mod shifted;
pub(crate) mod steps;

pub use associative::associative_scan;
pub use cumulative::{cumprod, cumsum, logcumsumexp};
pub use recurrence::linear_recurrence;

use candle_core::{DType, Tensor};

use crate::{Error, Result};

/// From which end of the axis a scan starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// From the first element: the value at `i` is made of those up to `i`.
    #[default]
    Forward,
    /// From the last element: the value at `i` is made of those from `i` on.
    Reverse,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Reverse,
            Self::Reverse => Self::Forward,
        }
    }
}

/// The type to compute in: that of `x`, or f32 for half precision.
pub(crate) fn working_dtype(what: &'static str, x: &Tensor) -> Result<DType> {
    match x.dtype() {
        wide @ (DType::F32 | DType::F64) => Ok(wide),
        DType::F16 | DType::BF16 => Ok(DType::F32),
        got => Err(Error::DType { what, expected: DType::F32, got }),
    }
}
