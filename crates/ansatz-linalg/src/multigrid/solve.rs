//! Solving with multigrid, and preconditioning: [`Multigrid`].

use std::sync::Mutex;

use super::{
    config::MultigridConfig,
    cycle::{Cycles, Workspace},
    hierarchy::Hierarchy,
};
use crate::{
    Cycle, Diffusion, Error, LinearOperator, Outcome, Properties, Result, Solution, Stopping,
    iterative::measurable_norm, operator::check_finite, operator::check_length,
};

/// Geometric multigrid for a [`Diffusion`] operator: solves `A u = f` in a time proportional to the
/// number of cells. As a [`LinearOperator`] it is one cycle from zero, a preconditioner.
///
/// Coarse grids take every other cell along the axes of strong coupling. Any numbers of cells will
/// do; there is no need for powers of two. With constant coefficients the coarse matrices are those
/// of the same problem on the coarse grid, made of factors for each axis. With fields they are
/// `PᵀAP` with an interpolation `P` that follows the jumps of `k` (J. Dendy, *Black box multigrid*,
/// J. Comput. Phys. 48, 1982), and the number of cycles stays nearly the same for jumps of many
/// orders of magnitude.
///
/// ```
/// use ansatz_linalg::{Boundary, Diffusion, Multigrid, MultigridConfig, Stopping};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Diffusion::laplacian(&[100, 70], &[0.01, 0.01], &[Boundary::DIRICHLET; 2])?;
/// let f = a.cells(|x| x[0] * (6.0 * x[1]).sin());
/// let multigrid = Multigrid::new(&a, MultigridConfig::default())?;
/// let solution = multigrid.solve(&f, &Stopping { relative: 1e-9, ..Stopping::default() })?;
/// assert!(solution.iterations() <= 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Multigrid {
    hierarchy: Hierarchy,
    config: MultigridConfig,
    singular: bool,
    /// Memory of cycles that are not running.
    spare: Mutex<Vec<Workspace>>,
}

/// A right-hand side of a singular problem may have a sum of this part of its absolute values.
const ROUNDING: f64 = 1e-10;
/// And this part at any tolerance, for rounding.
const EXACT: f64 = 1e-14;
/// A solve stagnates if this many cycles together make the residual no smaller than this.
const PATIENCE: usize = 5;
const PROGRESS: f64 = 0.9;
/// It diverges if the residual is so many times that at the beginning.
const DIVERGED: f64 = 1e6;

impl Multigrid {
    /// Sets up the coarse grids.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for settings that make no sense, [`Error::NotPositiveDefinite`]
    /// when the matrix of the coarsest grid cannot be told from a singular one, for fields that range
    /// over more than the digits of a number.
    pub fn new(problem: &Diffusion, config: MultigridConfig) -> Result<Self> {
        config.validate()?;
        let (hierarchy, spare) = (Hierarchy::new(problem)?, Mutex::default());
        Ok(Self { hierarchy, config, singular: problem.is_singular(), spare })
    }

    /// The settings.
    pub fn config(&self) -> &MultigridConfig {
        &self.config
    }

    /// The cells along each of the three axes of every grid, the finest first.
    pub fn grids(&self) -> Vec<[usize; 3]> {
        self.hierarchy.levels.iter().map(|level| level.grid.n).collect()
    }

    /// Work units of a cycle: how many times as many cells it smoothes as there are.
    pub fn work_of_cycle(&self) -> f64 {
        self.work(self.config.cycle, 0)
    }

    /// Work units of the beginning on the coarsest grid, if that is asked for.
    pub fn work_of_start(&self) -> f64 {
        let levels = self.hierarchy.transfers.len();
        if !self.config.full {
            return 0.0;
        }
        (0..levels).map(|depth| self.work(self.config.cycle, depth)).sum()
    }

    fn work(&self, cycle: Cycle, depth: usize) -> f64 {
        let levels = &self.hierarchy.levels;
        if depth + 1 >= levels.len() {
            return 0.0;
        }
        let part = levels[depth].grid.len() as f64 / levels[0].grid.len() as f64;
        let own = (self.config.before + self.config.after) as f64 * part;
        let second = if depth + 2 < levels.len() { cycle.second() } else { None };
        let below = [Some(cycle), second].into_iter().flatten();
        own + below.map(|cycle| self.work(cycle, depth + 1)).sum::<f64>()
    }

    /// The solution of `A u = f` from zero, or from the coarsest grid.
    ///
    /// # Errors
    /// As [`Multigrid::run`], and [`Error::NotConverged`].
    pub fn solve(&self, f: &Vec<f64>, stopping: &Stopping) -> Result<Solution<Vec<f64>>> {
        self.run(f, None, stopping)?.into_converged("multigrid")
    }

