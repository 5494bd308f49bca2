//! Thresholds on coefficients: [`soft_threshold`] and [`hard_threshold`].

use candle_core::Tensor;

use crate::{Error, Result};

fn check(threshold: f64) -> Result<()> {
    if threshold >= 0.0 {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        what: "threshold",
        value: threshold.to_string(),
        expected: "a number ≥ 0, for example σ √(2 ln n)",
    })
}

/// `sign x · max(|x| − threshold, 0)` (D. L. Donoho, I. M. Johnstone 1994); the gradient is 1 where
/// something is left and 0 elsewhere. NaN stays NaN.
///
/// # Errors
/// [`Error::InvalidArgument`] when the threshold is negative or NaN, or candle fails.
pub fn soft_threshold(x: &Tensor, threshold: f64) -> Result<Tensor> {
    check(threshold)?;
    let keep = kept(x, threshold)?;
    let shift = (x.detach().sign()? * threshold)?;
    // A product with the mask keeps NaN, but not the NaN of ∞ · 0: selected instead.
    Ok(keep.where_cond(&(x - shift)?, &x.zeros_like()?)?)
}

/// `x` where `|x| > threshold`, otherwise 0; the gradient likewise. NaN stays NaN.
///
/// # Errors
/// [`Error::InvalidArgument`] when the threshold is negative or NaN, or candle fails.
pub fn hard_threshold(x: &Tensor, threshold: f64) -> Result<Tensor> {
    check(threshold)?;
    Ok(kept(x, threshold)?.where_cond(x, &x.zeros_like()?)?)
}

/// 1 where `x` is kept: where it is not within the threshold, NaN included.
fn kept(x: &Tensor, threshold: f64) -> Result<Tensor> {
    Ok(x.detach().abs()?.le(threshold)?.eq(0u8)?)
}
