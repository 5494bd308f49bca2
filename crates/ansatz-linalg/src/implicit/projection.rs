//! Projections with their gradients: [`project_simplex`], [`project_box`], [`project_affine`].

use ansatz_ops::custom_vjp;
use candle_core::{DType, Device, Tensor};

use super::outward;
use crate::{Dense, Error, Qr, Result};

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
    let n = y.dims().last().copied().unwrap_or(0);
    if n == 0 {
        return Err(Error::size(
            "last axis of points",
            "at least one entry",
            format!("{:?}", y.dims()),
        ));
    }
    let mut values = host(y)?;
    if values.iter().any(|v| !v.is_finite()) {
        return Err(Error::invalid("points to project", "NaN or infinite", "finite numbers"));
    }
    for row in values.chunks_mut(n) {
        let mut sorted = row.to_vec();
        sorted.sort_unstable_by(|a, b| b.total_cmp(a));
        // The threshold of the largest number of entries that stay positive.
        let (mut sum, mut threshold) = (0.0, 0.0);
        for (k, value) in sorted.iter().enumerate() {
            sum += value;
            let candidate = (sum - total) / (k + 1) as f64;
            if *value > candidate {
                threshold = candidate;
            }
        }
        for value in row {
            *value = (*value - threshold).max(0.0);
        }
    }
    let support: Vec<bool> = values.iter().map(|v| *v > 0.0).collect();
    let output = like(&values, y)?;
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let mut cotangent = host(g)?;
        for (row, support) in cotangent.chunks_mut(n).zip(support.chunks(n)) {
            let kept = || row.iter().zip(support).filter(|(_, kept)| **kept).map(|(g, _)| *g);
            let mean = kept().sum::<f64>() / kept().count().max(1) as f64;
            for (g, kept) in row.iter_mut().zip(support) {
                *g = if *kept { *g - mean } else { 0.0 };
            }
        }
        Ok(vec![Some(like(&cotangent, g)?)])
    };
    Ok(custom_vjp(&[y], &output, move |g| rule(g).map_err(outward))?)
}

/// The point of the box `lower ≤ x ≤ upper` nearest to `y`, the three of one shape.
///
/// The gradient goes to whichever of the three the result is.
///
/// # Errors
/// [`Error::Size`] when the shapes differ, [`Error::InvalidArgument`] when a lower bound is above its
/// upper one.
pub fn project_box(y: &Tensor, lower: &Tensor, upper: &Tensor) -> Result<Tensor> {
    for bound in [lower, upper] {
        if bound.dims() != y.dims() {
            let (expected, got) = (format!("{:?}", y.dims()), format!("{:?}", bound.dims()));
            return Err(Error::size("bound of a box", expected, got));
        }
    }
    if lower.detach().gt(&upper.detach())?.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()? > 0
    {
        return Err(Error::invalid("lower bound", "above the upper one", "lower ≤ upper"));
    }
    let below = y.detach().lt(&lower.detach())?;
    let above = y.detach().gt(&upper.detach())?;
    Ok(below.where_cond(lower, &above.where_cond(upper, y)?)?)
}

/// The points of `{x : A x = b}` nearest to the rows of `y` `[…, n]`, where `a` `[m, n]` has
/// independent rows: `y − Aᵀ (A Aᵀ)⁻¹ (A y − b)`, by QR of `Aᵀ`.
///
/// Gradients flow to `y` and `b` `[m]`, not to `a`: for that take [`super::quadratic_program`] with
/// the identity.
///
/// # Errors
/// [`Error::Size`] when the shapes do not fit, [`Error::Singular`] when the rows of `a` are dependent.
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
    let entries = host(a)?;
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
    let rows = y.reshape(((), n))?;
    let defect = rows.matmul(&a.detach().t()?)?.broadcast_sub(b)?;
    Ok((rows - defect.matmul(&pseudo.t()?)?)?.reshape(y.shape())?)
}

/// The numbers of a tensor, on the host.
pub(super) fn host(x: &Tensor) -> Result<Vec<f64>> {
    let x = x.detach().to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    Ok(x.flatten_all()?.to_vec1()?)
}

/// Numbers as a tensor of the shape, dtype and device of another.
pub(super) fn like(values: &[f64], other: &Tensor) -> Result<Tensor> {
    let values = Tensor::from_slice(values, other.dims(), &Device::Cpu)?;
    Ok(values.to_dtype(other.dtype())?.to_device(other.device())?)
}
