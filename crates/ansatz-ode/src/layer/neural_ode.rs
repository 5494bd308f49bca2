//! The neural ordinary differential equation as a layer: [`NeuralOde`].

use std::sync::Arc;

use ansatz_core::{Error as CoreError, Module, Result as CoreResult};
use candle_core::Tensor;

use super::{Scheme, output};
use crate::{Adjoint, Controller, ErrorNorm, Method, Solves, Span, VectorField};

/// The layer `x ↦ y(t₁)` with `dy/dt = network(y)`, `y(t₀) = x` (R. T. Q. Chen, Y. Rubanova,
/// J. Bettencourt, D. Duvenaud 2018, arXiv:1806.07366).
///
/// Input `[batch, features, …]`, output of the same shape, with [`augment`](Self::augment)ed
/// features; with [`save_at`](Self::save_at) `[batch, times, features, …]`. The network keeps the
/// shape of the state; its parameters receive gradients as in any other layer.
///
/// ```
/// use ansatz_ode::NeuralOde;
/// use ansatz_ode::core::{Module, candle::{Device, Tensor, Var}};
///
/// # fn main() -> ansatz_ode::core::Result<()> {
/// let weight = Var::new(&[[-0.1f32, 2.0], [-2.0, -0.1]], &Device::Cpu)?;
/// let w = weight.as_tensor().clone();
/// let layer = NeuralOde::new(move |y: &Tensor| Ok(y.tanh()?.matmul(&w)?), (0.0, 1.0));
/// let x = Tensor::new(&[[2f32, 0.0], [1.0, 1.0]], &Device::Cpu)?; // [batch, features]
/// let gradients = layer.forward(&x)?.sqr()?.mean_all()?.backward()?;
/// assert_eq!(gradients.get(&weight).unwrap().dims(), [2, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct NeuralOde<N, S = Scheme> {
    field: OdeField<N>,
    span: Span,
    times: Option<Vec<f64>>,
    augment: usize,
    scheme: S,
}

impl<N: Module<Tensor>> NeuralOde<N> {
    /// The layer that solves over `span` with the right-hand side `network`.
    pub fn new(network: N, span: impl Into<Span>) -> Self {
        Self {
            field: OdeField::new(Arc::new(network), false),
            span: span.into(),
            times: None,
            augment: 0,
            scheme: Scheme::default(),
        }
    }
}

impl<N, S> NeuralOde<N, S> {
    /// Starts with this many more features (axis 1), zero at first, so that trajectories can pass
    /// one another (E. Dupont, A. Doucet, Y. W. Teh 2019, arXiv:1904.01681). The output has them too.
    #[must_use]
    pub fn augment(self, features: usize) -> Self {
        Self { augment: features, ..self }
    }

    /// Gives the network the time as one more feature, the last one. It then has one input more
    /// than outputs.
    #[must_use]
    pub fn with_time(mut self) -> Self {
        self.field.reads_time = true;
        self
    }

    /// Returns the states at these times, which run along the interval.
    #[must_use]
    pub fn save_at(self, times: impl Into<Vec<f64>>) -> Self {
        Self { times: Some(times.into()), ..self }
    }

    /// Chooses method, step size control and adjoint.
    pub fn scheme<M, C, A>(self, scheme: Scheme<M, C, A>) -> NeuralOde<N, Scheme<M, C, A>> {
        let Self { field, span, times, augment, .. } = self;
        NeuralOde { field, span, times, augment, scheme }
    }
}

impl<N, M, C, A> Module<Tensor> for NeuralOde<N, Scheme<M, C, A>>
where
    N: Module<Tensor>,
    M: Method + Solves<OdeField<N>, Tensor>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
    A: Adjoint<OdeField<N>, Tensor, M, C> + Clone,
{
    fn forward(&self, x: &Tensor) -> CoreResult<Tensor> {
        if x.rank() < 2 {
            return Err(CoreError::Shape {
                what: "input of a NeuralOde",
                expected: "[batch, features, …]".into(),
                got: format!("{:?}", x.dims()),
            });
        }
        let y0 = match self.augment {
            0 => x.clone(),
            features => x.pad_with_zeros(1, 0, features)?,
        };
        let times = self.times.as_deref();
        let solution = self.scheme.run(self.field.clone(), y0, self.span.clone(), times, &[])?;
        Ok(output(&solution, times)?)
    }
}

/// The vector field of a [`NeuralOde`].
#[derive(Debug)]
pub struct OdeField<N> {
    network: Arc<N>,
    reads_time: bool,
}

impl<N> OdeField<N> {
    pub(super) fn new(network: Arc<N>, reads_time: bool) -> Self {
        Self { network, reads_time }
    }
}

impl<N> Clone for OdeField<N> {
    fn clone(&self) -> Self {
        Self { network: self.network.clone(), reads_time: self.reads_time }
    }
}

impl<N: Module<Tensor>> VectorField<Tensor> for OdeField<N> {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> CoreResult<()> {
        *dy = if self.reads_time {
            let time = y.narrow(1, 0, 1)?.ones_like()?.affine(t, 0.0)?;
            self.network.forward(&Tensor::cat(&[y, &time], 1)?)?
        } else {
            self.network.forward(y)?
        };
        Ok(())
    }
}
