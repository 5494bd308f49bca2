//! Frequencies of the modes, and the order with zero in the middle.

use candle_core::{DType, Device, Tensor, shape::Dims};

use super::dense::matrix;
use crate::{Error, Result};

/// The frequencies of the `n` modes of [`fft`](super::fft), `[n]`, in cycles per unit of length for
/// points `spacing` apart: `0, 1, …, −1` divided by `n·spacing`, the positive ones first. Of an
/// even number of modes the one in the middle, −n/2, counts as negative.
///
/// ```
/// # fn main() -> ansatz_ops::Result<()> {
/// use ansatz_ops::candle::{DType, Device};
/// let k = ansatz_ops::fft::fftfreq(4, 0.25, DType::F64, &Device::Cpu)?;
/// assert_eq!(k.to_vec1::<f64>()?, [0.0, 1.0, -2.0, -1.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `n` is 0 or `spacing` is 0 or not finite, or candle fails.
pub fn fftfreq(n: usize, spacing: f64, dtype: DType, device: &Device) -> Result<Tensor> {
    check(n, spacing)?;
    let frequency = |k: usize| signed(n, k) as f64 / (n as f64 * spacing);
    Ok(matrix((1, n), dtype, device, |_, k| frequency(k))?.squeeze(0)?)
}

/// The frequencies of the `n / 2 + 1` modes of [`rfft`](super::rfft), all positive.
///
/// # Errors
/// When `n` is 0 or `spacing` is 0 or not finite, or candle fails.
pub fn rfftfreq(n: usize, spacing: f64, dtype: DType, device: &Device) -> Result<Tensor> {
    check(n, spacing)?;
    let frequency = |k: usize| k as f64 / (n as f64 * spacing);
    Ok(matrix((1, n / 2 + 1), dtype, device, |_, k| frequency(k))?.squeeze(0)?)
}

/// The whole number of waves of mode `k` of `n`.
pub(crate) fn signed(n: usize, k: usize) -> i64 {
    if k < n.div_ceil(2) { k as i64 } else { k as i64 - n as i64 }
}

fn check(n: usize, spacing: f64) -> Result<()> {
    if n == 0 {
        let (what, value) = ("number of points of a transform", n.to_string());
        return Err(Error::InvalidArgument { what, value, expected: "at least 1" });
    }
    if !spacing.is_finite() || spacing == 0.0 {
        let (what, value) = ("spacing of points", spacing.to_string());
        return Err(Error::InvalidArgument { what, value, expected: "a finite number, not 0" });
    }
    Ok(())
}

/// Moves the mode of frequency 0 to the middle of `axes`: index `n / 2`.
///
/// # Errors
/// When an axis is not one of `x`, or candle fails.
pub fn fftshift(x: &Tensor, axes: impl Dims) -> Result<Tensor> {
    rolled(x, &axes.to_indexes(x.shape(), "fftshift")?, |n| n.div_ceil(2))
}

/// Undoes [`fftshift`]; the two differ for odd lengths.
///
/// # Errors
/// When an axis is not one of `x`, or candle fails.
pub fn ifftshift(x: &Tensor, axes: impl Dims) -> Result<Tensor> {
    rolled(x, &axes.to_indexes(x.shape(), "ifftshift")?, |n| n / 2)
}

/// `x` with the first `count(n)` of each axis moved to its end.
fn rolled(x: &Tensor, axes: &[usize], count: impl Fn(usize) -> usize) -> Result<Tensor> {
    let mut x = x.clone();
    for &axis in axes {
        let n = x.dim(axis)?;
        let first = count(n);
        if first > 0 && first < n {
            let (head, tail) = (x.narrow(axis, 0, first)?, x.narrow(axis, first, n - first)?);
            x = Tensor::cat(&[tail, head], axis)?;
        }
    }
    Ok(x)
}
