//! How gradients flow through a solve: [`Adjoint`], one file for each.

use ansatz_core::State;

use crate::{Controller, ErrorNorm, Result, Solution, Solve, Solves, solve::forward};

#[cfg(feature = "candle")]
pub(crate) mod attach;
#[cfg(feature = "candle")]
mod backsolve;
#[cfg(feature = "candle")]
mod checkpoint;
#[cfg(feature = "candle")]
mod crossing;
#[cfg(feature = "candle")]
mod direct;
#[cfg(feature = "candle")]
mod saves;
#[cfg(feature = "candle")]
pub(crate) mod step;

#[cfg(feature = "candle")]
pub use backsolve::Backsolve;
#[cfg(feature = "candle")]
pub use checkpoint::RecursiveCheckpoint;
#[cfg(feature = "candle")]
pub use direct::Direct;

/// A way to run a solve and to differentiate it.
pub trait Adjoint<F, Y, M, C>: Sized {
    /// Runs the solve described.
    ///
    /// # Errors
    /// As [`Solve::run`].
    fn run(solve: Solve<F, Y, M, C, Self>) -> Result<Solution<Y>>;
}

/// The adjoint a state uses unless another one is named.
pub trait DefaultAdjoint: State {
    /// The adjoint.
    type Adjoint: Default;
}

impl DefaultAdjoint for f64 {
    type Adjoint = NoGradient;
}

impl<const N: usize> DefaultAdjoint for [f64; N] {
    type Adjoint = NoGradient;
}

impl DefaultAdjoint for Vec<f64> {
    type Adjoint = NoGradient;
}

/// Values only, for pairs of tensors too: gradients need the state in one tensor, positions and
/// momenta stacked along an axis.
impl<Q: State, P: State> DefaultAdjoint for (Q, P) {
    type Adjoint = NoGradient;
}

#[cfg(feature = "candle")]
impl DefaultAdjoint for candle_core::Tensor {
    type Adjoint = RecursiveCheckpoint;
}

/// Values only: the solution of a tensor problem is detached from the graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoGradient;

impl<F, Y, M, C> Adjoint<F, Y, M, C> for NoGradient
where
    Y: State,
    M: Solves<F, Y>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
{
    fn run(solve: Solve<F, Y, M, C, Self>) -> Result<Solution<Y>> {
        Ok(forward(&solve, None)?.0)
    }
}
