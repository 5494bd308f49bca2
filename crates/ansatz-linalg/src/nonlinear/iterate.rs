//! What the methods for `F(x) = 0` share: the iterate, its record, and steps backtracked.

use super::{NonlinearStopping, Residual, Root};
use crate::{
    LinearOperator, Outcome, Result, Vector,
    iterative::{finite, measurable_norm},
    operator::check_length,
};

/// A point and the function there.
pub(super) struct Point<V> {
    pub(super) x: V,
    pub(super) value: V,
    pub(super) norm: f64,
}

/// Where an iteration is, and how it came there.
pub(super) struct Iterate<'a, V> {
    function: &'a dyn Residual<V>,
    stopping: NonlinearStopping,
    pub(super) at: Point<V>,
    pub(super) target: f64,
    residuals: Vec<f64>,
    evaluations: usize,
    jacobians: usize,
    /// The last step was a whole one, and small.
    small: bool,
}

/// Part of the decrease that the linear model promises which a step must bring (C. T. Kelley,
/// *Iterative Methods for Linear and Nonlinear Equations*, SIAM, 1995, §8.2).
const SUFFICIENT: f64 = 1e-4;
/// By how much one backtrack shortens a step, and what is too short (Kelley §8.3.1).
const SHORTEN: [f64; 2] = [0.1, 0.5];
const SHORTEST: f64 = 1e-10;
/// Part of the residual that the linear model of a whole step takes away at least.
const EXACT: f64 = 0.99;
/// Residuals below this many rounding units of what they are computed from are taken for rounding.
const NOISE: f64 = 10.0;

impl<'a, V: Vector> Iterate<'a, V> {
    pub(super) fn new(
        function: &'a dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Self> {
        stopping.validate()?;
        finite("first guess", guess)?;
        let x = guess.clone().detached();
        let value = function.value(&x)?.detached();
        check_length("value of a function whose root is sought", x.dimension(), value.dimension())?;
        finite("value of the function at the first guess", &value)?;
        let norm = measurable_norm("value at the first guess", &value)?;
        Ok(Self {
            function,
            stopping: *stopping,
            at: Point { x, value, norm },
            target: stopping.target(norm),
            residuals: vec![norm],
            evaluations: 1,
            jacobians: 0,
            small: false,
        })
    }

    /// Why the iteration is at its end, if it is.
    pub(super) fn end(&self) -> Option<Outcome> {
        if self.at.norm <= self.target || self.small {
            return Some(Outcome::Converged);
        }
        (self.residuals.len() > self.stopping.iterations).then_some(Outcome::Budget)
    }

    pub(super) fn jacobian(&mut self) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a,
    {
        self.jacobians += 1;
        self.function.jacobian(&self.at.x, &self.at.value)
    }

    /// `x + length · step` and the function there, finite or not.
    pub(super) fn trial(&mut self, length: f64, step: &V) -> Result<Point<V>> {
        let mut x = self.at.x.clone();
        x.axpby(1.0, length, step)?;
        let value = self.function.value(&x)?.detached();
        self.evaluations += 1;
        let norm = value.norm2()?;
        Ok(Point { x, value, norm })
    }

    /// Whether a whole step of this length, to `point`, is small.
    ///
    /// Where the norms fall by a factor `θ` with each step, `θ / (1 − θ)` times the last is still to
    /// come (E. Hairer, G. Wanner, *Solving ODEs II*, 1996, eq. IV.8.10): a step that is short
    /// because the method is slow is not small.
    pub(super) fn is_small(&self, point: &Point<V>, length: f64) -> Result<bool> {
        let rate = point.norm / self.at.norm;
        let left = length * (rate / (1.0 - rate)).max(1.0);
        Ok(rate < 1.0 && self.stopping.is_small(left, point.x.norm2()?))
    }

    /// Goes to `point`, by a step of this length if it was a whole one.
    pub(super) fn accept(&mut self, point: Point<V>, whole: Option<f64>) -> Result<()> {
        self.small = match whole {
            Some(length) => self.is_small(&point, length)?,
            None => false,
        };
        self.residuals.push(point.norm);
        self.at = point;
        Ok(())
    }

    /// Goes along `step`, shortened until the norm falls by a part of `promised`, which is the part
    /// that the linear model takes away (1 for an exact step). The length, or `None` when there is
    /// no decrease. A step counts as whole if the model leaves nearly nothing: what is left of a
    /// system may hide components of any length.
    ///
    /// Lengths are the minima of parabolas through the last two values (Kelley §8.3.1); where the
    /// function is not finite, the length is halved.
    pub(super) fn backtrack(&mut self, step: &V, promised: f64) -> Result<Option<f64>> {
        let start = self.at.norm;
        let mut length = 1.0;
        let mut former: Option<[f64; 2]> = None;
        while length >= SHORTEST {
            let point = self.trial(length, step)?;
            if point.norm <= (1.0 - SUFFICIENT * length * promised) * start {
                let whole = length == 1.0 && promised >= EXACT;
                let whole = if whole { Some(step.norm2()?) } else { None };
                self.accept(point, whole)?;
                return Ok(Some(length));
            }
            if point.norm.is_finite() {
                let now = [length, point.norm * point.norm - start * start];
                let [least, most] = SHORTEN.map(|part| part * length);
                length = match former.and_then(|old| parabola(old, now)) {
                    Some(best) => best.clamp(least, most),
                    None => most,
                };
                former = Some(now);
            } else {
                length *= 0.5;
            }
        }
        Ok(None)
    }

    /// What it means that no step reduces the residual: that it is rounding, as at a root that is
    /// the first guess, or that the method is at its end.
    ///
    /// Rounding of `x` moves `F` by `ε ‖J‖ ‖x‖`, and `‖J F‖ / ‖F‖` is a norm that `‖J‖` has at least.
    pub(super) fn stuck(&mut self) -> Result<Outcome>
    where
        V: 'a,
    {
        let Point { x, value, norm } = &self.at;
        if !self.stopping.allows_rounding(x.epsilon()) {
            return Ok(Outcome::Stagnation);
        }
        self.jacobians += 1;
        let image = self.function.jacobian(x, value)?.apply(value)?.norm2()?;
        let rounding = NOISE * x.epsilon() * x.norm2()? * (image / norm);
        Ok(if *norm <= rounding { Outcome::Converged } else { Outcome::Stagnation })
    }

    pub(super) fn finish(self, outcome: Outcome) -> Root<V> {
        let Self { at, target, residuals, evaluations, jacobians, .. } = self;
        Root { x: at.x, value: at.value, outcome, residuals, target, evaluations, jacobians }
    }
}

/// Where the parabola through zero and these two points is least, if it has a minimum.
fn parabola([a, f_a]: [f64; 2], [b, f_b]: [f64; 2]) -> Option<f64> {
    let curvature = 2.0 * (a * f_b - b * f_a) / (a * b * (b - a));
    let slope = (f_a * b * b - f_b * a * a) / (a * b * (b - a));
    (curvature > 0.0).then(|| -slope / curvature)
}
