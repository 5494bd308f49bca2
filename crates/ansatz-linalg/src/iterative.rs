//! Iterative methods for `A x = b`, and what they share: when they stop and what they report.

mod bicgstab;
mod cg;
mod chebyshev;
mod directions;
mod gmres;
mod least_squares;
mod linear_solver;
mod minres;
mod monitor;
mod richardson;
#[cfg(feature = "candle")]
mod rows;
mod solution;
mod solver;
mod stopping;

pub use bicgstab::BiCgStab;
pub use cg::Cg;
pub use chebyshev::Chebyshev;
pub(crate) use chebyshev::ritz_values;
pub use directions::ConjugateDirections;
pub use gmres::{Fgmres, Gmres};
pub use least_squares::{LeastSquares, Lsmr, Lsqr};
pub use linear_solver::LinearSolver;
pub use minres::Minres;
pub use monitor::{Monitor, Pause};
pub use richardson::Richardson;
#[cfg(feature = "candle")]
pub use rows::{BiCgStabRows, CgRows, RowSolutions};
pub use solution::{Outcome, Solution};
pub use solver::Iterative;
pub(crate) use solver::check;
pub use stopping::Stopping;

use crate::{Error, LinearOperator, Result, Vector};

/// `A x = b` without its right-hand side.
#[derive(Clone, Copy)]
pub struct System<'a, V> {
    /// The operator `A`, square.
    pub operator: &'a dyn LinearOperator<V>,
    /// An operator near `A⁻¹`; without one a method behaves as with the identity.
    pub preconditioner: Option<&'a dyn LinearOperator<V>>,
}

impl<V: Vector> System<'_, V> {
    /// `z ← M r`, where `M` is the preconditioner.
    ///
    /// # Errors
    /// Those of the preconditioner.
    pub fn precondition(&self, r: &V, z: &mut V) -> Result<()> {
        if let Some(preconditioner) = self.preconditioner {
            return preconditioner.apply_into(r, z);
        }
        z.clone_from(r);
        Ok(())
    }
}

/// One way to improve a solution, step by step. [`Iterative`] checks the arguments, measures the
/// true residual at the end, and reports.
pub trait IterativeMethod<V: Vector> {
    /// What the method is called in messages.
    fn name(&self) -> &'static str;

    /// Improves `x`, whose residual `b − A x` is `residual`, and hands the norm of the residual to
    /// `monitor` after each iteration, until that returns a reason to pause or the method has one
    /// of its own.
    ///
    /// # Errors
    /// Those of the operators, and [`Error::InvalidArgument`] for settings that make no sense. That
    /// an iteration does not converge is no error here, but a [`Pause`].
    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        residual: V,
        monitor: &mut Monitor,
    ) -> Result<Pause>;
}

/// What points to a method is one.
macro_rules! pointer {
    ($pointer:ty) => {
        impl<V: Vector, M: IterativeMethod<V> + ?Sized> IterativeMethod<V> for $pointer {
            fn name(&self) -> &'static str {
                (**self).name()
            }

            fn improve(
                &self,
                system: &System<'_, V>,
                x: &mut V,
                residual: V,
                monitor: &mut Monitor,
            ) -> Result<Pause> {
                (**self).improve(system, x, residual, monitor)
            }
        }
    };
}

pointer!(&M);
pointer!(Box<M>);

/// NaN is not.
fn positive(x: f64) -> bool {
    x > 0.0
}

pub(crate) fn finite<V: Vector>(what: &'static str, x: &V) -> Result<()> {
    if x.all_finite()? {
        return Ok(());
    }
    Err(Error::invalid(what, "NaN or infinite", "finite components"))
}

/// `‖b‖` as a number whose square is one too: methods add up squares.
pub(crate) fn measurable_norm<V: Vector>(what: &'static str, b: &V) -> Result<f64> {
    let (norm, square) = (b.norm2()?, b.inner(b)?);
    let expected = "components whose squares can be added up; scale the problem";
    if !square.is_finite() {
        return Err(Error::invalid(what, "too large: its norm overflows", expected));
    }
    if square == 0.0 && norm > 0.0 {
        return Err(Error::invalid(what, "too small: its norm underflows", expected));
    }
    Ok(norm)
}
