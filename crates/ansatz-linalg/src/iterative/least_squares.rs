//! Iterative least squares, `min |b − A x|² + damping² |x|²`, for operators of any shape.

mod lsmr;
mod lsqr;

pub use lsmr::Lsmr;
pub use lsqr::Lsqr;

use super::{Outcome, Stopping, finite, measurable_norm};
use crate::{Error, LinearOperator, Result, Vector, operator::check_length};

/// What an iteration for least squares has found.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares<V> {
    /// The last iterate.
    pub x: V,
    /// Why the iteration ended.
    pub outcome: Outcome,
    /// `|b − A x|`, measured at the end.
    pub residual: f64,
    /// `|Aᵀ (b − A x) − damping² x|`, which is zero at a minimum; measured at the end.
    pub gradient: f64,
    /// `√(|b − A x|² + damping² |x|²)` at the start and after each iteration, as the method
    /// believed.
    pub residuals: Vec<f64>,
    /// The norm of the gradient after each iteration, as the method believed.
    pub gradients: Vec<f64>,
}

impl<V> LeastSquares<V> {
    /// Iterations made.
    pub fn iterations(&self) -> usize {
        self.gradients.len()
    }
}

/// The method was told to stop at this part of the tolerance, so that rounding does not make the
/// measured values miss it.
const MARGIN: f64 = 0.5;

/// Golub's and Kahan's bidiagonalisation: `A V = U B` with `B` lower bidiagonal, one column at a
/// time (G. Golub, W. Kahan, J. SIAM Numer. Anal. B 2, 1965).
struct Bidiagonalisation<'a, V> {
    operator: &'a dyn LinearOperator<V>,
    u: V,
    v: V,
    /// The newest entries on and below the diagonal.
    alpha: f64,
    beta: f64,
    /// Frobenius norm of what is known of `B`: an estimate of that of `A` from below.
    norm: f64,
    image: V,
    preimage: V,
}

impl<'a, V: Vector> Bidiagonalisation<'a, V> {
    fn new(operator: &'a dyn LinearOperator<V>, b: &V) -> Result<Self> {
        let mut u = b.clone();
        let beta = normalise(&mut u)?;
        let mut v = operator.apply_transposed(&u)?;
        let alpha = normalise(&mut v)?;
        let (image, preimage) = (u.clone(), v.clone());
        Ok(Self { operator, u, v, alpha, beta, norm: alpha, image, preimage })
    }

    fn advance(&mut self) -> Result<()> {
        self.operator.apply_into(&self.v, &mut self.image)?;
        self.u.axpby(-self.alpha, 1.0, &self.image)?;
        self.beta = normalise(&mut self.u)?;
        self.operator.apply_transposed_into(&self.u, &mut self.preimage)?;
        self.v.axpby(-self.beta, 1.0, &self.preimage)?;
        self.alpha = normalise(&mut self.v)?;
        self.norm = self.norm.hypot(self.alpha).hypot(self.beta);
        Ok(())
    }
}

/// Makes a vector one of length 1, unless it is zero; its length.
fn normalise<V: Vector>(x: &mut V) -> Result<f64> {
    let norm = x.norm2()?;
    if norm > 0.0 {
        x.scale_in_place(1.0 / norm)?;
    }
    Ok(norm)
}

/// What the two methods differ in.
trait Recurrence<V> {
    /// One more column of the bidiagonal matrix; the norms of residual and gradient.
    fn step(&mut self, columns: &Bidiagonalisation<'_, V>) -> Result<[f64; 2]>;

    fn into_iterate(self) -> V;
}

fn solve<V: Vector, R: Recurrence<V>>(
    a: &dyn LinearOperator<V>,
    b: &V,
    damping: f64,
    stopping: &Stopping,
    start: impl FnOnce(&Bidiagonalisation<'_, V>) -> Result<R>,
) -> Result<LeastSquares<V>> {
    stopping.validate()?;
    if !(damping >= 0.0 && damping.is_finite()) {
        return Err(Error::invalid("damping", damping, "a number of at least 0"));
    }
    check_length("right-hand side of least squares", a.shape()[0], b.dimension())?;
    finite("right-hand side of least squares", b)?;
    measurable_norm("right-hand side of least squares", b)?;
    let mut columns = Bidiagonalisation::new(a, b)?;
    let norm = columns.beta;
    let target = stopping.target(norm);
    let (mut residuals, mut gradients) = (vec![norm], Vec::new());
    let mut recurrence = start(&columns)?;
    let mut outcome = Outcome::Converged;
    // Aᵀ b = 0: zero is the solution.
    if norm > 0.0 && columns.alpha > 0.0 {
        outcome = loop {
            if gradients.len() == stopping.iterations {
                break Outcome::Budget;
            }
            columns.advance()?;
            let [residual, gradient] = recurrence.step(&columns)?;
            residuals.push(residual);
            gradients.push(gradient);
            if !(residual.is_finite() && gradient.is_finite()) {
                break Outcome::Breakdown("the residual is not finite");
            }
            let small = MARGIN * stopping.relative * columns.norm.max(damping) * residual;
            if residual <= MARGIN * target || gradient <= small || columns.alpha == 0.0 {
                break Outcome::Converged;
            }
        };
    }
    let x = recurrence.into_iterate();
    let mut residual = a.apply(&x)?;
    residual.axpby(-1.0, 1.0, b)?;
    let mut gradient = a.apply_transposed(&residual)?;
    gradient.axpby(1.0, -damping * damping, &x)?;
    let (residual, gradient) = (residual.norm2()?, gradient.norm2()?);
    if outcome == Outcome::Converged {
        let total = residual.hypot(damping * x.norm2()?);
        let rounding = 10.0 * f64::EPSILON * columns.norm * norm;
        let least = stopping.relative * columns.norm.max(damping) * total;
        if total > target && gradient > least.max(rounding) {
            outcome = Outcome::Stagnation;
        }
    }
    Ok(LeastSquares { x, outcome, residual, gradient, residuals, gradients })
}
