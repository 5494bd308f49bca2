//! `e^{tA} v`, and sums of φ-functions times vectors, without the matrix: [`ExponentialAction`].

use super::{
    krylov::Basis,
    sub_step::{Attempt, History},
};
use crate::{Error, LinearOperator, Result, Vector, direct::check_square, operator::check_length};

/// How to multiply a vector by functions of an operator: in a Krylov space, in as many sub-steps and
/// with as many dimensions as the tolerance asks for (R. Sidje, *Expokit*, 1998; J. Niesen, W. Wright,
/// *Algorithm 919*, 2012; S. Gaudreault, G. Rainwater, M. Tokman, *KIOPS*, 2018).
///
/// Of a symmetric operator ([`Properties::symmetric`](crate::Properties::symmetric)) each new vector
/// is made orthogonal to two others, of any other operator to all. Any type of vector will do; of
/// tensors, no gradient passes through.
///
/// ```
/// use ansatz_linalg::{Edge, ExponentialAction, Scaled, Stencil};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // Heat on a line of 63 points, after the time 0.01: u' = Δu from sin πx.
/// let h = 1.0 / 64.0;
/// let minus_laplacian = Stencil::laplacian(&[63], &[h], &[Edge::Zero])?;
/// let laplacian = Scaled { factor: -1.0, operator: minus_laplacian };
/// let wave: Vec<f64> = (1..64).map(|i| (std::f64::consts::PI * i as f64 * h).sin()).collect();
/// let heat = ExponentialAction::default().exponential(&laplacian, 0.01, &wave)?;
/// assert!((heat.value[31] - (-0.01 * std::f64::consts::PI.powi(2)).exp()).abs() < 1e-4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialAction {
    /// The estimated error of the result in the 2-norm, relative to the sum of the norms of
    /// `tᵏ/k! vₖ`, or to the solution on the way, whichever is larger.
    pub tolerance: f64,
    /// The most vectors of a Krylov space, 4 to 1000: memory for so many, and half of the square in
    /// inner products unless the operator is symmetric.
    pub max_dimension: usize,
    /// Applications of the operator after which to give up.
    pub max_applications: usize,
}

impl Default for ExponentialAction {
    fn default() -> Self {
        Self { tolerance: 1e-10, max_dimension: 100, max_applications: 20_000 }
    }
}

/// A result of [`ExponentialAction`], and what it took.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Action<V> {
    /// The result.
    pub value: V,
    /// Applications of the operator.
    pub applications: usize,
    /// Parts that the interval from 0 to `t` was cut into.
    pub sub_steps: usize,
    /// Attempts at a sub-step that were not exact enough, and led to more dimensions or a shorter
    /// one.
    pub rejected: usize,
    /// Dimensions of the largest Krylov space.
    pub dimension: usize,
    /// The sum of the estimated errors of all sub-steps, in the 2-norm.
    pub error_estimate: f64,
}

/// A sub-step is given up when this many attempts have failed.
const ATTEMPTS: usize = 100;
impl ExponentialAction {
    /// `e^{tA} v`; `t` may be negative.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when `t` or a setting makes no sense, [`Error::Size`] when the
    /// operator is not square or `v` does not fit it, [`Error::NotFinite`] when a vector is not
    /// finite or the result overflows, [`Error::Exhausted`] when the applications do not suffice.
    pub fn exponential<V: Vector>(
        &self,
        operator: &(impl LinearOperator<V> + ?Sized),
        t: f64,
        v: &V,
    ) -> Result<Action<V>> {
        self.phi_combination(operator, t, std::slice::from_ref(v))
    }

    /// `φ₀(tA) v₀ + t φ₁(tA) v₁ + … + tᵖ φ_p(tA) v_p`: the solution at `t` of
    /// `w' = A w + v₁ + s v₂ + … + s^{p−1}/(p − 1)! v_p` from `w(0) = v₀`, where
    /// `φₖ(z) = Σⱼ zʲ/(j + k)!`. `t` may be negative.
    ///
    /// # Errors
    /// As [`ExponentialAction::exponential`]; [`Error::Size`] also when there is no vector.
    pub fn phi_combination<V: Vector>(
        &self,
        operator: &(impl LinearOperator<V> + ?Sized),
        t: f64,
        vectors: &[V],
    ) -> Result<Action<V>> {
        let n = check_square("operator of an exponential", operator.shape())?;
        self.check(t)?;
        let Some((v0, others)) = vectors.split_first() else {
            return Err(Error::size("vectors of a sum of φ-functions", "at least one", 0));
        };
        let mut scale = v0.norm2()?;
        let mut columns = Vec::with_capacity(others.len());
        let mut factor = 1.0;
        for (k, v) in vectors.iter().enumerate() {
            check_length("vector of a sum of φ-functions", n, v.dimension())?;
            if !v.all_finite()? {
                return Err(Error::NotFinite {
                    what: "vectors of a sum of φ-functions", index: k
                });
            }
            if k > 0 {
                v0.check_like("vectors of a sum of φ-functions", v)?;
                factor *= t / k as f64;
                scale += factor.abs() * v.norm2()?;
            }
        }
        // On [0, 1] with t A in place of A and tᵏ vₖ in place of vₖ, which also makes a negative t
        // nothing special.
        let mut power = 1.0;
        for v in others {
            power *= t;
            let mut b = v.clone();
            b.combine(None, power, &[1.0], std::slice::from_ref(v))?;
            columns.push(b);
        }
        if !scale.is_finite() {
            return Err(Error::NotFinite { what: "norms of tᵏ vₖ", index: 0 });
        }
        let mut action = Action {
            value: v0.clone(),
            applications: 0,
            sub_steps: 0,
            rejected: 0,
            dimension: 0,
            error_estimate: 0.0,
        };
        if t != 0.0 && scale > 0.0 {
            columns.reverse();
            self.run(operator, t, columns, scale, &mut action)?;
        }
        Ok(action)
    }

