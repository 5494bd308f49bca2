//! Proportional–integral–derivative control: [`Pid`].

use super::{Controller, ErrorControl, Judgement, Trial, power};
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

    #[inline(always)]
    fn judge(&self, trial: &Trial) -> Judgement {
        self.judge_by([self.proportional, self.integral, self.derivative], trial)
    }

    #[inline(always)]
    fn judge_each(
        &self,
        count: usize,
        trial: impl Fn(usize) -> Trial,
        mut verdict: impl FnMut(usize, Judgement),
    ) {
        let gains = [self.proportional, self.integral, self.derivative];
        // Where the gains are known to be these, a third of the work is left.
        if gains == [0.0, 1.0, 0.0] {
            for i in 0..count {
                verdict(i, self.judge_by([0.0, 1.0, 0.0], &trial(i)));
            }
        } else {
            for i in 0..count {
                verdict(i, self.judge_by(gains, &trial(i)));
            }
        }
    }
}

impl<N> Pid<N> {
    /// Without early returns: an ensemble judges the steps of many trajectories together.
    #[inline(always)]
    fn judge_by(&self, gains: [f64; 3], trial: &Trial) -> Judgement {
        self.judged(trial.error <= 1.0, trial.h, self.factor_by(gains, trial))
    }

    /// By what to multiply the step, within the limits.
    pub(super) fn factor(&self, trial: &Trial) -> f64 {
        self.factor_by([self.proportional, self.integral, self.derivative], trial)
    }

    #[inline(always)]
    fn factor_by(&self, [p, i, d]: [f64; 3], trial: &Trial) -> f64 {
        let &Trial { error: e0, order, previous: [e1, e2], .. } = trial;
        let k = f64::from(order);
        // An error of 0 would ask for an infinite step; the limit takes care of it.
        let raised = |e: f64, gain: f64| {
            if gain == 0.0 { 1.0 } else { power(e.max(1e-30), gain / k) }
        };
        let accept = e0 <= 1.0;
        // The history belongs to a solution that went well; after a rejection only the present
        // error counts.
        let gain = if accept { p + i + d } else { 1.0 };
        let history = if accept { raised(e1, p + 2.0 * d) * raised(e2, -d) } else { 1.0 };
        let factor = self.safety * power(e0.max(1e-30), -gain / k) * history;
        let most = if accept { self.factor_max } else { 1.0 };
        let factor = factor.max(self.factor_min).min(most);
        // Overflow inside the step: only a much shorter one can tell more.
        if e0.is_finite() { factor } else { self.factor_min }
    }

    /// The next step, where a change that is not worth a factorisation is not made.
    #[inline(always)]
    pub(super) fn judged(&self, accept: bool, h: f64, factor: f64) -> Judgement {
        let kept = accept && factor >= self.keep.0 && factor <= self.keep.1;
        Judgement { accept, next: if kept { h } else { h * factor } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tsit5;

    fn trial(error: f64, previous: [f64; 2]) -> Trial {
        Trial { h: 0.1, error, order: 5, previous, previous_h: 0.2, again: false }
    }

    fn judged(pid: &Pid, trial: &Trial) -> Judgement {
        Controller::<Tsit5>::judge(pid, trial)
    }

    #[test]
    fn steps_change_by_the_formula() {
        let pid = Pid { derivative: 0.1, ..Pid::pi(1e-6, 1e-6) };
        let (p, i, d) = (0.4, 0.3, 0.1);
        let accepted = judged(&pid, &trial(0.3, [0.5, 0.7]));
        let factor = 0.3f64.powf(-(p + i + d) / 5.0)
            * 0.5f64.powf((p + 2.0 * d) / 5.0)
            * 0.7f64.powf(-d / 5.0);
        assert!(accepted.accept && (accepted.next - 0.09 * factor).abs() < 1e-12);
        // After a rejection the history does not count.
        let rejected = judged(&pid, &trial(3.0, [0.5, 0.7]));
        assert!(!rejected.accept && (rejected.next - 0.09 * 3f64.powf(-0.2)).abs() < 1e-12);
        assert_eq!(judged(&pid, &trial(0.0, [1.0; 2])).next, 1.0);
        assert_eq!(judged(&pid, &trial(1e20, [1.0; 2])).next, 0.1 * pid.factor_min);
        for lost in [f64::NAN, f64::INFINITY] {
            let judgement = judged(&pid, &trial(lost, [1.0; 2]));
            assert_eq!(judgement, Judgement { accept: false, next: 0.1 * pid.factor_min });
        }
    }

    #[test]
    fn many_steps_are_judged_like_one() {
        let errors = [0.0, 1e-12, 0.3, 0.99, 1.0, 1.01, 40.0, f64::INFINITY, f64::NAN];
        for pid in [Pid::i(1e-6, 1e-6), Pid::pi(1e-6, 1e-6), Pid::h312(1e-6, 1e-6)] {
            let mut seen = 0;
            let trial = |k: usize| trial(errors[k], [0.5, 0.7]);
            Controller::<Tsit5>::judge_each(&pid, errors.len(), trial, |k, judgement| {
                assert_eq!(judgement, judged(&pid, &trial(k)), "{}", errors[k]);
                seen += 1;
            });
            assert_eq!(seen, errors.len());
        }
    }
}
