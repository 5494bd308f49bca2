//! The same convolutions by candle operations, tap by tap: for devices and types without a kernel.
//!
//! Every tap is a matrix product of its weights with the points it takes, which are picked by index
//! along each axis. All operations used have right gradients, to any order.

use candle_core::Tensor;

use super::geometry::{Axis, Geometry};
use crate::{
    Result,
    pad::{fold_composed, pad_composed},
};

/// See [`forward`](super::kernels::forward).
pub(super) fn forward(x: &Tensor, kernel: &Tensor, geo: &Geometry) -> Result<Tensor> {
    let batch = x.dims()[0];
    let x = pad_composed(&lowered(x, geo, |a| a.pad.n)?, &geo.axes.map(|a| a.pad))?;
    let mut sum: Option<Tensor> = None;
    for (weights, at) in taps(kernel, geo)? {
        let points = picked(&x, geo, at)?; // [batch, groups, in, places]
        let product = weights.broadcast_matmul(&points)?;
        sum = Some(match sum {
            Some(s) => (s + product)?,
            None => product,
        });
    }
    let shape = geo.y_shape(batch);
    Ok(match sum {
        Some(s) => s.reshape(shape)?,
        None => Tensor::zeros(shape, x.dtype(), x.device())?,
    })
}

/// See [`spread`](super::kernels::spread); with any padding.
pub(super) fn spread(y: &Tensor, kernel: &Tensor, geo: &Geometry) -> Result<Tensor> {
    let batch = y.dims()[0];
    let places = geo.axes.iter().map(|a| a.out).product::<usize>();
    let y = y.contiguous()?.reshape((batch, geo.groups, geo.outputs_per_group(), places))?;
    let padded = |a: usize| geo.axes[a].pad.padded();
    let mut sum =
        Tensor::zeros((batch, geo.inputs, padded(0), padded(1), padded(2)), y.dtype(), y.device())?;
    for (weights, at) in taps(kernel, geo)? {
        let part = weights.transpose(2, 3)?.contiguous()?.broadcast_matmul(&y)?;
        let [d, e, f] = geo.axes.map(|a| a.out);
        let mut part = part.reshape((batch, geo.inputs, d, e, f))?;
        for (a, axis) in geo.axes.iter().enumerate() {
            let mut dims = part.dims().to_vec();
            dims[a + 2] = padded(a);
            let zeros = Tensor::zeros(dims, part.dtype(), part.device())?;
            part = zeros.index_add(&points(axis, at[a], &part)?, &part.contiguous()?, a + 2)?;
        }
        sum = (sum + part)?;
    }
    let folded = fold_composed(&sum, &geo.axes.map(|a| a.pad))?;
    Ok(folded.contiguous()?.reshape(geo.x_shape(batch))?)
}

/// `x` with three spatial axes.
fn lowered(x: &Tensor, geo: &Geometry, length: impl Fn(&Axis) -> usize) -> Result<Tensor> {
    let [a, b, c] = [0, 1, 2].map(|i| length(&geo.axes[i]));
    Ok(x.contiguous()?.reshape((x.dims()[0], x.dims()[1], a, b, c))?)
}

/// The weights `[1, groups, out, in]` of each tap, and where it is.
fn taps(kernel: &Tensor, geo: &Geometry) -> Result<Vec<(Tensor, [usize; 3])>> {
    let (outputs, inputs) = (geo.outputs_per_group(), geo.inputs_per_group());
    let kernel = kernel.contiguous()?.reshape((1, geo.groups, outputs, inputs, geo.taps()))?;
    let [_, b, c] = geo.axes.map(|a| a.kernel);
    (0..geo.taps())
        .map(|t| {
            let weights = kernel.narrow(4, t, 1)?.squeeze(4)?.contiguous()?;
            Ok((weights, [t / (b * c), t / c % b, t % c]))
        })
        .collect()
}

/// The points a tap takes, `[batch, groups, in, places]`.
fn picked(x: &Tensor, geo: &Geometry, at: [usize; 3]) -> Result<Tensor> {
    let mut points_of = x.clone();
    for (a, axis) in geo.axes.iter().enumerate() {
        if axis.pad.padded() != axis.out {
            points_of = points_of.contiguous()?.index_select(&points(axis, at[a], x)?, a + 2)?;
        }
    }
    let places = geo.axes.iter().map(|a| a.out).product::<usize>();
    let shape = (x.dims()[0], geo.groups, geo.inputs_per_group(), places);
    Ok(points_of.contiguous()?.reshape(shape)?)
}

/// The indices of the points that tap `t` takes along one axis.
fn points(axis: &Axis, t: usize, like: &Tensor) -> Result<Tensor> {
    let all = (0..axis.out).map(|i| (i * axis.stride + t * axis.dilation) as u32);
    Ok(Tensor::from_vec(all.collect::<Vec<_>>(), axis.out, like.device())?)
}
