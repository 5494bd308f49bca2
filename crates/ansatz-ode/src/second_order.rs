//! Equations of second order as fields over positions and velocities: [`SecondOrder`].

use ansatz_core::{Result, State};

use crate::{FieldOutput, VectorField};

/// The equation `q'' = a(t, q, v)` with `v = q'`, as a field over pairs `(q, v)`.
///
/// Made from a closure `Fn(f64, &Y, &Y) -> Y` or `-> Result<Y, E>`. Every method that needs no more
/// than a [`VectorField`] solves it. Where the acceleration does not depend on the velocity,
/// [`Newtonian`](crate::Newtonian) says so, and symplectic methods solve it too.
///
/// ```
/// use ansatz_ode::{SecondOrder, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // A damped oscillator, released at 1.
/// let field = SecondOrder::new(|_t: f64, q: &f64, v: &f64| -0.2 * v - 1.01 * q);
/// let solution =
///     solve(field, (1.0, 0.0), (0.0, 3.0)).with(Tsit5).tolerance(1e-9, 1e-9).run()?;
/// let (q, _velocity) = solution.y_end;
/// let exact = (-0.3f64).exp() * (3f64.cos() + 0.1 * 3f64.sin());
/// assert!((q - exact).abs() < 1e-8);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SecondOrder<F> {
    acceleration: F,
}

impl<F> SecondOrder<F> {
    /// The equation with this acceleration, a function of time, position and velocity.
    pub fn new(acceleration: F) -> Self {
        Self { acceleration }
    }
}

impl<F, Y, O> VectorField<(Y, Y)> for SecondOrder<F>
where
    F: Fn(f64, &Y, &Y) -> O,
    O: FieldOutput<Y>,
    Y: State,
{
    #[inline]
    fn eval_into(&self, t: f64, (q, v): &(Y, Y), (dq, dv): &mut (Y, Y)) -> Result<()> {
        q.check_like("the velocity, compared with the position", v)?;
        dq.clone_from(v);
        (self.acceleration)(t, q, v).store(dv)
    }
}
