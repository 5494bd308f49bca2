//! The right-hand side of `dy/dt = f(t, y)`: [`VectorField`].

use ansatz_core::{Error, Result, State};

use crate::Statistics;

/// The right-hand side of `dy/dt = f(t, y)`.
///
/// Closures `Fn(f64, &Y) -> Y` and `Fn(f64, &Y) -> Result<Y, E>` are vector fields; write the
/// types of their arguments, `|t: f64, y: &[f64; 3]| …`. [`InPlace`] adapts closures that write
/// into a buffer, [`WithArguments`] those with explicit arguments.
pub trait VectorField<Y> {
    /// Writes `f(t, y)` into `dy`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing; the solve stops and names the time and the step.
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> Result<()>;

    /// Values beside `t` and `y` that the field depends on and that must receive gradients,
    /// though they may be results of other computations rather than variables.
    fn arguments(&self) -> &[Y] {
        &[]
    }

    /// [`eval_into`](Self::eval_into) with other values in place of the
    /// [`arguments`](Self::arguments).
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn eval_with(&self, t: f64, y: &Y, arguments: &[Y], dy: &mut Y) -> Result<()> {
        let _ = arguments;
        self.eval_into(t, y, dy)
    }
}

impl<F, Y, O> VectorField<Y> for F
where
    F: Fn(f64, &Y) -> O,
    O: FieldOutput<Y>,
{
    #[inline]
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> Result<()> {
        self(t, y).store(dy)
    }
}

/// What a closure may return as a vector field: the derivative, or a result of it.
pub trait FieldOutput<Y> {
    /// Moves the derivative into `dy`.
    ///
    /// # Errors
    /// When the closure returned one.
    fn store(self, dy: &mut Y) -> Result<()>;
}

impl<Y> FieldOutput<Y> for Y {
    #[inline]
    fn store(self, dy: &mut Y) -> Result<()> {
        *dy = self;
        Ok(())
    }
}

impl<Y, E> FieldOutput<Y> for Result<Y, E>
where
    Error: From<E>,
{
    #[inline]
    fn store(self, dy: &mut Y) -> Result<()> {
        *dy = self?;
        Ok(())
    }
}

/// A closure `Fn(t, &y, &mut dy)` that writes the derivative into a buffer, for states whose
/// allocation would cost more than the evaluation.
#[derive(Debug, Clone, Copy)]
pub struct InPlace<F>(pub F);

impl<F, Y> VectorField<Y> for InPlace<F>
where
    F: Fn(f64, &Y, &mut Y),
{
    #[inline]
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> Result<()> {
        (self.0)(t, y, dy);
        Ok(())
    }
}

/// A closure `Fn(t, &y, &[arguments])` with the values of its arguments.
///
/// Parameters that a closure captures as variables receive gradients by themselves. Use explicit
/// arguments for tensors that are results of earlier operations (an encoder's output, a transformed
/// rate): their own graph is then walked once, not at every evaluation.
#[derive(Debug, Clone)]
pub struct WithArguments<F, Y> {
    field: F,
    arguments: Vec<Y>,
}

impl<F, Y> WithArguments<F, Y> {
    /// Binds `arguments` to `field`.
    pub fn new(field: F, arguments: Vec<Y>) -> Self {
        Self { field, arguments }
    }
}

impl<F, Y, O> VectorField<Y> for WithArguments<F, Y>
where
    F: Fn(f64, &Y, &[Y]) -> O,
    O: FieldOutput<Y>,
{
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> Result<()> {
        (self.field)(t, y, &self.arguments).store(dy)
    }

    fn arguments(&self) -> &[Y] {
        &self.arguments
    }

    fn eval_with(&self, t: f64, y: &Y, arguments: &[Y], dy: &mut Y) -> Result<()> {
        (self.field)(t, y, arguments).store(dy)
    }
}

/// Evaluates the field, counts it, and says when and where it failed.
#[inline]
pub(crate) fn evaluate<F, Y>(
    field: &F,
    t: f64,
    y: &Y,
    dy: &mut Y,
    statistics: &mut Statistics,
) -> crate::Result<()>
where
    F: VectorField<Y>,
{
    statistics.evaluations += 1;
    let step = statistics.attempted();
    field.eval_into(t, y, dy).map_err(|source| crate::Error::Field { t, step, source })
}

/// Errors unless a first value of the field is one that can be solved with.
pub(crate) fn check_slope<Y: State>(
    y: &Y,
    slope: &Y,
    t: f64,
    statistics: &Statistics,
) -> crate::Result<()> {
    y.check_like("the vector field's value, compared with the state", slope)?;
    if slope.all_finite()? {
        return Ok(());
    }
    let what = "the vector field";
    Err(crate::Error::NotFinite { what, t, step: statistics.attempted() })
}
