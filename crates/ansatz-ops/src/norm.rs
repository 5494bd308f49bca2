//! Softmax and layer normalisation with right gradients in every dtype.
//!
//! candle-nn's fused versions return tensors without a gradient and take no f64; these are
//! compositions of operations whose gradients are tested.

use candle_core::{D, Tensor, shape::Dim};

use crate::{Error, Result};

/// `exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x)` along `dim`; same shape as `x`.
///
/// # Errors
/// When `dim` is not a dimension of `x`, or candle fails.
pub fn softmax<I: Dim>(x: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "softmax")?;
    // The shift cancels in value and in gradient; detached, candle need not differentiate a
    // maximum (whose ties it would count twice).
    let shifted = x.broadcast_sub(&x.max_keepdim(dim)?.detach())?;
    let exp = shifted.exp()?;
    Ok(exp.broadcast_div(&exp.sum_keepdim(dim)?)?)
}

/// `xᵢ − max x − ln Σⱼ exp(xⱼ − max x)` along `dim`; same shape as `x`.
///
/// # Errors
/// When `dim` is not a dimension of `x`, or candle fails.
pub fn log_softmax<I: Dim>(x: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "log_softmax")?;
    let shifted = x.broadcast_sub(&x.max_keepdim(dim)?.detach())?;
    Ok(shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(dim)?.log()?)?)
}

/// Layer normalisation over the last axis (J. L. Ba, J. R. Kiros, G. E. Hinton 2016, eq. 3):
/// `(x − mean) / √(var + eps) · weight + bias`, with the biased variance.
///
/// `x` is `[…, features]`; `weight` and `bias`, where given, are `[features]`.
///
/// # Errors
/// When `x` has no axis, `weight` or `bias` have another length than the last axis, `eps` is
/// negative or NaN, or candle fails.
pub fn layer_norm(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    if eps.is_nan() || eps < 0.0 {
        return Err(Error::InvalidArgument {
            what: "layer_norm eps",
            value: eps.to_string(),
            expected: "a number ≥ 0, usually 1e-5",
        });
    }
    let features = x.dim(D::Minus1)?;
    for (what, parameter) in [("layer_norm weight", weight), ("layer_norm bias", bias)] {
        if let Some(p) = parameter
            && p.dims() != [features]
        {
            return Err(Error::Shape { what, expected: features.into(), got: p.shape().clone() });
        }
    }
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let mut y = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    if let Some(w) = weight {
        y = y.broadcast_mul(w)?;
    }
    if let Some(b) = bias {
        y = y.broadcast_add(b)?;
    }
    Ok(y)
}
