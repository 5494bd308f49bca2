//! Fields in two parts: [`Split`].

use ansatz_core::State;

use crate::{ImplicitField, Mass, VectorField};

/// The problem `y′ = f(t, y) + g(t, y)` with a part `f` that explicit stages serve and a stiff part
/// `g` for implicit ones.
pub trait SplitField<Y> {
    /// The stiff part.
    type Implicit: ImplicitField<Y>;

    /// Writes `f(t, y)` into `out`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn explicit_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()>;

    /// The stiff part, with its linearisation. It must not have a mass matrix.
    fn implicit_part(&self) -> &Self::Implicit;
}

/// A field in two parts: the first one is integrated by explicit stages, the second, stiff one by
/// implicit ones, with whatever it says of its Jacobian.
///
/// Methods that do not split a field solve for the sum of both.
///
/// ```
/// use ansatz_ode::{InPlace, KenCarp4, Sparsity, Split, WithSparsity, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Fisher's equation uₜ = D uₓₓ + u (1 − u): diffusion is stiff and linear, so that its Jacobian
/// // serves for the whole solve; the reaction costs one evaluation a stage.
/// let n = 100_usize;
/// let reaction = InPlace(|_t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
///     for (du, u) in du.iter_mut().zip(u) {
///         *du = u * (1.0 - u);
///     }
/// });
/// let diffusion = InPlace(move |_t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
///     for i in 0..n {
///         let (left, right) = (u[i.saturating_sub(1)], u[(i + 1).min(n - 1)]);
///         du[i] = 100.0 * (left - 2.0 * u[i] + right);
///     }
/// });
/// let field = Split::new(reaction, WithSparsity::new(diffusion, Sparsity::banded(n, 1, 1)?));
/// let u0: Vec<f64> = (0..n).map(|i| if i < 10 { 1.0 } else { 0.0 }).collect();
/// let solution = solve(field, u0, (0.0, 20.0)).with(KenCarp4).tolerance(1e-5, 1e-7).run()?;
/// assert!(solution.y_end.iter().all(|u| (0.9..1.001).contains(u)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Split<E, I> {
    explicit: E,
    implicit: I,
}

impl<E, I> Split<E, I> {
    /// `explicit + implicit`.
    pub fn new(explicit: E, implicit: I) -> Self {
        Self { explicit, implicit }
    }

    fn sum<Y>(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()>
    where
        E: VectorField<Y>,
        I: ImplicitField<Y>,
        Y: State,
    {
        let (mut first, mut second) = (y.clone(), y.clone());
        self.explicit.eval_into(t, y, &mut first)?;
        self.implicit.value_into(t, y, &mut second)?;
        out.combine(Some(&first), 1.0, &[1.0], std::slice::from_ref(&second))
    }
}

impl<E, I, Y> SplitField<Y> for Split<E, I>
where
    E: VectorField<Y>,
    I: ImplicitField<Y>,
{
    type Implicit = I;

    #[inline]
    fn explicit_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.explicit.eval_into(t, y, out)
    }

    fn implicit_part(&self) -> &I {
        &self.implicit
    }
}

impl<E, I, Y> VectorField<Y> for Split<E, I>
where
    E: VectorField<Y>,
    I: ImplicitField<Y>,
    Y: State,
{
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> ansatz_core::Result<()> {
        self.sum(t, y, dy)
    }
}

impl<E, I, Y> ImplicitField<Y> for Split<E, I>
where
    E: VectorField<Y>,
    I: ImplicitField<Y>,
    Y: State,
{
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.sum(t, y, out)
    }

    fn mass(&self) -> Option<&Mass> {
        self.implicit.mass()
    }
}
