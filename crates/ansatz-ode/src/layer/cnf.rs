//! Densities by continuous normalising flows: [`Cnf`].

use std::sync::Arc;

use ansatz_core::{Error as CoreError, Jet, Key, Module, Result as CoreResult};
use candle_core::Tensor;

use super::{OdeField, Scheme};
use crate::{Adjoint, Controller, ErrorNorm, Method, Solves, Span, VectorField};

/// A continuous normalising flow: a standard normal variable `z(t₀)`, carried along
/// `dz/dt = network(z, t)` to the data `x = z(t₁)` (R. T. Q. Chen et al. 2018, arXiv:1806.07366).
///
/// `log p(x) = log p(z(t₀)) − ∫ tr(∂f/∂z) dt` over the interval (instantaneous change of variables,
/// their theorem 1). The trace is computed by forward mode, exactly or by Hutchinson's estimate
/// (W. Grathwohl et al. 2019, *FFJORD*, arXiv:1810.01367): see [`Trace`].
///
/// The network maps `[batch, d]`, with [`with_time`](Self::with_time) `[batch, d + 1]`, to
/// `[batch, d]`, and is a module on jets as well as on tensors, as those of `ansatz-nn` are.
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor, Var};
/// use ansatz_ode::core::{Module, Result, TensorLike};
/// use ansatz_ode::{Cnf, Trace};
///
/// /// z ↦ tanh(z) W.
/// struct Network(Tensor);
///
/// impl<T: TensorLike> Module<T> for Network {
///     fn forward(&self, z: &T) -> Result<T> {
///         z.tanh()?.dense(&self.0, None)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let weight = Var::new(&[[0.3f64, 0.5], [-0.5, 0.1]], &Device::Cpu)?;
/// let flow = Cnf::new(Network(weight.as_tensor().clone()), (0.0, 1.0));
/// let data = Tensor::new(&[[0.2f64, -0.4], [1.0, 0.3]], &Device::Cpu)?; // [batch, d]
/// let loss = flow.log_density(&data, &Trace::Exact)?.mean_all()?.neg()?;
/// assert_eq!(loss.backward()?.get(&weight).unwrap().dims(), [2, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Cnf<N, S = Scheme> {
    network: Arc<N>,
    reads_time: bool,
    span: Span,
    scheme: S,
}

/// How the trace of the Jacobian is found.
#[derive(Debug, Clone)]
pub enum Trace {
    /// From all columns of the Jacobian: as many directions as components.
    Exact,
    /// The mean of `εᵀ (∂f/∂z) ε` over the noise `ε`, `[count, batch, d]`, whose components have mean 0
    /// and variance 1: without bias, for one direction each. The noise is that of the whole solve.
    Hutchinson(Tensor),
}

impl Trace {
    /// Hutchinson's estimate for the data `x` with `count` vectors of random signs, the choice of
    /// least variance. Take another key for every step of a training.
    ///
    /// # Errors
    /// When `x` is not `[batch, d]`.
    pub fn hutchinson(key: &Key, count: usize, x: &Tensor) -> CoreResult<Self> {
        let (batch, d) = x.dims2()?;
        let shape = [count, batch, d];
        Ok(Self::Hutchinson(key.rademacher_tensor(&shape[..], x.dtype(), x.device())?))
    }
}

/// What a flow makes of data.
#[derive(Debug, Clone)]
pub struct Flowed {
    /// Where the data come from: `z(t₀)`, `[batch, d]`.
    pub base: Tensor,
    /// `log p(x)`, `[batch]`.
    pub log_density: Tensor,
    /// `∫ ‖f‖² dt`, `[batch]` (C. Finlay et al. 2020, arXiv:2002.02798, eq. 5).
    pub kinetic_energy: Tensor,
    /// `∫ ‖∂f/∂z‖² dt` in the Frobenius norm, `[batch]` (eq. 6), estimated where the trace is.
    pub jacobian_norm: Tensor,
}

