//! Projections with their gradients: [`project_simplex`], [`project_box`], [`project_affine`].

use ansatz_ops::custom_vjp;
use candle_core::{DType, Device, Tensor};

use super::outward;
use crate::{Components, Dense, Error, Qr, Result, iterative::finite};

/// The points of the simplex `{x ≥ 0, Σ x = total}` nearest to the rows of `y` `[…, n]`, by sorting
/// (M. Held, P. Wolfe, H. Crowder, Math. Program. 6, 1974).
///
/// The gradient is that of the theorem: on the entries that stay positive, the cotangent less its mean.
///
/// # Errors
/// [`Error::Size`] when `y` has no entries in its last axis, [`Error::InvalidArgument`] when `total` is
/// not positive or `y` is not finite.
pub fn project_simplex(y: &Tensor, total: f64) -> Result<Tensor> {
    if !(total > 0.0 && total.is_finite()) {
        return Err(Error::invalid("total of a simplex", total, "a positive number"));
    }
    let n = last_axis(y)?;
    check_numbers("points to project", y)?;
    let mut values = y.components()?;
    for row in values.chunks_mut(n) {
        let [largest, threshold] = threshold(row, total);
        for value in row {
            *value = (*value - largest - threshold).max(0.0);
        }
    }
    let support: Vec<bool> = values.iter().map(|v| *v > 0.0).collect();
    let output = y.with_components(values)?;
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let mut cotangent = g.components()?;
        for (row, support) in cotangent.chunks_mut(n).zip(support.chunks(n)) {
            let kept = || row.iter().zip(support).filter(|(_, kept)| **kept).map(|(g, _)| *g);
            let mean = kept().sum::<f64>() / kept().count().max(1) as f64;
            for (g, kept) in row.iter_mut().zip(support) {
                *g = if *kept { *g - mean } else { 0.0 };
            }
        }
        Ok(vec![Some(g.with_components(cotangent)?)])
    };
    Ok(custom_vjp(&[y], &output, move |g| rule(g).map_err(outward))?)
}

/// What to take away from a point so that its positive part is the projection onto the simplex: its
/// largest entry, and from what is left a threshold. Apart, they keep their digits however large the
/// entries are.
pub(super) fn threshold(point: &[f64], total: f64) -> [f64; 2] {
    let largest = point.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sorted: Vec<f64> = point.iter().map(|v| v - largest).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    // That of the largest number of entries that stay positive.
    let (mut sum, mut threshold) = (0.0, 0.0);
    for (k, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - total) / (k + 1) as f64;
        if *value > candidate {
            threshold = candidate;
        }
    }
    [largest, threshold]
}

/// The point of the box `lower ≤ x ≤ upper` nearest to `y`; bounds are broadcast to its shape, and may
/// be infinite.
///
/// The gradient goes to whichever of the three the result is.
///
/// # Errors
/// [`Error::Size`] when the bounds do not broadcast, [`Error::InvalidArgument`] when a lower bound is
/// above its upper one or one of the three is NaN.
pub fn project_box(y: &Tensor, lower: &Tensor, upper: &Tensor) -> Result<Tensor> {
    let fit = |bound: &Tensor| {
        let (expected, got) = (format!("{:?}", y.dims()), format!("{:?}", bound.dims()));
        bound.broadcast_as(y.shape()).map_err(|_| Error::size("bound of a box", expected, got))
    };
    let (lower, upper) = (fit(lower)?, fit(upper)?);
    let (point, least, most) = (y.detach(), lower.detach(), upper.detach());
    if !all(&least.le(&most)?)? {
        return Err(Error::invalid("lower bound", "NaN or above the upper one", "lower ≤ upper"));
    }
    if !all(&point.eq(&point)?)? {
        return Err(Error::invalid("points to project", "NaN", "numbers"));
    }
    let (below, above) = (point.lt(&least)?, point.gt(&most)?);
    Ok(below.where_cond(&lower, &above.where_cond(&upper, y)?)?)
}

