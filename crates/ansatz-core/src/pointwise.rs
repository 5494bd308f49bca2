//! The pointwise functions that scientific networks use: [`Pointwise`].

use ansatz_ops::custom_vjp;
use candle_core::Tensor;

use crate::Result;

/// A function applied to every element on its own.
///
/// An enumeration, not a closure, because every tensor-like type has its own rule for each of
/// them: a Taylor series propagates coefficients, a bound propagates intervals.
///
/// Where a derivative jumps ([`Relu`](Self::Relu), [`Abs`](Self::Abs)), it is 0 at the jump.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Pointwise {
    /// Hyperbolic tangent.
    Tanh,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Exponential.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Square root.
    Sqrt,
    /// Reciprocal, `1/x`.
    Recip,
    /// Real power, `x^p`.
    Powf(f64),
    /// Integer power, `x^n`; negative bases are fine.
    Powi(i32),
    /// Logistic function, `1/(1 + e^−x)`.
    Sigmoid,
    /// `ln(1 + e^x)`, without overflow and accurate in both tails.
    Softplus,
    /// `x · sigmoid(x)` (S. Elfwing, E. Uchibe, K. Doya 2018), also called swish.
    Silu,
    /// `x · Φ(x)` with the exact normal distribution function (D. Hendrycks, K. Gimpel 2016).
    Gelu,
    /// The tanh approximation of [`Gelu`](Self::Gelu), `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))`.
    GeluTanh,
    /// Error function, `2/√π ∫₀ˣ e^−t² dt`.
    Erf,
    /// `max(x, 0)`.
    Relu,
    /// Absolute value.
    Abs,
}

/// `√(2/π)`, the constant of the tanh approximation of GELU.
pub(crate) const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// The cubic coefficient of the tanh approximation of GELU.
pub(crate) const GELU_CUBIC: f64 = 0.044715;

impl Pointwise {
    /// Applies the function to each element; the result has the gradient stated on the variant.
    ///
    /// # Errors
    /// When candle fails, e.g. for integer tensors.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Tanh => x.tanh()?,
            Self::Sin => x.sin()?,
            Self::Cos => x.cos()?,
            Self::Exp => x.exp()?,
            Self::Ln => x.log()?,
            Self::Sqrt => x.sqrt()?,
            Self::Recip => x.recip()?,
            Self::Powf(p) => x.powf(p)?,
            Self::Powi(n) => powi(x, n)?,
            Self::Sigmoid => candle_nn::ops::sigmoid(x)?,
            Self::Softplus => softplus(x)?,
            Self::Silu => (x * candle_nn::ops::sigmoid(x)?)?,
            // candle's own GELU gradients carry six digits only.
            Self::Gelu => {
                let erf = x.affine(std::f64::consts::FRAC_1_SQRT_2, 0.0)?.erf()?;
                (x * erf.affine(0.5, 0.5)?)?
            }
            Self::GeluTanh => {
                let cubic = (x * x.sqr()?.affine(GELU_CUBIC, 1.0)?)?;
                (x * cubic.affine(SQRT_2_OVER_PI, 0.0)?.tanh()?.affine(0.5, 0.5)?)?
            }
            Self::Erf => x.erf()?,
            // candle's own derivatives of these two are 1 at 0. NaN stays NaN.
            Self::Relu => x.le(0.0)?.where_cond(&x.zeros_like()?, x)?,
            Self::Abs => (x * sign(x)?)?,
        })
    }
}

/// 1 where `x > 0`, else 0, as a constant of the dtype of `x`.
pub(crate) fn positive_mask(x: &Tensor) -> Result<Tensor> {
    Ok(x.detach().gt(0.0)?.to_dtype(x.dtype())?)
}

/// The sign of `x` as a constant, 0 at 0.
pub(crate) fn sign(x: &Tensor) -> Result<Tensor> {
    Ok(x.detach().sign()?)
}

/// `max(x, 0) + ln(1 + e^−|x|)`, accurate where the logarithm is tiny, with derivative sigmoid.
fn softplus(x: &Tensor) -> Result<Tensor> {
    let value = x.detach();
    let e = value.abs()?.neg()?.exp()?;
    // ln(1 + e) = e · ln(w)/(w − 1) with w = 1 + e, and e where w rounds to 1 (W. Kahan).
    let w = e.affine(1.0, 1.0)?;
    let rounded = w.affine(1.0, -1.0)?;
    let ratio = rounded.eq(0.0)?.where_cond(&e.ones_like()?, &(w.log()? / rounded)?)?;
    let output = (value.relu()? + (e * ratio)?)?;
    Ok(custom_vjp(&[x], &output, move |g| Ok(vec![Some((g * candle_nn::ops::sigmoid(&value)?)?)]))?)
}

/// `xⁿ` by repeated squaring.
fn powi(x: &Tensor, n: i32) -> Result<Tensor> {
    let mut exponent = n.unsigned_abs();
    if exponent == 0 {
        return Ok(x.ones_like()?);
    }
    let mut base = if n < 0 { x.recip()? } else { x.clone() };
    let mut result: Option<Tensor> = None;
    loop {
        if exponent & 1 == 1 {
            result = Some(match result {
                Some(r) => (r * &base)?,
                None => base.clone(),
            });
        }
        exponent >>= 1;
        if exponent == 0 {
            break;
        }
        base = base.sqr()?;
    }
    result.map_or_else(|| Ok(x.ones_like()?), Ok)
}
