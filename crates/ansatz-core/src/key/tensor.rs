//! Draws of candle tensors from a key.

use candle_core::{DType, Device, Shape, Tensor};

use super::Key;
use crate::device::supports_dtype;
use crate::{Error, Result};

/// The tensors are drawn on the host in f64, rounded once to `dtype` and then moved to `device`.
/// They hold the same numbers on every device, and a draw in f32 is the rounded draw in f64.
/// candle's own generators are never used (the one of the CPU cannot be seeded).
impl Key {
    /// A tensor of numbers uniform on [`lo`, `hi`).
    ///
    /// No element equals `hi` (rounded to `dtype`): numbers that would be rounded up to it become
    /// the largest number of `dtype` below.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] unless `lo < hi` with a finite difference, also after rounding
    /// both to `dtype`; [`Error::DType`] if `dtype` is no floating-point type or unknown to the
    /// device; [`Error::Candle`] if the tensor cannot be made there.
    pub fn uniform_tensor(
        &self,
        shape: impl Into<Shape>,
        lo: f64,
        hi: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        check_float(dtype, device)?;
        let (low, high) = (rounded(lo, dtype)?, rounded(hi, dtype)?);
        // NaN fails the first comparison.
        if !(low < high && lo < hi && (high - low).is_finite() && (hi - lo).is_finite()) {
            return Err(Error::InvalidArgument {
                what: "interval of a uniform draw",
                value: format!("[{lo}, {hi}) in {}", dtype.as_str()),
                expected: "lo < hi with a finite difference, distinct also in the dtype",
            });
        }
        let below = largest_below(high.min(hi), dtype);
        let shape = shape.into();
        let mut values = self.uniform(shape.elem_count());
        for u in &mut values {
            *u = (lo + (hi - lo) * *u).min(below);
        }
        tensor(values, shape, dtype, device)
    }

    /// A tensor of normal numbers with the given mean and standard deviation.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] unless `mean` and `std` are finite and `std` is not negative;
    /// [`Error::DType`] if `dtype` is no floating-point type or unknown to the device;
    /// [`Error::Candle`] if the tensor cannot be made there.
    pub fn normal_tensor(
        &self,
        shape: impl Into<Shape>,
        mean: f64,
        std: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        check_float(dtype, device)?;
        if !(mean.is_finite() && std.is_finite() && std >= 0.0) {
            return Err(Error::InvalidArgument {
                what: "parameters of a normal draw",
                value: format!("mean {mean}, standard deviation {std}"),
                expected: "finite numbers, the standard deviation not negative",
            });
        }
        let shape = shape.into();
        let mut values = self.normal(shape.elem_count());
        for z in &mut values {
            *z = mean + std * *z;
        }
        tensor(values, shape, dtype, device)
    }

    /// A tensor of standard normal numbers conditioned on lying in [`lo`, `hi`], see
    /// [`truncated_normal`](Key::truncated_normal). Rounding to `dtype` rounds the ends too.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] unless `lo < hi`; [`Error::DType`] if `dtype` is no
    /// floating-point type or unknown to the device; [`Error::Candle`] if the tensor cannot be
    /// made there.
    pub fn truncated_normal_tensor(
        &self,
        shape: impl Into<Shape>,
        lo: f64,
        hi: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        check_float(dtype, device)?;
        let shape = shape.into();
        let values = self.truncated_normal(shape.elem_count(), lo, hi)?;
        tensor(values, shape, dtype, device)
    }

    /// A tensor of signs, −1 or +1 with equal probability.
    ///
    /// # Errors
    ///
    /// [`Error::DType`] if `dtype` is no floating-point type or unknown to the device;
    /// [`Error::Candle`] if the tensor cannot be made there.
    pub fn rademacher_tensor(
        &self,
        shape: impl Into<Shape>,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        check_float(dtype, device)?;
        let shape = shape.into();
        tensor(self.rademacher(shape.elem_count()), shape, dtype, device)
    }
}

/// Rejects types that cannot hold the draw before anything is drawn.
fn check_float(dtype: DType, device: &Device) -> Result<()> {
    supports_dtype(device, dtype)?;
    if dtype.is_float() {
        return Ok(());
    }
    Err(Error::DType {
        what: "random tensor",
        expected: "f64, f32, bf16 or f16".into(),
        got: dtype.as_str().into(),
    })
}

/// Casts on the host, so that the rounding is the same for every device.
fn tensor(values: Vec<f64>, shape: Shape, dtype: DType, device: &Device) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?)
}

/// `value` rounded to `dtype`.
fn rounded(value: f64, dtype: DType) -> Result<f64> {
    let cast = Tensor::new(value, &Device::Cpu)?.to_dtype(dtype)?;
    Ok(cast.to_dtype(DType::F64)?.to_scalar()?)
}

/// The largest number of `dtype` below `bound`, for `bound` within the range of `dtype`.
fn largest_below(bound: f64, dtype: DType) -> f64 {
    let below = bound.next_down();
    // Digits of the significand and exponent of the smallest positive number.
    let (digits, smallest) = match dtype {
        DType::F32 => (24, -149),
        DType::BF16 => (8, -133),
        DType::F16 => (11, -24),
        _ => return below,
    };
    // Round down to the grid of the dtype, whose spacing follows from the exponent.
    let exponent = (below.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    let spacing = 2f64.powi((exponent - digits + 1).max(smallest));
    (below / spacing).floor() * spacing
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The neighbour below by brute force: halve intervals of f64 until the cast changes.
    #[test]
    fn largest_below_is_the_lower_neighbour() {
        for dtype in [DType::F32, DType::BF16, DType::F16] {
            for bound in [1.0, 0.75, -1.0, -1.5, 0.0, 3.0, 1e-7, -1e-7, 2f64.powi(-14), 1000.5] {
                let bound = rounded(bound, dtype).unwrap();
                let below = largest_below(bound, dtype);
                assert!(below < bound);
                assert_eq!(rounded(below, dtype).unwrap(), below, "{dtype:?} {bound}: not exact");
                // Nothing of the dtype lies between: all numbers between round to one of both.
                for k in 1..64 {
                    let between = below + (bound - below) * f64::from(k) / 64.0;
                    let r = rounded(between, dtype).unwrap();
                    assert!(r == below || r == bound, "{dtype:?} {bound}: {r} is between");
                }
            }
        }
    }
}
