//! [`Chord`].

use super::{
    Guarded, NonlinearStopping, Residual, Root, RootFinder, iterate::Iterate, no_step, scaled,
};
use crate::{Error, LinearOperator, LinearSolver, Outcome, Result, Vector};

/// The chord method: Newton's with a Jacobian that is kept, and factorised once by a solver that
/// factorises, until an iteration does not reduce the residual enough (C. T. Kelley, *Iterative
/// Methods for Linear and Nonlinear Equations*, SIAM, 1995, §5.4.1; with `contraction` his method
/// of Shamanskii with as many chord steps as are good).
///
/// An iterative solver should have a tolerance well below `contraction`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chord<S> {
    /// What solves for the steps.
    pub solver: S,
    /// The Jacobian is taken anew once the residual shrinks by less than this factor; in (0, 1),
    /// 0.5 by default.
    pub contraction: f64,
}

impl<S> Chord<S> {
    /// With `solver` and a contraction of 0.5.
    pub fn new(solver: S) -> Self {
        Self { solver, contraction: 0.5 }
    }

    fn validate(&self) -> Result<()> {
        if self.contraction > 0.0 && self.contraction < 1.0 {
            return Ok(());
        }
        Err(Error::invalid("contraction", self.contraction, "a number in (0, 1)"))
    }

    /// With an inverse of the Jacobian that the caller keeps over several solves, such as the stages
    /// and steps of an implicit method for differential equations. It ends with
    /// [`Outcome::Stagnation`] before a step that shrinks the residual by less than the
    /// contraction, unless that step ends it: time for a new Jacobian. The solver is not used.
    ///
    /// # Errors
    /// As [`RootFinder::run`].
    pub fn run_with_inverse<V: Vector>(
        &self,
        function: &dyn Residual<V>,
        inverse: &dyn LinearOperator<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.validate()?;
        let mut iterate = Iterate::new(function, guess, stopping)?;
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let step = direction(inverse, &iterate.at.value)?;
            let point = iterate.trial(1.0, &step)?;
            let enough = point.norm <= self.contraction * iterate.at.norm
                || point.norm <= iterate.target
                || iterate.is_small(&point, step.norm2()?)?;
            if !enough {
                break Outcome::Stagnation;
            }
            iterate.accept(point, Some(step.norm2()?))?;
        };
        Ok(iterate.finish(outcome))
    }
}

/// `−A⁻¹ F`.
fn direction<V: Vector>(inverse: &dyn LinearOperator<V>, value: &V) -> Result<V> {
    inverse.apply(&scaled(value, -1.0)?)
}

impl<V: Vector, S: LinearSolver<V>> RootFinder<V> for Chord<S> {
    fn name(&self) -> &'static str {
        "the chord method"
    }

    fn run(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.validate()?;
        let mut iterate = Iterate::new(function, guess, stopping)?;
        let mut kept: Option<Box<dyn LinearOperator<V> + '_>> = None;
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            if let Some(inverse) = &kept {
                let step = match direction(inverse, &iterate.at.value) {
                    Ok(step) => step,
                    Err(error) => break no_step(error)?,
                };
                let point = iterate.trial(1.0, &step)?;
                let ratio = point.norm / iterate.at.norm;
                // A step that makes things worse (or NaN) is not made, one that makes them a little
                // better is the last with this Jacobian.
                let good = ratio <= self.contraction;
                if ratio < 1.0 {
                    iterate.accept(point, Some(step.norm2()?))?;
                }
                if !good {
                    kept = None;
                }
                continue;
            }
            let jacobian = iterate.jacobian()?;
            let step = match self.solver.inverse(Box::new(Guarded(jacobian)), &iterate.at.value) {
                Ok(inverse) => {
                    let step = direction(&inverse, &iterate.at.value);
                    kept = Some(inverse);
                    step
                }
                Err(error) => Err(error),
            };
            let step = match step {
                Ok(step) => step,
                Err(error) => break no_step(error)?,
            };
            let before = iterate.at.norm;
            if iterate.backtrack(&step, 1.0)?.is_none() {
                break iterate.stuck()?;
            }
            if iterate.at.norm > self.contraction * before {
                kept = None;
            }
        };
        Ok(iterate.finish(outcome))
    }
}
