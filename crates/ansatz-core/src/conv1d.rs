//! A one-dimensional convolution whose gradient is right.
//!
//! candle 0.11.1 on the CPU returns silently wrong gradients of its own `conv1d` for batches of
//! more than one: the backward pass convolves with a transposed kernel, which the CPU
//! implementation copies into contiguous memory and then does not use.

use candle_core::Tensor;

use crate::{Error, Result};

/// Cross-correlation of `x` `[batch, channels, length]` with `kernel`
/// `[out, channels/groups, width]`: `[batch, out, (length + 2·padding − dilation·(width − 1) − 1)/stride + 1]`.
///
/// Windows are gathered and multiplied with the kernel in one matrix product per group, so the
/// gradient is that of operations that are tested.
pub(crate) fn conv1d(
    x: &Tensor,
    kernel: &Tensor,
    padding: usize,
    stride: usize,
    dilation: usize,
    groups: usize,
) -> Result<Tensor> {
    let (Ok((batch, channels, length)), Ok((outputs, per_group, width))) =
        (x.dims3(), kernel.dims3())
    else {
        return Err(mismatch("input and kernel of conv1d, three axes each", x, kernel));
    };
    for (what, value) in [
        ("stride of conv1d", stride),
        ("dilation of conv1d", dilation),
        ("groups of conv1d", groups),
        ("width of the kernel of conv1d", width),
    ] {
        if value == 0 {
            return Err(Error::invalid(what, value, "at least 1"));
        }
    }
    if per_group * groups != channels || outputs % groups != 0 {
        return Err(mismatch("channels of conv1d: input, kernel times groups", x, kernel));
    }
    let (padded, span) = (length + 2 * padding, dilation * (width - 1) + 1);
    if padded < span {
        return Err(mismatch("length of conv1d: padded input at least as long", x, kernel));
    }
    let positions = (padded - span) / stride + 1;
    let windows: Vec<u32> = (0..width)
        .flat_map(|j| (0..positions).map(move |l| (l * stride + j * dilation) as u32))
        .collect();
    let windows = Tensor::from_vec(windows, width * positions, x.device())?;
    let columns = x
        .pad_with_zeros(2, padding, padding)?
        .transpose(0, 1)?
        .contiguous()?
        .index_select(&windows, 2)?
        .reshape((groups, per_group, batch, width, positions))?
        .permute((0, 1, 3, 2, 4))?
        .reshape((groups, per_group * width, batch * positions))?;
    let kernel = kernel.reshape((groups, outputs / groups, per_group * width))?;
    let product = kernel.matmul(&columns)?.reshape((outputs, batch, positions))?;
    Ok(product.transpose(0, 1)?.contiguous()?)
}

fn mismatch(what: &'static str, x: &Tensor, kernel: &Tensor) -> Error {
    Error::Shape {
        what,
        expected: format!("fitting the kernel {:?}", kernel.dims()),
        got: format!("{:?}", x.dims()),
    }
}
