//! Normalisation over space and some or all channels: [`group_norm`], [`instance_norm`].

use candle_core::Tensor;

use super::{
    geometry::{Geometry, Rule, check_parameter},
    normalize::normalize,
};
use crate::{Error, Result};

/// Group normalisation (Y. Wu, K. He 2018, eq. 1–3): the channels are cut into `groups` of equal
/// size; each group of each example is normalised over its channels and all of space, as in
/// [`layer_norm`](crate::layer_norm); then every channel has a weight and a bias of its own.
///
/// `x` is `[batch, channels, …]` with any number of axes of space (also none); `weight` and `bias`,
/// where given, are `[channels]`.
///
/// # Errors
/// When `x` has fewer than two axes, `groups` does not divide the channels, `weight` or `bias` do
/// not fit `x`, `eps` is negative or NaN, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::group_norm;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::arange(0f64, 48.0, &Device::Cpu)?.reshape((2, 4, 3, 2))?;
/// let y = group_norm(&x, 2, None, None, 1e-5)?;
/// assert!(y.get(0)?.narrow(0, 0, 2)?.mean_all()?.to_scalar::<f64>()?.abs() < 1e-14);
/// # Ok(())
/// # }
/// ```
pub fn group_norm(
    x: &Tensor,
    groups: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let rule = Rule::new("group_norm eps", true, eps)?;
    let (batch, channels, inner) = split(x, "group_norm: number of axes")?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(Error::InvalidArgument {
            what: "group_norm groups",
            value: format!("{groups} for {channels} channels"),
            expected: "a positive divisor of the number of channels",
        });
    }
    check_parameter("group_norm weight", weight, x, channels)?;
    check_parameter("group_norm bias", bias, x, channels)?;
    let channels = channels / groups;
    let geometry = Geometry { rows: batch * groups, groups, channels, inner, rule };
    normalize("group_norm", x, weight, bias, geometry)
}

/// Instance normalisation (D. Ulyanov, A. Vedaldi, V. Lempitsky 2016): every channel of every
/// example is normalised over all of space. It is [`group_norm`] with one channel in a group.
///
/// `x` is `[batch, channels, …]`; `weight` and `bias`, where given, are `[channels]`.
///
/// # Errors
/// As [`group_norm`].
pub fn instance_norm(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let rule = Rule::new("instance_norm eps", true, eps)?;
    let (batch, channels, inner) = split(x, "instance_norm: number of axes")?;
    check_parameter("instance_norm weight", weight, x, channels)?;
    check_parameter("instance_norm bias", bias, x, channels)?;
    let geometry = Geometry { rows: batch * channels, groups: channels, channels: 1, inner, rule };
    normalize("instance_norm", x, weight, bias, geometry)
}

/// Batch, channels, size of space.
fn split(x: &Tensor, what: &'static str) -> Result<(usize, usize, usize)> {
    match x.dims() {
        [batch, channels, space @ ..] => Ok((*batch, *channels, space.iter().product())),
        dims => Err(Error::InvalidArgument {
            what,
            value: dims.len().to_string(),
            expected: "at least 2: [batch, channels, …]",
        }),
    }
}
