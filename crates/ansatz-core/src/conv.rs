//! Convolution in the form the trait has it: one number for all axes, zeros around.

use ansatz_ops::{Conv, Padding};
use candle_core::Tensor;

use crate::Result;

/// Convolution of `x` `[batch, channels, n…]` with `kernel` `[out, channels/groups, k…]` over `N`
/// axes; see [`ansatz_ops::conv`].
pub(crate) fn conv<const N: usize>(
    x: &Tensor,
    kernel: &Tensor,
    padding: usize,
    stride: usize,
    dilation: usize,
    groups: usize,
) -> Result<Tensor> {
    let options = Conv::<N>::default()
        .padded(padding, Padding::Zeros)
        .with_stride(stride)
        .with_dilation(dilation)
        .with_groups(groups);
    Ok(ansatz_ops::conv(x, kernel, None, &options)?)
}
