//! Predictive control: [`Predictive`].

use super::{Controller, ErrorControl, Judgement, Pid, Trial};
use crate::{Adaptive, AdaptiveFamily, Result, Rms};

/// Predictive control of the step size for implicit methods (K. Gustafsson, ACM Trans. Math. Softw.
/// 20, 1994, 496–517; E. Hairer, G. Wanner, *Solving ODEs II*, section IV.8).
///
/// The error of stiff problems grows or falls along the solution by about the same factor from step
/// to step, and a step is multiplied by
/// `safety · e₀^(−1/k) · min(1, h₀/h₁ · (e₁/e₀)^(1/k))`, with the error norms and lengths `e₀`, `h₀`
/// of this step and `e₁`, `h₁` of the one before, and `k` the order of the error estimate plus one.
/// Where steps must become shorter it sees that earlier than integral control does, and fewer steps
/// are rejected. It never lengthens more than integral control would, and not after a rejection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predictive<N = Rms> {
    /// The integral control that it refines, with the norm and the limits of the steps.
    pub base: Pid<N>,
}

/// Errors below this part of the tolerance say nothing about the next one.
const NEGLIGIBLE: f64 = 1e-2;

impl Predictive {
    /// An error of about `rtol · |y| + atol` per step; steps that could grow by less than a fifth
    /// stay, so that a factorisation serves longer.
    pub const fn new(rtol: f64, atol: f64) -> Self {
        Self { base: Pid { factor_max: 8.0, ..Pid::stiff(rtol, atol) } }
    }
}

impl<N> Predictive<N> {
    /// The same control of another norm.
    pub fn norm<P>(self, norm: P) -> Predictive<P> {
        Predictive { base: self.base.norm(norm) }
    }
}

impl ErrorControl for Predictive {}

impl<M, N> Controller<M> for Predictive<N>
where
    M: Adaptive<Family: AdaptiveFamily<Controller: ErrorControl>>,
    N: Clone + Send + Sync + 'static,
{
    type Norm = N;

    fn validate(&self) -> Result<()> {
        Controller::<M>::validate(&self.base)
    }

    fn norm(&self) -> Option<&N> {
        Some(&self.base.norm)
    }

    fn first_step(&self) -> Option<f64> {
        self.base.first_step
    }

    fn max_step(&self) -> f64 {
        self.base.max_step
    }

    fn min_step(&self) -> f64 {
        self.base.min_step
    }

    fn judge(&self, trial: &Trial) -> Judgement {
        let &Trial { h, error, previous: [before, _], previous_h, order, again } = trial;
        let accept = error <= 1.0;
        let mut factor = self.base.factor(trial);
        if accept && error > 0.0 {
            let trend = (before.max(NEGLIGIBLE) / error).powf(1.0 / f64::from(order));
            factor = (factor * (h / previous_h * trend).min(1.0)).max(self.base.factor_min);
        }
        if again {
            factor = factor.min(1.0);
        }
        self.base.judged(accept, h, factor)
    }
}
