//! Fields in two parts, each of which moves one half of the state: [`PartitionedField`].

use ansatz_core::{Result, State};

use crate::{FieldOutput, VectorField};

/// The right-hand side of `q' = drift(t, p)`, `p' = kick(t, q)`, what symplectic methods solve.
///
/// The equations of motion of a separable Hamiltonian `H = T(p, t) + V(q, t)` are of this form,
/// with drift `∂T/∂p` and kick `−∂V/∂q`. [`Partitioned`] makes such a field of two closures,
/// [`Newtonian`] of an acceleration. It is a [`VectorField`] over pairs `(q, p)` too: that of a
/// type of your own calls both parts.
///
/// ```
/// use ansatz_ode::{PartitionedField, VectorField, VelocityVerlet, core::Result, solve};
///
/// /// Masses on springs between two walls.
/// struct Chain {
///     masses: Vec<f64>,
/// }
///
/// impl PartitionedField<Vec<f64>, Vec<f64>> for Chain {
///     fn drift_into(&self, _t: f64, p: &Vec<f64>, dq: &mut Vec<f64>) -> Result<()> {
///         dq.clear();
///         dq.extend(p.iter().zip(&self.masses).map(|(p, m)| p / m));
///         Ok(())
///     }
///
///     fn kick_into(&self, _t: f64, q: &Vec<f64>, dp: &mut Vec<f64>) -> Result<()> {
///         let at = |i: usize| q.get(i).copied().unwrap_or(0.0);
///         dp.clear();
///         dp.extend((0..q.len()).map(|i| at(i.wrapping_sub(1)) - 2.0 * at(i) + at(i + 1)));
///         Ok(())
///     }
/// }
///
/// impl VectorField<(Vec<f64>, Vec<f64>)> for Chain {
///     fn eval_into(
///         &self,
///         t: f64,
///         y: &(Vec<f64>, Vec<f64>),
///         dy: &mut (Vec<f64>, Vec<f64>),
///     ) -> Result<()> {
///         self.drift_into(t, &y.1, &mut dy.0)?;
///         self.kick_into(t, &y.0, &mut dy.1)
///     }
/// }
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let chain = Chain { masses: vec![1.0, 2.0, 1.0] };
/// let start = (vec![0.1, 0.0, -0.1], vec![0.0; 3]);
/// let (q, _) = solve(chain, start, (0.0, 5.0)).with(VelocityVerlet).steps(500).run()?.y_end;
/// // The two outer masses swing against each other, the one between them stays.
/// assert!((q[0] - 0.1 * (2f64.sqrt() * 5.0).cos()).abs() < 1e-4 && q[1].abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub trait PartitionedField<Q, P>: VectorField<(Q, P)> {
    /// Writes `drift(t, p)` into `dq`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing; the solve stops and names the time and the step.
    fn drift_into(&self, t: f64, p: &P, dq: &mut Q) -> Result<()>;

    /// Writes `kick(t, q)` into `dp`, whatever was there before.
    ///
    /// # Errors
    /// Of the caller's choosing; the solve stops and names the time and the step.
    fn kick_into(&self, t: f64, q: &Q, dp: &mut P) -> Result<()>;
}

/// The field `q' = drift(t, p)`, `p' = kick(t, q)` of two closures that return the derivative or a
/// result of it.
///
/// ```
/// use ansatz_ode::{BlanesMoan4, Partitioned, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // A relativistic particle on a spring: H = √(1 + p²) + q²/2.
/// let particle = Partitioned::new(
///     |_t: f64, p: &f64| p / (1.0 + p * p).sqrt(),
///     |_t: f64, q: &f64| -q,
/// );
/// let energy = |(q, p): (f64, f64)| (1.0 + p * p).sqrt() + q * q / 2.0;
/// let solution = solve(particle, (2.0, 0.0), (0.0, 100.0)).with(BlanesMoan4).step(0.1).run()?;
/// assert!((energy(solution.y_end) - energy((2.0, 0.0))).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Partitioned<D, K> {
    drift: D,
    kick: K,
}

impl<D, K> Partitioned<D, K> {
    /// The field with these two parts, functions of time and of the other half of the state.
    pub fn new(drift: D, kick: K) -> Self {
        Self { drift, kick }
    }
}

impl<D, K, Q, P, A, B> PartitionedField<Q, P> for Partitioned<D, K>
where
    D: Fn(f64, &P) -> A,
    K: Fn(f64, &Q) -> B,
    A: FieldOutput<Q>,
    B: FieldOutput<P>,
{
    #[inline]
    fn drift_into(&self, t: f64, p: &P, dq: &mut Q) -> Result<()> {
        (self.drift)(t, p).store(dq)
    }

    #[inline]
    fn kick_into(&self, t: f64, q: &Q, dp: &mut P) -> Result<()> {
        (self.kick)(t, q).store(dp)
    }
}

impl<D, K, Q, P> VectorField<(Q, P)> for Partitioned<D, K>
where
    Self: PartitionedField<Q, P>,
{
    #[inline]
    fn eval_into(&self, t: f64, (q, p): &(Q, P), (dq, dp): &mut (Q, P)) -> Result<()> {
        self.drift_into(t, p, dq)?;
        self.kick_into(t, q, dp)
    }
}

/// Newton's equation `q'' = a(t, q)` as a field over pairs `(q, p)` with `p = q'`.
///
/// The acceleration is anything that is a [`VectorField`] over positions: a closure `Fn(f64, &Y)`,
/// or one that writes into a buffer, in [`InPlace`](crate::InPlace).
///
/// ```
/// use ansatz_ode::{Newtonian, VelocityVerlet, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // A planet on a circle around a sun at the origin.
/// let gravity = Newtonian::new(|_t: f64, q: &[f64; 2]| {
///     let r = (q[0] * q[0] + q[1] * q[1]).sqrt();
///     [-q[0] / r.powi(3), -q[1] / r.powi(3)]
/// });
/// let year = std::f64::consts::TAU;
/// let start = ([1.0, 0.0], [0.0, 1.0]);
/// let solution =
///     solve(gravity, start, (0.0, 100.0 * year)).with(VelocityVerlet).step(year / 200.0).run()?;
/// let (q, p) = solution.y_end;
/// let energy = (p[0] * p[0] + p[1] * p[1]) / 2.0 - 1.0 / (q[0] * q[0] + q[1] * q[1]).sqrt();
/// assert!((energy + 0.5).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Newtonian<F> {
    acceleration: F,
}

impl<F> Newtonian<F> {
    /// The equation with this acceleration, a function of time and position.
    pub fn new(acceleration: F) -> Self {
        Self { acceleration }
    }
}

impl<F, Y> PartitionedField<Y, Y> for Newtonian<F>
where
    F: VectorField<Y>,
    Y: State,
{
    #[inline]
    fn drift_into(&self, _: f64, p: &Y, dq: &mut Y) -> Result<()> {
        dq.clone_from(p);
        Ok(())
    }

    #[inline]
    fn kick_into(&self, t: f64, q: &Y, dp: &mut Y) -> Result<()> {
        self.acceleration.eval_into(t, q, dp)
    }
}

impl<F, Y> VectorField<(Y, Y)> for Newtonian<F>
where
    F: VectorField<Y>,
    Y: State,
{
    #[inline]
    fn eval_into(&self, t: f64, (q, p): &(Y, Y), (dq, dp): &mut (Y, Y)) -> Result<()> {
        self.drift_into(t, p, dq)?;
        self.kick_into(t, q, dp)
    }
}
