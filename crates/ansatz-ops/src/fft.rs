//! Fourier transforms of real and complex tensors over any axes and any length, and what is built
//! on them: cosine and sine transforms, Chebyshev series, derivatives on periodic grids and on
//! intervals.
//!
//! Complex tensors are pairs of real ones, [`Complex`]. With `N` the product of the transformed
//! lengths, [`fft`] computes `X_k = Σⱼ x_j exp(−2πi j·k/N)` and [`ifft`] `x_j = (1/N) Σₖ X_k
//! exp(+2πi j·k/N)` (other scalings: [`Norm`]); [`rfft`] and [`irfft`] are the same for real `x`
//! and keep half of one axis.
//!
//! On the CPU in f32 and f64 they run through rustfft and realfft; lines along strided axes are
//! copied in blocks. The relative error (of the 2-norm) stays below 2e-7 in f32 and 1.5e-15 in f64
//! for lengths up to a few thousand. On CUDA they run through cuFFT (type-checked; not yet run on a
//! GPU). Elsewhere (Metal, half precision) they are products with the matrices of the transform. All
//! gradients are transforms themselves, so that they can be differentiated again (tested to third
//! order); results are the same bits for any number of threads.
//!
//! A NaN spreads over every mode of its line.

mod chebyshev;
mod complex;
#[cfg(feature = "cuda")]
mod cufft;
pub(crate) mod dense;
mod derivative;
pub(crate) mod frequency;
pub(crate) mod lines;
#[cfg(any(test, feature = "cuda"))]
mod passes;
pub(crate) mod plan;
pub(crate) mod transform;
pub(crate) mod trig;

use candle_core::{Tensor, shape::Dims};
use rustfft::FftDirection;

use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
};
pub use chebyshev::{
    Nodes, chebder, chebyshev, chebyshev_derivative, chebyshev_points, ichebyshev,
};
pub use complex::Complex;
pub use derivative::spectral_derivative;
pub use frequency::{fftfreq, fftshift, ifftshift, rfftfreq};
use transform::Weighting;
pub use trig::{Type, dct, dst, idct, idst};

/// Where the factor 1/N goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Norm {
    /// The inverse transform has it.
    #[default]
    Backward,
    /// Both transforms have its square root: they preserve the 2-norm.
    Ortho,
    /// The forward transform has it: mode 0 is the mean.
    Forward,
}

impl Norm {
    /// The factors of the forward and the inverse transform.
    pub(crate) fn factors(self, n: f64) -> (f64, f64) {
        match self {
            Self::Backward => (1.0, n.recip()),
            Self::Ortho => (n.sqrt().recip(), n.sqrt().recip()),
            Self::Forward => (n.recip(), 1.0),
        }
    }
}

/// The complex Fourier transform over `axes`, in any order; the shape stays.
///
/// ```
/// use ansatz_ops::fft::{Complex, Norm, fft, ifft};
/// use candle_core::{D, Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1f64, 2.0, 4.0], &Device::Cpu)?;
/// let spectrum = fft(&Complex::from_real(&x)?, D::Minus1, Norm::Backward)?;
/// assert!((spectrum.re.get(0)?.to_scalar::<f64>()? - 7.0).abs() < 1e-15);
/// let back = ifft(&spectrum, D::Minus1, Norm::Backward)?;
/// assert!((back.re - x)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-15);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the parts do not match, an axis is not one of `z` or is named twice or has no points, or
/// candle fails.
pub fn fft(z: &Complex, axes: impl Dims, norm: Norm) -> Result<Complex> {
    let (axes, n) = checked_axes(z.dims(), axes.to_indexes(z.shape(), "fft")?)?;
    complex_transform(z, axes, FftDirection::Forward, norm.factors(n).0)
}

/// The inverse of [`fft`].
///
/// # Errors
/// As [`fft`].
pub fn ifft(z: &Complex, axes: impl Dims, norm: Norm) -> Result<Complex> {
    let (axes, n) = checked_axes(z.dims(), axes.to_indexes(z.shape(), "ifft")?)?;
    complex_transform(z, axes, FftDirection::Inverse, norm.factors(n).1)
}

/// The Fourier transform of a real tensor over `axes`; the last of them becomes `n / 2 + 1` long,
/// since the other modes are the conjugates of these.
///
/// ```
/// use ansatz_ops::fft::{Norm, irfft, rfft};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::arange(0f32, 30., &Device::Cpu)?.reshape((2, 3, 5))?;
/// let spectrum = rfft(&x, (1, 2), Norm::Backward)?;
/// assert_eq!(spectrum.dims(), [2, 3, 3]);
/// // An odd length cannot be told from the spectrum.
/// let back = irfft(&spectrum, 5, (1, 2), Norm::Backward)?;
/// assert!((back - x)?.abs()?.max_all()?.to_scalar::<f32>()? < 1e-5);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there is no axis, one is not of `x` or is named twice or has no points, or candle fails.
pub fn rfft(x: &Tensor, axes: impl Dims, norm: Norm) -> Result<Complex> {
    let (axes, n) = checked_axes(x.dims(), axes.to_indexes(x.shape(), "rfft")?)?;
    some_axis(&axes)?;
    forward(x, axes, norm.factors(n).0, Weighting::Plain)
}

