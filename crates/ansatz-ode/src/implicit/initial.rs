//! Initial values that satisfy the algebraic equations: [`consistent_initial`].

use ansatz_linalg::{
    Components,
    faer::{Mat, linalg::solvers::Solve},
    nalgebra_sparse::SparseEntry,
};

use super::{
    ImplicitField, JacobianStorage, Mass,
    linear::{Linear, value},
};
use crate::{Error, ErrorNorm, Result, Rms, Statistics};

/// Changes the algebraic variables of `y` so that the algebraic equations of `field` hold at `t`;
/// the differential variables stay.
///
/// The algebraic equations are the zero rows of the mass matrix, the algebraic variables its zero
/// columns. Newton's method, from the values in `y`.
///
/// # Errors
/// [`Error::IndexTooHigh`] when the equations do not determine the variables, and
/// [`Error::NotConverged`] when Newton's method does not get there.
pub fn consistent_initial<F, Y>(field: &F, t: f64, y: &Y) -> Result<Y>
where
    F: ImplicitField<Y>,
    Y: Components,
{
    const ROUNDS: usize = 50;
    let mut statistics = Statistics::default();
    let mut linear = Linear::new(field, y)?;
    let (mut y, mut f) = (y.clone(), y.clone());
    let rounding = 100.0 * y.epsilon();
    let norm = Rms { rtol: rounding, atol: rounding * rounding };
    let mut before = f64::INFINITY;
    for _ in 0..ROUNDS {
        value(field, t, &y, &mut f, &mut statistics)?;
        let Some(step) = correction(field, t, &y, &f, &mut linear, &mut statistics)? else {
            return Ok(y);
        };
        let old = y.clone();
        y.combine(Some(&old), 1.0, &[1.0], std::slice::from_ref(&step))?;
        let size = norm.norm(&step, &old, &y)?;
        // At the level of rounding corrections no longer shrink.
        if size <= 1.0 || (size < 1e4 && size >= before) {
            return Ok(y);
        }
        if !size.is_finite() {
            break;
        }
        before = size;
    }
    Err(Error::NotConverged { t, h: 0.0, step: 0 })
}

/// The Newton correction of the algebraic variables; `None` if there are none.
fn correction<F, Y>(
    field: &F,
    t: f64,
    y: &Y,
    f: &Y,
    linear: &mut Linear<Y>,
    statistics: &mut Statistics,
) -> Result<Option<Y>>
where
    F: ImplicitField<Y>,
    Y: Components,
{
    let Some(mass) = linear.mass() else { return Ok(None) };
    let positions = |zero: Vec<bool>| -> Vec<usize> {
        zero.iter().enumerate().filter_map(|(i, z)| z.then_some(i)).collect()
    };
    let (rows, columns) = (positions(mass.algebraic_rows()), positions(mass.algebraic_columns()));
    if rows.is_empty() {
        return Ok(None);
    }
    linear.linearise(field, t, y, f, statistics)?;
    let n = y.dimension();
    let entry = |i: usize, j: usize| match linear.jacobian() {
        JacobianStorage::Dense(all) => all[i + j * n],
        JacobianStorage::Sparse(sparse) => {
            sparse.as_csr().get_entry(i, j).map_or(0.0, SparseEntry::into_value)
        }
    };
    let matrix = Mat::from_fn(rows.len(), columns.len(), |i, j| entry(rows[i], columns[j]));
    let mut all = vec![0.0; n];
    f.read_into(&mut all)?;
    let right = Mat::from_fn(rows.len(), 1, |i, _| -all[rows[i]]);
    let lu = matrix.full_piv_lu();
    let u = lu.U();
    // Full pivoting sorts the diagonal by size.
    let (first, last) = (u[(0, 0)].abs(), u[(rows.len() - 1, rows.len() - 1)].abs());
    if !first.is_finite() || last <= first * n as f64 * y.epsilon() {
        return Err(Error::IndexTooHigh { t });
    }
    let solution = lu.solve(&right);
    all.fill(0.0);
    for (i, &j) in columns.iter().enumerate() {
        all[j] = solution[(i, 0)];
    }
    let mut step = y.clone();
    step.write_from(&all)?;
    Ok(Some(step))
}

/// Errors unless the algebraic equations hold at `y` to the tolerance.
pub(crate) fn check_consistent<F, Y, N>(
    field: &F,
    t: f64,
    y: &Y,
    linear: &mut Linear<Y>,
    norm: &N,
    statistics: &mut Statistics,
) -> Result<()>
where
    F: ImplicitField<Y>,
    Y: Components,
    N: ErrorNorm<Y>,
{
    let mut f = y.clone();
    value(field, t, y, &mut f, statistics)?;
    let Some(step) = correction(field, t, y, &f, linear, statistics)? else { return Ok(()) };
    let distance = norm.norm(&step, y, y)?;
    if distance <= 1.0 { Ok(()) } else { Err(Error::Inconsistent { t, distance }) }
}

/// Sets the values of the algebraic equations to zero, which they are but for the tolerance, so that
/// the first step does not carry them on.
pub(crate) fn drop_algebraic<Y: Components>(f: &mut Y, mass: &Mass) -> Result<()> {
    let mut all = vec![0.0; f.dimension()];
    f.read_into(&mut all)?;
    for (f, algebraic) in all.iter_mut().zip(mass.algebraic_rows()) {
        if algebraic {
            *f = 0.0;
        }
    }
    Ok(f.write_from(&all)?)
}
