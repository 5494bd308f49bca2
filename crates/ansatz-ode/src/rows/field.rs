//! The right-hand side for a batch of rows: [`RowsField`].

use ansatz_core::Result;
use candle_core::Tensor;

use crate::{FieldOutput, VectorField};

/// The right-hand side of `dyᵢ/dt = f(tᵢ, yᵢ)` for the rows `i` of a batch, each at a time of its own.
///
/// Closures `Fn(&Tensor, &Tensor) -> Tensor` (or a result of one) of the times `[rows]` and the states
/// `[rows, …]` are such fields; the times have the dtype and the device of the states. Which rows are
/// asked for, and how many, differs from call to call, so a row's value may depend on nothing but that
/// row: numbers that differ from row to row are bound with [`WithRowArguments`]. [`Autonomous`] makes
/// one of an ordinary [`VectorField`] that does not depend on time.
pub trait RowsField {
    /// `f(t, y)` for times `[rows]`, states `[rows, …]` and those rows of the
    /// [`arguments`](Self::arguments); of the shape of `y`.
    ///
    /// # Errors
    /// Of the caller's choosing; the solve stops.
    fn eval(&self, t: &Tensor, y: &Tensor, arguments: &[Tensor]) -> Result<Tensor>;

    /// Tensors `[rows, …]` of which each row of the batch has its own. They receive gradients.
    fn arguments(&self) -> &[Tensor] {
        &[]
    }
}

impl<F, O> RowsField for F
where
    F: Fn(&Tensor, &Tensor) -> O,
    O: FieldOutput<Tensor>,
{
    fn eval(&self, t: &Tensor, y: &Tensor, _: &[Tensor]) -> Result<Tensor> {
        stored(self(t, y), y)
    }
}

fn stored<O: FieldOutput<Tensor>>(output: O, y: &Tensor) -> Result<Tensor> {
    let mut dy = y.clone();
    output.store(&mut dy)?;
    Ok(dy)
}

/// A closure `Fn(t, &y, &[arguments])` with arguments of which each row has its own, `[rows, …]`.
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor};
/// use ansatz_ode::{Tsit5, WithRowArguments, solve_rows};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let rates = Tensor::new(&[[0.5f64], [1.0], [2.0]], &Device::Cpu)?;
/// let decay = |_: &Tensor, y: &Tensor, rates: &[Tensor]| (y * &rates[0])?.neg();
/// let field = WithRowArguments::new(decay, vec![rates]);
/// let y0 = Tensor::new(&[[1f64], [1.0], [1.0]], &Device::Cpu)?;
/// let solution = solve_rows(field, y0, (0.0, 1.0)).with(Tsit5).tolerance(1e-8, 1e-8).run()?;
/// let last = solution.y_end.get(2)?.to_vec1::<f64>()?[0];
/// assert!((last - (-2f64).exp()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WithRowArguments<F> {
    field: F,
    arguments: Vec<Tensor>,
}

impl<F> WithRowArguments<F> {
    /// Binds `arguments` to `field`.
    pub fn new(field: F, arguments: Vec<Tensor>) -> Self {
        Self { field, arguments }
    }
}

impl<F, O> RowsField for WithRowArguments<F>
where
    F: Fn(&Tensor, &Tensor, &[Tensor]) -> O,
    O: FieldOutput<Tensor>,
{
    fn eval(&self, t: &Tensor, y: &Tensor, arguments: &[Tensor]) -> Result<Tensor> {
        stored((self.field)(t, y, arguments), y)
    }

    fn arguments(&self) -> &[Tensor] {
        &self.arguments
    }
}

/// An ordinary [`VectorField`] that does not depend on time, for the rows of a batch. It is called
/// with a time of NaN, so that one that does depend on it does not go unnoticed.
#[derive(Debug, Clone, Copy)]
pub struct Autonomous<F>(pub F);

impl<F: VectorField<Tensor>> RowsField for Autonomous<F> {
    fn eval(&self, _: &Tensor, y: &Tensor, _: &[Tensor]) -> Result<Tensor> {
        let mut dy = y.clone();
        self.0.eval_into(f64::NAN, y, &mut dy)?;
        Ok(dy)
    }
}
