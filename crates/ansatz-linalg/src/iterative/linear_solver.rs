//! Whatever solves linear systems: [`LinearSolver`].

use super::Solution;
use crate::{LinearOperator, Result, Transposed, Vector};

/// Whatever solves `A x = b`: what Newton's method and implicit differentiation ask for.
pub trait LinearSolver<V: Vector> {
    /// The solution of `A x = b`.
    ///
    /// # Errors
    /// When there is none within the tolerance of the solver.
    fn solve(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>>;

    /// The solution of `Aᵀ x = b`.
    ///
    /// # Errors
    /// As [`LinearSolver::solve`], and [`Error::NoTranspose`](crate::Error::NoTranspose).
    fn solve_transposed(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
        if a.properties().symmetric {
            return self.solve(a, b);
        }
        self.solve(&Transposed(a), b)
    }

    /// What is found of `A x = b` with a residual of `relative ‖b‖` or of the solver's own tolerance,
    /// whichever is larger: an inexact Newton method asks for no more than it needs. To have missed
    /// it is no error, but an [`Outcome`](super::Outcome). Solvers without a tolerance give the solution.
    ///
    /// # Errors
    /// When nothing is found.
    fn solve_within(&self, a: &dyn LinearOperator<V>, b: &V, relative: f64) -> Result<Solution<V>> {
        let _ = relative;
        self.solve(a, b)
    }

    /// `A⁻¹` as an operator, each of whose applications is a solve; a solver that factorises does so
    /// once. `like` is a vector of the kind that it acts on.
    ///
    /// # Errors
    /// When the factorisation fails.
    fn inverse<'a>(
        &'a self,
        a: Box<dyn LinearOperator<V> + 'a>,
        like: &V,
    ) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a,
    {
        let _ = like;
        Ok(Box::new(Solved { solver: self, operator: a }))
    }
}

/// The inverse of an operator by solves.
struct Solved<'a, S: ?Sized, V> {
    solver: &'a S,
    operator: Box<dyn LinearOperator<V> + 'a>,
}

impl<V: Vector, S: LinearSolver<V> + ?Sized> LinearOperator<V> for Solved<'_, S, V> {
    fn shape(&self) -> [usize; 2] {
        let [rows, columns] = self.operator.shape();
        [columns, rows]
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        *y = self.solver.solve(&*self.operator, x)?.x;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        *y = self.solver.solve_transposed(&*self.operator, x)?.x;
        Ok(())
    }
}

/// What points to a solver is one.
macro_rules! pointer {
    ($pointer:ty) => {
        impl<V: Vector, S: LinearSolver<V> + ?Sized> LinearSolver<V> for $pointer {
            fn solve(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
                (**self).solve(a, b)
            }

            fn solve_transposed(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
                (**self).solve_transposed(a, b)
            }

            fn solve_within(
                &self,
                a: &dyn LinearOperator<V>,
                b: &V,
                relative: f64,
            ) -> Result<Solution<V>> {
                (**self).solve_within(a, b, relative)
            }

            fn inverse<'a>(
                &'a self,
                a: Box<dyn LinearOperator<V> + 'a>,
                like: &V,
            ) -> Result<Box<dyn LinearOperator<V> + 'a>>
            where
                V: 'a,
            {
                (**self).inverse(a, like)
            }
        }
    };
}

pointer!(&S);
pointer!(Box<S>);
