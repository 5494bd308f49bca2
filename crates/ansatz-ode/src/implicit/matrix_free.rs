//! Fields whose systems are solved without a matrix: [`MatrixFree`].

use super::{ImplicitField, Linearisation};
use crate::{FieldOutput, VectorField};

/// What systems with `M − γh J` are solved with where there is no matrix.
pub trait MatrixFreeParts<Y> {
    /// Writes `J v`, with the Jacobian at `(t, y)`, into `out`; `false` where products are differences
    /// of the field.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn product_into(&self, t: f64, y: &Y, v: &Y, out: &mut Y) -> ansatz_core::Result<bool>;

    /// Whether there is a preconditioner.
    fn has_preconditioner(&self) -> bool;

    /// Writes what is near `(M − γh J)⁻¹ r` into `z`.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn precondition_into(&self, gamma_h: f64, r: &Y, z: &mut Y) -> ansatz_core::Result<()>;
}

/// A part of [`MatrixFree`] that was not given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

/// A part of [`MatrixFree`] that was given.
#[derive(Debug, Clone, Copy)]
pub struct Given<T>(T);

/// A field for whose implicit steps no matrix is made: their linear systems are solved by GMRES (Y. Saad,
/// M. Schultz 1986), and a product with the Jacobian is a difference of two values of the field, which
/// costs one evaluation (P. Brown, A. Hindmarsh, SIAM J. Numer. Anal. 23, 1986, 610–638). For systems so
/// large that a factorisation, even a sparse one, costs too much: partial differential equations in two
/// and three dimensions.
///
/// Diagonally implicit methods, [`Bdf`](crate::Bdf) and implicit–explicit ones take it, and exponential
/// Rosenbrock methods, which need only products. Methods that need the Jacobian itself
/// refuse it. Systems are solved to a twentieth of the tolerance of Newton's method; where GMRES does not
/// get anywhere, steps become shorter, and a solve that cannot go on says that it did not converge.
/// [`Statistics::linear_iterations`](crate::Statistics::linear_iterations) tells what it costs, and
/// whether a [preconditioner](Self::with_preconditioner) would pay.
///
/// ```
/// use ansatz_ode::{InPlace, Kvaerno5, MatrixFree, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Diffusion on a line of 200 points.
/// let n = 200;
/// let heat = InPlace(move |_t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
///     for i in 0..u.len() {
///         let (left, right) = (u[i.saturating_sub(1)], u[(i + 1).min(n - 1)]);
///         du[i] = 1e4 * (left - 2.0 * u[i] + right);
///     }
/// });
/// // W = 1 − γh J is tridiagonal, with 1 + 2·10⁴ γh on its diagonal.
/// let field = MatrixFree::new(heat).with_preconditioner(|gamma_h: f64, r: &Vec<f64>| {
///     r.iter().map(|r| r / (1.0 + 2e4 * gamma_h)).collect::<Vec<f64>>()
/// });
/// let u0: Vec<f64> = (0..n).map(|i| if i < n / 2 { 1.0 } else { 0.0 }).collect();
/// let solution = solve(field, u0, (0.0, 1e-2)).with(Kvaerno5).tolerance(1e-4, 1e-4).run()?;
/// assert_eq!(solution.statistics.jacobians, 0);
/// assert!(solution.statistics.linear_iterations > solution.statistics.linear_solves);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MatrixFree<F, J = Absent, P = Absent> {
    field: F,
    product: J,
    preconditioner: P,
}

impl<F> MatrixFree<F> {
    /// `field`, with products by differences and without a preconditioner.
    pub fn new(field: F) -> Self {
        Self { field, product: Absent, preconditioner: Absent }
    }
}

impl<F, J, P> MatrixFree<F, J, P> {
    /// With exact products: `product(t, y, v)` is `J v`, with the Jacobian `J` at `(t, y)`.
    pub fn with_product<Y, O, K>(self, product: K) -> MatrixFree<F, Given<K>, P>
    where
        K: Fn(f64, &Y, &Y) -> O,
        O: FieldOutput<Y>,
    {
        let Self { field, preconditioner, .. } = self;
        MatrixFree { field, product: Given(product), preconditioner }
    }