/// Columns beside the state: the logarithm of the volume, and two integrals.
const VOLUME: usize = 1;
const INTEGRALS: usize = 2;

impl<N> Cnf<N> {
    /// The flow of `network` over `span`, from the normal variable to the data.
    pub fn new(network: N, span: impl Into<Span>) -> Self {
        let (network, scheme) = (Arc::new(network), Scheme::default());
        Self { network, reads_time: false, span: span.into(), scheme }
    }
}

impl<N, S> Cnf<N, S> {
    /// Gives the network the time as one more feature, the last one.
    #[must_use]
    pub fn with_time(self) -> Self {
        Self { reads_time: true, ..self }
    }

    /// Chooses method, step size control and adjoint.
    pub fn scheme<M, C, A>(self, scheme: Scheme<M, C, A>) -> Cnf<N, Scheme<M, C, A>> {
        let Self { network, reads_time, span, .. } = self;
        Cnf { network, reads_time, span, scheme }
    }

    fn field(&self, trace: &Trace, x: &Tensor, integrals: bool) -> CoreResult<CnfField<N>> {
        let (batch, d) = x.dims2()?;
        let (directions, noise) = match trace {
            Trace::Exact => {
                let unit = Tensor::eye(d, x.dtype(), x.device())?.unsqueeze(1)?;
                (unit.clone(), Noise { vectors: unit, count: 1 })
            }
            Trace::Hutchinson(noise) => {
                let count = noise.dims().first().copied().unwrap_or(0);
                if noise.dims() != [count, batch, d] || count == 0 {
                    return Err(CoreError::Shape {
                        what: "noise of Hutchinson's estimate",
                        expected: format!("[count, {batch}, {d}] with a count above 0"),
                        got: format!("{:?}", noise.dims()),
                    });
                }
                (noise.clone(), Noise { vectors: noise.clone(), count })
            }
        };
        // Time does not move with the state.
        let directions =
            if self.reads_time { directions.pad_with_zeros(2, 0, 1)? } else { directions };
        let (network, reads_time) = (self.network.clone(), self.reads_time);
        Ok(CnfField { network, reads_time, d, directions, noise, integrals })
    }
}

impl<N, M, C, A> Cnf<N, Scheme<M, C, A>>
where
    M: Method + Solves<CnfField<N>, Tensor>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
    A: Adjoint<CnfField<N>, Tensor, M, C> + Clone,
{
    /// `log p(x)` for data `x`, `[batch, d]` to `[batch]`.
    ///
    /// # Errors
    /// When shapes do not fit, or the solve fails.
    pub fn log_density(&self, x: &Tensor, trace: &Trace) -> CoreResult<Tensor> {
        let end = self.back(x, trace, false)?;
        let d = x.dim(1)?;
        let volume = end.narrow(1, d, 1)?.squeeze(1)?;
        Ok((standard_normal(&end.narrow(1, 0, d)?)? + volume)?)
    }

    /// The density with the integrals that make a flow simple to solve when they are added to the loss.
    /// They enter the error control of the solve as well.
    ///
    /// # Errors
    /// When shapes do not fit, or the solve fails.
    pub fn evaluate(&self, x: &Tensor, trace: &Trace) -> CoreResult<Flowed> {
        let end = self.back(x, trace, true)?;
        let d = x.dim(1)?;
        let column = |k: usize| -> CoreResult<Tensor> { Ok(end.narrow(1, d + k, 1)?.squeeze(1)?) };
        let base = end.narrow(1, 0, d)?;
        Ok(Flowed {
            log_density: (standard_normal(&base)? + column(0)?)?,
            // Integrated against the direction of the flow.
            kinetic_energy: (column(1)? * -self.span.direction())?,
            jacobian_norm: (column(2)? * -self.span.direction())?,
            base,
        })
    }

    /// From the data to the normal variable, with the integrals in more columns.
    fn back(&self, x: &Tensor, trace: &Trace, integrals: bool) -> CoreResult<Tensor> {
        if x.rank() != 2 {
            return Err(CoreError::Shape {
                what: "data of a continuous normalising flow",
                expected: "[batch, d]".into(),
                got: format!("{:?}", x.dims()),
            });
        }
        let field = self.field(trace, x, integrals)?;
        let y0 = x.pad_with_zeros(1, 0, VOLUME + if integrals { INTEGRALS } else { 0 })?;
        let solution = self.scheme.run(field, y0, self.span.reversed(), None, &[])?;
        Ok(solution.y_end)
    }
}

