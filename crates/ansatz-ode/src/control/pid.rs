//! Proportional–integral–derivative control: [`Pid`].

use super::{Controller, ErrorControl, Judgement, Trial};
use crate::{Adaptive, AdaptiveFamily, Error, Result, Rms};

/// Proportional–integral–derivative control of the step size (G. Söderlind, ACM Trans. Math.
/// Softw. 29, 2003, 1–26).
///
/// With error norms `e₀` of this step and `e₁`, `e₂` of the two before, and `k` the order of the
/// error estimate plus one, the step is multiplied by
/// `safety · e₀^(−(P+I+D)/k) · e₁^((P+2D)/k) · e₂^(−D/k)`, kept within
/// `[factor_min, factor_max]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pid<N = Rms> {
    /// How errors are measured.
    pub norm: N,
    /// Proportional gain `P`.
    pub proportional: f64,
    /// Integral gain `I`.
    pub integral: f64,
    /// Derivative gain `D`.
    pub derivative: f64,
    /// Safety factor, in (0, 1].
    pub safety: f64,
    /// Smallest change of the step, in (0, 1).
    pub factor_min: f64,
    /// Largest change of the step, above 1.
    pub factor_max: f64,
    /// Changes of the step by factors in this range are not made, so that a factorisation serves
    /// longer; `(1, 1)` for none.
    pub keep: (f64, f64),
    /// Length of the first step; chosen by the tolerance if absent.
    pub first_step: Option<f64>,
    /// Longest step.
    pub max_step: f64,
    /// Shortest step: a solve that would need a shorter one stops.
    pub min_step: f64,
}

impl Pid {
    /// Integral control, `I = 1`: the classical rule and a good default.
    pub const fn i(rtol: f64, atol: f64) -> Self {
        Self::gains(rtol, atol, 0.0, 1.0, 0.0)
    }

    /// Proportional–integral control with `P = 0.4`, `I = 0.3` (K. Gustafsson 1991): fewer
    /// rejected steps where stability limits the step.
    pub const fn pi(rtol: f64, atol: f64) -> Self {
        Self::gains(rtol, atol, 0.4, 0.3, 0.0)
    }

    /// The digital filter H312PID of Söderlind 2003, table I: smooth step sequences
    /// (`e₀`, `e₁`, `e₂` enter with powers −1/18, −1/9, −1/18 over `k`).
    pub const fn h312(rtol: f64, atol: f64) -> Self {
        Self::gains(rtol, atol, -2.0 / 9.0, 2.0 / 9.0, 1.0 / 18.0)
    }

    /// Integral control for implicit methods: steps that could grow by less than a fifth stay.
    pub const fn stiff(rtol: f64, atol: f64) -> Self {
        Self { keep: (1.0, 1.2), ..Self::i(rtol, atol) }
    }

    const fn gains(rtol: f64, atol: f64, p: f64, i: f64, d: f64) -> Self {
        Self {
            norm: Rms { rtol, atol },
            proportional: p,
            integral: i,
            derivative: d,
            safety: 0.9,
            factor_min: 0.2,
            factor_max: 10.0,
            keep: (1.0, 1.0),
            first_step: None,
            max_step: f64::INFINITY,
            min_step: 0.0,
        }
    }
}

impl<N> Pid<N> {
    /// The same control of another norm.
    pub fn norm<P>(self, norm: P) -> Pid<P> {
        let Self { proportional, integral, derivative, safety, factor_min, factor_max, .. } = self;
        let Self { keep, first_step, max_step, min_step, .. } = self;
        Pid {
            norm,
            proportional,
            integral,
            derivative,
            safety,
            factor_min,
            factor_max,
            keep,
            first_step,
            max_step,
            min_step,
        }
    }

    /// By what to multiply the step, within the limits.
    #[inline]
    pub(super) fn factor(&self, trial: &Trial) -> f64 {
        let &Trial { error: e0, previous: [e1, e2], order, .. } = trial;
        if !e0.is_finite() {
            // Overflow inside the step: only a much shorter one can tell more.
            return self.factor_min;
        }
        let accept = e0 <= 1.0;
        let k = f64::from(order);
        // An error of 0 would ask for an infinite step; the limit takes care of it.
        let power = |e: f64, gain: f64| if gain == 0.0 { 1.0 } else { e.max(1e-30).powf(gain / k) };
        let (p, i, d) = (self.proportional, self.integral, self.derivative);
        let factor = if accept {
            self.safety * power(e0, -(p + i + d)) * power(e1, p + 2.0 * d) * power(e2, -d)
        } else {
            // The history belongs to a solution that went well; after a rejection only the
            // present error counts.
            self.safety * power(e0, -1.0)
        };
        let most = if accept { self.factor_max } else { 1.0 };
        let factor = if factor.is_nan() { self.factor_min } else { factor };
        factor.clamp(self.factor_min, most)
    }

    /// The next step, where a change that is not worth a factorisation is not made.
    #[inline]
    pub(super) fn judged(&self, accept: bool, h: f64, factor: f64) -> Judgement {
        let kept = accept && factor >= self.keep.0 && factor <= self.keep.1;
        Judgement { accept, next: if kept { h } else { h * factor } }
    }
}

impl ErrorControl for Pid {}

impl<M, N> Controller<M> for Pid<N>
where
    M: Adaptive<Family: AdaptiveFamily<Controller: ErrorControl>>,
    N: Clone + Send + Sync + 'static,
{
    type Norm = N;

    fn validate(&self) -> Result<()> {
        for gain in [self.proportional, self.integral, self.derivative] {
            if !gain.is_finite() {
                return Err(Error::invalid("gain", gain, "a finite number"));
            }
        }
        if self.proportional + self.integral + self.derivative <= 0.0 {
            return Err(Error::invalid(
                "sum of the gains",
                self.proportional + self.integral + self.derivative,
                "a positive number: a larger error must shorten the step",
            ));
        }
        let ranges = [
            ("safety", self.safety, 0.0, 1.0, "a number in (0, 1]"),
            ("factor_min", self.factor_min, 0.0, 1.0 - f64::EPSILON, "a number in (0, 1)"),
            ("factor_max", self.factor_max, 1.0, f64::MAX, "a number above 1"),
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
        let (low, high) = self.keep;
        if !(low > 0.0 && low <= 1.0 && high >= 1.0 && high.is_finite()) {
            let expected = "a range of factors around 1";
            return Err(Error::invalid("keep", format!("{:?}", self.keep), expected));
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

    #[inline]
    fn judge(&self, trial: &Trial) -> Judgement {
        let accept = trial.error <= 1.0;
        self.judged(accept, trial.h, self.factor(trial))
    }
}
