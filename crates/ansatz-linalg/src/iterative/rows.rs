//! Many systems at once, one per row of a tensor: [`CgRows`] and [`BiCgStabRows`].

mod bicgstab;
mod cg;
mod state;

use candle_core::Tensor;

pub use bicgstab::BiCgStabRows;
pub use cg::CgRows;

use super::{Outcome, Stopping};
use crate::{Error, Result};
use state::{Rows, inner};

/// A function that maps each row of a tensor by itself.
type RowMap<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// What was found for each row.
#[derive(Debug, Clone)]
pub struct RowSolutions {
    /// The last iterates, of the shape of the right-hand side; no row has a larger residual than it
    /// had at the start.
    pub x: Tensor,
    /// Why each row ended.
    pub outcomes: Vec<Outcome>,
    /// `‖b − A x‖` of each row, measured at the end.
    pub residuals: Vec<f64>,
    /// The residuals that were asked for.
    pub targets: Vec<f64>,
    /// Iterations of the row that took the most.
    pub iterations: usize,
}

impl RowSolutions {
    /// The solutions if all rows converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] for the first that did not.
    pub fn into_converged(self, method: &'static str) -> Result<Tensor> {
        match self.outcomes.iter().position(|outcome| *outcome != Outcome::Converged) {
            None => Ok(self.x),
            Some(row) => Err(Error::NotConverged {
                method,
                outcome: self.outcomes[row],
                iterations: self.iterations,
                residual: self.residuals[row],
                target: self.targets[row],
            }),
        }
    }
}

/// Operator and preconditioner of all rows.
struct RowSystem<'a> {
    operator: &'a RowMap<'a>,
    preconditioner: Option<&'a RowMap<'a>>,
}

impl RowSystem<'_> {
    fn precondition(&self, rows: &Rows, r: &Tensor) -> Result<Tensor> {
        match self.preconditioner {
            Some(preconditioner) => rows.map(preconditioner, r),
            None => Ok(r.clone()),
        }
    }
}

/// The residuals of rows that claim to have converged must be this much smaller than when the pass
/// began: otherwise rounding has the upper hand.
const PROGRESS: f64 = 0.5;

/// What breaks a recurrence but not its next one, begun anew.
const VANISHED: &str = "an inner product vanished: take Gmres row by row";

/// Passes of a recurrence, until no row goes on: what a recurrence says of the residuals drifts away
/// from them, so they are measured after each. `pass` improves solutions with given residuals.
fn solve(
    system: &RowSystem<'_>,
    b: &Tensor,
    guess: Option<&Tensor>,
    stopping: &Stopping,
    pass: fn(&RowSystem<'_>, &mut Rows, Tensor, Tensor) -> Result<Tensor>,
) -> Result<RowSolutions> {
    let b = b.detach();
    let mut rows = Rows::new(stopping, &b)?;
    let (mut x, mut r) = (b.zeros_like()?, b.clone());
    if let Some(guess) = guess {
        x = rows.checked_guess(&b, guess)?;
        r = (&b - rows.map(system.operator, &x)?)?;
    }
    let mut residuals = rows.norms(&r)?;
    rows.settle(&residuals, None);
    while rows.any_active() {
        let before = x.clone();
        x = pass(system, &mut rows, x, r)?;
        r = (&b - rows.map(system.operator, &x)?)?;
        let now = rows.norms(&r)?;
        rows.settle(&now, Some(&residuals));
        let better: Vec<bool> = now.iter().zip(&residuals).map(|(n, r)| n <= r).collect();
        x = rows.select(&better, &x, &before)?;
        for ((residual, now), better) in residuals.iter_mut().zip(now).zip(better) {
            *residual = if better { now } else { *residual };
        }
    }
    Ok(rows.into_solutions(x, residuals))
}
