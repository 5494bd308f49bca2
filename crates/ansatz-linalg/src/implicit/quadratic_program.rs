//! Gradients through quadratic programs with equations: [`quadratic_program`].

use ansatz_ops::custom_vjp;
use candle_core::Tensor;
use faer::Mat;

use super::{outward, projection::check_numbers};
use crate::{Components, Dense, Error, Factorised, Lu, Result};

/// The minimum of `½ xᵀ Q x + cᵀ x` under `A x = b`, and the multipliers `λ` of the equations,
/// attached to the graphs of all four.
///
/// `q` is `[n, n]`, symmetric, and positive definite where `A x = 0`; `c` `[n]`, `a` `[m, n]` with
/// independent rows, `b` `[m]`. The conditions of Karush, Kuhn and Tucker are one linear system,
/// `(Q Aᵀ; A 0) (x; λ) = (−c; b)`, factorised once and used again by `backward`, as in B. Amos,
/// Z. Kolter, *OptNet* (ICML 2017, eq. 8) without inequalities. The gradient of `q` is that of a
/// symmetric matrix. Computed on the host in `f64`.
///
/// # Errors
/// [`Error::Size`] when the shapes do not fit, [`Error::InvalidArgument`] when one of them is not
/// finite, `q` is not symmetric or the minimum does not exist because the curvature along the equations
/// is not positive, [`Error::Singular`] when the system is.
pub fn quadratic_program(
    q: &Tensor,
    c: &Tensor,
    a: &Tensor,
    b: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let (n, m) = (c.elem_count(), b.elem_count());
    let shapes = [(q, vec![n, n]), (c, vec![n]), (a, vec![m, n]), (b, vec![m])];
    for (tensor, want) in shapes {
        if tensor.dims() != want {
            let what = "matrices of a quadratic program (q [n, n], c [n], a [m, n], b [m])";
            return Err(Error::size(what, format!("{want:?}"), format!("{:?}", tensor.dims())));
        }
    }
    for (what, x) in [("matrix q", q), ("vector c", c), ("equations", a), ("vector b", b)] {
        check_numbers(what, x)?;
    }
    let (matrix, equations) = (q.components()?, a.components()?);
    let size = matrix.iter().fold(0.0f64, |size, entry| size.max(entry.abs()));
    let skew = |i: usize, j: usize| (matrix[i * n + j] - matrix[j * n + i]).abs();
    if (0..n).any(|i| (0..i).any(|j| skew(i, j) > 1e-6 * size)) {
        return Err(Error::invalid("matrix q", "not symmetric", "a symmetric matrix"));
    }
    let kkt = Dense::new(Mat::from_fn(n + m, n + m, |i, j| match (i < n, j < n) {
        (true, true) => 0.5 * (matrix[i * n + j] + matrix[j * n + i]),
        (true, false) => equations[(j - n) * n + i],
        (false, true) => equations[(i - n) * n + j],
        (false, false) => 0.0,
    }))?;
    check_curvature(&kkt, n, m)?;
    let factors = Lu::new(&kkt)?;
    let mut solution: Vec<f64> =
        c.components()?.into_iter().map(|c| -c).chain(b.components()?).collect();
    factors.solve_in_place(&mut solution)?;
    let (x, multipliers) = solution.split_at(n);
    let multipliers = b.with_components(multipliers.to_vec())?.to_dtype(c.dtype())?;
    let output = Tensor::cat(&[c.with_components(x.to_vec())?, multipliers], 0)?;
    let inputs = [q, c, a, b];
    let detached = inputs.map(Tensor::detach);
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let mut u = g.components()?;
        factors.solve_in_place(&mut u)?;
        let ((x, lambda), (dx, dl)) = (solution.split_at(n), u.split_at(n));
        let outer = |rows: &[f64], columns: &[f64]| -> Vec<f64> {
            rows.iter().flat_map(|r| columns.iter().map(move |c| r * c)).collect()
        };
        let (forth, back) = (outer(dx, x), outer(x, dx));
        let q: Vec<f64> = forth.iter().zip(&back).map(|(a, b)| -0.5 * (a + b)).collect();
        let c: Vec<f64> = dx.iter().map(|d| -d).collect();
        let (first, second) = (outer(lambda, dx), outer(dl, x));
        let a: Vec<f64> = first.iter().zip(&second).map(|(a, b)| -(a + b)).collect();
        let all = [q, c, a, dl.to_vec()];
        all.into_iter()
            .zip(&detached)
            .map(|(g, input)| Ok(Some(input.with_components(g)?)))
            .collect()
    };
    let both = custom_vjp(&inputs, &output, move |g| rule(g).map_err(outward))?;
    Ok((both.narrow(0, 0, n)?, both.narrow(0, n, m)?))
}

/// A minimum exists where the matrix has exactly as many negative eigenvalues as equations
/// (N. Gould, Math. Program. 32, 1985).
fn check_curvature(kkt: &Dense, n: usize, m: usize) -> Result<()> {
    let eigen = crate::SymmetricEigen::new(kkt)?;
    let least =
        f64::EPSILON * (n + m) as f64 * eigen.values().iter().fold(0.0, |a: f64, v| a.max(v.abs()));
    let negative = eigen.values().iter().filter(|v| **v < -least).count();
    if negative <= m {
        return Ok(());
    }
    let what = "curvature of a quadratic program";
    Err(Error::invalid(what, "negative along its equations", "a positive definite q there"))
}
