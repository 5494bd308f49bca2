//! Step size control: [`FixedStep`] and [`Pid`].

use crate::{Adaptive, Error, ExplicitRungeKutta, Result};

/// Decides which steps are accepted and how long the next one is.
///
/// The type parameter is the method: a controller that needs an error estimate implements the
/// trait for [`Adaptive`] methods only, so that a wrong combination does not compile.
pub trait Controller<M>: Clone + Send + Sync + 'static {
    /// Errors unless the settings make sense.
    ///
    /// # Errors
    /// Names the setting.
    fn validate(&self) -> Result<()>;

    /// Relative and absolute tolerance of the error norm; `None` if every step is accepted.
    fn tolerance(&self) -> Option<(f64, f64)>;

    /// A given length (positive) of the first step; `None` to have it chosen by the tolerance.
    fn first_step(&self) -> Option<f64>;

    /// Judges a step of length `h` (positive).
    ///
    /// `history` holds the error norms of this step and of the last two accepted ones, newest
    /// first, 1 where there is none; a norm of at most 1 is within tolerance.
    fn judge(&self, h: f64, history: [f64; 3]) -> Judgement;
}

/// What a [`Controller`] decides about a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether the step counts.
    pub accept: bool,
    /// Length of the next attempt, positive.
    pub next: f64,
}

/// Steps of one length. The last one is shortened to hit the end exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    /// Length of a step, positive in either direction of time.
    pub step: f64,
}

impl<M: ExplicitRungeKutta> Controller<M> for FixedStep {
    fn validate(&self) -> Result<()> {
        if self.step.is_finite() && self.step > 0.0 {
            return Ok(());
        }
        Err(Error::invalid("step", self.step, "a positive, finite length of time"))
    }

    fn tolerance(&self) -> Option<(f64, f64)> {
        None
    }

    fn first_step(&self) -> Option<f64> {
        Some(self.step)
    }

    fn judge(&self, _: f64, _: [f64; 3]) -> Judgement {
        Judgement { accept: true, next: self.step }
    }
}

/// Proportional–integral–derivative control of the step size (G. Söderlind, ACM Trans. Math.
/// Softw. 29, 2003, 1–26).
///
/// With error norms `e₀` of this step and `e₁`, `e₂` of the two before, and `k` the order of the
/// error estimate plus one, the step is multiplied by
/// `safety · e₀^(−(P+I+D)/k) · e₁^((P+2D)/k) · e₂^(−D/k)`, kept within
/// `[factor_min, factor_max]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pid {
    /// Relative tolerance, positive or 0 if `atol` is positive.
    pub rtol: f64,
    /// Absolute tolerance, positive or 0 if `rtol` is positive.
    pub atol: f64,
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
    /// Length of the first step; chosen by the tolerance if absent.
    pub first_step: Option<f64>,
    /// Longest step.
    pub max_step: f64,
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

    const fn gains(rtol: f64, atol: f64, p: f64, i: f64, d: f64) -> Self {
        Self {
            rtol,
            atol,
            proportional: p,
            integral: i,
            derivative: d,
            safety: 0.9,
            factor_min: 0.2,
            factor_max: 10.0,
            first_step: None,
            max_step: f64::INFINITY,
        }
    }
}

impl<M: Adaptive> Controller<M> for Pid {
    fn validate(&self) -> Result<()> {
        const { assert!(M::TABLEAU.has_error_estimate(), "an adaptive method needs one") };
        let tolerance = "a finite number ≥ 0, not both tolerances 0";
        for (what, value) in [("rtol", self.rtol), ("atol", self.atol)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::invalid(what, value, tolerance));
            }
        }
        if self.rtol + self.atol <= 0.0 {
            return Err(Error::invalid("rtol and atol", 0.0, tolerance));
        }
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

    fn tolerance(&self) -> Option<(f64, f64)> {
        Some((self.rtol, self.atol))
    }

    fn first_step(&self) -> Option<f64> {
        self.first_step.map(|h| h.min(self.max_step))
    }

    #[inline]
    fn judge(&self, h: f64, history: [f64; 3]) -> Judgement {
        let [e0, e1, e2] = history;
        if !e0.is_finite() {
            // Overflow inside the step: only a much shorter one can tell more.
            return Judgement { accept: false, next: h * self.factor_min };
        }
        let accept = e0 <= 1.0;
        let k = f64::from(M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1);
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
        Judgement { accept, next: (h * factor.clamp(self.factor_min, most)).min(self.max_step) }
    }
}