    fn check(&self, t: f64) -> Result<()> {
        if !t.is_finite() {
            return Err(Error::invalid("t of an exponential", t, "a finite number"));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::invalid("tolerance", self.tolerance, "a number between 0 and 1"));
        }
        if !(4..=1000).contains(&self.max_dimension) {
            return Err(Error::invalid("max_dimension", self.max_dimension, "4 to 1000"));
        }
        Ok(())
    }

    fn run<V: Vector>(
        &self,
        operator: &(impl LinearOperator<V> + ?Sized),
        t: f64,
        mut columns: Vec<V>,
        scale: f64,
        action: &mut Action<V>,
    ) -> Result<()> {
        // The columns of the size one, their size in the tail.
        let mut size = 0.0;
        for b in &columns {
            size += b.norm2()?;
        }
        if size == 0.0 {
            columns.clear();
        }
        for b in &mut columns {
            let unscaled = b.clone();
            b.combine(None, 1.0 / size, &[1.0], std::slice::from_ref(&unscaled))?;
        }
        let p = columns.len();
        let largest = self.max_dimension;
        let mut basis = Basis::new(operator, t, &action.value, columns, largest);
        let (mut now, mut step, mut m) = (0.0, 1.0, 10.min(largest));
        while now < 1.0 {
            let mut tail = vec![size; p];
            for k in (0..p.saturating_sub(1)).rev() {
                tail[k] = tail[k + 1] * now / (p - 1 - k) as f64;
            }
            let target = self.tolerance * scale.max(action.value.norm2()?);
            if is_zero(&action.value, &tail)? {
                break;
            }
            basis.start(&action.value, &tail)?;
            let mut history = History::default();
            let mut inside = false;
            loop {
                while basis.dimension() < m && !inside {
                    if basis.applications >= self.max_applications {
                        return Err(exhausted(&basis, now));
                    }
                    inside = !basis.extend()?;
                }
                let j = basis.dimension();
                let remaining: f64 = 1.0 - now;
                if inside {
                    // Nothing is neglected, however long the step.
                    step = remaining;
                }
                let attempt = Attempt::new(&basis, step, inside);
                let omega = attempt.error / (step * target);
                if omega <= 1.0 {
                    basis.combine(&attempt.coefficients, &mut action.value)?;
                    now = if step >= remaining { 1.0 } else { now + step };
                    action.sub_steps += 1;
                    action.error_estimate += attempt.error;
                    action.dimension = action.dimension.max(j);
                    action.applications = basis.applications;
                    // Where there is room for more dimensions, a step that turns out too long costs
                    // small matrices only.
                    let next = if j == largest { history.step(omega, step, j) } else { 2.0 * step };
                    step = next.min(1.0 - now);
                    m = history.dimension(omega, j).clamp(10.min(largest), largest);
                    break;
                }
                action.rejected += 1;
                history.attempts += 1;
                if history.attempts > ATTEMPTS || now + step == now {
                    return Err(exhausted(&basis, now));
                }
                if inside && !omega.is_finite() {
                    return Err(Error::NotFinite { what: "exponential of an operator", index: 0 });
                }
                let (tried, dimension) = (step, j);
                if j == largest || !omega.is_finite() {
                    step = history.step(omega, step, j).min(remaining);
                } else {
                    m = history.dimension(omega, j).clamp(j + 1, largest);
                }
                history.last = Some((omega, tried, dimension));
            }
        }
        Ok(())
    }
}

fn exhausted<V, A: ?Sized>(basis: &Basis<'_, V, A>, progress: f64) -> Error {
    let applications = basis.applications;
    Error::Exhausted { what: "exponential of an operator", applications, progress }
}

fn is_zero<V: Vector>(w: &V, tail: &[f64]) -> Result<bool> {
    Ok(w.norm2()? == 0.0 && tail.iter().all(|y| *y == 0.0))
}
