//! Functions whose roots or least squares are sought: [`Residual`].

use std::marker::PhantomData;

use crate::{DifferenceJacobian, LinearOperator, Result, Vector};

/// A function `F` with a Jacobian at each point.
///
/// Closures `Fn(&V) -> Result<V>` are residuals, whose Jacobian is a [`DifferenceJacobian`]. With
/// [`WithJacobian`] they bring their own; for functions of tensors that jets can go through,
/// `WithExactJacobian` derives it.
pub trait Residual<V: Vector> {
    /// `F(x)`.
    ///
    /// # Errors
    /// Those of the function. Where `F` is not defined it may as well give NaN: methods then try
    /// a point nearer to the last one.
    fn value(&self, x: &V) -> Result<V>;

    /// The Jacobian at `x`, where `value` is `F(x)`.
    ///
    /// # Errors
    /// When it cannot be made.
    fn jacobian<'a>(&'a self, x: &V, value: &V) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a;
}

impl<V: Vector, F: Fn(&V) -> Result<V>> Residual<V> for F {
    fn value(&self, x: &V) -> Result<V> {
        self(x)
    }

    fn jacobian<'a>(&'a self, x: &V, value: &V) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a,
    {
        Ok(Box::new(DifferenceJacobian::with_value(self, x.clone(), value.clone())))
    }
}

/// A function with a Jacobian from another function: of a point, an operator.
///
/// ```
/// use ansatz_linalg::{Dense, Direct, Newton, NonlinearStopping, RootFinder, WithJacobian};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let f = WithJacobian::new(
///     |x: &Vec<f64>| Ok(vec![x[0] * x[1] - 2.0, x[0] - x[1] - 1.0]),
///     |x: &Vec<f64>| Dense::from_rows(&[[x[1], x[0]], [1.0, -1.0]]),
/// );
/// let root = Newton::new(Direct).solve(&f, &vec![3.0, 3.0], &NonlinearStopping::default())?;
/// assert!((root.x[0] - 2.0).abs() < 1e-8);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WithJacobian<F, J, A> {
    function: F,
    jacobian: J,
    /// What `jacobian` returns, so that it lives as long as this.
    operator: PhantomData<fn() -> A>,
}

impl<F, J, A> WithJacobian<F, J, A> {
    /// `function` and its Jacobian.
    pub fn new<V>(function: F, jacobian: J) -> Self
    where
        F: Fn(&V) -> Result<V>,
        J: Fn(&V) -> Result<A>,
    {
        Self { function, jacobian, operator: PhantomData }
    }
}

impl<V, F, J, A> Residual<V> for WithJacobian<F, J, A>
where
    V: Vector,
    F: Fn(&V) -> Result<V>,
    J: Fn(&V) -> Result<A>,
    A: LinearOperator<V>,
{
    fn value(&self, x: &V) -> Result<V> {
        (self.function)(x)
    }

    fn jacobian<'a>(&'a self, x: &V, _: &V) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a,
    {
        Ok(Box::new((self.jacobian)(x)?))
    }
}

/// A function of tensors with its exact Jacobian and the transpose of it
/// ([`Jacobian`](crate::Jacobian)).
#[cfg(feature = "candle")]
#[derive(Debug, Clone, Copy)]
pub struct WithExactJacobian<F>(
    /// `F`, a module on tensors and on jets.
    pub F,
);

#[cfg(feature = "candle")]
impl<F> Residual<candle_core::Tensor> for WithExactJacobian<F>
where
    F: ansatz_core::Module<ansatz_core::Jet> + ansatz_core::Module<candle_core::Tensor>,
{
    fn value(&self, x: &candle_core::Tensor) -> Result<candle_core::Tensor> {
        Ok(ansatz_core::Module::<candle_core::Tensor>::forward(&self.0, x)?.detach())
    }

    fn jacobian<'a>(
        &'a self,
        x: &candle_core::Tensor,
        _: &candle_core::Tensor,
    ) -> Result<Box<dyn LinearOperator<candle_core::Tensor> + 'a>>
    where
        candle_core::Tensor: 'a,
    {
        Ok(Box::new(crate::Jacobian::new(Borrowed(&self.0), x)?))
    }
}

/// A module that another owns.
#[cfg(feature = "candle")]
struct Borrowed<'a, F>(&'a F);

#[cfg(feature = "candle")]
impl<T, F: ansatz_core::Module<T>> ansatz_core::Module<T> for Borrowed<'_, F> {
    fn forward(&self, x: &T) -> ansatz_core::Result<T> {
        self.0.forward(x)
    }
}
