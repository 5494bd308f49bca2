//! The length of the first step.

use ansatz_core::State;

use crate::{ErrorNorm, Result, Span, Statistics, control::power};

/// Chooses the first step (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, section II.4): short
/// enough that an Euler step, and then a step of a method of this order, would stay within
/// tolerance. `f0` is `f(t0, y)`; costs one evaluation.
#[allow(clippy::too_many_arguments)] // two callers; a struct would only rename them
pub(crate) fn probed_step<Y, N>(
    evaluate: impl Fn(f64, &Y, &mut Y, &mut Statistics) -> Result<()>,
    span: &Span,
    y: &Y,
    f0: &Y,
    (scratch, f1): (&mut Y, &mut Y),
    order: u32,
    norm: &N,
    statistics: &mut Statistics,
) -> Result<f64>
where
    Y: State,
    N: ErrorNorm<Y>,
{
    let length = (span.t1 - span.t0).abs();
    let d0 = norm.norm(y, y, y)?;
    let d1 = norm.norm(f0, y, y)?;
    let h0 = probe(d0, d1, length);
    let signed = span.direction() * h0;
    scratch.combine(Some(y), signed, &[1.0], std::slice::from_ref(f0))?;
    evaluate(span.t0 + signed, scratch, f1, statistics)?;
    // (f1 − f0) / h0 approximates the second derivative.
    scratch.combine(Some(f1), -1.0, &[1.0], std::slice::from_ref(f0))?;
    let d2 = norm.norm(scratch, y, y)? / h0;
    Ok(after_probe(d1, d2, h0, length, order))
}

/// Length of the Euler step, from the norms of the state and its slope.
#[inline(always)]
pub(crate) fn probe(d0: f64, d1: f64, length: f64) -> f64 {
    let h0 = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 };
    h0.min(length)
}

/// Length of the first step, from the norms of the slope and of the second derivative.
#[inline(always)]
pub(crate) fn after_probe(d1: f64, d2: f64, h0: f64, length: f64, order: u32) -> f64 {
    let steepest = d1.max(d2);
    let root = power(0.01 / steepest, 1.0 / f64::from(order + 1));
    let flat = (h0 * 1e-3).max(1e-6);
    // The probe left the domain: the error estimate will find its way from a cautious step.
    let outside = h0 * 1e-3;
    let h1 = if steepest <= 1e-15 { flat } else { root };
    let h1 = if steepest.is_finite() { h1 } else { outside };
    h1.min(100.0 * h0).min(length)
}

/// A first step where the derivative is not at hand: `f0` is the right-hand side of a problem with a
/// mass matrix. Far too short rather than too long, since it can grow quickly.
#[cfg(feature = "stiff")]
pub(crate) fn cautious_step<Y, N>(span: &Span, y: &Y, f0: &Y, norm: &N) -> Result<f64>
where
    N: ErrorNorm<Y>,
{
    let length = (span.t1 - span.t0).abs();
    let (d0, d1) = (norm.norm(y, y, y)?, norm.norm(f0, y, y)?);
    let h = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 1e-4 * d0 / d1 };
    Ok(h.min(1e-3 * length))
}
