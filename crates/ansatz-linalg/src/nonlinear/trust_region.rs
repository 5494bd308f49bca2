//! [`TrustRegion`].

use super::{NonlinearStopping, Residual, Root, RootFinder, iterate::Iterate, no_step, scaled};
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

/// The linear model at a point.
struct Model<'a, V> {
    jacobian: Box<dyn LinearOperator<V> + 'a>,
    /// `Jᵀ F`, and its length.
    gradient: V,
    slope: f64,
    /// The minimum of the model along the gradient: `−cauchy · gradient`.
    cauchy: f64,
    newton: Option<(V, f64)>,
}

impl<V: Vector> Model<'_, V> {
    /// The step within `radius`, and its length.
    fn step(&self, radius: f64) -> Result<(V, f64)> {
        let steepest = self.cauchy * self.slope;
        if let Some((newton, length)) = &self.newton {
            if *length <= radius {
                return Ok((newton.clone(), *length));
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
                return Ok((step, radius));
            }
        }
        let length = steepest.min(radius);
        Ok((scaled(&self.gradient, -length / self.slope)?, length))
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
        if slope <= 10.0 * value.epsilon() * iterate.at.norm {
            return Ok(Err(Outcome::Breakdown("a minimum of |F| that is no root")));
        }
        let image = jacobian.apply(&gradient)?.norm2()?;
        let cauchy = (slope / image).powi(2);
        let newton = match self.solver.solve(&*jacobian, &scaled(value, -1.0)?) {
            Ok(solution) => {
                let length = solution.x.norm2()?;
                length.is_finite().then_some((solution.x, length))
            }
            Err(error) => no_step(error).map(|_| None)?,
        };
        Ok(Ok(Model { jacobian, gradient, slope, cauchy, newton }))
    }
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
                let (step, length) = model.step(radius)?;
                let mut linear = model.jacobian.apply(&step)?;
                linear.axpby(1.0, 1.0, &iterate.at.value)?;
                let linear = linear.norm2()?;
                let promised = (start - linear) * (start + linear);
                let point = iterate.trial(1.0, &step)?;
                let ratio = (start - point.norm) * (start + point.norm) / promised;
                let finite = point.norm.is_finite();
                // Also where the ratio is NaN.
                if !(finite && ratio >= SHRINK) {
                    radius = 0.25 * length;
                } else if ratio > GROW && length >= 0.99 * radius {
                    radius *= 2.0;
                }
                if finite && ratio > ACCEPT {
                    // A whole step of Newton's, as far as the model is trusted.
                    let whole = (length < radius).then_some(length);
                    iterate.accept(point, whole)?;
                    continue 'points;
                }
                if radius <= least || radius < f64::MIN_POSITIVE {
                    break 'points Outcome::Stagnation;
                }
            }
        };
        Ok(iterate.finish(outcome))
    }
}
