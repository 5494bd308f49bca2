//! Functions of matrices: dense ones as a whole, and their products with a vector without them.

mod action;
mod exponential;
mod krylov;
mod logarithm;
mod phi;
mod schur;
mod square_root;
mod sub_step;

pub use action::{Action, ExponentialAction};
pub use exponential::exponential;
pub use logarithm::logarithm;
pub use phi::phi_functions;
pub use square_root::square_root;

use faer::{
    Accum, Mat, Par,
    linalg::{matmul::matmul, solvers::Solve},
};

use crate::{Dense, Error, Result};

/// `a b`, the same bits for any number of threads.
fn times(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), b.ncols());
    matmul(&mut product, Accum::Replace, a, b, 1.0, Par::Seq);
    product
}

/// `Σ cᵢ mᵢ + c I`.
fn sum(terms: &[(f64, &Mat<f64>)], identity: f64, n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| {
        let start = if i == j { identity } else { 0.0 };
        terms.iter().fold(start, |sum, (c, m)| sum + c * m[(i, j)])
    })
}

/// `a⁻¹ b`. Not finite where `a` has no inverse: whoever asks looks at the end.
fn divide(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    a.partial_piv_lu().solve(b)
}

fn norm_1(a: &Mat<f64>) -> f64 {
    a.col_iter().map(|column| column.iter().map(|x| x.abs()).sum()).fold(0.0, f64::max)
}

/// Errors unless `got`, what undoes a function of `want`, is `want` again up to `rounding`: of
/// eigenvalues next to where the function jumps, rounding leaves nothing.
fn check_undone(what: &'static str, got: &Mat<f64>, want: &Mat<f64>, rounding: f64) -> Result<()> {
    let difference = sum(&[(1.0, got), (-1.0, want)], 0.0, want.nrows());
    let error = norm_1(&difference) / norm_1(want);
    if error <= 1e-8 + rounding / norm_1(want) {
        return Ok(());
    }
    let reason = format!("undone, it misses the matrix by {error:e} of its norm");
    Err(Error::Factorisation { what, reason })
}

/// The result as a matrix: it must be finite.
fn finite(what: &'static str, a: Mat<f64>) -> Result<Dense> {
    Dense::new(a).map_err(|error| match error {
        Error::NotFinite { index, .. } => Error::NotFinite { what, index },
        other => other,
    })
}