impl<N, M, C, A> Cnf<N, Scheme<M, C, A>>
where
    N: Module<Tensor>,
    M: Method + Solves<OdeField<N>, Tensor>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
    A: Adjoint<OdeField<N>, Tensor, M, C> + Clone,
{
    /// Carries normal variables `z`, `[batch, d]`, to data.
    ///
    /// # Errors
    /// When shapes do not fit, or the solve fails.
    pub fn sample(&self, z: &Tensor) -> CoreResult<Tensor> {
        let field = OdeField::new(self.network.clone(), self.reads_time);
        Ok(self.scheme.run(field, z.clone(), self.span.clone(), None, &[])?.y_end)
    }
}

/// `log N(z; 0, 1)` of each row.
fn standard_normal(z: &Tensor) -> CoreResult<Tensor> {
    let constant = -0.5 * z.dim(1)? as f64 * std::f64::consts::TAU.ln();
    Ok(((z.sqr()?.sum(1)? * -0.5)? + constant)?)
}

/// The vectors whose products with the Jacobian's give its trace, and of how many that is a mean.
#[derive(Debug, Clone)]
struct Noise {
    vectors: Tensor,
    count: usize,
}

/// The vector field of a [`Cnf`]: `f`, `tr ∂f/∂z`, and where wanted `‖f‖²` and `‖∂f/∂z‖²`.
#[derive(Debug)]
pub struct CnfField<N> {
    network: Arc<N>,
    reads_time: bool,
    d: usize,
    directions: Tensor,
    noise: Noise,
    integrals: bool,
}

impl<N> Clone for CnfField<N> {
    fn clone(&self) -> Self {
        let Self { reads_time, d, integrals, .. } = *self;
        let (network, directions) = (self.network.clone(), self.directions.clone());
        Self { network, reads_time, d, directions, noise: self.noise.clone(), integrals }
    }
}

impl<N: Module<Jet>> VectorField<Tensor> for CnfField<N> {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> CoreResult<()> {
        let mut z = y.narrow(1, 0, self.d)?;
        if self.reads_time {
            let time = z.narrow(1, 0, 1)?.ones_like()?.affine(t, 0.0)?;
            z = Tensor::cat(&[z, time], 1)?;
        }
        let jet = self.network.forward(&Jet::seed(&z, &self.directions, 1)?)?;
        let slope = jet.value()?;
        if slope.dims() != [y.dim(0)?, self.d] {
            return Err(CoreError::Shape {
                what: "value of the network of a continuous normalising flow",
                expected: format!("[{}, {}]", y.dim(0)?, self.d),
                got: format!("{:?}", slope.dims()),
            });
        }
        let products = jet.coefficients(1)?;
        let mean = 1.0 / self.noise.count as f64;
        let over =
            |x: Tensor| -> CoreResult<Tensor> { Ok((x.sum(2)?.sum(0)?.unsqueeze(1)? * mean)?) };
        let trace = over(products.broadcast_mul(&self.noise.vectors)?)?;
        *dy = if self.integrals {
            let speed = slope.sqr()?.sum_keepdim(1)?;
            let norm = over(products.sqr()?)?;
            Tensor::cat(&[slope, trace, speed, norm], 1)?
        } else {
            Tensor::cat(&[slope, trace], 1)?
        };
        Ok(())
    }
}
