//! Normalisation over the last axis: [`layer_norm`], [`rms_norm`].

use candle_core::{D, Tensor};

use super::{
    geometry::{Geometry, Rule, check_parameter},
    normalize::normalize,
};
use crate::Result;

/// Layer normalisation over the last axis (J. L. Ba, J. R. Kiros, G. E. Hinton 2016, eq. 3):
/// `(x − mean) / √(var + eps) · weight + bias`, with the biased variance.
///
/// `x` is `[…, features]`; `weight` and `bias`, where given, are `[features]`. A NaN makes its row
/// NaN.
///
/// # Errors
/// When `x` has no axis, `weight` or `bias` have another length than the last axis or another
/// dtype or device than `x`, `eps` is negative or NaN, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::layer_norm;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[1f64, 3.0], [5.0, 5.0]], &Device::Cpu)?;
/// assert_eq!(layer_norm(&x, None, None, 0.0)?.to_vec2::<f64>()?[0], [-1.0, 1.0]);
/// # Ok(())
/// # }
/// ```
pub fn layer_norm(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let rule = Rule::new("layer_norm eps", true, eps)?;
    let features = x.dim(D::Minus1)?;
    check_parameter("layer_norm weight", weight, x, features)?;
    check_parameter("layer_norm bias", bias, x, features)?;
    normalize("layer_norm", x, weight, bias, last_axis(x, features, rule))
}

/// Normalisation by the root mean square of the last axis (B. Zhang, R. Sennrich 2019, eq. 4):
/// `x / √(mean x² + eps) · weight`.
///
/// `x` is `[…, features]`; `weight`, where given, is `[features]`. A NaN makes its row NaN.
///
/// # Errors
/// As [`layer_norm`].
pub fn rms_norm(x: &Tensor, weight: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    let rule = Rule::new("rms_norm eps", false, eps)?;
    let features = x.dim(D::Minus1)?;
    check_parameter("rms_norm weight", weight, x, features)?;
    normalize("rms_norm", x, weight, None, last_axis(x, features, rule))
}

fn last_axis(x: &Tensor, features: usize, rule: Rule) -> Geometry {
    let rows = x.elem_count().checked_div(features).unwrap_or(0);
    Geometry { rows, groups: 1, channels: features, inner: 1, rule }
}
