//! The interval of a solve: [`Span`].

use crate::{Error, Result};

/// From where to where a problem is solved; backwards in time if `t1 < t0`.
///
/// Made from a pair of numbers or, to receive gradients with respect to the end times, from a
/// pair of scalar tensors by `Span::from_tensors`.
#[derive(Debug, Clone)]
pub struct Span {
    /// Start.
    pub t0: f64,
    /// End.
    pub t1: f64,
    /// The tensors behind `t0` and `t1`.
    #[cfg(feature = "candle")]
    pub(crate) tensors: Option<[candle_core::Tensor; 2]>,
}

impl From<(f64, f64)> for Span {
    fn from((t0, t1): (f64, f64)) -> Self {
        Self {
            t0,
            t1,
            #[cfg(feature = "candle")]
            tensors: None,
        }
    }
}

impl Span {
    /// An interval whose ends are scalar tensors of dtype f32 or f64; the adjoints return
    /// gradients for them.
    ///
    /// # Errors
    /// When a tensor is not a scalar or not of floating point type.
    #[cfg(feature = "candle")]
    pub fn from_tensors(t0: &candle_core::Tensor, t1: &candle_core::Tensor) -> Result<Self> {
        let value = |t: &candle_core::Tensor| -> Result<f64> {
            Ok(match t.dtype() {
                candle_core::DType::F32 => f64::from(t.to_scalar::<f32>()?),
                _ => t.to_scalar::<f64>()?,
            })
        };
        Ok(Self { t0: value(t0)?, t1: value(t1)?, tensors: Some([t0.clone(), t1.clone()]) })
    }

    /// From the end to the start.
    #[cfg(feature = "candle")]
    pub(crate) fn reversed(&self) -> Self {
        let tensors = self.tensors.as_ref().map(|[a, b]| [b.clone(), a.clone()]);
        Self { t0: self.t1, t1: self.t0, tensors }
    }

    /// 1 forwards, −1 backwards.
    pub(crate) fn direction(&self) -> f64 {
        if self.t1 < self.t0 { -1.0 } else { 1.0 }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        for (what, t) in [("t0", self.t0), ("t1", self.t1)] {
            if !t.is_finite() {
                return Err(Error::invalid(what, t, "a finite time"));
            }
        }
        Ok(())
    }
}
