//! An iteration for one matrix in the place of a factorisation: [`Prepared`].

use super::Factorised;
use crate::{LinearOperator, LinearSolver, Result};

/// An operator with the solver for it: solves like a factorisation.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<A, S> {
    /// The operator, square.
    pub operator: A,
    /// What solves systems with it.
    pub solver: S,
}

impl<A: LinearOperator<Vec<f64>>, S: LinearSolver<Vec<f64>>> Factorised for Prepared<A, S> {
    fn dimension(&self) -> usize {
        self.operator.shape()[0]
    }

    /// # Errors
    /// As [`LinearSolver::solve`].
    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        super::columns("right-hand side", self.dimension(), x)?;
        for x in x.chunks_mut(self.dimension().max(1)) {
            let solution = self.solver.solve(&self.operator, &x.to_vec())?;
            x.copy_from_slice(&solution.x);
        }
        Ok(())
    }

    /// # Errors
    /// As [`LinearSolver::solve_transposed`].
    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        super::columns("right-hand side", self.dimension(), x)?;
        for x in x.chunks_mut(self.dimension().max(1)) {
            let solution = self.solver.solve_transposed(&self.operator, &x.to_vec())?;
            x.copy_from_slice(&solution.x);
        }
        Ok(())
    }
}
