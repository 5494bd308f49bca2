//! The convolution of a Fourier layer: [`spectral_conv`].

mod matrices;
mod mix;
mod product;
mod truncated;
mod whole;

use std::f64::consts::TAU;

use candle_core::Tensor;
use rustfft::num_traits::MulAdd;

use crate::{
    Error, Result, check_like,
    cpu::{attach, by_float, values},
    fft::{
        Complex,
        dense::{along, matrix, working_dtype},
        frequency::signed,
        transform::Weighting,
    },
};
use matrices::SpectralFloat;
use mix::Mix;
use truncated::Grid;

/// Multiplies the lowest Fourier modes of `x` with a matrix over the channels, mode by mode, and
/// drops the others (Z. Li, N. Kovachki et al. 2021, Fourier neural operator, eq. 5): with
/// `X = rfft(x) / N`, `y = irfft(Σᵢ X_i W_io)` without a factor.
///
/// - `x`: `[batch, in, n…]`, real, with one or more axes of points;
/// - `weight`: `[in, out, m…]`. The last axis holds the modes 0, 1, …, m−1 of the halved axis, each
///   other axis m modes in the order of [`fftfreq`](crate::fft::fftfreq): for even m the modes 0,
///   …, m/2−1 and then −m/2, …, −1, which are the two blocks of weights of the usual 2-D layer one
///   after the other;
/// - `points`: the grid of the result, `[batch, out, points…]`. It may differ from that of `x`: the
///   result is then the same function at other points (as long as no kept mode is the highest that
///   a grid of even length has, which cannot be told from its negative).
///
/// With as many points as `x` has this is what `irfft(rfft(x)[kept] · W)` of PyTorch gives:
/// imaginary parts that no real tensor has are dropped.
///
/// On the CPU (f32, f64) the transforms are products with the cosines and sines of the few modes,
/// in time `n m`, or whole fast transforms where there are many modes. Only the kept modes are
/// stored for the gradient, never an array of the size of `x`. Differentiable in `x` and `weight`,
/// and again (tested to third order). Relative error of the 2-norm about 3e-7 in f32, 1e-15 in f64.
///
/// ```
/// use ansatz_ops::{fft::Complex, spectral_conv};
/// use candle_core::{DType, Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // Weights that keep modes 0 and 1 as they are: sin(2πx) passes, sin(6πx) does not.
/// let wave = |k: f64| (0..32).map(move |j| (std::f64::consts::TAU * k * f64::from(j) / 32.).sin());
/// let x: Vec<f64> = wave(1.).zip(wave(3.)).map(|(a, b)| a + b).collect();
/// let x = Tensor::from_vec(x, (1, 1, 32), &Device::Cpu)?;
/// let keep = Complex::from_real(&Tensor::ones((1, 1, 2), DType::F64, &Device::Cpu)?)?;
/// let y = spectral_conv(&x, &keep, &[32])?;
/// let wave = Tensor::from_vec(wave(1.).collect::<Vec<f64>>(), (1, 1, 32), &Device::Cpu)?;
/// assert!((y - wave)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-14);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Count`] when the numbers of axes or of channels do not agree,
/// [`Error::InvalidArgument`] when a grid has too few points for the modes, [`Error::DType`] or
/// [`Error::Device`] when those differ, or candle fails.
pub fn spectral_conv(x: &Tensor, weight: &Complex, points: &[usize]) -> Result<Tensor> {
    let [from, to] = grids(x, weight, points)?;
    let scale = (from.points.iter().product::<usize>() as f64).recip();
    by_float!(x, T => {
        let modes = analysis::<T>(x, &from, scale, Weighting::Plain)?;
        let mixed = forward::<T>(&modes, &weight.re, &weight.im)?;
        synthesis::<T>(&mixed, &to, 1.0, Weighting::Plain)
    }, _ => composed(x, weight, &from, &to, scale))
}

/// The grids of input and output, where all sizes agree.
fn grids(x: &Tensor, weight: &Complex, points: &[usize]) -> Result<[Grid; 2]> {
    check_like("spectral_conv: imaginary part of the weight", &weight.re, &weight.im)?;
    if x.dtype() != weight.re.dtype() {
        let (expected, got) = (x.dtype(), weight.re.dtype());
        return Err(Error::DType { what: "spectral_conv: weight", expected, got });
    }
    if !x.device().same_device(weight.re.device()) {
        let (expected, got) = (x.device().location(), weight.re.device().location());
        return Err(Error::Device { what: "spectral_conv: weight", expected, got });
    }
    let count = |what, expected, got| {
        if expected == got { Ok(()) } else { Err(Error::Count { what, expected, got }) }
    };
    let dimensions = weight.dims().len().saturating_sub(2).max(1);
    count(
        "spectral_conv: axes of the weight, [in, out, modes…]",
        dimensions + 2,
        weight.dims().len(),
    )?;
    count("spectral_conv: axes of x, [batch, in, points…]", dimensions + 2, x.rank())?;
    count("spectral_conv: axes of the points of the result", dimensions, points.len())?;
    count("spectral_conv: channels of x, as the weight has", weight.dims()[0], x.dims()[1])?;
    let modes = &weight.dims()[2..];
    for points in [&x.dims()[2..], points] {
        for (axis, (&n, &m)) in points.iter().zip(modes).enumerate() {
            let most = if axis + 1 == dimensions { n / 2 + 1 } else { n };
            if n == 0 || m == 0 || m > most {
                return Err(Error::InvalidArgument {
                    what: "spectral_conv: modes",
                    value: format!("{modes:?} on a grid {points:?}"),
                    expected: "at least 1 and at most n / 2 + 1 for the last axis, n for the others",
                });
            }
        }
    }
    let grid = |points: &[usize]| Grid { points: points.to_vec(), modes: modes.to_vec() };
    Ok([grid(&x.dims()[2..]), grid(points)])
}

