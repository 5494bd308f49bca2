//! Transforms of several levels along one axis: [`dwt`] and [`idwt`].

use candle_core::{DType, Tensor, shape::Dim};

use super::{
    Boundary, Wavelet,
    bank::{Bank, down, up},
};
use crate::{Error, Result, scan::working_dtype};

/// The bands of a signal, and how they came about.
#[derive(Debug, Clone)]
pub struct Coefficients {
    /// What is left at the coarsest level.
    pub approximation: Tensor,
    /// What each level took away, the coarsest first.
    pub details: Vec<Tensor>,
    pub(super) plan: Plan,
}

/// What the inverse must know besides the bands.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) wavelet: Wavelet,
    pub(super) boundary: Boundary,
    pub(super) axis: usize,
    /// Lengths of the signals that were split, the finest first.
    pub(super) lengths: Vec<usize>,
}

impl Coefficients {
    /// The number of levels.
    pub fn levels(&self) -> usize {
        self.details.len()
    }

    /// The same with `f` of every detail; shapes must stay.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub fn map_details(&self, f: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let details = self.details.iter().map(f).collect::<Result<_>>()?;
        Ok(Self { details, ..self.clone() })
    }
}

/// Refuses axes and levels that cannot be transformed.
pub(super) fn check(lengths: &[usize], levels: usize) -> Result<()> {
    for n in lengths {
        if *n == 0 {
            return Err(Error::InvalidArgument {
                what: "length of the axis of a wavelet transform",
                value: n.to_string(),
                expected: "at least 1",
            });
        }
    }
    if levels > 64 {
        return Err(Error::InvalidArgument {
            what: "levels of a wavelet transform",
            value: levels.to_string(),
            expected: "at most 64; `max_level` gives a sensible number",
        });
    }
    Ok(())
}

/// The wavelet coefficients of `x` along `dim`, over `levels` levels (0: `x` itself).
///
/// Bands have the shape of `x` with another length along `dim`; see [`Boundary`] for the lengths.
/// [`max_level`](super::max_level) says how many levels make sense.
///
/// # Errors
/// [`Error::InvalidArgument`] when the wavelet has no such order, the axis is empty, or there are
/// more than 64 levels; [`Error::DType`] when `x` is not floating point; or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::wavelet::{Boundary, Wavelet, dwt};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1f64, 3.0, 5.0, 5.0], &Device::Cpu)?;
/// let bands = dwt(&x, 0, Wavelet::Haar, Boundary::Periodic, 1)?;
/// let (a, d) = (bands.approximation.to_vec1::<f64>()?, bands.details[0].to_vec1::<f64>()?);
/// let root = 2f64.sqrt(); // sums and differences of pairs, over √2
/// assert!((a[0] - 4.0 / root).abs() + (a[1] - 10.0 / root).abs() < 1e-14);
/// assert!((d[0] + 2.0 / root).abs() + d[1].abs() < 1e-14);
/// # Ok(())
/// # }
/// ```
pub fn dwt<D: Dim>(
    x: &Tensor,
    dim: D,
    wavelet: Wavelet,
    boundary: Boundary,
    levels: usize,
) -> Result<Coefficients> {
    let axis = dim.to_index(x.shape(), "dwt")?;
    let dtype = working_dtype("dwt", x)?;
    check(&[x.dim(axis)?], levels)?;
    let mut approximation = widen(x, dtype)?;
    let mut plan = Plan { wavelet, boundary, axis, lengths: Vec::new() };
    wavelet.filters()?; // also without levels
    let mut details = Vec::with_capacity(levels);
    for _ in 0..levels {
        let n = approximation.dim(axis)?;
        let (low, high) = down(&approximation, axis, &Bank::analysis(n, wavelet, boundary)?)?;
        details.push(widen(&high, x.dtype())?);
        approximation = low;
        plan.lengths.push(n);
    }
    details.reverse();
    Ok(Coefficients { approximation: widen(&approximation, x.dtype())?, details, plan })
}

/// The signal with these coefficients: the inverse of [`dwt`].
///
/// # Errors
/// [`Error::Shape`], [`Error::DType`] or [`Error::Device`] when bands were replaced by ones that do
/// not fit, [`Error::Count`] when one is missing, or candle fails.
pub fn idwt(coefficients: &Coefficients) -> Result<Tensor> {
    let Coefficients { approximation, details, plan } = coefficients;
    if details.len() != plan.lengths.len() {
        let what = "idwt: details";
        return Err(Error::Count { what, expected: plan.lengths.len(), got: details.len() });
    }
    let dtype = working_dtype("idwt", approximation)?;
    let mut x = widen(approximation, dtype)?;
    for (detail, n) in details.iter().zip(plan.lengths.iter().rev()) {
        let bank = Bank::synthesis(*n, plan.wavelet, plan.boundary)?;
        fits("idwt: a detail and the approximation of its level", &x, &widen(detail, dtype)?)?;
        if x.dim(plan.axis)? != bank.frame.m {
            let mut expected = x.dims().to_vec();
            expected[plan.axis] = bank.frame.m;
            return Err(Error::Shape {
                what: "idwt: a band",
                expected: expected.into(),
                got: x.shape().clone(),
            });
        }
        x = up([Some(&x), Some(&widen(detail, dtype)?)], plan.axis, &bank)?;
    }
    widen(&x, approximation.dtype())
}

pub(super) use crate::check_like as fits;

/// `x` in another type, if it is one.
pub(super) fn widen(x: &Tensor, dtype: DType) -> Result<Tensor> {
    Ok(if x.dtype() == dtype { x.clone() } else { x.to_dtype(dtype)? })
}
