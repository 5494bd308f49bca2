//! [`TrustRegion`].

use super::{
    Guarded, NonlinearStopping, Residual, Root, RootFinder, iterate::Iterate, no_step, scaled,
};
use crate::{LinearOperator, LinearSolver, Outcome, Result, Vector};

/// Newton's method whose steps stay where the linear model is trusted, on Powell's dogleg from the
/// steepest descent of `|F|²` to Newton's step (M. J. D. Powell, *A hybrid method for nonlinear
/// equations*, 1970; J. Nocedal, S. Wright, *Numerical Optimization*, 2nd ed., 2006, §11.2 and
/// algorithm 4.1).
///
/// It needs the transpose of the Jacobian, and goes on where the Jacobian is singular. The first
/// region reaches to Newton's step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrustRegion<S> {
    /// What solves for Newton's step.
    pub solver: S,
}

impl<S> TrustRegion<S> {
    /// With `solver`.
    pub fn new(solver: S) -> Self {
        Self { solver }
    }
}

/// Part of the decrease promised below which a step is not made, below which the region shrinks, and
/// above which it grows.
const ACCEPT: f64 = 1e-4;
const SHRINK: f64 = 0.25;
const GROW: f64 = 0.75;
/// What Newton's step may leave of the linear residual if its length is to tell that of the error.
const INEXACT: f64 = 0.01;

/// The linear model at a point.
struct Model<'a, V> {
    jacobian: Box<dyn LinearOperator<V> + 'a>,
    /// `Jᵀ F`, and its length.
    gradient: V,
    slope: f64,
    /// The minimum of the model along the gradient: `−cauchy · gradient`.
    cauchy: f64,
    newton: Option<Newton<V>>,
}

/// Newton's step.
struct Newton<V> {
    step: V,
    length: f64,
    /// Part of the residual that it leaves in the linear model; below 1.
    left: f64,
}

impl<V: Vector> Model<'_, V> {
    /// The step within `radius`, its length, and whether it is Newton's.
    fn step(&self, radius: f64) -> Result<(V, f64, bool)> {
        let steepest = self.cauchy * self.slope;
        if let Some(Newton { step: newton, length, left }) = &self.newton {
            if *length <= radius {
                return Ok((newton.clone(), *length, *left <= INEXACT));
            }
            if steepest < radius {
                // |c + t d| = radius, from the minimum c along the gradient by d to Newton's step.
                let mut d = newton.clone();
                d.axpby(1.0, self.cauchy, &self.gradient)?;
                let mut step = scaled(&self.gradient, -self.cauchy)?;
                let (a, b) = (d.inner(&d)?, step.inner(&d)?);
                let c = (steepest - radius) * (steepest + radius);
                let root = (b * b - a * c).max(0.0).sqrt();
                // The form without cancellation.
                let t = if b > 0.0 { -c / (b + root) } else { (root - b) / a };
                step.axpby(1.0, t.clamp(0.0, 1.0), &d)?;
                return Ok((step, radius, false));
            }
        }
        let length = steepest.min(radius);
        Ok((scaled(&self.gradient, -length / self.slope)?, length, false))
    }
}

impl<S> TrustRegion<S> {
    /// `Err` holds why there is none.
    fn model<'a, V>(
        &self,
        iterate: &mut Iterate<'a, V>,
    ) -> Result<std::result::Result<Model<'a, V>, Outcome>>
    where
        V: Vector + 'a,
        S: LinearSolver<V>,
    {
        let jacobian = iterate.jacobian()?;
        let value = &iterate.at.value;
        let gradient = jacobian.apply_transposed(value)?;
        let slope = gradient.norm2()?;
        if !slope.is_finite() {
            return Ok(Err(Outcome::Breakdown("the Jacobian is not finite")));
        }
        let image = jacobian.apply(&gradient)?.norm2()?;
        // ‖J g‖ / ‖g‖ is a norm that the Jacobian has at least.
        let rounding = 10.0 * value.epsilon() * (image / slope) * iterate.at.norm;
        if slope == 0.0 || slope <= rounding {
            return Ok(Err(Outcome::Breakdown("a minimum of |F| that is no root")));
        }
        let cauchy = (slope / image).powi(2);
        if !cauchy.is_finite() {
            return Ok(Err(Outcome::Breakdown("the squares of the Jacobian underflow")));
        }
        let newton = self.newton(&*jacobian, value, iterate.at.norm)?;
        Ok(Ok(Model { jacobian, gradient, slope, cauchy, newton }))
    }

    /// Newton's step if there is one that the linear model takes for an improvement: rounding can
    /// hide from a solver that the Jacobian is singular.
    fn newton<V: Vector>(
        &self,
        jacobian: &dyn LinearOperator<V>,
        value: &V,
        norm: f64,
    ) -> Result<Option<Newton<V>>>
    where
        S: LinearSolver<V>,
    {
        let step = match self.solver.solve(&Guarded(jacobian), &scaled(value, -1.0)?) {
            Ok(solution) => solution.x,
            Err(error) => return no_step(error).map(|_| None),
        };
        let length = step.norm2()?;
        let left = linear_residual(jacobian, value, &step)? / norm;
        Ok((length.is_finite() && left < 1.0).then_some(Newton { step, length, left }))
    }
}

/// `‖F + J s‖`.
fn linear_residual<V: Vector>(
    jacobian: &dyn LinearOperator<V>,
    value: &V,
    step: &V,
) -> Result<f64> {
    let mut linear = jacobian.apply(step)?;
    linear.axpby(1.0, 1.0, value)?;
    linear.norm2()
}

impl<V: Vector, S: LinearSolver<V>> RootFinder<V> for TrustRegion<S> {
    fn name(&self) -> &'static str {
        "the dogleg method"
    }

    /// # Errors
    /// As [`RootFinder::run`] says, and [`Error::NoTranspose`](crate::Error::NoTranspose).
    fn run(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        let mut iterate = Iterate::new(function, guess, stopping)?;
        let mut radius = f64::INFINITY;
        let outcome = 'points: loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let model = match self.model(&mut iterate)? {
                Ok(model) => model,
                Err(outcome) => break outcome,
            };
            let start = iterate.at.norm;
            let least = iterate.at.value.epsilon() * iterate.at.x.norm2()?;
            loop {
                let (step, length, whole) = model.step(radius)?;
                let linear = linear_residual(&*model.jacobian, &iterate.at.value, &step)?;
                let promised = (start - linear) * (start + linear);
                let point = iterate.trial(1.0, &step)?;
                let ratio = (start - point.norm) * (start + point.norm) / promised;
                // Not where the ratio is NaN, either.
                let sound = point.norm.is_finite() && promised > 0.0;
                if !(sound && ratio >= SHRINK) {
                    radius = 0.25 * length;
                } else if ratio > GROW && length >= 0.99 * radius {
                    radius *= 2.0;
                }
                if sound && ratio > ACCEPT {
                    iterate.accept(point, whole.then_some(length))?;
                    continue 'points;
                }
                if radius <= least || radius < f64::MIN_POSITIVE {
                    break 'points iterate.stuck()?;
                }
            }
        };
        Ok(iterate.finish(outcome))
    }
}
