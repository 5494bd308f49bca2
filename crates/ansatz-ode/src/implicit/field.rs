//! The right-hand side as implicit methods see it: [`ImplicitField`].

use super::{GivenJacobian, Mass, MatrixFreeParts, Sparsity};
use crate::{FieldOutput, InPlace, VectorField, WithArguments};

/// How the Jacobian `∂f/∂y` of a field is found, and how systems with it are solved.
#[non_exhaustive]
pub enum Linearisation<'a, Y> {
    /// A dense matrix by forward differences: one evaluation of the field for each component.
    Differences,
    /// A sparse matrix by forward differences, many columns at a time.
    SparseDifferences(&'a Sparsity),
    /// A matrix that the caller computes; dense or sparse, as it comes.
    Given(&'a dyn GivenJacobian<Y>),
    /// No matrix at all: systems are solved by products with vectors.
    MatrixFree(&'a dyn MatrixFreeParts<Y>),
}

/// The problem `M y′ = f(t, y)` with what implicit methods need.
///
/// Closures are, as are the adapters of this crate. A [`VectorField`] of your own becomes one by
/// passing on its value:
///
/// ```
/// use ansatz_ode::{ImplicitField, Kvaerno5, VectorField, core::Result, solve};
///
/// struct Decay(f64);
///
/// impl VectorField<f64> for Decay {
///     fn eval_into(&self, _t: f64, y: &f64, dy: &mut f64) -> Result<()> {
///         *dy = -self.0 * y;
///         Ok(())
///     }
/// }
///
/// impl ImplicitField<f64> for Decay {
///     fn value_into(&self, t: f64, y: &f64, out: &mut f64) -> Result<()> {
///         self.eval_into(t, y, out)
///     }
/// }
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let end = solve(Decay(1e6), 1.0, (0.0, 1.0)).with(Kvaerno5).tolerance(1e-6, 1e-6).run()?;
/// assert!(end.y_end.abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
pub trait ImplicitField<Y> {
    /// Writes `f(t, y)` into `out`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()>;

    /// How the Jacobian is found: by differences, unless it says more.
    fn linearisation(&self) -> Linearisation<'_, Y> {
        Linearisation::Differences
    }

    /// The mass matrix; `None` for the identity.
    fn mass(&self) -> Option<&Mass> {
        None
    }
}

impl<F, Y, O> ImplicitField<Y> for F
where
    F: Fn(f64, &Y) -> O,
    O: FieldOutput<Y>,
{
    #[inline]
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }
}

impl<F, Y> ImplicitField<Y> for InPlace<F>
where
    F: Fn(f64, &Y, &mut Y),
{
    #[inline]
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }
}

impl<F, Y> ImplicitField<Y> for WithArguments<F, Y>
where
    Self: VectorField<Y>,
{
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }
}
