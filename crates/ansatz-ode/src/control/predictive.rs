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

#[cfg(all(test, feature = "stiff"))]
mod tests {
    use super::*;
    use crate::RadauIia5;

    fn next(trial: &Trial) -> f64 {
        Controller::<RadauIia5>::judge(&Predictive::new(1e-6, 1e-6), trial).next
    }

    #[test]
    fn steps_change_by_the_formula() {
        let trial = Trial {
            h: 0.1,
            error: 0.5,
            order: 4,
            previous: [0.1, 1.0],
            previous_h: 0.08,
            again: false,
        };
        // The error has grown faster than the step: what is to come is seen.
        let want = 0.1 * 0.9 * 0.5f64.powf(-0.25) * (0.1 / 0.08 * 0.2f64.powf(0.25));
        assert!((next(&trial) / want - 1.0).abs() < 1e-12, "{} {want}", next(&trial));
        // Where it falls, integral control.
        let falling = Trial { error: 1e-2, previous: [1.0, 1.0], ..trial };
        let want = 0.1 * 0.9 * 1e-2f64.powf(-0.25);
        assert!((next(&falling) / want - 1.0).abs() < 1e-12, "{} {want}", next(&falling));
        // No growth after a rejection.
        assert_eq!(next(&Trial { again: true, ..falling }), 0.1);
        let rejected = Trial { error: 16.0, ..trial };
        assert!((next(&rejected) - 0.1 * 0.9 * 0.5).abs() < 1e-12);
    }
}
