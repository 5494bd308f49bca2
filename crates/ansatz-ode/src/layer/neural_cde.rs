//! The neural controlled differential equation as a layer: [`NeuralCde`].

use std::sync::Arc;

use ansatz_core::{Error as CoreError, Module, Result as CoreResult, TensorLike};
use candle_core::Tensor;

use super::{Scheme, output};
use crate::{
    Adjoint, ControlPath, Controlled, Controller, DataPath, ErrorNorm, Interpolation, Method,
    Result, Solves, VectorField,
};

/// The layer that reads a time series by `dy = tanh(network(y)) dX`, `y(t₀) = initial(X(t₀))`
/// (P. Kidger, J. Morrill, J. Foster, T. Lyons 2020, arXiv:2005.08926), for a path `X` through the
/// data.
///
/// As a [`Module`] it maps data `[batch, times, channels]`, NaN where missing, to the hidden state
/// at the last time, `[batch, hidden]`; with [`save_at`](Self::save_at) to the states there,
/// `[batch, times, hidden]`. [`along`](Self::along) takes a path instead. What is to be predicted is
/// read from the hidden state by another layer.
///
/// `initial` maps `[batch, channels]` to `[batch, hidden]`, `network` maps `[batch, hidden]` to
/// `[batch, hidden · channels]`: for each hidden unit a row that acts on the channels. Both count
/// the channels of the path: a rectilinear one has one more than its data.
///
/// ```
/// use ansatz_ode::NeuralCde;
/// use ansatz_ode::core::{Module, candle::{Device, Tensor, Var}};
///
/// # fn main() -> ansatz_ode::core::Result<()> {
/// let cpu = &Device::Cpu;
/// let (u, v) = (Var::randn(0f32, 1.0, (2, 3), cpu)?, Var::randn(0f32, 1.0, (3, 6), cpu)?);
/// let (read, move_on) = (u.as_tensor().clone(), v.as_tensor().clone());
/// let layer = NeuralCde::new(
///     move |x: &Tensor| Ok(x.matmul(&read)?),
///     move |y: &Tensor| Ok(y.matmul(&move_on)?),
/// )
/// .times([0.0, 0.7, 1.0]);
/// let data = Tensor::new(&[[[0f32, 1.0], [0.7, f32::NAN], [1.0, 3.0]]], cpu)?;
/// let hidden = layer.forward(&data)?;
/// assert_eq!(hidden.dims(), [1, 3]);
/// assert!(hidden.sum_all()?.backward()?.get(&v).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct NeuralCde<I, N, S = Scheme> {
    initial: I,
    field: CdeField<N>,
    interpolation: Interpolation,
    data_times: Option<Vec<f64>>,
    times: Option<Vec<f64>>,
    scheme: S,
}

impl<I: Module<Tensor>, N: Module<Tensor>> NeuralCde<I, N> {
    /// The layer with these two networks, for data at the times 0, 1, 2, … interpolated by Hermite
    /// polynomials.
    pub fn new(initial: I, network: N) -> Self {
        Self {
            initial,
            field: CdeField { network: Arc::new(network) },
            interpolation: Interpolation::default(),
            data_times: None,
            times: None,
            scheme: Scheme::default(),
        }
    }
}

impl<I, N, S> NeuralCde<I, N, S> {
    /// The times of the data. Series with times of their own go [`along`](Self::along) a path of
    /// their own, or share the times of all, with missing values.
    #[must_use]
    pub fn times(self, times: impl Into<Vec<f64>>) -> Self {
        Self { data_times: Some(times.into()), ..self }
    }

    /// How a path is laid through the data.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        Self { interpolation, ..self }
    }

    /// Returns the hidden states at these times, increasing.
    #[must_use]
    pub fn save_at(self, times: impl Into<Vec<f64>>) -> Self {
        Self { times: Some(times.into()), ..self }
    }

    /// Chooses method, step size control and adjoint.
    pub fn scheme<M, C, A>(self, scheme: Scheme<M, C, A>) -> NeuralCde<I, N, Scheme<M, C, A>> {
        let Self { initial, field, interpolation, data_times, times, .. } = self;
        NeuralCde { initial, field, interpolation, data_times, times, scheme }
    }
}

impl<I, N, M, C, A> NeuralCde<I, N, Scheme<M, C, A>>
where
    I: Module<Tensor>,
{
    /// The hidden state after `path` was read.
    ///
    /// # Errors
    /// When shapes do not fit, or the solve fails.
    pub fn along<P>(&self, path: P) -> Result<Tensor>
    where
        P: ControlPath,
        M: Method + Solves<Controlled<P, CdeField<N>>, Tensor>,
        C: Controller<M>,
        C::Norm: ErrorNorm<Tensor>,
        N: Module<Tensor>,
        A: Adjoint<Controlled<P, CdeField<N>>, Tensor, M, C> + Clone,
    {
        let span = path.interval();
        let y0 = self.initial.forward(&path.value(span.0)?)?;
        let jumps = path.jumps().to_vec();
        let field = Controlled::new(path, self.field.clone());
        let times = self.times.as_deref();
        output(&self.scheme.run(field, y0, span.into(), times, &jumps)?, times)
    }
}

impl<I, N, M, C, A> Module<Tensor> for NeuralCde<I, N, Scheme<M, C, A>>
where
    I: Module<Tensor>,
    N: Module<Tensor>,
    M: Method + Solves<Controlled<DataPath, CdeField<N>>, Tensor>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
    A: Adjoint<Controlled<DataPath, CdeField<N>>, Tensor, M, C> + Clone,
{
    fn forward(&self, data: &Tensor) -> CoreResult<Tensor> {
        let counted: Vec<f64>;
        let times = if let Some(times) = &self.data_times {
            times
        } else {
            let count = data.dims().get(1).copied().unwrap_or(0);
            counted = (0..count).map(|i| i as f64).collect();
            &counted
        };
        Ok(self.along(DataPath::new(self.interpolation, times, data)?)?)
    }
}

/// The matrices `tanh(network(y))` of a [`NeuralCde`], `[batch, hidden, channels]`.
#[derive(Debug)]
pub struct CdeField<N> {
    network: Arc<N>,
}

impl<N> Clone for CdeField<N> {
    fn clone(&self) -> Self {
        Self { network: self.network.clone() }
    }
}

impl<N: Module<Tensor>> VectorField<Tensor> for CdeField<N> {
    fn eval_into(&self, _: f64, y: &Tensor, dy: &mut Tensor) -> CoreResult<()> {
        let entries = self.network.forward(y)?;
        let (batch, hidden) = y.dims2()?;
        if hidden == 0
            || entries.rank() != 2
            || entries.dims()[0] != batch
            || !entries.dims()[1].is_multiple_of(hidden)
        {
            return Err(CoreError::Shape {
                what: "network of a NeuralCde",
                expected: format!("[batch = {batch}, hidden = {hidden} times the channels]"),
                got: format!("{:?}", entries.dims()),
            });
        }
        let channels = entries.dims()[1] / hidden;
        *dy = TensorLike::tanh(&entries)?.reshape((batch, hidden, channels))?;
        Ok(())
    }
}
