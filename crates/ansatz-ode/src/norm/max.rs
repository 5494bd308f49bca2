//! The largest weighted error: [`Max`].

use super::{ErrorNorm, check_tolerances};
use crate::{Error, Result};

/// The largest of the components' errors relative to `atol + rtol · max(|yₙ|, |yₙ₊₁|)`: no component
/// may hide behind many good ones, as it may in the mean of [`Rms`](crate::Rms).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Max {
    /// Relative tolerance, positive or 0 if `atol` is positive.
    pub rtol: f64,
    /// Absolute tolerance, positive or 0 if `rtol` is positive.
    pub atol: f64,
}

impl Max {
    fn of_slices(&self, error: &[f64], before: &[f64], after: &[f64]) -> Result<f64> {
        same_length(error, before, after)?;
        let mut largest = 0.0;
        for ((e, a), b) in error.iter().zip(before).zip(after) {
            let scaled = e.abs() / (self.atol + self.rtol * a.abs().max(b.abs()));
            // Unlike `f64::max`, keeps a NaN.
            if scaled > largest || scaled.is_nan() {
                largest = scaled;
            }
            if largest.is_nan() {
                break;
            }
        }
        Ok(largest)
    }
}

/// Errors unless the three are equally long.
pub(super) fn same_length(error: &[f64], before: &[f64], after: &[f64]) -> Result<()> {
    for other in [before, after] {
        if other.len() != error.len() {
            let shape = |n: usize| format!("[{n}]");
            let (what, expected, got) = ("error norm", shape(error.len()), shape(other.len()));
            return Err(Error::Core(ansatz_core::Error::Shape { what, expected, got }));
        }
    }
    Ok(())
}

impl ErrorNorm<f64> for Max {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    fn norm(&self, error: &f64, before: &f64, after: &f64) -> Result<f64> {
        let slice = std::slice::from_ref;
        self.of_slices(slice(error), slice(before), slice(after))
    }
}

impl<const N: usize> ErrorNorm<[f64; N]> for Max {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    fn norm(&self, error: &[f64; N], before: &[f64; N], after: &[f64; N]) -> Result<f64> {
        self.of_slices(error, before, after)
    }
}

impl ErrorNorm<Vec<f64>> for Max {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    fn norm(&self, error: &Vec<f64>, before: &Vec<f64>, after: &Vec<f64>) -> Result<f64> {
        self.of_slices(error, before, after)
    }
}

#[cfg(feature = "candle")]
impl ErrorNorm<candle_core::Tensor> for Max {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    fn norm(
        &self,
        error: &candle_core::Tensor,
        before: &candle_core::Tensor,
        after: &candle_core::Tensor,
    ) -> Result<f64> {
        // The largest of some numbers may skip one that is not a number.
        if !ansatz_ops::is_finite(error)? {
            return Ok(f64::NAN);
        }
        let larger = before.detach().abs()?.maximum(&after.detach().abs()?)?;
        let scale = larger.affine(self.rtol, self.atol)?;
        let largest = error.detach().abs()?.div(&scale)?.flatten_all()?.max(0)?;
        Ok(largest.to_dtype(candle_core::DType::F32)?.to_scalar::<f32>()?.into())
    }
}
