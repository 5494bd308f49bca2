//! The derivative of a field by time: [`time_derivative`].

use ansatz_linalg::Components;

use super::{ImplicitField, linear::value};
use crate::{Result, Statistics};

/// Writes `∂f/∂t` at `(t, y)`, where the field is `f`, to `out`, by a difference inside a step of
/// signed length `h`; costs one evaluation. The other two are room.
#[allow(clippy::too_many_arguments)] // what a difference is made of
pub(crate) fn time_derivative<F, Y>(
    field: &F,
    t: f64,
    h: f64,
    y: &Y,
    f: &Y,
    (moved, difference): (&mut Y, &mut Y),
    out: &mut Y,
    statistics: &mut Statistics,
) -> Result<()>
where
    F: ImplicitField<Y>,
    Y: Components,
{
    // Rounding of the field, `ε f/δ`, then changes a step by no more than `√ε` of its increment `h f`,
    // also from the time zero, and rounding of the time is kept as far below the step as can be.
    let delta = (y.epsilon() * t.abs().max(h.abs()) * h.abs()).sqrt().min(h.abs()) * h.signum();
    let delta = (t + delta) - t;
    if delta == 0.0 {
        return Ok(out.combine(None, 1.0, &[], &[])?);
    }
    value(field, t + delta, y, moved, statistics)?;
    difference.combine(Some(moved), -1.0, &[1.0], std::slice::from_ref(f))?;
    Ok(out.combine(None, 1.0 / delta, &[1.0], std::slice::from_ref(difference))?)
}
