//! The length of the first step.

use ansatz_core::State;

use crate::{
    ExplicitRungeKutta, Result, Span, VectorField,
    integrate::{Workspace, evaluate},
};

/// Chooses the first step (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, section II.4): short
/// enough that an Euler step, and then a step of the method, would stay within tolerance. Costs
/// one evaluation. `work.stages[0]` holds `f(t0, y)`; the other stages are overwritten.
pub(crate) fn first_step<F, Y, M>(
    field: &F,
    span: &Span,
    y: &Y,
    work: &mut Workspace<Y>,
    tolerance: Option<(f64, f64)>,
) -> Result<f64>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
{
    let (rtol, atol) = tolerance.unwrap_or((1e-6, 1e-6));
    let length = (span.t1 - span.t0).abs();
    let (f0, rest) = work.stages.split_at_mut(1);
    let f0 = &f0[0];
    let d0 = y.weighted_rms(y, y, rtol, atol)?;
    let d1 = f0.weighted_rms(y, y, rtol, atol)?;
    let h0 = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 };
    let h0 = h0.min(length);
    let signed = span.direction() * h0;
    work.scratch.combine(Some(y), signed, &[1.0], std::slice::from_ref(f0))?;
    evaluate(field, span.t0 + signed, &work.scratch, &mut rest[0], 0)?;
    // (f1 − f0) / h0 approximates the second derivative.
    let scratch = &mut work.scratch;
    scratch.combine(None, 1.0, &[-1.0], std::slice::from_ref(f0))?;
    let minus_f0 = scratch.clone();
    scratch.combine(Some(&minus_f0), 1.0, &[1.0], &rest[..1])?;
    let d2 = scratch.weighted_rms(y, y, rtol, atol)? / h0;
    let steepest = d1.max(d2);
    let h1 = if !steepest.is_finite() {
        // The probe left the domain; the error estimate will find its way from a cautious step.
        h0 * 1e-3
    } else if steepest <= 1e-15 {
        (h0 * 1e-3).max(1e-6)
    } else {
        (0.01 / steepest).powf(1.0 / f64::from(M::TABLEAU.order + 1))
    };
    Ok(h1.min(100.0 * h0).min(length))
}
