//! Iterative least squares, `min |b − A x|² + damping² |x|²`, for operators of any shape.

mod lsmr;
mod lsqr;

pub use lsmr::Lsmr;
pub use lsqr::Lsqr;

use super::{Outcome, Stopping, finite, measurable_norm, monitor::NOT_FINITE};
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
    /// `|Aᵀ (b − A x) − damping² (x − x₀)|`, which is zero at a minimum; measured at the end.
    pub gradient: f64,
    /// Whether `x` solves `A x = b`: the residual is at most `target`. What converged without is the
    /// minimum of a system that has no solution, or of a damped one.
    pub consistent: bool,
    /// The residual that was asked for.
    pub target: f64,
    /// The gradient that was asked for where there is no solution, `relative ‖A‖ |b − A x|`.
    pub gradient_target: f64,
    /// `√(|b − A x|² + damping² |x − x₀|²)` at the start and after each iteration, as the method
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

    /// Itself if it converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] in the name of `method`, with the norm of the gradient.
    pub fn into_converged(self, method: &'static str) -> Result<Self> {
        self.outcome.check(method, self.iterations(), self.gradient, self.gradient_target)?;
        Ok(self)
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
    fn new(operator: &'a dyn LinearOperator<V>, mut u: V) -> Result<Self> {
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
        // In two steps: the inverse of a small number is infinite in a small format.
        let root = norm.sqrt();
        x.scale_in_place(1.0 / root)?;
        x.scale_in_place(1.0 / root)?;
    }
    Ok(norm)
}

/// What the two methods differ in.
trait Recurrence<V> {
    /// One more column of the bidiagonal matrix; the norms of residual and gradient.
    fn step(&mut self, columns: &Bidiagonalisation<'_, V>) -> Result<[f64; 2]>;

    fn into_iterate(self) -> V;
}

fn run<V: Vector, R: Recurrence<V>>(
    a: &dyn LinearOperator<V>,
    b: &V,
    guess: Option<&V>,
    damping: f64,
    stopping: &Stopping,
    start: impl FnOnce(&Bidiagonalisation<'_, V>) -> Result<R>,
) -> Result<LeastSquares<V>> {
    stopping.validate()?;
    if !(damping >= 0.0 && damping.is_finite()) {
        return Err(Error::invalid("damping", damping, "a number of at least 0"));
    }
    let [rows, columns] = a.shape();
    check_length("right-hand side of least squares", rows, b.dimension())?;
    finite("right-hand side of least squares", b)?;
    let target = stopping.target(measurable_norm("right-hand side of least squares", b)?);
    let mut residual = b.clone().detached();
    if let Some(guess) = guess {
        check_length("first guess of least squares", columns, guess.dimension())?;
        finite("first guess of least squares", guess)?;
        a.apply_into(guess, &mut residual)?;
        residual.axpby(-1.0, 1.0, b)?;
    }
    let mut columns = Bidiagonalisation::new(a, residual)?;
    let (mut residuals, mut gradients) = (vec![columns.beta], Vec::new());
    let mut recurrence = start(&columns)?;
    let ended = loop {
        let residual = residuals[residuals.len() - 1];
        if !(residual.is_finite() && columns.alpha.is_finite()) {
            break Outcome::Breakdown(NOT_FINITE);
        }
        let gradient = gradients.last().copied().unwrap_or(columns.alpha * columns.beta);
        let small = MARGIN * stopping.relative * columns.norm.max(damping) * residual;
        let margin = if gradients.is_empty() { 1.0 } else { MARGIN };
        // Without a column there is no direction left: Aᵀ r = 0.
        if residual <= margin * target || gradient <= small || columns.alpha == 0.0 {
            break Outcome::Converged;
        }
        if gradients.len() >= stopping.iterations {
            break Outcome::Budget;
        }
        columns.advance()?;
        let [residual, gradient] = recurrence.step(&columns)?;
        residuals.push(residual);
        gradients.push(gradient);
    };
    let moved = recurrence.into_iterate();
    let mut x = moved.clone();
    if let Some(guess) = guess {
        x.axpby(1.0, 1.0, guess)?;
    }
    let mut residual = a.apply(&x)?;
    residual.axpby(-1.0, 1.0, b)?;
    let mut gradient = a.apply_transposed(&residual)?;
    gradient.axpby(1.0, -damping * damping, &moved)?;
    let (residual, gradient) = (residual.norm2()?, gradient.norm2()?);
    let total = residual.hypot(damping * moved.norm2()?);
    let gradient_target = stopping.relative * columns.norm.max(damping) * total;
    let rounding = 10.0 * b.epsilon() * columns.norm * residuals[0];
    let outcome = match ended {
        Outcome::Breakdown(_) => ended,
        _ if !(total.is_finite() && gradient.is_finite()) => Outcome::Breakdown(NOT_FINITE),
        _ if total <= target || gradient <= gradient_target => Outcome::Converged,
        Outcome::Converged if gradient > rounding => Outcome::Stagnation,
        _ => ended,
    };
    Ok(LeastSquares {
        x,
        outcome,
        residual,
        gradient,
        consistent: residual <= target,
        target,
        gradient_target,
        residuals,
        gradients,
    })
}