    /// With a preconditioner: `preconditioner(γh, r)`, a closure as for a field or one [in
    /// place](crate::InPlace), is near `(M − γh J)⁻¹ r`. `γh` is negative in solves backwards in time.
    ///
    /// A poor one costs iterations; results do not depend on it.
    pub fn with_preconditioner<Q>(self, preconditioner: Q) -> MatrixFree<F, J, Given<Q>> {
        let Self { field, product, .. } = self;
        MatrixFree { field, product, preconditioner: Given(preconditioner) }
    }
}

/// Products with a Jacobian, if they were given.
pub trait ProductPart<Y> {
    /// Writes `J v` into `out`; `false` if there are none.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn product_into(&self, t: f64, y: &Y, v: &Y, out: &mut Y) -> ansatz_core::Result<bool>;
}

impl<Y> ProductPart<Y> for Absent {
    fn product_into(&self, _: f64, _: &Y, _: &Y, _: &mut Y) -> ansatz_core::Result<bool> {
        Ok(false)
    }
}

impl<Y, O, K> ProductPart<Y> for Given<K>
where
    K: Fn(f64, &Y, &Y) -> O,
    O: FieldOutput<Y>,
{
    fn product_into(&self, t: f64, y: &Y, v: &Y, out: &mut Y) -> ansatz_core::Result<bool> {
        (self.0)(t, y, v).store(out)?;
        Ok(true)
    }
}

/// A preconditioner, if one was given.
pub trait PreconditionerPart<Y> {
    /// Whether there is one.
    fn is_given(&self) -> bool;

    /// Writes what it makes of `r` into `z`.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn apply_into(&self, gamma_h: f64, r: &Y, z: &mut Y) -> ansatz_core::Result<()>;
}

impl<Y: Clone> PreconditionerPart<Y> for Absent {
    fn is_given(&self) -> bool {
        false
    }

    fn apply_into(&self, _: f64, r: &Y, z: &mut Y) -> ansatz_core::Result<()> {
        z.clone_from(r);
        Ok(())
    }
}

impl<Y, Q: VectorField<Y>> PreconditionerPart<Y> for Given<Q> {
    fn is_given(&self) -> bool {
        true
    }

    fn apply_into(&self, gamma_h: f64, r: &Y, z: &mut Y) -> ansatz_core::Result<()> {
        self.0.eval_into(gamma_h, r, z)
    }
}

impl<F, J, P, Y> MatrixFreeParts<Y> for MatrixFree<F, J, P>
where
    J: ProductPart<Y>,
    P: PreconditionerPart<Y>,
{
    fn product_into(&self, t: f64, y: &Y, v: &Y, out: &mut Y) -> ansatz_core::Result<bool> {
        self.product.product_into(t, y, v, out)
    }

    fn has_preconditioner(&self) -> bool {
        self.preconditioner.is_given()
    }

    fn precondition_into(&self, gamma_h: f64, r: &Y, z: &mut Y) -> ansatz_core::Result<()> {
        self.preconditioner.apply_into(gamma_h, r, z)
    }
}

impl<F: VectorField<Y>, J, P, Y> VectorField<Y> for MatrixFree<F, J, P> {
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> ansatz_core::Result<()> {
        self.field.eval_into(t, y, dy)
    }

    fn arguments(&self) -> &[Y] {
        self.field.arguments()
    }

    fn eval_with(&self, t: f64, y: &Y, arguments: &[Y], dy: &mut Y) -> ansatz_core::Result<()> {
        self.field.eval_with(t, y, arguments, dy)
    }
}

impl<F, J, P, Y> ImplicitField<Y> for MatrixFree<F, J, P>
where
    F: VectorField<Y>,
    J: ProductPart<Y>,
    P: PreconditionerPart<Y>,
{
    #[inline]
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }

    fn linearisation(&self) -> Linearisation<'_, Y> {
        Linearisation::MatrixFree(self)
    }
}
