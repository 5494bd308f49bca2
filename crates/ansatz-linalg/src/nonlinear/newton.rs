//! [`Newton`].

use super::{
    Guarded, NonlinearStopping, Residual, Root, RootFinder, iterate::Iterate, no_step, scaled,
};
use crate::{Error, LinearSolver, Outcome, Result, Vector};

/// Newton's method, its steps shortened until the residual falls (C. T. Kelley, *Iterative Methods
/// for Linear and Nonlinear Equations*, SIAM, 1995, chapters 5, 6 and 8).
///
/// The linear systems are solved by any [`LinearSolver`]: [`Direct`](crate::Direct) for small ones,
/// an iteration for large ones (Newton–Krylov), which needs the Jacobian only as an operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Newton<S> {
    /// What solves for the step.
    pub solver: S,
    /// How well; solvers that are not iterations do not care.
    pub forcing: Forcing,
}

impl<S> Newton<S> {
    /// With `solver` and forcing terms of Eisenstat and Walker.
    pub fn new(solver: S) -> Self {
        Self { solver, forcing: Forcing::default() }
    }
}

/// The residual of the linear system that an iterative solver may leave, relative to its right-hand
/// side. It is never asked for less than its own tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forcing {
    /// Always the same; 0 for the tolerance of the solver.
    Constant(f64),
    /// As small as the last step was good: `η = γ (‖F‖ / ‖F‖ before)²`, not much smaller than the
    /// one before and than what the end of the iteration needs (S. Eisenstat, H. Walker, SIAM J. Sci.
    /// Comput. 17, 1996, choice 2; C. T. Kelley, op. cit., eq. 6.20). The convergence is quadratic.
    EisenstatWalker {
        /// `γ`, in (0, 1]; 0.9 by default.
        gamma: f64,
        /// The first and largest, in (0, 1); 0.9 by default.
        most: f64,
    },
}

impl Default for Forcing {
    fn default() -> Self {
        Self::EisenstatWalker { gamma: 0.9, most: 0.9 }
    }
}

impl Forcing {
    fn validate(&self) -> Result<()> {
        match *self {
            Self::Constant(eta) if !(0.0..1.0).contains(&eta) => {
                Err(Error::invalid("forcing term", eta, "a number in [0, 1)"))
            }
            Self::EisenstatWalker { gamma, .. } if !(gamma > 0.0 && gamma <= 1.0) => {
                Err(Error::invalid("gamma", gamma, "a number in (0, 1]"))
            }
            Self::EisenstatWalker { most, .. } if !(most > 0.0 && most < 1.0) => {
                Err(Error::invalid("most", most, "a number in (0, 1)"))
            }
            _ => Ok(()),
        }
    }

    /// The next term: after `last`, when the norm went from `norms[0]` to `norms[1]`.
    fn next(&self, last: Option<f64>, norms: [f64; 2], target: f64) -> f64 {
        match (*self, last) {
            (Self::Constant(eta), _) => eta,
            (Self::EisenstatWalker { most, .. }, None) => most,
            (Self::EisenstatWalker { gamma, most }, Some(last)) => {
                let eta = gamma * (norms[1] / norms[0]).powi(2);
                let kept = gamma * last * last;
                let eta = if kept > 0.1 { eta.max(kept) } else { eta };
                eta.max(0.5 * target / norms[1]).min(most)
            }
        }
    }
}

impl<V: Vector, S: LinearSolver<V>> RootFinder<V> for Newton<S> {
    fn name(&self) -> &'static str {
        "Newton's method"
    }

    fn run(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.forcing.validate()?;
        let mut iterate = Iterate::new(function, guess, stopping)?;
        let mut before = iterate.at.norm;
        let mut eta = None;
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let norms = [before, iterate.at.norm];
            let forcing = self.forcing.next(eta, norms, iterate.target);
            eta = Some(forcing);
            before = iterate.at.norm;
            let jacobian = iterate.jacobian()?;
            let right = scaled(&iterate.at.value, -1.0)?;
            let step = match self.solver.solve_within(&Guarded(jacobian), &right, forcing) {
                Ok(solution) => solution,
                Err(error) => break no_step(error)?,
            };
            // Any reduction of the linear residual is a direction of descent.
            let left = step.residual() / before;
            if !(left < 1.0 - 1e-3 && step.x.all_finite()?) {
                break Outcome::Breakdown("the linear solver did not converge");
            }
            if iterate.backtrack(&step.x, 1.0 - left)?.is_none() {
                break iterate.stuck()?;
            }
        };
        Ok(iterate.finish(outcome))
    }
}
