//! The control `X` of a controlled equation `dy = f(t, y) dX`: [`ControlPath`], and [`DataPath`]
//! through observations.

mod channels;
mod cubic;
mod data_path;
mod hermite;
mod linear;
mod natural_spline;
mod observations;
mod rectilinear;

pub use channels::{forward_fill, with_counts, with_time};
pub use data_path::{DataPath, Interpolation};

use std::sync::Arc;

use candle_core::Tensor;

use crate::Result;

/// A path `X(t)` of shape `[batch, channels]` that drives a [`Controlled`](crate::Controlled)
/// equation.
///
/// A path known in closed form implements the methods without a default; one that is fixed by
/// tensors which may need gradients also gives these ([`tensors`](Self::tensors)) and its
/// derivative for other values of them.
pub trait ControlPath {
    /// From where to where the path is given, in increasing order.
    fn interval(&self) -> (f64, f64);

    /// Number of paths.
    fn batch(&self) -> usize;

    /// Dimension of each path.
    fn channels(&self) -> usize;

    /// `X(t)`, `[batch, channels]`.
    ///
    /// # Errors
    /// When `t` lies outside the interval, or a tensor operation fails.
    fn value(&self, t: f64) -> Result<Tensor>;

    /// `dX/dt`, `[batch, channels]`. Where it jumps, from the right, and at the end of the
    /// interval from the left: a solve that was told the [`jumps`](Self::jumps) does not ask there.
    ///
    /// # Errors
    /// When `t` lies outside the interval, or a tensor operation fails.
    fn derivative(&self, t: f64) -> Result<Tensor>;

    /// The times at which one piece of the path ends and the next begins, increasing; none for a
    /// path that is smooth throughout. `solve(…).jumps(path.knots())` makes steps end there.
    fn knots(&self) -> &[f64] {
        &[]
    }

    /// Those knots at which the derivative jumps: steps must end there for a method to keep its
    /// order.
    fn jumps(&self) -> &[f64] {
        self.knots()
    }

    /// The tensors that fix the path, through which gradients flow to data.
    fn tensors(&self) -> &[Tensor] {
        &[]
    }

    /// [`derivative`](Self::derivative) with other values in place of the
    /// [`tensors`](Self::tensors).
    ///
    /// # Errors
    /// As [`derivative`](Self::derivative).
    fn derivative_with(&self, t: f64, tensors: &[Tensor]) -> Result<Tensor> {
        let _ = tensors;
        self.derivative(t)
    }
}

impl<P: ControlPath + ?Sized> ControlPath for Arc<P> {
    fn interval(&self) -> (f64, f64) {
        (**self).interval()
    }

    fn batch(&self) -> usize {
        (**self).batch()
    }

    fn channels(&self) -> usize {
        (**self).channels()
    }

    fn value(&self, t: f64) -> Result<Tensor> {
        (**self).value(t)
    }

    fn derivative(&self, t: f64) -> Result<Tensor> {
        (**self).derivative(t)
    }

    fn knots(&self) -> &[f64] {
        (**self).knots()
    }

    fn jumps(&self) -> &[f64] {
        (**self).jumps()
    }

    fn tensors(&self) -> &[Tensor] {
        (**self).tensors()
    }

    fn derivative_with(&self, t: f64, tensors: &[Tensor]) -> Result<Tensor> {
        (**self).derivative_with(t, tensors)
    }
}
