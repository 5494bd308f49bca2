//! The bias of a convolution and its gradient: [`with_bias`], [`channel_sums`].

use std::mem::MaybeUninit;

use candle_core::Tensor;

use crate::{
    Result,
    cpu::{Float, attach, blocks, by_float, collect, values, vectorised},
};

/// `y` `[batch, channels, …]` plus one number a channel, by candle operations.
pub(super) fn with_bias(y: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let Some(bias) = bias else { return Ok(y.clone()) };
    Ok(y.broadcast_add(&per_channel(bias, y.rank())?)?)
}

/// `[channels]` as `[channels, 1, …]`, which broadcasts against `rank` axes.
fn per_channel(x: &Tensor, rank: usize) -> Result<Tensor> {
    let mut dims = vec![1; rank - 1];
    dims[0] = x.elem_count();
    Ok(x.reshape(dims)?)
}

/// The sum of `x` `[batch, channels, …]` over all axes but the channels.
pub(super) fn channel_sums(x: &Tensor) -> Result<Tensor> {
    let channels = x.dims()[1];
    let size = x.dims()[2..].iter().product::<usize>();
    by_float!(x, T => {
        let xc = x.contiguous()?;
        let xv = values::<T>(&xc)?;
        let out = sums::<T>(&xv, channels, size);
        drop(xv);
        let shape = x.shape().clone();
        attach("channel_sums", &[x], out, channels, move |_, g| {
            Ok(vec![Some(per_channel(g, shape.rank())?.broadcast_as(&shape)?.contiguous()?)])
        })
    }, _ => {
        let x = x.contiguous()?.reshape((x.dims()[0], channels, size))?;
        Ok(x.sum(2)?.sum(0)?)
    })
}

fn sums<T: Float>(x: &[T], channels: usize, size: usize) -> Vec<T> {
    let planes = x.len().checked_div(size).unwrap_or(0);
    let fill = |out: &mut [MaybeUninit<T>]| {
        let parallel = if x.len() < 1 << 18 { usize::MAX } else { 0 };
        blocks(out, 1, parallel, |plane, out| {
            out[0].write(vectorised!(sum, &x[plane * size..(plane + 1) * size]));
        });
    };
    // SAFETY: each block is one element, which is written.
    #[allow(unsafe_code)]
    let by_plane = unsafe { collect(planes, fill) };
    let mut total = vec![T::zero(); channels];
    for plane in by_plane.chunks(channels.max(1)) {
        for (t, p) in total.iter_mut().zip(plane) {
            *t += *p;
        }
    }
    total
}

/// In 32 partial sums.
#[inline(always)]
fn sum<T: Float>(x: &[T]) -> T {
    let mut sums = [T::zero(); 32];
    let chunks = x.chunks_exact(32);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (s, v) in sums.iter_mut().zip(chunk) {
            *s += *v;
        }
    }
    for (s, v) in sums.iter_mut().zip(rest) {
        *s += *v;
    }
    sums.into_iter().fold(T::zero(), |a, b| a + b)
}
