//! Jacobians from the caller: [`WithJacobian`].

use ansatz_linalg::{LinearOperator as _, Sparse};

use super::{ImplicitField, Linearisation};
use crate::{Error, Result, VectorField};

/// Where a Jacobian is put.
#[derive(Debug, Clone)]
pub enum JacobianStorage {
    /// Column after column.
    Dense(Vec<f64>),
    /// With the same places every time.
    Sparse(Sparse),
}

/// A matrix that a closure may return as a Jacobian: an array of rows, a vector of rows, or a
/// [`Sparse`] matrix (whose entries must be at the same places every time).
pub trait JacobianMatrix {
    /// Puts the matrix into `out`, for a state of `n` components.
    ///
    /// # Errors
    /// When it is not `n × n`.
    fn store(self, n: usize, out: &mut JacobianStorage) -> Result<()>;
}

impl<const N: usize> JacobianMatrix for [[f64; N]; N] {
    #[inline]
    fn store(self, n: usize, out: &mut JacobianStorage) -> Result<()> {
        store_rows(&self, n, out)
    }
}

impl JacobianMatrix for Vec<Vec<f64>> {
    fn store(self, n: usize, out: &mut JacobianStorage) -> Result<()> {
        store_rows(&self, n, out)
    }
}

impl JacobianMatrix for Sparse {
    fn store(self, n: usize, out: &mut JacobianStorage) -> Result<()> {
        if self.shape() != [n, n] {
            return Err(wrong_shape(n, format!("{:?}", self.shape())));
        }
        *out = JacobianStorage::Sparse(self);
        Ok(())
    }
}

impl<J: JacobianMatrix, E> JacobianMatrix for Result<J, E>
where
    ansatz_core::Error: From<E>,
{
    fn store(self, n: usize, out: &mut JacobianStorage) -> Result<()> {
        self.map_err(ansatz_core::Error::from)?.store(n, out)
    }
}

fn store_rows<R: AsRef<[f64]>>(rows: &[R], n: usize, out: &mut JacobianStorage) -> Result<()> {
    if let Some(row) = rows.iter().find(|row| row.as_ref().len() != n) {
        return Err(wrong_shape(n, format!("a row of {}", row.as_ref().len())));
    }
    if rows.len() != n {
        return Err(wrong_shape(n, format!("{} rows", rows.len())));
    }
    if !matches!(out, JacobianStorage::Dense(columns) if columns.len() == n * n) {
        *out = JacobianStorage::Dense(vec![0.0; n * n]);
    }
    if let JacobianStorage::Dense(columns) = out {
        for (i, row) in rows.iter().enumerate() {
            for (j, value) in row.as_ref().iter().enumerate() {
                columns[i + j * n] = *value;
            }
        }
    }
    Ok(())
}

fn wrong_shape(n: usize, got: String) -> Error {
    let what = "Jacobian";
    Error::Core(ansatz_core::Error::Shape { what, expected: format!("[{n}, {n}]"), got })
}

/// A Jacobian from the caller, whatever computes it.
pub trait GivenJacobian<Y> {
    /// Puts `∂f/∂y` at `(t, y)` into `out`; the state has `n` components.
    ///
    /// # Errors
    /// When it cannot be computed, or has not the shape of the state.
    fn jacobian_into(&self, t: f64, y: &Y, n: usize, out: &mut JacobianStorage) -> Result<()>;
}

/// A field with its Jacobian `∂fᵢ/∂yⱼ` from a closure.
///
/// ```
/// use ansatz_ode::{Kvaerno5, WithJacobian, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // The van der Pol oscillator, stiff.
/// let mu = 1000.0;
/// let field = WithJacobian::new(
///     move |_t: f64, y: &[f64; 2]| [y[1], mu * (1.0 - y[0] * y[0]) * y[1] - y[0]],
///     move |_t: f64, y: &[f64; 2]| {
///         [[0.0, 1.0], [-2.0 * mu * y[0] * y[1] - 1.0, mu * (1.0 - y[0] * y[0])]]
///     },
/// );
/// let solution = solve(field, [2.0, 0.0], (0.0, 3000.0))
///     .with(Kvaerno5)
///     .tolerance(1e-6, 1e-8)
///     .run()?;
/// assert!((solution.y_end[0] + 1.510606936).abs() < 1e-2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WithJacobian<F, J> {
    field: F,
    jacobian: J,
}

impl<F, J> WithJacobian<F, J> {
    /// `field` with the Jacobian that `jacobian` returns for `(t, y)`.
    pub fn new<Y, R>(field: F, jacobian: J) -> Self
    where
        J: Fn(f64, &Y) -> R,
        R: JacobianMatrix,
    {
        Self { field, jacobian }
    }
}

impl<F, J, Y, R> GivenJacobian<Y> for WithJacobian<F, J>
where
    J: Fn(f64, &Y) -> R,
    R: JacobianMatrix,
{
    fn jacobian_into(&self, t: f64, y: &Y, n: usize, out: &mut JacobianStorage) -> Result<()> {
        (self.jacobian)(t, y).store(n, out)
    }
}

impl<F, J, Y, R> VectorField<Y> for WithJacobian<F, J>
where
    F: VectorField<Y>,
    J: Fn(f64, &Y) -> R,
    R: JacobianMatrix,
{
    #[inline]
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

impl<F, J, Y, R> ImplicitField<Y> for WithJacobian<F, J>
where
    F: VectorField<Y>,
    J: Fn(f64, &Y) -> R,
    R: JacobianMatrix,
{
    #[inline]
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }

    fn linearisation(&self) -> Linearisation<'_, Y> {
        Linearisation::Given(self)
    }
}
