//! Pointwise functions composed of candle's operations: other devices and half precision.

use candle_core::Tensor;

use super::Pointwise;
use super::functions::{GELU_CUBIC, SQRT_2_OVER_PI};
use crate::{Result, custom_vjp};

/// `function` of every element, with the right gradient, on any device and in any float dtype.
pub(super) fn composed(function: Pointwise, x: &Tensor) -> Result<Tensor> {
    Ok(match function {
        Pointwise::Tanh => x.tanh()?,
        Pointwise::Sin => x.sin()?,
        Pointwise::Cos => x.cos()?,
        Pointwise::Exp => x.exp()?,
        Pointwise::Ln => x.log()?,
        Pointwise::Sqrt => x.sqrt()?,
        Pointwise::Recip => x.recip()?,
        Pointwise::Powf(p) => x.powf(p)?,
        Pointwise::Powi(n) => powi(x, n)?,
        Pointwise::Sigmoid => candle_nn::ops::sigmoid(x)?,
        Pointwise::Softplus => softplus(x)?,
        Pointwise::Silu => (x * candle_nn::ops::sigmoid(x)?)?,
        // candle's own GELU gradients carry six digits only.
        Pointwise::Gelu => {
            let erf = x.affine(std::f64::consts::FRAC_1_SQRT_2, 0.0)?.erf()?;
            (x * erf.affine(0.5, 0.5)?)?
        }
        Pointwise::GeluTanh => {
            let cubic = (x * x.sqr()?.affine(GELU_CUBIC, 1.0)?)?;
            (x * cubic.affine(SQRT_2_OVER_PI, 0.0)?.tanh()?.affine(0.5, 0.5)?)?
        }
        Pointwise::Erf => x.erf()?,
        // candle's own derivatives of these two are 1 at 0. NaN stays NaN.
        Pointwise::Relu => x.le(0.0)?.where_cond(&x.zeros_like()?, x)?,
        Pointwise::Abs => (x * x.detach().sign()?)?,
    })
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
    custom_vjp(&[x], &output, move |g| Ok(vec![Some((g * candle_nn::ops::sigmoid(&value)?)?)]))
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
