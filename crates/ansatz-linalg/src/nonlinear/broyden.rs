//! [`Broyden`].

use super::{
    Guarded, NonlinearStopping, Residual, Root, RootFinder, iterate::Iterate, no_step, scaled,
};
use crate::{Direct, Error, LinearOperator, LinearSolver, Outcome, Result, Vector};

/// Broyden's good method: an approximate inverse of the Jacobian that is corrected by each step, kept
/// as `2 memory` vectors (C. G. Broyden, Math. Comp. 19, 1965; inverses by the formula of Sherman
/// and Morrison, as in C. T. Kelley, *Iterative Methods for Linear and Nonlinear Equations*, SIAM,
/// 1995, §7.3). Steps are shortened until the residual falls; where that fails, and when the memory
/// is full, it begins anew.
///
/// One evaluation of the function for an iteration that takes a whole step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broyden<S = Direct> {
    /// The inverse to begin with.
    pub start: BroydenStart<S>,
    /// Corrections kept; 50 by default.
    pub memory: usize,
}

/// The approximate inverse of the Jacobian with which [`Broyden`] begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BroydenStart<S> {
    /// The Jacobian there, inverted by a solver.
    Jacobian(S),
    /// This multiple of the identity. Needs neither a Jacobian nor a solver, and a function that is
    /// preconditioned so that its Jacobian is not far from the identity.
    Multiple(f64),
}

impl<S> Broyden<S> {
    /// Beginning with the Jacobian, inverted by `solver`.
    pub fn new(solver: S) -> Self {
        Self { start: BroydenStart::Jacobian(solver), memory: 50 }
    }
}

impl Broyden {
    /// Beginning with this multiple of the identity as inverse.
    pub fn multiple(factor: f64) -> Self {
        Self { start: BroydenStart::Multiple(factor), memory: 50 }
    }
}

/// `H ← (I + a sᵀ) H` for each correction, from a start.
struct Inverse<'a, V> {
    start: Start<'a, V>,
    /// `(a, s)`, the oldest first.
    corrections: Vec<(V, V)>,
}

enum Start<'a, V> {
    Operator(Box<dyn LinearOperator<V> + 'a>),
    Multiple(f64),
}

impl<V: Vector> Inverse<'_, V> {
    fn apply(&self, x: &V) -> Result<V> {
        let mut y = match &self.start {
            Start::Operator(operator) => operator.apply(x)?,
            Start::Multiple(factor) => scaled(x, *factor)?,
        };
        for (a, s) in &self.corrections {
            let part = s.inner(&y)?;
            y.axpby(1.0, part, a)?;
        }
        Ok(y)
    }

    /// The correction that makes `H y = s`.
    fn correct(&mut self, s: V, y: &V) -> Result<()> {
        let mut a = self.apply(y)?;
        let denominator = s.inner(&a)?;
        // Otherwise the corrected Jacobian would be singular.
        if denominator.abs() > 1e-12 * s.norm2()? * a.norm2()? {
            a.axpby(-denominator.recip(), denominator.recip(), &s)?;
            self.corrections.push((a, s));
        }
        Ok(())
    }
}

impl<V: Vector, S: LinearSolver<V>> RootFinder<V> for Broyden<S> {
    fn name(&self) -> &'static str {
        "Broyden's method"
    }

    fn run(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.validate()?;
        let mut iterate = Iterate::new(function, guess, stopping)?;
        let mut kept: Option<Inverse<'_, V>> = None;
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let fresh = kept.is_none();
            let mut inverse = match kept.take() {
                Some(inverse) => inverse,
                None => match self.start(&mut iterate)? {
                    Ok(start) => Inverse { start, corrections: Vec::new() },
                    Err(outcome) => break outcome,
                },
            };
            let step = match inverse.apply(&iterate.at.value) {
                Ok(step) => scaled(&step, -1.0)?,
                Err(error) => break no_step(error)?,
            };
            let before = iterate.at.value.clone();
            let Some(length) = iterate.backtrack(&step, 1.0)? else {
                match &self.start {
                    _ if !fresh => continue,
                    BroydenStart::Jacobian(_) => break iterate.stuck()?,
                    BroydenStart::Multiple(_) => break Outcome::Stagnation,
                }
            };
            if inverse.corrections.len() == self.memory {
                continue;
            }
            let mut y = iterate.at.value.clone();
            y.axpby(1.0, -1.0, &before)?;
            if let Err(error) = inverse.correct(scaled(&step, length)?, &y) {
                break match iterate.end() {
                    Some(outcome) => outcome,
                    None => no_step(error)?,
                };
            }
            kept = Some(inverse);
        };
        Ok(iterate.finish(outcome))
    }
}

impl<S> Broyden<S> {
    fn validate(&self) -> Result<()> {
        if self.memory == 0 {
            return Err(Error::invalid("memory", 0, "at least one correction"));
        }
        match self.start {
            BroydenStart::Multiple(factor) if factor == 0.0 || !factor.is_finite() => {
                Err(Error::invalid("multiple of the identity", factor, "a number other than 0"))
            }
            _ => Ok(()),
        }
    }

    /// `Err` holds why there is none.
    fn start<'a, V: Vector>(
        &'a self,
        iterate: &mut Iterate<'a, V>,
    ) -> Result<std::result::Result<Start<'a, V>, Outcome>>
    where
        S: LinearSolver<V>,
    {
        Ok(match &self.start {
            BroydenStart::Multiple(factor) => Ok(Start::Multiple(*factor)),
            BroydenStart::Jacobian(solver) => {
                let jacobian = Box::new(Guarded(iterate.jacobian()?));
                match solver.inverse(jacobian, &iterate.at.value) {
                    Ok(inverse) => Ok(Start::Operator(inverse)),
                    Err(error) => Err(no_step(error)?),
                }
            }
        })
    }
}