/// The kept modes `[2, batch, channels, modes]` of `[batch, channels, points…]`. The adjoint is
/// [`synthesis`] with the other weighting.
fn analysis<T: SpectralFloat + MulAdd<Output = T>>(
    x: &Tensor,
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Result<Tensor> {
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let contiguous = x.contiguous()?;
    let out = truncated::analysis::<T>(&values::<T>(&contiguous)?, grid, scale, weighting);
    let (shape, grid) = ((2, batch, channels, grid.kept()), grid.clone());
    attach("spectral_conv analysis", &[x], out, shape, move |_, g| {
        Ok(vec![Some(synthesis::<T>(g, &grid, scale, weighting.other())?)])
    })
}

/// `[batch, channels, points…]` of modes. The adjoint is [`analysis`] with the other weighting.
fn synthesis<T: SpectralFloat + MulAdd<Output = T>>(
    modes: &Tensor,
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Result<Tensor> {
    let (_, batch, channels, _) = modes.dims4()?;
    let contiguous = modes.contiguous()?;
    let out = {
        let all = values::<T>(&contiguous)?;
        truncated::synthesis::<T>(all.split_at(all.len() / 2), grid, scale, weighting)
    };
    let (shape, grid) = ([&[batch, channels], &grid.points[..]].concat(), grid.clone());
    attach("spectral_conv synthesis", &[modes], out, shape, move |_, g| {
        Ok(vec![Some(analysis::<T>(g, &grid, scale, weighting.other())?)])
    })
}

/// Which two of modes, weights and mixed modes are multiplied; the gradients of each are the
/// others.
#[derive(Clone, Copy)]
enum Form {
    /// `y_bo = Σᵢ x_bi w_io`.
    Forward,
    /// `x_bi = Σₒ y_bo conj w_io`.
    Adjoint,
}

fn forward<T: SpectralFloat + MulAdd<Output = T>>(
    x: &Tensor,
    re: &Tensor,
    im: &Tensor,
) -> Result<Tensor> {
    weighted::<T>(x, re, im, Form::Forward)
}

/// Modes `[2, batch, channels, modes]` times weights `[in, out, modes…]`.
fn weighted<T: SpectralFloat + MulAdd<Output = T>>(
    x: &Tensor,
    re: &Tensor,
    im: &Tensor,
    form: Form,
) -> Result<Tensor> {
    let (_, batch, _, modes) = x.dims4()?;
    let (i, o) = (re.dim(0)?, re.dim(1)?);
    let contiguous = [x.contiguous()?, re.contiguous()?, im.contiguous()?];
    let (channels, out) = {
        let all = values::<T>(&contiguous[0])?;
        let (re, im) = (values::<T>(&contiguous[1])?, values::<T>(&contiguous[2])?);
        let (a, b) = (all.split_at(all.len() / 2), (&*re, &*im));
        let (lengths, strides, conjugate) = match form {
            Form::Forward => ([batch, o, i], [[i, 0, 1], [0, 1, o]], false),
            Form::Adjoint => ([batch, i, o], [[o, 0, 1], [0, o, 1]], true),
        };
        (lengths[1], mix::mix(&Mix { a, b, lengths, strides, modes, conjugate }))
    };
    let (x1, re1, im1) = (x.clone(), re.clone(), im.clone());
    let shape = (2, batch, channels, modes);
    attach("spectral_conv weights", &[x, re, im], out, shape, move |_, g| {
        let (of_x, of_weight) = match form {
            Form::Forward => (
                x1.track_op().then(|| weighted::<T>(g, &re1, &im1, Form::Adjoint)),
                re1.track_op().then(|| correlated::<T>(&x1, g)),
            ),
            Form::Adjoint => (
                x1.track_op().then(|| weighted::<T>(g, &re1, &im1, Form::Forward)),
                re1.track_op().then(|| correlated::<T>(g, &x1)),
            ),
        };
        // Real and imaginary part are tracked together or one of them is not asked for.
        let of_weight = match of_weight {
            None if im1.track_op() => Some(match form {
                Form::Forward => correlated::<T>(&x1, g),
                Form::Adjoint => correlated::<T>(g, &x1),
            }),
            other => other,
        };
        let (of_re, of_im) = match of_weight.transpose()? {
            Some(w) => {
                let shaped = |part: Tensor| part.reshape(re1.shape());
                (Some(shaped(w.get(0)?)?), Some(shaped(w.get(1)?)?))
            }
            None => (None, None),
        };
        Ok(vec![of_x.transpose()?, of_re, of_im])
    })
}

/// `[2, in, out, modes]`: `w_io = Σ_b conj(x_bi) y_bo`.
fn correlated<T: SpectralFloat + MulAdd<Output = T>>(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let (_, batch, i, modes) = x.dims4()?;
    let o = y.dim(2)?;
    let (cx, cy) = (x.contiguous()?, y.contiguous()?);
    let out = {
        let (x, y) = (values::<T>(&cx)?, values::<T>(&cy)?);
        let (a, b) = (y.split_at(y.len() / 2), x.split_at(x.len() / 2));
        let (lengths, strides) = ([i, o, batch], [[0, 1, o], [1, 0, i]]);
        mix::mix(&Mix { a, b, lengths, strides, modes, conjugate: true })
    };
    let (x1, y1) = (x.clone(), y.clone());
    attach("spectral_conv correlation", &[x, y], out, (2, i, o, modes), move |_, g| {
        let (re, im) = (g.get(0)?, g.get(1)?);
        Ok(vec![
            Some(weighted::<T>(&y1, &re, &im, Form::Adjoint)?),
            Some(weighted::<T>(&x1, &re, &im, Form::Forward)?),
        ])
    })
}

/// The same by candle operations, for other devices and dtypes.
fn composed(x: &Tensor, weight: &Complex, from: &Grid, to: &Grid, scale: f64) -> Result<Tensor> {
    let dtype = x.dtype();
    let wide = |x: &Tensor| x.to_dtype(working_dtype(dtype));
    let weight = weight.map(wide)?;
    let x = wide(x)?;
    let (modes, last) = (&from.modes, from.modes.len() - 1);
    // Angles of point j and mode k, reduced in integers.
    let angle =
        |n: usize, j: usize, f: i64| TAU * (j as i64 * f).rem_euclid(n as i64) as f64 / n as f64;
    let table = |rows: usize, columns: usize, entry: &dyn Fn(usize, usize) -> f64| {
        matrix((rows, columns), x.dtype(), x.device(), entry)
    };
    let (n, m) = (from.points[last], modes[last]);
    let cos = table(n, m, &|j, k| scale * angle(n, j, k as i64).cos())?;
    let sin = table(n, m, &|j, k| -scale * angle(n, j, k as i64).sin())?;
    let mut z = Complex { re: along(&x, last + 2, &cos)?, im: along(&x, last + 2, &sin)? };
    for axis in 0..last {
        let (n, m) = (from.points[axis], modes[axis]);
        let cos = table(n, m, &|j, k| angle(n, j, signed(m, k)).cos())?;
        let sin = table(n, m, &|j, k| -angle(n, j, signed(m, k)).sin())?;
        z = turned(&z, axis + 2, &cos, &sin)?;
    }
    // One product for each mode: [modes, batch, in] times [modes, in, out].
    let kept = from.kept();
    let (batch, i, o) = (x.dim(0)?, weight.dims()[0], weight.dims()[1]);
    let to_modes = |t: &Tensor, a: usize, b: usize| -> candle_core::Result<Tensor> {
        t.reshape((a, b, kept))?.permute((2, 0, 1))?.contiguous()
    };
    let z = z.map(|t| to_modes(t, batch, i))?;
    let w = weight.map(|t| to_modes(t, i, o))?;
    let re = (z.re.matmul(&w.re)? - z.im.matmul(&w.im)?)?;
    let im = (z.re.matmul(&w.im)? + z.im.matmul(&w.re)?)?;
    let shape = [&[batch, o], &modes[..]].concat();
    let mut z =
        Complex { re, im }.map(|t| t.permute((1, 2, 0))?.contiguous()?.reshape(&shape[..]))?;
    for axis in 0..last {
        let (n, m) = (to.points[axis], modes[axis]);
        let cos = table(m, n, &|k, j| angle(n, j, signed(m, k)).cos())?;
        let sin = table(m, n, &|k, j| angle(n, j, signed(m, k)).sin())?;
        z = turned(&z, axis + 2, &cos, &sin)?;
    }
    let (n, m) = (to.points[last], modes[last]);
    let weight = |k: usize| if k == 0 || 2 * k == n { 1.0 } else { 2.0 };
    let cos = table(m, n, &|k, j| weight(k) * angle(n, j, k as i64).cos())?;
    let sin = table(m, n, &|k, j| weight(k) * angle(n, j, k as i64).sin())?;
    let y = (along(&z.re, last + 2, &cos)? - along(&z.im, last + 2, &sin)?)?;
    Ok(y.to_dtype(dtype)?)
}

/// `z (cos + i sin)` along `axis`.
fn turned(z: &Complex, axis: usize, cos: &Tensor, sin: &Tensor) -> Result<Complex> {
    Ok(Complex {
        re: (along(&z.re, axis, cos)? - along(&z.im, axis, sin)?)?,
        im: (along(&z.re, axis, sin)? + along(&z.im, axis, cos)?)?,
    })
}

#[cfg(test)]
mod tests;
