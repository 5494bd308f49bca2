//! The same transforms as products with matrices, of candle operations alone: what other devices
//! and other dtypes run, and what the tests of the fast ones compare with. Exact for any length.

use std::f64::consts::TAU;

use candle_core::{DType, Device, Tensor};
use rustfft::FftDirection;

use super::{Complex, transform::Weighting};
use crate::Result;

/// The dtype to compute in: half precision is widened.
pub(crate) fn working_dtype(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

/// The matrix `[rows, columns]` of `entry(row, column)`, rounded once.
pub(crate) fn matrix(
    (rows, columns): (usize, usize),
    dtype: DType,
    device: &Device,
    entry: impl Fn(usize, usize) -> f64,
) -> Result<Tensor> {
    let cells = (0..rows * columns).map(|i| entry(i / columns, i % columns));
    Ok(if dtype == DType::F64 {
        Tensor::from_vec(cells.collect::<Vec<f64>>(), (rows, columns), device)?
    } else {
        // Rounded here: not every device has f64.
        let cells: Vec<f32> = cells.map(|x| x as f32).collect();
        Tensor::from_vec(cells, (rows, columns), device)?.to_dtype(dtype)?
    })
}

/// `Σⱼ x[…, j, …] matrix[j, k]` along `axis`.
pub(crate) fn along(x: &Tensor, axis: usize, matrix: &Tensor) -> Result<Tensor> {
    let last = x.rank() - 1;
    let moved = x.transpose(axis, last)?.contiguous()?;
    let (n, m) = matrix.dims2()?;
    let mut dims = moved.dims().to_vec();
    let rows = moved.elem_count() / n;
    let product = if rows == 0 {
        Tensor::zeros((0, m), x.dtype(), x.device())?
    } else {
        moved.reshape((rows, n))?.matmul(matrix)?
    };
    dims[last] = m;
    Ok(product.reshape(dims)?.transpose(axis, last)?.contiguous()?)
}

/// Cosines and sines of `2π j k / n`; `weight(k)` multiplies column k.
fn waves(
    x: &Tensor,
    n: usize,
    columns: usize,
    weight: impl Fn(usize) -> f64,
) -> Result<(Tensor, Tensor)> {
    // Reduced in integers, which keeps all digits of the angle.
    let angle = |j: usize, k: usize| TAU * ((j * k) % n) as f64 / n as f64;
    let (dtype, device) = (x.dtype(), x.device());
    let cos = matrix((n, columns), dtype, device, |j, k| weight(k) * angle(j, k).cos())?;
    let sin = matrix((n, columns), dtype, device, |j, k| weight(k) * angle(j, k).sin())?;
    Ok((cos, sin))
}

fn sign(direction: FftDirection) -> f64 {
    match direction {
        FftDirection::Forward => -1.0,
        FftDirection::Inverse => 1.0,
    }
}

/// The weight of column k of n points.
fn doubled(n: usize, k: usize) -> f64 {
    if k == 0 || 2 * k == n { 1.0 } else { 2.0 }
}

/// The complex transform times `scale`.
pub(super) fn complex(
    z: &Complex,
    axes: &[usize],
    direction: FftDirection,
    scale: f64,
) -> Result<Complex> {
    let dtype = z.re.dtype();
    let mut z = z.map(|x| x.to_dtype(working_dtype(dtype)))?;
    for &axis in axes {
        let n = z.re.dim(axis)?;
        let (cos, sin) = waves(&z.re, n, n, |_| 1.0)?;
        let sin = (sin * sign(direction))?;
        let re = (along(&z.re, axis, &cos)? - along(&z.im, axis, &sin)?)?;
        let im = (along(&z.re, axis, &sin)? + along(&z.im, axis, &cos)?)?;
        z = Complex { re, im };
    }
    z.scale(scale)?.map(|x| x.to_dtype(dtype))
}

/// The transform of real numbers, the last of `axes` halved, times `scale`.
pub(super) fn forward(
    x: &Tensor,
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Result<Complex> {
    let Some((&axis, others)) = axes.split_last() else { return Complex::from_real(x) };
    let n = x.dim(axis)?;
    let wide = x.to_dtype(working_dtype(x.dtype()))?;
    let weight = |k| if weighting == Weighting::Adjoint { doubled(n, k) } else { 1.0 };
    let (cos, sin) = waves(&wide, n, n / 2 + 1, weight)?;
    let z = Complex { re: along(&wide, axis, &cos)?, im: along(&wide, axis, &sin.neg()?)? };
    complex(&z, others, FftDirection::Forward, scale)?.map(|part| part.to_dtype(x.dtype()))
}

/// The inverse of [`forward`] to `n` points along the last of `axes`, times `scale`.
pub(super) fn inverse(
    z: &Complex,
    n: usize,
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Result<Tensor> {
    let Some((&axis, others)) = axes.split_last() else { return Ok(z.re.clone()) };
    let dtype = z.re.dtype();
    let z = z.map(|x| x.to_dtype(working_dtype(dtype)))?;
    let z = complex(&z, others, FftDirection::Inverse, scale)?;
    let weight = |k| if weighting == Weighting::Adjoint { 1.0 } else { doubled(n, k) };
    let (cos, sin) = waves(&z.re, n, n / 2 + 1, weight)?;
    let (cos, sin) = (cos.t()?.contiguous()?, sin.t()?.contiguous()?);
    let x = (along(&z.re, axis, &cos)? - along(&z.im, axis, &sin)?)?;
    Ok(x.to_dtype(dtype)?)
}
