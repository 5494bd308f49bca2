//! Transforms of several levels along two axes: [`dwt2`] and [`idwt2`].

use candle_core::{Tensor, shape::Dim};

use super::{
    Boundary, Wavelet,
    bank::{Bank, down, up},
    transform::{check, fits, widen},
};
use crate::{Error, Result, scan::working_dtype};

/// The three detail bands of one level.
#[derive(Debug, Clone)]
pub struct Details2 {
    /// Detail along the first axis, approximation along the second: horizontal edges.
    pub horizontal: Tensor,
    /// Approximation along the first axis, detail along the second: vertical edges.
    pub vertical: Tensor,
    /// Detail along both.
    pub diagonal: Tensor,
}

/// The bands of an image, and how they came about.
#[derive(Debug, Clone)]
pub struct Coefficients2 {
    /// What is left at the coarsest level.
    pub approximation: Tensor,
    /// What each level took away, the coarsest first.
    pub details: Vec<Details2>,
    wavelet: Wavelet,
    boundary: Boundary,
    axes: [usize; 2],
    /// Sizes along the axes of the images that were split, the finest first.
    sizes: Vec<[usize; 2]>,
}

impl Coefficients2 {
    /// The number of levels.
    pub fn levels(&self) -> usize {
        self.details.len()
    }

    /// The same with `f` of every detail band; shapes must stay.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub fn map_details(&self, mut f: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let mut details = Vec::with_capacity(self.levels());
        for Details2 { horizontal, vertical, diagonal } in &self.details {
            let [horizontal, vertical, diagonal] = [f(horizontal)?, f(vertical)?, f(diagonal)?];
            details.push(Details2 { horizontal, vertical, diagonal });
        }
        Ok(Self { details, ..self.clone() })
    }
}

/// The wavelet coefficients of `x` along the two axes `dims`, over `levels` levels; each level
/// splits the approximation along both axes.
///
/// For images `[batch, channels, height, width]` take `(2, 3)`.
///
/// # Errors
/// As [`dwt`](super::dwt), and [`Error::InvalidArgument`] when the axes are one.
///
/// # Example
/// ```
/// use ansatz_ops::wavelet::{Boundary, Wavelet, dwt2, idwt2};
/// use candle_core::{DType, Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let flat = Tensor::ones((1, 8, 6), DType::F32, &Device::Cpu)?;
/// let bands = dwt2(&flat, (1, 2), Wavelet::Haar, Boundary::Periodic, 1)?;
/// assert_eq!(bands.approximation.dims(), [1, 4, 3]);
/// assert!(bands.details[0].diagonal.abs()?.max_all()?.to_scalar::<f32>()? < 1e-6);
/// let error = (idwt2(&bands)? - flat)?.abs()?.max_all()?.to_scalar::<f32>()?;
/// assert!(error < 1e-6);
/// # Ok(())
/// # }
/// ```
pub fn dwt2<D: Dim, E: Dim>(
    x: &Tensor,
    dims: (D, E),
    wavelet: Wavelet,
    boundary: Boundary,
    levels: usize,
) -> Result<Coefficients2> {
    let axes = [dims.0.to_index(x.shape(), "dwt2")?, dims.1.to_index(x.shape(), "dwt2")?];
    if axes[0] == axes[1] {
        return Err(Error::InvalidArgument {
            what: "axes of dwt2",
            value: format!("{axes:?}"),
            expected: "two different axes",
        });
    }
    let dtype = working_dtype("dwt2", x)?;
    check(&[x.dim(axes[0])?, x.dim(axes[1])?], levels)?;
    wavelet.filters()?;
    let mut approximation = widen(x, dtype)?;
    let (mut details, mut sizes) = (Vec::with_capacity(levels), Vec::with_capacity(levels));
    for _ in 0..levels {
        let size = [approximation.dim(axes[0])?, approximation.dim(axes[1])?];
        let banks = [
            Bank::analysis(size[0], wavelet, boundary)?,
            Bank::analysis(size[1], wavelet, boundary)?,
        ];
        let (low, high) = down(&approximation, axes[1], &banks[1])?;
        let (next, horizontal) = down(&low, axes[0], &banks[0])?;
        let (vertical, diagonal) = down(&high, axes[0], &banks[0])?;
        details.push(Details2 {
            horizontal: widen(&horizontal, x.dtype())?,
            vertical: widen(&vertical, x.dtype())?,
            diagonal: widen(&diagonal, x.dtype())?,
        });
        approximation = next;
        sizes.push(size);
    }
    details.reverse();
    let approximation = widen(&approximation, x.dtype())?;
    Ok(Coefficients2 { approximation, details, wavelet, boundary, axes, sizes })
}

/// The image with these coefficients: the inverse of [`dwt2`].
///
/// # Errors
/// As [`idwt`](super::idwt).
pub fn idwt2(coefficients: &Coefficients2) -> Result<Tensor> {
    let Coefficients2 { approximation, details, wavelet, boundary, axes, sizes } = coefficients;
    if details.len() != sizes.len() {
        let what = "idwt2: details";
        return Err(Error::Count { what, expected: sizes.len(), got: details.len() });
    }
    let dtype = working_dtype("idwt2", approximation)?;
    let mut x = widen(approximation, dtype)?;
    for (detail, size) in details.iter().zip(sizes.iter().rev()) {
        let banks = [
            Bank::synthesis(size[0], *wavelet, *boundary)?,
            Bank::synthesis(size[1], *wavelet, *boundary)?,
        ];
        let mut expected = x.dims().to_vec();
        (expected[axes[0]], expected[axes[1]]) = (banks[0].frame.m, banks[1].frame.m);
        if x.dims() != expected {
            return Err(Error::Shape {
                what: "idwt2: a band",
                expected: expected.into(),
                got: x.shape().clone(),
            });
        }
        let Details2 { horizontal, vertical, diagonal } = detail;
        let [horizontal, vertical, diagonal] =
            [widen(horizontal, dtype)?, widen(vertical, dtype)?, widen(diagonal, dtype)?];
        for band in [&horizontal, &vertical, &diagonal] {
            fits("idwt2: a detail and the approximation of its level", &x, band)?;
        }
        let low = up([Some(&x), Some(&horizontal)], axes[0], &banks[0])?;
        let high = up([Some(&vertical), Some(&diagonal)], axes[0], &banks[0])?;
        x = up([Some(&low), Some(&high)], axes[1], &banks[1])?;
    }
    widen(&x, approximation.dtype())
}
