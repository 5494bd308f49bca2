//! Projections onto balls and half-spaces: [`project_l2_ball`], [`project_l1_ball`],
//! [`project_halfspace`].

use ansatz_ops::custom_vjp;
use candle_core::{D, Tensor};

use super::{
    outward,
    projection::{check_numbers, last_axis, threshold},
};
use crate::{Components, Error, Result};

/// The points of the ball `‖x‖₂ ≤ radius` nearest to the rows of `y` `[…, n]`.
///
/// # Errors
/// [`Error::Size`] when `y` has no entries in its last axis, [`Error::InvalidArgument`] when `radius` is
/// not positive or `y` is not finite.
pub fn project_l2_ball(y: &Tensor, radius: f64) -> Result<Tensor> {
    let n = check_ball(y, radius)?;
    let points = y.components()?;
    // Of each row, the norm, where that is too large.
    let norms: Vec<Option<f64>> = points
        .chunks(n)
        .map(|row| {
            let largest = row.iter().fold(0.0f64, |a, v| a.max(v.abs()));
            let norm = largest * row.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt();
            (norm > radius).then_some(norm)
        })
        .collect();
    let mut values = points.clone();
    for (row, norm) in values.chunks_mut(n).zip(&norms) {
        if let Some(norm) = norm {
            for v in row {
                *v *= radius / norm;
            }
        }
    }
    let output = y.with_components(values)?;
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let mut cotangent = g.components()?;
        for ((row, point), norm) in cotangent.chunks_mut(n).zip(points.chunks(n)).zip(&norms) {
            if let Some(norm) = norm {
                let along: f64 = row.iter().zip(point).map(|(g, y)| g * (y / norm)).sum();
                for (g, y) in row.iter_mut().zip(point) {
                    *g = (*g - along * (y / norm)) * (radius / norm);
                }
            }
        }
        Ok(vec![Some(g.with_components(cotangent)?)])
    };
    Ok(custom_vjp(&[y], &output, move |g| rule(g).map_err(outward))?)
}

/// The points of the ball `‖x‖₁ ≤ radius` nearest to the rows of `y` `[…, n]`: soft thresholds, by the
/// projection of `|y|` onto the simplex (J. Duchi et al., *Efficient Projections onto the ℓ₁-Ball*,
/// ICML 2008, §4).
///
/// # Errors
/// As [`project_l2_ball`].
pub fn project_l1_ball(y: &Tensor, radius: f64) -> Result<Tensor> {
    let n = check_ball(y, radius)?;
    let mut values = y.components()?;
    // Of each row, whether it was outside; then the cotangent loses its mean along the face.
    let outside: Vec<bool> = values
        .chunks_mut(n)
        .map(|row| {
            let sizes: Vec<f64> = row.iter().map(|v| v.abs()).collect();
            let outside = sizes.iter().sum::<f64>() > radius;
            if outside {
                let [largest, threshold] = threshold(&sizes, radius);
                let size = |v: f64| (v.abs() - largest - threshold).max(0.0);
                for v in row {
                    *v = size(*v).copysign(*v);
                }
            }
            outside
        })
        .collect();
    let output = y.with_components(values.clone())?;
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let mut cotangent = g.components()?;
        let rows = cotangent.chunks_mut(n).zip(values.chunks(n)).zip(&outside);
        for ((row, point), _) in rows.filter(|(_, outside)| **outside) {
            let kept = || row.iter().zip(point).filter(|(_, x)| **x != 0.0);
            let mean = kept().map(|(g, x)| g * x.signum()).sum::<f64>() / kept().count() as f64;
            for (g, x) in row.iter_mut().zip(point) {
                *g = if *x == 0.0 { 0.0 } else { *g - mean * x.signum() };
            }
        }
        Ok(vec![Some(g.with_components(cotangent)?)])
    };
    Ok(custom_vjp(&[y], &output, move |g| rule(g).map_err(outward))?)
}

/// The points of the half-space `⟨a, x⟩ ≤ b` nearest to the rows of `y` `[…, n]`, where `a` is `[n]`,
/// not zero, and `b` one number: `y − max(⟨a, y⟩ − b, 0) a / ⟨a, a⟩`. Gradients flow to all three.
///
/// # Errors
/// [`Error::Size`] when the shapes do not fit, [`Error::InvalidArgument`] when `a` is zero or one of
/// them is not finite.
pub fn project_halfspace(y: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let n = last_axis(y)?;
    if a.dims() != [n] || b.elem_count() != 1 {
        let got = format!("a {:?}, b {:?}", a.dims(), b.dims());
        return Err(Error::size("half-space", format!("a [{n}], b one number"), got));
    }
    for (what, x) in [("points to project", y), ("normal", a), ("offset", b)] {
        check_numbers(what, x)?;
    }
    let square = a.sqr()?.sum_all()?;
    if square.components()? == [0.0] {
        return Err(Error::invalid("normal of a half-space", "zero", "a vector with a length"));
    }
    let excess = y.broadcast_mul(a)?.sum_keepdim(D::Minus1)?.broadcast_sub(&b.flatten_all()?)?;
    let share = excess.relu()?.broadcast_div(&square)?;
    Ok((y - share.broadcast_mul(a)?)?)
}

fn check_ball(y: &Tensor, radius: f64) -> Result<usize> {
    if !(radius > 0.0 && radius.is_finite()) {
        return Err(Error::invalid("radius of a ball", radius, "a positive number"));
    }
    check_numbers("points to project", y)?;
    last_axis(y)
}
