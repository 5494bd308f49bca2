//! Factorisations of matrices, each made once and used for any number of right-hand sides.

mod banded;
mod cholesky;
mod condition;
mod eigen;
mod generalised_eigen;
mod lu;
mod pattern;
mod prepared;
mod probe;
mod qr;
mod solver;
mod sparse_cholesky;
mod sparse_lu;
mod sparse_qr;
mod svd;
mod tridiagonal_lu;

pub use banded::BandedLu;
pub use cholesky::Cholesky;
pub use condition::condition_1norm_estimate;
pub use eigen::{Eigen, SymmetricEigen, eigenvalues};
pub use generalised_eigen::GeneralisedEigen;
pub use lu::Lu;
pub use prepared::Prepared;
pub use qr::Qr;
pub use solver::Direct;
pub use sparse_cholesky::SparseCholesky;
pub use sparse_lu::SparseLu;
pub use sparse_qr::SparseQr;
pub use svd::Svd;
pub use tridiagonal_lu::TridiagonalLu;

use faer::MatMut;
use pattern::Pattern;

use crate::{Error, LinearOperator, Properties, Result};

/// A square matrix that has been factorised.
pub trait Factorised {
    /// Number of rows and columns.
    fn dimension(&self) -> usize;

    /// `x ← A⁻¹ x`; one right-hand side after the other, each of [`Factorised::dimension`] numbers.
    ///
    /// # Errors
    /// [`Error::Size`] when the length of `x` is not a multiple of the dimension.
    fn solve_in_place(&self, x: &mut [f64]) -> Result<()>;

    /// `x ← A⁻ᵀ x`.
    ///
    /// # Errors
    /// As [`Factorised::solve_in_place`].
    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()>;

    /// The solution of `A x = b`.
    ///
    /// # Errors
    /// As [`Factorised::solve_in_place`].
    fn solve(&self, b: &[f64]) -> Result<Vec<f64>> {
        let mut x = b.to_vec();
        self.solve_in_place(&mut x)?;
        Ok(x)
    }

    /// The solution of `Aᵀ x = b`.
    ///
    /// # Errors
    /// As [`Factorised::solve_in_place`].
    fn solve_transposed(&self, b: &[f64]) -> Result<Vec<f64>> {
        let mut x = b.to_vec();
        self.solve_transposed_in_place(&mut x)?;
        Ok(x)
    }

    /// What is known of `A⁻¹`; nothing unless said.
    fn properties(&self) -> Properties {
        Properties::NONE
    }
}

impl<F: Factorised + ?Sized> Factorised for &F {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        (**self).solve_in_place(x)
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        (**self).solve_transposed_in_place(x)
    }

    fn properties(&self) -> Properties {
        (**self).properties()
    }
}

/// The inverse of a factorised matrix as an operator: each application is a solve.
#[derive(Debug, Clone, Copy)]
pub struct Inverse<F>(
    /// The factorisation.
    pub F,
);

impl<F: Factorised> LinearOperator<Vec<f64>> for Inverse<F> {
    fn shape(&self) -> [usize; 2] {
        [self.0.dimension(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        self.0.solve_in_place(y)
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.clone_from(x);
        self.0.solve_transposed_in_place(y)
    }

    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

/// A determinant as its sign and the logarithm of its size: it overflows early itself. It is not zero:
/// what is singular is not factorised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogDeterminant {
    /// 1 or −1.
    pub sign: f64,
    /// `ln |det A|`.
    pub log: f64,
}

impl LogDeterminant {
    /// Of a triangular matrix with this diagonal, times `sign`.
    fn of_diagonal(diagonal: impl Iterator<Item = f64>, sign: f64) -> Self {
        let mut all = Self { sign, log: 0.0 };
        for d in diagonal {
            all.sign *= d.signum();
            all.log += d.abs().ln();
        }
        all
    }
}

/// The right-hand sides as the columns of a matrix.
fn columns<'a>(what: &'static str, n: usize, x: &'a mut [f64]) -> Result<MatMut<'a, f64>> {
    let count = x.len().checked_div(n).unwrap_or(0);
    if count * n != x.len() {
        return Err(Error::size(what, format!("a multiple of {n} numbers"), x.len()));
    }
    Ok(MatMut::from_column_major_slice_mut(x, n, count))
}

/// Errors unless the operator is square.
pub(crate) fn check_square(what: &'static str, [rows, columns]: [usize; 2]) -> Result<usize> {
    if rows == columns {
        return Ok(rows);
    }
    Err(Error::size(what, "as many rows as columns", format!("{rows} × {columns}")))
}

/// What rounding makes of a zero in a matrix of `n` columns that are of the size one: errors of `n`
/// operations that are independent of each other add up to `√n u` (N. Higham, T. Mary, *A new approach
/// to probabilistic rounding error analysis*, 2019).
fn rounding(n: usize) -> f64 {
    (n as f64).sqrt() * f64::EPSILON
}

/// The largest pivot that rounding may have made, in units of what it was before the elimination.
fn rounded_pivot(n: usize) -> f64 {
    2.0 * rounding(n)
}

/// An error of the library that is not about the values of the matrix.
fn failed(what: &'static str, error: &impl std::fmt::Debug) -> Error {
    Error::Factorisation { what, reason: format!("{error:?}") }
}

/// 1 for an even permutation, −1 for an odd one.
fn parity(mut rows: Vec<usize>) -> f64 {
    let mut sign = 1.0;
    for i in 0..rows.len() {
        while rows[i] != i {
            let target = rows[i];
            rows.swap(i, target);
            sign = -sign;
        }
    }
    sign
}
