//! Convolution and its transpose in one, two and three dimensions, with boundary conditions.
//!
//! Both, and the gradient of the kernel, are three sides of one trilinear form
//! `⟨y, x * k⟩`; the gradient of each is made of the other two (tested to third order).
//! One implementation serves all dimensions, strides, dilations and groups; see
//! `conv/grid.rs` for how.

mod bias;
mod composed;
mod contraction;
mod geometry;
mod grid;
mod kernels;
mod lanes;
mod pieces;
mod tiles;

use candle_core::Tensor;

pub use self::geometry::Conv;
use self::{
    bias::{channel_sums, with_bias},
    geometry::Geometry,
};
use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
    pad::fold_values,
};

/// Convolution (cross-correlation, as networks use the word) of `x` `[batch, in, n…]` with
/// `kernel` `[out, in/groups, k…]`, `N` spatial axes:
///
/// `y[b, o, i…] = bias[o] + Σ_{c, t…} kernel[o, c, t…] x̄[b, c, i·stride + t·dilation − before…]`
///
/// where x̄ is `x` with what [`Conv::mode`] puts around it. The result is `[batch, out, m…]`,
/// `m = (before + n + after − dilation·(k − 1) − 1)/stride + 1`, rounded down.
///
/// On the CPU f32 and f64 sums are formed in the tensors' own precision, in an order that depends
/// on the shapes alone. Where something infinite or NaN enters, kernel gradients may be NaN in more
/// places than the formula has. Other devices and types sum matrix products tap by tap.
/// Gradients are tested to third order.
///
/// # Errors
/// [`Error::Shape`], [`Error::Count`], [`Error::InvalidArgument`] when shapes, strides, dilations,
/// groups or padding do not fit; [`Error::DType`] and [`Error::Device`] when the tensors differ in
/// these.
///
/// # Example
/// ```
/// use ansatz_ops::{Conv, Padding, conv};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // The second difference on a ring.
/// let u = Tensor::new(&[[[0f64, 1., 4., 9.]]], &Device::Cpu)?;
/// let stencil = Tensor::new(&[[[1f64, -2., 1.]]], &Device::Cpu)?;
/// let ring = Conv::<1>::default().padded(1, Padding::Circular);
/// let d2 = conv(&u, &stencil, None, &ring)?;
/// assert_eq!(d2.flatten_all()?.to_vec1::<f64>()?, [10., 2., 2., -14.]);
/// # Ok(())
/// # }
/// ```
pub fn conv<const N: usize>(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    options: &Conv<N>,
) -> Result<Tensor> {
    let geo = Geometry::forward(x, kernel, options)?;
    check(["kernel of conv", "bias of conv"], x, kernel, bias, geo.outputs)?;
    forward(x, kernel, bias, geo)
}

/// The transpose of [`conv`]: takes `x` `[batch, in, m…]` with `kernel` `[in, out/groups, k…]` to
/// `[batch, out, n…]`,
/// `n = (m − 1)·stride + dilation·(k − 1) + 1 + output_padding − before − after`.
///
/// For every `u` of the shape of the result, `⟨conv(u, kernel), x⟩ = ⟨u, conv_transpose(x, kernel)⟩`
/// with the same options: what [`Conv::padding`] put around `u` is taken off here, zeros by
/// cutting off, other modes by adding it to the points it was copied from (periodic prolongation
/// with [`Padding::Circular`](crate::Padding::Circular), say). `output_padding` (less than the
/// stride) chooses among the lengths that `conv` takes to `m`. Gradients are tested to third order.
///
/// # Errors
/// As [`conv`].
///
/// # Example
/// ```
/// use ansatz_ops::{Conv, conv_transpose};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // Linear interpolation to twice the points.
/// let coarse = Tensor::new(&[[[1f64, 3., 2.]]], &Device::Cpu)?;
/// let hat = Tensor::new(&[[[0.5f64, 1., 0.5]]], &Device::Cpu)?;
/// let fine = conv_transpose(&coarse, &hat, None, &Conv::<1>::default().with_stride(2), [0])?;
/// assert_eq!(fine.flatten_all()?.to_vec1::<f64>()?, [0.5, 1., 2., 3., 2.5, 2., 1.]);
/// # Ok(())
/// # }
/// ```
pub fn conv_transpose<const N: usize>(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    options: &Conv<N>,
    output_padding: [usize; N],
) -> Result<Tensor> {
    let geo = Geometry::transposed(x, kernel, options, output_padding)?;
    let what = ["kernel of conv_transpose", "bias of conv_transpose"];
    check(what, x, kernel, bias, geo.inputs)?;
    spread(x, kernel, bias, geo)
}

