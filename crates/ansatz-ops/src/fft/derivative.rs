//! Derivatives on periodic grids: [`spectral_derivative`].

use std::f64::consts::TAU;

use candle_core::{Tensor, shape::Dim};
use rustfft::num_complex::Complex as C;

use super::{
    dense,
    lines::line_pass,
    plan::{FftFloat, cast},
};
use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
};

/// The derivative of order `order` along `axis`, whose n equally spaced points cover one period
/// `length` (the point after the last is the first): each Fourier mode k is multiplied by
/// `(2πik/length)^order`. Exact for all modes below n/2.
///
/// Mode n/2 of an even number of points cannot be told from its negative; derivatives of odd order
/// take it as zero, which is what the average of the two has (L. N. Trefethen 2000, *Spectral
/// Methods in MATLAB*, ch. 3).
///
/// ```
/// use ansatz_ops::{candle::{Device, Tensor}, fft::spectral_derivative};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = (Tensor::arange(0f64, 16., &Device::Cpu)? * (std::f64::consts::TAU / 16.))?;
/// let slope = spectral_derivative(&x.sin()?, 0, 1, std::f64::consts::TAU)?;
/// assert!((slope - x.cos()?)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-14);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `axis` is not one of `x` or has no points, `length` is not finite or 0, or candle fails.
pub fn spectral_derivative(x: &Tensor, axis: impl Dim, order: u32, length: f64) -> Result<Tensor> {
    let axis = axis.to_index(x.shape(), "spectral_derivative")?;
    if !length.is_finite() || length == 0.0 {
        return Err(Error::InvalidArgument {
            what: "length of the period",
            value: length.to_string(),
            expected: "a finite number, not 0",
        });
    }
    if x.dim(axis)? == 0 {
        return Err(Error::InvalidArgument {
            what: "points of the axis of a derivative",
            value: "0".into(),
            expected: "at least 1",
        });
    }
    derivative(x, axis, order, length, 1.0)
}

/// The factor of mode k but for `i^order`.
fn factor(n: usize, k: usize, order: u32, length: f64) -> f64 {
    if order % 2 == 1 && 2 * k == n { 0.0 } else { (TAU * k as f64 / length).powi(order as i32) }
}

/// Times `sign`. The adjoint of an odd derivative is its negative.
fn derivative(x: &Tensor, axis: usize, order: u32, length: f64, sign: f64) -> Result<Tensor> {
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let out = lines::<T>(&values::<T>(&contiguous)?, (x.dims(), axis), order, length, sign);
        let adjoint = if order % 2 == 1 { -sign } else { sign };
        attach("spectral derivative", &[x], out, x.shape(), move |_, g| {
            Ok(vec![Some(derivative(g, axis, order, length, adjoint)?)])
        })
    }, _ => composed(x, axis, order, length, sign))
}

fn lines<T: FftFloat>(
    x: &[T],
    (dims, axis): (&[usize], usize),
    order: u32,
    length: f64,
    sign: f64,
) -> Vec<T> {
    let n = dims[axis];
    let (there, back) = (T::real_plan(n), T::inverse_plan(n));
    let sign = if order % 4 < 2 { sign } else { -sign };
    let factors: Vec<T> =
        (0..=n / 2).map(|k| cast(sign / n as f64 * factor(n, k, order, length))).collect();
    let start = || (there.make_output_vec(), there.make_scratch_vec(), back.make_scratch_vec());
    let inner = dims[axis + 1..].iter().product();
    let mut out = vec![T::zero(); x.len()];
    line_pass(x, &mut out, (n, n, inner), start, |x, y, (modes, s, t)| {
        // Only lengths that do not fit are errors.
        let _ = there.process_with_scratch(x, modes, s);
        for (z, f) in modes.iter_mut().zip(&factors) {
            *z = if order % 2 == 1 { C { re: -z.im * *f, im: z.re * *f } } else { *z * *f };
        }
        modes[0].im = T::zero();
        if n.is_multiple_of(2) {
            modes[n / 2].im = T::zero();
        }
        let _ = back.process_with_scratch(modes, y, t);
    });
    out
}

/// The same as a product with a circulant matrix, for other devices and dtypes.
pub(super) fn composed(
    x: &Tensor,
    axis: usize,
    order: u32,
    length: f64,
    sign: f64,
) -> Result<Tensor> {
    let n = x.dim(axis)?;
    // What a unit pulse at 0 becomes: Re Σₖ (ik)^order exp(iθ) / n.
    let pulse: Vec<f64> = (0..n)
        .map(|j| {
            let mode = |k: usize| {
                let angle = TAU * ((j * k) % n) as f64 / n as f64;
                let wave = match order % 4 {
                    0 => angle.cos(),
                    1 => -angle.sin(),
                    2 => -angle.cos(),
                    _ => angle.sin(),
                };
                let count = if k == 0 || 2 * k == n { 1.0 } else { 2.0 };
                count * wave * factor(n, k, order, length)
            };
            sign / n as f64 * (0..=n / 2).map(mode).sum::<f64>()
        })
        .collect();
    let wide = x.to_dtype(dense::working_dtype(x.dtype()))?;
    let entry = |j: usize, k: usize| pulse[(k + n - j) % n];
    let matrix = dense::matrix((n, n), wide.dtype(), x.device(), entry)?;
    Ok(dense::along(&wide, axis, &matrix)?.to_dtype(x.dtype())?)
}