/// Whether every answer is yes.
fn all(answers: &Tensor) -> Result<bool> {
    let yes = answers.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    Ok(yes as usize == answers.elem_count())
}

/// The points of `{x : A x = b}` nearest to the rows of `y` `[…, n]`, where `a` `[m, n]` has
/// independent rows: `y − Aᵀ (A Aᵀ)⁻¹ (A y − b)`, by QR of `Aᵀ`.
///
/// Gradients flow to `y`, `a` and `b` `[m]`, by the conditions of [`super::quadratic_program`] with the
/// identity.
///
/// # Errors
/// [`Error::Size`] when the shapes do not fit, [`Error::Singular`] when the rows of `a` are dependent,
/// [`Error::InvalidArgument`] when `y`, `a` or `b` is not finite.
pub fn project_affine(y: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let n = y.dims().last().copied().unwrap_or(0);
    let [m, width] = *a.dims() else {
        return Err(Error::size("matrix of an affine set", "[m, n]", format!("{:?}", a.dims())));
    };
    if width != n || b.dims() != [m] {
        let got = format!("a {:?}, b {:?}", a.dims(), b.dims());
        return Err(Error::size("affine set", format!("a [m, {n}], b [m]"), got));
    }
    if m > n {
        return Err(Error::size("equations of an affine set", format!("at most {n}"), m));
    }
    for (what, x) in [("points to project", y), ("equations", a), ("right-hand side", b)] {
        check_numbers(what, x)?;
    }
    let entries = a.components()?;
    let transposed = Dense::new(faer::Mat::from_fn(n, m, |i, j| entries[j * n + i]))?;
    // The pseudo-inverse of A, a column per equation: Q R⁻ᵀ, by least squares with the identity.
    let factors = Qr::new(&transposed)?;
    let mut pseudo = vec![0.0; n * m];
    for i in 0..n {
        let unit: Vec<f64> = (0..n).map(|k| f64::from(k == i)).collect();
        // Row i of Aᵀ (A Aᵀ)⁻¹ solves min |Aᵀ z − eᵢ|.
        let row = factors.solve_least_squares(&unit)?;
        pseudo[i * m..(i + 1) * m].copy_from_slice(&row);
    }
    let pseudo = Tensor::from_vec(pseudo, (n, m), &Device::Cpu)?;
    let pseudo = pseudo.to_dtype(y.dtype())?.to_device(y.device())?;
    let [rows, a_only] = [y.detach().reshape(((), n))?, a.detach()];
    let defect = rows.matmul(&a_only.t()?)?.broadcast_sub(&b.detach())?;
    let x = (&rows - defect.matmul(&pseudo.t()?)?)?;
    let output = x.reshape(y.shape())?;
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        // (I Aᵀ; A 0) (u; μ) = (g; 0), with the matrix of (x; λ).
        let multipliers = (&rows - &x)?.matmul(&pseudo)?;
        let forces = g.reshape(rows.shape())?.matmul(&pseudo)?;
        let along = (g.reshape(rows.shape())? - forces.matmul(&a_only)?)?;
        let matrix = (multipliers.t()?.matmul(&along)? + forces.t()?.matmul(&x)?)?.neg()?;
        Ok(vec![Some(along.reshape(g.shape())?), Some(matrix), Some(forces.sum(0)?)])
    };
    Ok(custom_vjp(&[y, a, b], &output, move |g| rule(g).map_err(outward))?)
}

/// The size of the last axis.
pub(super) fn last_axis(y: &Tensor) -> Result<usize> {
    match y.dims().last() {
        Some(n) if *n > 0 => Ok(*n),
        _ => {
            let got = format!("{:?}", y.dims());
            Err(Error::size("last axis of points", "at least one entry", got))
        }
    }
}

/// Errors unless all are finite.
pub(super) fn check_numbers(what: &'static str, x: &Tensor) -> Result<()> {
    finite(what, &x.detach())
}
