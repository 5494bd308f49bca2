//! [`LevenbergMarquardt`].

use super::{LeastSquaresSolver, Minimum, fit::Fit};
use crate::{
    Error, NonlinearStopping, Outcome, Residual, Result, Vector,
    nonlinear::{no_step, outward},
};

/// The method of Levenberg and Marquardt for `min ½ |r(x)|²`: steps of linear least squares, damped
/// as much as they have failed before (K. Levenberg, 1944; D. Marquardt, 1963; damping by H. Nielsen,
/// *Damping parameter in Marquardt's method*, 1999, eq. 2.7).
///
/// ```
/// use ansatz_linalg::{DampedQr, LevenbergMarquardt, NonlinearStopping};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // Decay and amplitude of a signal. The Jacobian is taken by differences.
/// let times = [0.0, 1.0, 2.0, 3.0, 4.0];
/// let signal: Vec<f64> = times.iter().map(|t: &f64| 3.0 * (-0.7 * t).exp()).collect();
/// let misfit = |p: &Vec<f64>| {
///     Ok(times.iter().zip(&signal).map(|(t, y)| p[0] * (-p[1] * t).exp() - y).collect())
/// };
/// let method = LevenbergMarquardt::new(DampedQr);
/// let fit = method.solve(&misfit, &vec![1.0, 0.1], &NonlinearStopping::default())?;
/// assert!((fit.x[0] - 3.0).abs() < 1e-6 && (fit.x[1] - 0.7).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevenbergMarquardt<S> {
    /// What solves for the steps: [`DampedQr`](super::DampedQr) for few unknowns, which may have any
    /// units, [`DampedLsmr`](super::DampedLsmr) for many.
    pub solver: S,
    /// The first damping, without a unit: 10⁻³ by default, 1 far from a minimum.
    pub damping: f64,
}

/// By how much the damping is lowered to see whether it was what made a step small.
const LOWER: f64 = 1e-3;

impl<S> LevenbergMarquardt<S> {
    /// With `solver` and a first damping of 10⁻³.
    pub fn new(solver: S) -> Self {
        Self { solver, damping: 1e-3 }
    }

    /// What is found when the iteration ends, for whatever reason it ends.
    ///
    /// # Errors
    /// As [`GaussNewton::run`](super::GaussNewton::run).
    pub fn run<V: Vector>(
        &self,
        residuals: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>>
    where
        S: LeastSquaresSolver<V>,
    {
        if !(self.damping > 0.0 && self.damping.is_finite()) {
            return Err(Error::invalid("damping", self.damping, "a positive number"));
        }
        let mut fit = Fit::new(residuals, &self.solver, guess, stopping)?;
        let (mut damping, mut growth) = (self.damping, 2.0);
        // The last damping that did not suffice.
        let mut rejected = 0.0;
        let outcome = 'points: loop {
            let model = match fit.model()? {
                Ok(model) => model,
                Err(outcome) => break outcome,
            };
            loop {
                let step = match model.step(damping) {
                    // Damped too little to tell the columns apart.
                    Err(Error::Singular { .. }) => None,
                    Err(error) => break 'points no_step(error)?,
                    Ok(step) => step.all_finite()?.then_some(step),
                };
                let start = fit.at.norm;
                if let Some(step) = step {
                    let mut linear = model.image(&step).map_err(outward)?;
                    linear.axpby(1.0, 1.0, &fit.at.residual)?;
                    let linear = linear.norm2()?;
                    let point = fit.trial(1.0, &step)?;
                    let promised = (start - linear) * (start + linear);
                    let change = (start - point.norm) * (start + point.norm);
                    let gain = change / promised;
                    let length = step.norm2()?;
                    let size = fit.at.x.norm2()?;
                    let small = stopping.is_small(length, size);
                    // With less damping it would be the same, or no step at all.
                    let undamped = damping <= f64::EPSILON || LOWER * damping <= rejected;
                    let hidden = fit.is_hidden([promised, change], length, &step);
                    let better = promised > 0.0 && gain > 0.0 && gain.is_finite();
                    if hidden || better {
                        if better && !hidden {
                            damping *= (1.0 - (2.0 * gain - 1.0).powi(3)).max(1.0 / 3.0);
                            growth = 2.0;
                        }
                        if small && !undamped {
                            damping *= LOWER;
                        } else if !small {
                            rejected = 0.0;
                        }
                        (fit.at, fit.small) = (point, small && undamped);
                        continue 'points;
                    }
                    if small && undamped {
                        break 'points Outcome::Converged;
                    }
                    if small {
                        (damping, rejected) = (LOWER * damping, damping);
                        continue;
                    }
                    if length <= step.epsilon() * size {
                        break 'points fit.stuck(&*model)?;
                    }
                }
                rejected = damping;
                damping *= growth;
                growth *= 2.0;
                if !damping.is_finite() {
                    break 'points Outcome::Stagnation;
                }
            }
        };
        Ok(fit.finish(outcome))
    }

    /// The minimum.
    ///
    /// # Errors
    /// As [`LevenbergMarquardt::run`], and [`Error::NotConverged`].
    pub fn solve<V: Vector>(
        &self,
        residuals: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>>
    where
        S: LeastSquaresSolver<V>,
    {
        self.run(residuals, guess, stopping)?.into_converged("the Levenberg–Marquardt method")
    }
}
