//! Error tolerances alone: [`Tolerance`].

use super::{Controller, Judgement, Trial};
use crate::{Adaptive, AdaptiveFamily, Error, Result, Rms};

/// Adaptive steps of methods that choose the length of their steps themselves, together with their
/// order: an error of about `rtol · |y| + atol` per step.
///
/// Methods of one order take a [`Pid`](crate::Pid) instead; the two do not mix:
///
/// ```compile_fail,E0271
/// use ansatz_ode::{Adams, Pid, solve};
///
/// let decay = |_t: f64, y: &f64| -y;
/// let _ = solve(decay, 1.0, (0.0, 1.0)).with(Adams::default()).controller(Pid::i(1e-6, 1e-6));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance<N = Rms> {
    /// How errors are measured.
    pub norm: N,
    /// Length of the first step; chosen by the tolerance if absent.
    pub first_step: Option<f64>,
    /// Longest step.
    pub max_step: f64,
    /// Shortest step: a solve that would need a shorter one stops.
    pub min_step: f64,
}

impl Tolerance {
    /// Errors in the root mean square of the components.
    pub const fn new(rtol: f64, atol: f64) -> Self {
        Self { norm: Rms { rtol, atol }, first_step: None, max_step: f64::INFINITY, min_step: 0.0 }
    }
}

impl<N> Tolerance<N> {
    /// The same control of another norm.
    pub fn norm<P>(self, norm: P) -> Tolerance<P> {
        let Self { first_step, max_step, min_step, .. } = self;
        Tolerance { norm, first_step, max_step, min_step }
    }
}

impl<M, N> Controller<M> for Tolerance<N>
where
    M: Adaptive<Family: AdaptiveFamily<Controller = Tolerance>>,
    N: Clone + Send + Sync + 'static,
{
    type Norm = N;

    fn validate(&self) -> Result<()> {
        let ranges = [
            ("max_step", self.max_step, 0.0, f64::INFINITY, "a positive length of time"),
            ("min_step", self.min_step, -f64::MIN_POSITIVE, self.max_step, "from 0 to max_step"),
            (
                "first_step",
                self.first_step.unwrap_or(1.0),
                0.0,
                f64::MAX,
                "a positive, finite length of time",
            ),
        ];
        for (what, value, above, most, expected) in ranges {
            if !(value > above && value <= most) {
                return Err(Error::invalid(what, value, expected));
            }
        }
        Ok(())
    }

    fn norm(&self) -> Option<&N> {
        Some(&self.norm)
    }

    fn first_step(&self) -> Option<f64> {
        self.first_step
    }

    fn max_step(&self) -> f64 {
        self.max_step
    }

    fn min_step(&self) -> f64 {
        self.min_step
    }

    /// Integral control, for methods that leave the judgement to their controller.
    fn judge(&self, trial: &Trial) -> Judgement {
        let factor = 0.9 * trial.error.max(1e-30).powf(-1.0 / f64::from(trial.order));
        let factor = if factor.is_nan() { 0.2 } else { factor.clamp(0.2, 10.0) };
        Judgement { accept: trial.error <= 1.0, next: trial.h * factor }
    }
}
