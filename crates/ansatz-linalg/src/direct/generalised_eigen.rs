//! Eigenvalues of a pair of dense symmetric matrices.

use faer::{Mat, MatRef};

use super::{Cholesky, SymmetricEigen, check_square};
use crate::{Dense, LinearOperator, Result, operator::check_length};

/// `A X = B X diag(λ)` of a symmetric `A` and a symmetric positive definite `B`, `Xᵀ B X = I`, `λ`
/// rising: vibrations of a stiffness and a mass.
///
/// By the eigenvectors of `L⁻¹ A L⁻ᵀ` with `B = L Lᵀ` (G. Golub, C. Van Loan, *Matrix Computations*,
/// Algorithm 8.7.1).
#[derive(Debug, Clone)]
pub struct GeneralisedEigen {
    values: Vec<f64>,
    vectors: Mat<f64>,
}

impl GeneralisedEigen {
    /// Of `a` and `b`, of which only the lower triangles are read.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) unless both are square and of one size,
    /// [`Error::NotPositiveDefinite`](crate::Error::NotPositiveDefinite) of `b`,
    /// [`Error::NotFinite`](crate::Error::NotFinite) when `L⁻¹ A L⁻ᵀ` overflows,
    /// [`Error::Factorisation`](crate::Error::Factorisation) when the iteration does not converge.
    pub fn new(a: &Dense, b: &Dense) -> Result<Self> {
        let n = check_square("first matrix of an eigenvalue problem", a.shape())?;
        check_length("rows of the second matrix of an eigenvalue problem", n, b.shape()[0])?;
        let b = Cholesky::new(b)?;
        let l = b.lower();
        let mut half = Mat::from_fn(n, n, |i, j| a.as_faer()[(i.max(j), i.min(j))]);
        l.solve_lower_triangular_in_place(&mut half);
        let mut both = half.transpose().to_owned();
        l.solve_lower_triangular_in_place(&mut both);
        let inner = SymmetricEigen::new(&Dense::new(both)?)?;
        let mut vectors = inner.vectors().to_owned();
        l.transpose().solve_upper_triangular_in_place(&mut vectors);
        Ok(Self { values: inner.values().to_vec(), vectors })
    }

    /// The eigenvalues, the smallest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The eigenvectors, as columns: orthonormal in the product `xᵀ B y`.
    pub fn vectors(&self) -> MatRef<'_, f64> {
        self.vectors.as_ref()
    }
}
