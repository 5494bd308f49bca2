//! Differential equations as layers of a model: [`NeuralOde`], [`NeuralCde`], [`Cnf`].

mod cnf;
mod local_estimates;
mod neural_cde;
mod neural_ode;

pub use cnf::{Cnf, CnfField, Flowed, Trace};
pub use local_estimates::LocalEstimates;
pub use neural_cde::{CdeField, NeuralCde};
pub use neural_ode::{NeuralOde, OdeField};

use candle_core::Tensor;

use crate::{
    Adjoint, Controller, ErrorNorm, Method, Pid, RecursiveCheckpoint, Result, Save, Solution,
    Solves, Span, Tsit5, solve,
};

/// How a layer solves its equation: the same choices as for any [`solve`].
///
/// By default `Tsit5` with relative and absolute tolerance 1e-4, differentiated by
/// [`RecursiveCheckpoint`].
///
/// ```
/// use ansatz_ode::{Direct, FixedStep, Rk4, Scheme};
///
/// let fixed = Scheme { method: Rk4, controller: FixedStep { step: 0.1 }, adjoint: Direct };
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheme<M = Tsit5, C = Pid, A = RecursiveCheckpoint> {
    /// The method.
    pub method: M,
    /// The control of the step size.
    pub controller: C,
    /// How gradients are computed.
    pub adjoint: A,
}

impl Default for Scheme {
    fn default() -> Self {
        Self {
            method: Tsit5,
            controller: Pid::i(1e-4, 1e-4),
            adjoint: RecursiveCheckpoint::default(),
        }
    }
}

impl<M, C, A> Scheme<M, C, A> {
    fn run<F>(
        &self,
        field: F,
        y0: Tensor,
        span: Span,
        times: Option<&[f64]>,
        jumps: &[f64],
    ) -> Result<Solution<Tensor>>
    where
        M: Method + Solves<F, Tensor>,
        C: Controller<M>,
        C::Norm: ErrorNorm<Tensor>,
        A: Adjoint<F, Tensor, M, C> + Clone,
    {
        let save = times.map_or(Save::End, |times| Save::Times(times.to_vec()));
        solve(field, y0, span)
            .with(self.method.clone())
            .controller(self.controller.clone())
            .adjoint(self.adjoint.clone())
            .save(save)
            .jumps(jumps)
            .run()
    }
}

/// What a layer returns of a solution: the state at the end `[batch, …]`, or where times were given
/// the states there, `[batch, times, …]`.
fn output(solution: &Solution<Tensor>, times: Option<&[f64]>) -> Result<Tensor> {
    match times {
        None => Ok(solution.y_end.clone()),
        Some(_) => Ok(Tensor::stack(&solution.ys, 1)?),
    }
}
