//! K3: the spectral convolution of a Fourier layer, forward and backward, and plain transforms.
//!
//! f32. `K3.n1`: x [20, 64, 1024], 16 modes; `K3.n2`: x [16, 32, 64, 64], 2 × 12 by 12 modes. The
//! number i of x is `sin(0.1 + 0.05 (i mod 1000))`, of the cotangent `sin(1.4 + 0.05 (i mod 1000))`;
//! weights `(sin s + i cos s) / √width`, `s = 1 + 0.37 o + 0.73 i + 0.29 o i + 1.1 kx + 1.3 ky`, of
//! the second block of rows (negative frequencies) 0.85 more. One run is the result and the
//! gradients of x and of the weights. `K3.rfft.1d`, `.2d`: the transform of [1280, 1024] and of
//! [512, 64, 64] alone.
use ansatz::ops::{
    Error, custom_vjp,
    fft::{Complex, Norm, rfft},
    spectral_conv,
};
use candle_core::{Device, Tensor, Var};

use super::wave_of;
use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed};

/// Sizes, and the 2-norms of result and gradients in f64.
struct Case {
    batch: usize,
    width: usize,
    points: &'static [usize],
    modes: &'static [usize],
    norms: [f64; 4],
}

const N1: Case = Case { batch: 20, width: 64, points: &[1024], modes: &[16], norms: NORMS_1D };
const N2: Case =
    Case { batch: 16, width: 32, points: &[64, 64], modes: &[24, 12], norms: NORMS_2D };
/// Of y, of the gradients of x and of the real and imaginary parts of the weights: PyTorch, f64.
const NORMS_1D: [f64; 4] =
    [814.6419125561702, 811.0592158151918, 408487.89137799875, 408447.23700896214];
const NORMS_2D: [f64; 4] =
    [56.37411020809105, 49.16205018733042, 279.2666002376725, 184.5479517987607];

pub(super) fn variants() -> Vec<Variant> {
    let variant = |workload, library, run| Variant { workload, library, method: "", run };
    vec![
        variant("K3.n1", "ansatz", |r| convolution(r, &N1, spectral_conv)),
        variant("K3.n1", "candle", |r| convolution(r, &N1, products)),
        variant("K3.n2", "ansatz", |r| convolution(r, &N2, spectral_conv)),
        variant("K3.n2", "candle", |r| convolution(r, &N2, products)),
        variant("K3.rfft.1d", "ansatz", |r| transform(r, &[1280, 1024], &[1])),
        variant("K3.rfft.2d", "ansatz", |r| transform(r, &[512, 64, 64], &[1, 2])),
    ]
}

fn weights(case: &Case) -> Result<Complex, AnyError> {
    let Case { width, modes, .. } = case;
    let dims = [&[*width, *width], *modes].concat();
    let kept: usize = modes.iter().product();
    let last = modes[modes.len() - 1];
    let phase = |index: usize| {
        let (i, o) = (index / kept / width, index / kept % width);
        let (i, o) = (i as f64, o as f64);
        let (row, column) = (index % kept / last, index % last);
        let (kx, ky, block) = match modes.len() {
            1 => (column, 0, 0),
            _ => (row % (modes[0] / 2), column, row / (modes[0] / 2)),
        };
        let s = 1.0 + 0.37 * o + 0.73 * i + 0.29 * o * i + 0.85 * block as f64;
        s + 1.1 * kx as f64 + 1.3 * ky as f64
    };
    let n = width * width * kept;
    let scale = (*width as f64).sqrt().recip();
    let part = |f: fn(f64) -> f64| {
        let values = (0..n).map(|i| (f(phase(i)) * scale) as f32).collect::<Vec<f32>>();
        Ok::<_, AnyError>(Var::from_tensor(&Tensor::from_vec(values, &dims[..], &Device::Cpu)?)?)
    };
    Ok(Complex::new(part(f64::sin)?.into_inner(), part(f64::cos)?.into_inner())?)
}

fn norm(x: &Tensor) -> Result<f64, AnyError> {
    let squares = x.to_dtype(candle_core::DType::F64)?.sqr()?.sum_all()?;
    Ok(squares.to_scalar::<f64>()?.sqrt())
}

fn convolution(
    rules: &Rules,
    case: &Case,
    f: impl Fn(&Tensor, &Complex, &[usize]) -> Result<Tensor, Error>,
) -> Result<Measured, AnyError> {
    let dims = [&[case.batch, case.width], case.points].concat();
    let x = Var::from_tensor(&wave_of(&dims, 0)?)?;
    let g = wave_of(&dims, 1)?;
    let weight = weights(case)?;
    let zero = Tensor::new(0f32, &Device::Cpu)?;
    let ((y, store), timing) = timed(rules, || {
        let y = f(&x, &weight, case.points)?;
        // A scalar whose gradient in y is g, so that nothing but the operation is timed.
        let g = g.clone();
        let seed = custom_vjp(&[&y], &zero, move |_| Ok(vec![Some(g.clone())]))?;
        Ok((y.detach(), seed.backward()?))
    })?;
    let gradient = |of: &Tensor| store.get(of).ok_or("no gradient");
    let norms = [
        norm(&y)?,
        norm(gradient(&x)?)?,
        norm(gradient(&weight.re)?)?,
        norm(gradient(&weight.im)?)?,
    ];
    let error = norms.iter().zip(case.norms).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    let (_, forward) =
        timed(&Rules { budget_s: 2.0, ..*rules }, || Ok(f(&x, &weight, case.points)?))?;
    // Read and written once in each direction.
    let bytes = 4 * 4 * x.elem_count();
    Ok(Measured::new(timing, Work::Steps(1), error)
        .with("forward_median_s", forward.median_s)
        .with("gb_per_s", bytes as f64 / timing.median_s / 1e9)
        .with("norms", norms.to_vec()))
}