/// The inverse of [`rfft`] to `n` points along the last of `axes`, whose modes must be `n / 2 + 1`.
///
/// Imaginary parts that no real tensor gives (of mode 0, and of mode n/2 where n is even) are
/// ignored, as in NumPy and PyTorch.
///
/// # Errors
/// As [`rfft`]; [`Error::Count`] when the number of modes does not fit `n`.
pub fn irfft(z: &Complex, n: usize, axes: impl Dims, norm: Norm) -> Result<Tensor> {
    let axes = axes.to_indexes(z.shape(), "irfft")?;
    let axis = some_axis(&axes)?;
    let mut dims = z.dims().to_vec();
    if dims[axis] != n / 2 + 1 {
        let what = "irfft: modes of the last axis for this number of points, n / 2 + 1";
        return Err(Error::Count { what, expected: n / 2 + 1, got: dims[axis] });
    }
    dims[axis] = n;
    let (axes, count) = checked_axes(&dims, axes)?;
    inverse(z, n, axes, norm.factors(count).1, Weighting::Plain)
}

fn some_axis(axes: &[usize]) -> Result<usize> {
    axes.last().copied().ok_or_else(|| Error::InvalidArgument {
        what: "axes of a real transform",
        value: "[]".into(),
        expected: "at least one: the last is halved",
    })
}

/// The axes and the product of their lengths, where that makes sense.
fn checked_axes(dims: &[usize], axes: Vec<usize>) -> Result<(Vec<usize>, f64)> {
    let mut n = 1.0;
    for (i, &axis) in axes.iter().enumerate() {
        if axes[..i].contains(&axis) || dims[axis] == 0 {
            return Err(Error::InvalidArgument {
                what: "axes of a transform",
                value: format!("{axes:?} of a tensor {dims:?}"),
                expected: "different axes with at least one point each",
            });
        }
        n *= dims[axis] as f64;
    }
    Ok((axes, n))
}

/// The transform times `scale`. Its adjoint is the other direction times the same.
fn complex_transform(
    z: &Complex,
    axes: Vec<usize>,
    direction: FftDirection,
    scale: f64,
) -> Result<Complex> {
    crate::check_like("imaginary part", &z.re, &z.im)?;
    by_float!(z.re, T => {
        let (re, im) = (z.re.contiguous()?, z.im.contiguous()?);
        let out = {
            let (re, im) = (values::<T>(&re)?, values::<T>(&im)?);
            transform::complex::<T>((&re, &im), z.dims(), &axes, direction, scale)
        };
        let shape = [&[2], z.dims()].concat();
        let packed = attach("fft", &[&z.re, &z.im], out, shape, move |_, g| {
            let g = Complex::unpack(g)?;
            let back = complex_transform(&g, axes.clone(), direction.opposite_direction(), scale)?;
            Ok(vec![Some(back.re), Some(back.im)])
        })?;
        Complex::unpack(&packed)
    }, _ => {
        #[cfg(feature = "cuda")]
        if passes::take(&z.re, &axes) {
            return passes::complex(z, &axes, direction, scale);
        }
        dense::complex(z, &axes, direction, scale)
    })
}

/// Real to complex. The adjoint is [`inverse`] with the other weighting.
fn forward(x: &Tensor, axes: Vec<usize>, scale: f64, weighting: Weighting) -> Result<Complex> {
    let n = x.dims()[some_axis(&axes)?];
    by_float!(x, T => {
        let values_of = x.contiguous()?;
        let out = transform::forward::<T>(&values::<T>(&values_of)?, x.dims(), &axes, scale, weighting);
        let shape = [&[2], &transform::halved(x.dims(), &axes)[..]].concat();
        let packed = attach("rfft", &[x], out, shape, move |_, g| {
            let g = Complex::unpack(g)?;
            Ok(vec![Some(inverse(&g, n, axes.clone(), scale, weighting.other())?)])
        })?;
        Complex::unpack(&packed)
    }, _ => {
        #[cfg(feature = "cuda")]
        if passes::take(x, &axes) {
            return passes::forward(x, &axes, scale, weighting);
        }
        dense::forward(x, &axes, scale, weighting)
    })
}

/// Complex to real. The adjoint is [`forward`] with the other weighting.
fn inverse(
    z: &Complex,
    n: usize,
    axes: Vec<usize>,
    scale: f64,
    weighting: Weighting,
) -> Result<Tensor> {
    crate::check_like("imaginary part", &z.re, &z.im)?;
    by_float!(z.re, T => {
        let mut dims = z.dims().to_vec();
        dims[some_axis(&axes)?] = n;
        let (re, im) = (z.re.contiguous()?, z.im.contiguous()?);
        let out = {
            let (re, im) = (values::<T>(&re)?, values::<T>(&im)?);
            transform::inverse::<T>((&re, &im), &dims, &axes, scale, weighting)
        };
        attach("irfft", &[&z.re, &z.im], out, dims, move |_, g| {
            let back = forward(g, axes.clone(), scale, weighting.other())?;
            Ok(vec![Some(back.re), Some(back.im)])
        })
    }, _ => {
        #[cfg(feature = "cuda")]
        if passes::take(&z.re, &axes) {
            return passes::inverse(z, n, &axes, scale, weighting);
        }
        dense::inverse(z, n, &axes, scale, weighting)
    })
}

impl Weighting {
    /// That of the adjoint.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Plain => Self::Adjoint,
            Self::Adjoint => Self::Plain,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