    /// What cycles have found when they end, for whatever reason; from `guess`, or as
    /// [`Multigrid::solve`]. An iteration is a cycle; the start on the coarsest grid counts as one.
    /// Of a singular problem it is the solution of zero mean.
    ///
    /// # Errors
    /// [`Error::Size`] and [`Error::NotFinite`] for `f` and `guess`, [`Error::InvalidArgument`] for
    /// tolerances and when the norm of `f` overflows, [`Error::Inconsistent`] when the problem is
    /// singular and the sum of `f` is not zero.
    pub fn run(
        &self,
        f: &Vec<f64>,
        guess: Option<&Vec<f64>>,
        stopping: &Stopping,
    ) -> Result<Solution<Vec<f64>>> {
        stopping.validate()?;
        self.check("right-hand side of multigrid", f)?;
        if let Some(guess) = guess {
            self.check("first guess of multigrid", guess)?;
        }
        let norm = measurable_norm("right-hand side of multigrid", f)?;
        let target = stopping.target(norm);
        let balanced = self.balanced(f, target)?;
        let f = balanced.as_ref().unwrap_or(f);
        let mut x = guess.map_or_else(|| vec![0.0; f.len()], Clone::clone);
        if norm == 0.0 {
            x.fill(0.0);
            return Ok(Solution { x, outcome: Outcome::Converged, residuals: vec![0.0], target });
        }
        let finest = &self.hierarchy.levels[0];
        let first = if guess.is_some() { finest.square(&x, f).sqrt() } else { norm };
        let mut residuals = vec![first];
        let cycles = Cycles { hierarchy: &self.hierarchy, config: &self.config, symmetric: false };
        let mut work = self.workspace();
        let outcome = loop {
            if let Some(outcome) = judge(&residuals, target, stopping.iterations) {
                break outcome;
            }
            let zero = residuals.len() == 1 && guess.is_none();
            if zero && self.config.full {
                cycles.full(&mut x, f, &mut work)?;
            } else {
                cycles.cycle(&mut x, f, zero, &mut work)?;
            }
            residuals.push(finest.square(&x, f).sqrt());
        };
        self.give_back(work);
        if self.singular {
            remove_mean(&mut x);
        }
        Ok(Solution { x, outcome, residuals, target })
    }

    fn check(&self, what: &'static str, x: &[f64]) -> Result<()> {
        check_length(what, self.hierarchy.levels[0].grid.len(), x.len())?;
        check_finite(what, x)
    }

    /// The right-hand side of a singular problem without what rounding has left of its sum. No
    /// solution has a smaller residual than what is taken away here.
    fn balanced(&self, f: &[f64], target: f64) -> Result<Option<Vec<f64>>> {
        if !self.singular {
            return Ok(None);
        }
        let sum: f64 = f.iter().sum();
        let size: f64 = f.iter().map(|f| f.abs()).sum();
        let taken = sum.abs() / (f.len() as f64).sqrt();
        if sum.abs() > ROUNDING * size || (taken > target && sum.abs() > EXACT * size) {
            return Err(Error::Inconsistent { what: "sum of the right-hand side", value: sum });
        }
        let mut balanced = f.to_vec();
        remove_mean(&mut balanced);
        Ok(Some(balanced))
    }

    fn workspace(&self) -> Workspace {
        // A thread that panicked left nothing half done here: the lists are only pushed and popped.
        let mut spare = self.spare.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        spare.pop().unwrap_or_else(|| Workspace::new(&self.hierarchy, &self.config))
    }

    fn give_back(&self, work: Workspace) {
        self.spare.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(work);
    }
}

fn remove_mean(x: &mut [f64]) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    for x in x {
        *x -= mean;
    }
}

/// Whether to end.
fn judge(residuals: &[f64], target: f64, budget: usize) -> Option<Outcome> {
    let (first, last) = (residuals.first()?, residuals.last()?);
    let count = residuals.len() - 1;
    if *last <= target {
        return Some(Outcome::Converged);
    }
    if !last.is_finite() || *last > DIVERGED * first {
        return Some(Outcome::Breakdown("the cycles diverge: take multigrid as a preconditioner"));
    }
    if count >= budget {
        return Some(Outcome::Budget);
    }
    let stuck = count > PATIENCE && *last > PROGRESS * residuals[count - PATIENCE];
    stuck.then_some(Outcome::Stagnation)
}

impl LinearOperator<Vec<f64>> for Multigrid {
    fn shape(&self) -> [usize; 2] {
        [self.hierarchy.levels[0].grid.len(); 2]
    }

    /// One cycle from zero. Of a singular problem, between vectors of zero mean.
    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.resize(x.len(), 0.0);
        let mut work = self.workspace();
        let cycles = Cycles { hierarchy: &self.hierarchy, config: &self.config, symmetric: true };
        if self.singular {
            let mut balanced = x.clone();
            remove_mean(&mut balanced);
            cycles.cycle(y, &balanced, true, &mut work)?;
            remove_mean(y);
        } else {
            cycles.cycle(y, x, true, &mut work)?;
        }
        self.give_back(work);
        Ok(())
    }

    /// Symmetric with as much smoothing before as after, unless it is an F-cycle; a V-cycle is then
    /// positive definite too, where the problem is.
    fn properties(&self) -> Properties {
        if !self.config.is_symmetric() {
            return Properties::NONE;
        }
        let positive_definite = self.config.cycle == Cycle::V && !self.singular;
        Properties { positive_definite, ..Properties::SYMMETRIC }
    }
}
