//! Over-relaxation whose factor is learnt: [`LearnedRelaxation`].

use super::{ContextualTsallisInf, TsallisInf};
use crate::{
    Cg, Error, Iterative, Outcome, Result, Richardson, Solution, Sor, Sparse, Ssor, Stopping,
    System,
    iterative::{check, measurable_norm},
    preconditioner::pivots,
};

/// Which solver is relaxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relaxed {
    /// Successive over-relaxation.
    Sor,
    /// Conjugate gradients with its symmetric form as preconditioner.
    SsorCg,
}

/// What chooses the factor ω.
#[derive(Debug, Clone)]
pub enum Chooser {
    /// The same for all systems: for comparison.
    Fixed(f64),
    /// As good as the best fixed one in the long run.
    Bandit(TsallisInf),
    /// As good as the best function of a context.
    Contextual(ContextualTsallisInf),
}

/// Solves a sequence of related systems by over-relaxation and learns the factor ω from the numbers of
/// iterations alone (M. Khodak, E. Chow, M.-F. Balcan, A. Talwalkar, *Learning to Relax*, ICLR 2024).
///
/// ```
/// use ansatz_linalg::{
///     Chooser, LearnedRelaxation, LinearOperator, Relaxed, Sparse, Stopping, TsallisInf, core::Key,
///     nalgebra_sparse::CooMatrix,
/// };
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let mut entries = CooMatrix::new(20, 20);
/// for i in 0..20 {
///     entries.push(i, i, 2.05);
///     if i > 0 {
///         entries.push(i, i - 1, -1.0);
///         entries.push(i - 1, i, -1.0);
///     }
/// }
/// let a = Sparse::from_coo(&entries)?;
/// let omegas = (0..10).map(|k| 1.0 + 0.1 * f64::from(k)).collect();
/// let mut solver = LearnedRelaxation {
///     solver: Relaxed::Sor,
///     chooser: Chooser::Bandit(TsallisInf::new(omegas, Key::new(3))?),
///     stopping: Stopping::default(),
///     scale: 200.0,
/// };
/// let (mut first, mut last) = (0, 0);
/// for t in 0..400 {
///     let solution = solver.solve(&a, &vec![1.0; 20], None, 0.0)?;
///     *(if t < 20 { &mut first } else { &mut last }) += solution.iterations();
/// }
/// assert!(last / 380 < first / 20);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LearnedRelaxation {
    /// What is relaxed.
    pub solver: Relaxed,
    /// What chooses the factor.
    pub chooser: Chooser,
    /// When a solve stops.
    pub stopping: Stopping,
    /// Iterations that count as a loss of 1, positive: about the most that a solve should take.
    pub scale: f64,
}

impl LearnedRelaxation {
    /// The solution of `A x = b` from `guess` or from zero. `context` is a number that is known of the
    /// system beforehand, such as the length of a step; only [`Chooser::Contextual`] looks at it.
    ///
    /// A solve that does not converge is an error; it is learnt from nevertheless, as one that took
    /// all iterations that it may. What is no system at all is refused before a factor is chosen.
    ///
    /// # Errors
    /// Those of [`Iterative::run`] and of the preconditioners, [`Error::NotConverged`], and
    /// [`Error::InvalidArgument`] when `scale` is not positive.
    pub fn solve(
        &mut self,
        a: &Sparse,
        b: &Vec<f64>,
        guess: Option<&Vec<f64>>,
        context: f64,
    ) -> Result<Solution<Vec<f64>>> {
        if !(self.scale > 0.0 && self.scale.is_finite()) {
            return Err(Error::invalid("scale", self.scale, "a positive number of iterations"));
        }
        self.stopping.validate()?;
        check(&System { operator: a, preconditioner: None }, b, guess)?;
        measurable_norm("right-hand side", b)?;
        pivots(a)?;
        let omega = match &mut self.chooser {
            Chooser::Fixed(omega) => *omega,
            Chooser::Bandit(bandit) => bandit.choose()?,
            Chooser::Contextual(bandit) => bandit.choose(context)?,
        };
        let solution = self.relax(a, b, guess, omega);
        // What fails costs as much as may be.
        let iterations = match &solution {
            Ok(solution) if solution.outcome == Outcome::Converged => solution.iterations(),
            _ => self.stopping.iterations,
        };
        let loss = iterations.saturating_sub(1) as f64 / self.scale;
        match &mut self.chooser {
            Chooser::Fixed(_) => {}
            Chooser::Bandit(bandit) => bandit.learn(loss)?,
            Chooser::Contextual(bandit) => bandit.learn(loss)?,
        }
        solution?.into_converged(match self.solver {
            Relaxed::Sor => "SOR",
            Relaxed::SsorCg => "CG with SSOR",
        })
    }

    fn relax(
        &self,
        a: &Sparse,
        b: &Vec<f64>,
        guess: Option<&Vec<f64>>,
        omega: f64,
    ) -> Result<Solution<Vec<f64>>> {
        match self.solver {
            Relaxed::Sor => {
                let solver = Iterative::new(Richardson::default()).stopping(self.stopping);
                solver.preconditioner(Sor::new(a, omega)?).run(a, b, guess)
            }
            Relaxed::SsorCg => {
                let solver = Iterative::new(Cg).stopping(self.stopping);
                solver.preconditioner(Ssor::new(a, omega)?).run(a, b, guess)
            }
        }
    }
}