/// What one would write with candle: products with tables of cosines and sines, made beforehand in
/// each call.
fn products(x: &Tensor, weight: &Complex, points: &[usize]) -> Result<Tensor, Error> {
    let table = |n: usize, freqs: Vec<i64>, f: fn(f64) -> f64| -> Result<Tensor, Error> {
        let angle = |j: usize, k: i64| {
            std::f64::consts::TAU * (j as i64 * k).rem_euclid(n as i64) as f64 / n as f64
        };
        let values: Vec<f32> =
            (0..n).flat_map(|j| freqs.iter().map(move |&k| f(angle(j, k)) as f32)).collect();
        Ok(Tensor::from_vec(values, (n, freqs.len()), &Device::Cpu)?)
    };
    let modes = &weight.dims()[2..];
    let (last, n) = (modes.len() - 1, points[points.len() - 1]);
    let columns = || (0..modes[last] as i64).collect::<Vec<i64>>();
    let (cos, sin) = (table(n, columns(), f64::cos)?, table(n, columns(), f64::sin)?);
    let (mut re, mut im) = (x.broadcast_matmul(&cos)?, x.broadcast_matmul(&sin)?.neg()?);
    let rows = || {
        let half = modes[0] as i64 / 2;
        (0..half).chain(-half..0).collect::<Vec<i64>>()
    };
    if last == 1 {
        let cos = table(points[0], rows(), f64::cos)?.t()?;
        let sin = table(points[0], rows(), f64::sin)?.t()?;
        let turned = (cos.broadcast_matmul(&re)? + sin.broadcast_matmul(&im)?)?;
        im = (cos.broadcast_matmul(&im)? - sin.broadcast_matmul(&re)?)?;
        re = turned;
    }
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let kept: usize = modes.iter().product();
    let to_modes =
        |t: &Tensor, a: usize, b: usize| t.reshape((a, b, kept))?.permute((2, 0, 1))?.contiguous();
    let (zr, zi) = (to_modes(&re, batch, channels)?, to_modes(&im, batch, channels)?);
    let (wr, wi) =
        (to_modes(&weight.re, channels, channels)?, to_modes(&weight.im, channels, channels)?);
    let shape = [&[batch, channels], modes].concat();
    let back = |t: Tensor| t.permute((1, 2, 0))?.contiguous()?.reshape(&shape[..]);
    re = back((zr.matmul(&wr)? - zi.matmul(&wi)?)?)?;
    im = back((zr.matmul(&wi)? + zi.matmul(&wr)?)?)?;
    if last == 1 {
        let (cos, sin) = (table(points[0], rows(), f64::cos)?, table(points[0], rows(), f64::sin)?);
        let turned = (cos.broadcast_matmul(&re)? - sin.broadcast_matmul(&im)?)?;
        im = (cos.broadcast_matmul(&im)? + sin.broadcast_matmul(&re)?)?;
        re = turned;
    }
    // All modes but the first stand for two.
    let total: usize = points.iter().product();
    let weight = |n: usize| -> Result<Tensor, Error> {
        let weights: Vec<f32> =
            (0..n).map(|k| if k == 0 { 1.0 } else { 2.0 } / total as f32).collect();
        Ok(Tensor::from_vec(weights, n, &Device::Cpu)?)
    };
    let c = weight(modes[last])?;
    let (cos, sin) = (cos.broadcast_mul(&c)?.t()?, sin.broadcast_mul(&c)?.t()?);
    Ok((re.broadcast_matmul(&cos)? - im.broadcast_matmul(&sin)?)?)
}

fn transform(rules: &Rules, dims: &[usize], axes: &[usize]) -> Result<Measured, AnyError> {
    let x = wave_of(dims, 0)?;
    let (z, timing) = timed(rules, || Ok(rfft(&x, axes, Norm::Backward)?))?;
    // Parseval, in f64: all modes but the first and last column count twice.
    let n: usize = axes.iter().map(|&a| dims[a]).product();
    let axis = axes[axes.len() - 1];
    let energy = |z: &Complex| Ok::<_, AnyError>(norm(&z.re)?.powi(2) + norm(&z.im)?.powi(2));
    let edge = |k: usize| energy(&z.map(|t| t.narrow(axis, k, 1))?);
    let sum = 2.0 * energy(&z)? - edge(0)? - edge(dims[axis] / 2)?;
    let error = (sum / n as f64 / norm(&x)?.powi(2) - 1.0).abs();
    let flops = 2.5 * x.elem_count() as f64 * (n as f64).log2();
    Ok(Measured::new(timing, Work::Steps(1), error)
        .with("gflops", flops / timing.median_s / 1e9)
        .with("gb_per_s", 8.0 * x.elem_count() as f64 / timing.median_s / 1e9))
}