/// That the operands fit in dtype and device, and the bias has `channels` elements.
fn check(
    what: [&'static str; 2],
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    channels: usize,
) -> Result<()> {
    for (what, t) in what.into_iter().zip([Some(kernel), bias]) {
        let Some(t) = t else { continue };
        if t.dtype() != x.dtype() {
            return Err(Error::DType { what, expected: x.dtype(), got: t.dtype() });
        }
        if !t.device().same_device(x.device()) {
            let (expected, got) = (x.device().location(), t.device().location());
            return Err(Error::Device { what, expected, got });
        }
    }
    match bias {
        Some(b) if b.dims() != [channels] => {
            Err(Error::Shape { what: what[1], expected: channels.into(), got: b.shape().clone() })
        }
        _ => Ok(()),
    }
}

fn forward(x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>, geo: Geometry) -> Result<Tensor> {
    let batch = x.dims()[0];
    by_float!(x, T => {
        let (xc, kc) = (x.contiguous()?, kernel.contiguous()?);
        let bc = bias.map(Tensor::contiguous).transpose()?;
        let bv = bc.as_ref().map(values::<T>).transpose()?;
        let (xv, kv) = (values::<T>(&xc)?, values::<T>(&kc)?);
        let out = kernels::forward::<T>(&xv, &kv, bv.as_deref(), batch, &geo);
        drop((xv, kv, bv));
        node("conv", [x, kernel], bias, out, geo.y_shape(batch), move |x, kernel, g| {
            let on = |t: &Tensor| t.track_op();
            Ok([
                on(x).then(|| spread(g, kernel, None, geo)).transpose()?,
                on(kernel).then(|| contraction(x, g, geo)).transpose()?,
            ])
        })
    }, _ => with_bias(&composed::forward(x, kernel, &geo)?, bias))
}

fn spread(y: &Tensor, kernel: &Tensor, bias: Option<&Tensor>, geo: Geometry) -> Result<Tensor> {
    let batch = y.dims()[0];
    by_float!(y, T => {
        let (yc, kc) = (y.contiguous()?, kernel.contiguous()?);
        let bc = bias.map(Tensor::contiguous).transpose()?;
        let bv = bc.as_ref().map(values::<T>).transpose()?;
        let (yv, kv) = (values::<T>(&yc)?, values::<T>(&kc)?);
        let fold = !geo.pads_zeros();
        let inner = if fold { geo.unpadded() } else { geo };
        // A bias goes to every point once, so not to those that are still to be folded.
        let early = if fold { None } else { bv.as_deref() };
        let mut out = kernels::spread::<T>(&yv, &kv, early, batch, &inner);
        drop((yv, kv));
        if fold {
            out = fold_values(&out, &geo.axes.map(|a| a.pad));
            let size = geo.axes.iter().map(|a| a.pad.n).product::<usize>().max(1);
            if let Some(bias) = bv.as_deref() {
                for (plane, b) in out.chunks_mut(size).zip(bias.iter().cycle()) {
                    for o in plane {
                        *o += *b;
                    }
                }
            }
        }
        drop(bv);
        node("conv_transpose", [y, kernel], bias, out, geo.x_shape(batch), move |y, kernel, g| {
            let on = |t: &Tensor| t.track_op();
            Ok([
                on(y).then(|| forward(g, kernel, None, geo)).transpose()?,
                on(kernel).then(|| contraction(g, y, geo)).transpose()?,
            ])
        })
    }, _ => with_bias(&composed::spread(y, kernel, &geo)?, bias))
}

/// The gradient of the kernel: `Σ` over images and places of `x` times `y`.
fn contraction(x: &Tensor, y: &Tensor, geo: Geometry) -> Result<Tensor> {
    let batch = x.dims()[0];
    by_float!(x, T => {
        let (xc, yc) = (x.contiguous()?, y.contiguous()?);
        let (xv, yv) = (values::<T>(&xc)?, values::<T>(&yc)?);
        let out = contraction::contraction::<T>(&xv, &yv, batch, &geo);
        drop((xv, yv));
        node("conv_kernel", [x, y], None, out, geo.kernel_shape(), move |x, y, g| {
            let on = |t: &Tensor| t.track_op();
            Ok([
                on(x).then(|| spread(y, g, None, geo)).transpose()?,
                on(y).then(|| forward(x, g, None, geo)).transpose()?,
            ])
        })
    }, _ => Err(Error::DType { // only reached from the kernels above
        what: "conv_kernel",
        expected: candle_core::DType::F32,
        got: x.dtype(),
    }))
}

/// A node of two operands and perhaps a bias.
fn node<T, F>(
    name: &'static str,
    [a, b]: [&Tensor; 2],
    bias: Option<&Tensor>,
    out: Vec<T>,
    shape: candle_core::Shape,
    vjp: F,
) -> Result<Tensor>
where
    T: crate::cpu::Float,
    F: Fn(&Tensor, &Tensor, &Tensor) -> Result<[Option<Tensor>; 2]> + Send + Sync + 'static,
{
    let (first, second) = (a.clone(), b.clone());
    let to_bias = bias.is_some_and(Tensor::track_op);
    let mut inputs = vec![a, b];
    inputs.extend(bias);
    let count = inputs.len();
    attach(name, &inputs, out, shape, move |_, g| {
        let mut gradients = vjp(&first, &second, g)?.to_vec();
        gradients.push(if to_bias { Some(channel_sums(g)?) } else { None });
        gradients.truncate(count);
        Ok(gradients)
    })
}

#[cfg(test)]
mod tests;
