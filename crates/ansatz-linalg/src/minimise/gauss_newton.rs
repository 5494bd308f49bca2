//! [`GaussNewton`].

use super::{LeastSquaresSolver, Minimum, fit::Fit};
use crate::{NonlinearStopping, Outcome, Residual, Result, Vector, nonlinear::no_step};

/// The method of Gauss and Newton for `min ½ |r(x)|²`: steps of linear least squares, shortened until
/// the objective falls (J. Dennis, R. Schnabel, *Numerical Methods for Unconstrained Optimization and
/// Nonlinear Equations*, 1983, §10.2). Quadratic where the residuals vanish, linear where they are
/// small; where they are not, or the Jacobian has dependent columns, take
/// [`LevenbergMarquardt`](super::LevenbergMarquardt).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussNewton<S> {
    /// What solves for the steps.
    pub solver: S,
}

/// Part of the decrease that the slope promises which a step must bring, by how much one backtrack
/// shortens it, and what is too short.
const SUFFICIENT: f64 = 1e-4;
const SHORTEN: [f64; 2] = [0.1, 0.5];
const SHORTEST: f64 = 1e-10;

impl<S> GaussNewton<S> {
    /// With `solver`.
    pub fn new(solver: S) -> Self {
        Self { solver }
    }

    /// What is found when the iteration ends, for whatever reason it ends.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for settings that make no sense and
    /// when the first guess or the residuals there are not finite, and those of the residuals, their
    /// Jacobian and the solver.
    pub fn run<V: Vector>(
        &self,
        residuals: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>>
    where
        S: LeastSquaresSolver<V>,
    {
        let mut fit = Fit::new(residuals, &self.solver, guess, stopping)?;
        let outcome = 'points: loop {
            let model = match fit.model()? {
                Ok(model) => model,
                Err(outcome) => break outcome,
            };
            let step = match model.step(0.0) {
                Ok(step) => step,
                Err(error) => break no_step(error)?,
            };
            let slope = model.gradient().inner(&step)?;
            if !slope.is_finite() {
                break Outcome::Breakdown("the step is not finite");
            }
            let mut length = 1.0;
            while length >= SHORTEST {
                let point = fit.trial(length, &step)?;
                let start = fit.at.norm;
                let change = 0.5 * (point.norm - start) * (point.norm + start);
                let whole = length == 1.0;
                let size = step.norm2()?;
                if whole && fit.is_hidden([-slope, -2.0 * change], size, &step) {
                    fit.small = stopping.is_small(size, point.x.norm2()?);
                    fit.at = point;
                    continue 'points;
                }
                if change <= SUFFICIENT * length * slope && change < 0.0 {
                    fit.small = whole && stopping.is_small(size, point.x.norm2()?);
                    fit.at = point;
                    continue 'points;
                }
                // The minimum of the parabola through both values and the slope.
                let best = -0.5 * slope * length * length / (change - slope * length);
                let [least, most] = SHORTEN.map(|part| part * length);
                length = if best.is_finite() { best.clamp(least, most) } else { most };
            }
            break fit.stuck(&*model)?;
        };
        Ok(fit.finish(outcome))
    }

    /// The minimum.
    ///
    /// # Errors
    /// As [`GaussNewton::run`], and [`Error::NotConverged`](crate::Error::NotConverged).
    pub fn solve<V: Vector>(
        &self,
        residuals: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>>
    where
        S: LeastSquaresSolver<V>,
    {
        self.run(residuals, guess, stopping)?.into_converged("the Gauss–Newton method")
    }
}
