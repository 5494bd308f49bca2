//! Problems with a linear part: [`SemiLinear`].

use ansatz_linalg::Components;

use super::LinearPart;
use crate::{ImplicitField, VectorField};

/// The problem `y′ = L y + N(t, y)` with a constant matrix `L`.
pub trait SemiLinearField<Y> {
    /// The kind of `L`.
    type Linear: LinearPart;

    /// The matrix `L`.
    fn linear(&self) -> &Self::Linear;

    /// Writes `N(t, y)` into `out`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn nonlinear_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()>;
}

/// A field with a linear part, which exponential integrators solve exactly, and the rest.
///
/// Other methods solve for the sum of both.
///
/// ```
/// use ansatz_ode::{EtdRk4, SemiLinear, solve};
/// use ansatz_linalg::Diagonal;
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Two rates, one of them too fast for explicit steps of 0.1.
/// let linear = Diagonal::new(vec![-1000.0, -1.0])?;
/// let field = SemiLinear::new(linear, |t: f64, y: &[f64; 2]| [t.sin(), y[0] * y[1]]);
/// let end = solve(field, [0.0, 1.0], (0.0, 1.0)).with(EtdRk4).steps(10).run()?.y_end;
/// assert!((end[1] - (-1f64).exp()).abs() < 1e-3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SemiLinear<L, N> {
    linear: L,
    nonlinear: N,
}

impl<L: LinearPart, N> SemiLinear<L, N> {
    /// `L y + N(t, y)`: `linear` is a [`Diagonal`](ansatz_linalg::Diagonal), a
    /// [`ComplexDiagonal`](crate::ComplexDiagonal), a [`Dense`](ansatz_linalg::Dense) matrix or a
    /// [`Krylov`](crate::Krylov) operator.
    pub fn new(linear: L, nonlinear: N) -> Self {
        Self { linear, nonlinear }
    }

    fn sum<Y>(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()>
    where
        N: VectorField<Y>,
        Y: Components,
    {
        self.nonlinear.eval_into(t, y, out)?;
        let mut sum = out.components()?;
        let mut image = vec![0.0; sum.len()];
        self.linear.apply(&y.components()?, &mut image)?;
        sum.iter_mut().zip(image).for_each(|(sum, x)| *sum += x);
        Ok(out.write_from(&sum)?)
    }
}

impl<L, N, Y> SemiLinearField<Y> for SemiLinear<L, N>
where
    L: LinearPart,
    N: VectorField<Y>,
{
    type Linear = L;

    fn linear(&self) -> &L {
        &self.linear
    }

    #[inline]
    fn nonlinear_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.nonlinear.eval_into(t, y, out)
    }
}

impl<L, N, Y> VectorField<Y> for SemiLinear<L, N>
where
    L: LinearPart,
    N: VectorField<Y>,
    Y: Components,
{
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> ansatz_core::Result<()> {
        self.sum(t, y, dy)
    }
}

impl<L, N, Y> ImplicitField<Y> for SemiLinear<L, N>
where
    L: LinearPart,
    N: VectorField<Y>,
    Y: Components,
{
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.sum(t, y, out)
    }
}
