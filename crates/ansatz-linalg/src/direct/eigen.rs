//! Eigenvalues and eigenvectors of dense matrices.

use faer::{Mat, MatRef, Side, c64};

use super::{check_square, failed};
use crate::{Dense, LinearOperator, Result};

/// `A = U diag(λ) Uᵀ` of a symmetric matrix, `λ` rising.
#[derive(Debug, Clone)]
pub struct SymmetricEigen {
    values: Vec<f64>,
    vectors: Mat<f64>,
}

const TASK: &str = "eigenvalue decomposition";

impl SymmetricEigen {
    /// Of `matrix`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when it is not square,
    /// [`Error::Factorisation`](crate::Error::Factorisation) when the iteration does not converge.
    pub fn new(matrix: &Dense) -> Result<Self> {
        if check_square("matrix of an eigenvalue decomposition", matrix.shape())? == 0 {
            return Ok(Self { values: Vec::new(), vectors: Mat::new() });
        }
        let factors = matrix
            .as_faer()
            .self_adjoint_eigen(Side::Lower)
            .map_err(|error| failed(TASK, &error))?;
        let values = factors.S().column_vector().iter().copied().collect();
        Ok(Self { values, vectors: factors.U().to_owned() })
    }

    /// The eigenvalues, the smallest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The eigenvectors, as columns: orthonormal.
    pub fn vectors(&self) -> MatRef<'_, f64> {
        self.vectors.as_ref()
    }

    /// `f(A) = U diag(f(λ)) Uᵀ`.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) when `f` of an eigenvalue is not finite.
    pub fn function(&self, f: impl Fn(f64) -> f64) -> Result<Dense> {
        let u = self.vectors();
        let scaled = Mat::from_fn(u.nrows(), u.ncols(), |i, j| u[(i, j)] * f(self.values[j]));
        let product = scaled * u.transpose();
        // Symmetric to the last bit.
        let n = u.nrows();
        Dense::new(Mat::from_fn(n, n, |i, j| 0.5 * (product[(i, j)] + product[(j, i)])))
    }
}

/// `A U = U diag(λ)` of any square matrix: eigenvalues and right eigenvectors, in no order, complex
/// ones in pairs. A defective matrix has fewer eigenvectors: columns repeat, but for rounding.
#[derive(Debug, Clone)]
pub struct Eigen {
    values: Vec<c64>,
    vectors: Mat<c64>,
}

impl Eigen {
    /// Of `matrix`.
    ///
    /// # Errors
    /// As [`SymmetricEigen::new`].
    pub fn new(matrix: &Dense) -> Result<Self> {
        if check_square("matrix of an eigenvalue decomposition", matrix.shape())? == 0 {
            return Ok(Self { values: Vec::new(), vectors: Mat::new() });
        }
        let factors = matrix.as_faer().eigen().map_err(|error| failed(TASK, &error))?;
        let values = factors.S().column_vector().iter().copied().collect();
        let u = factors.U();
        let lengths: Vec<f64> = u.col_iter().map(|column| column.norm_l2()).collect();
        let vectors = Mat::from_fn(u.nrows(), u.ncols(), |i, j| u[(i, j)] / lengths[j]);
        Ok(Self { values, vectors })
    }

    /// The eigenvalues.
    pub fn values(&self) -> &[c64] {
        &self.values
    }

    /// The eigenvectors, as columns of length one.
    pub fn vectors(&self) -> MatRef<'_, c64> {
        self.vectors.as_ref()
    }
}

/// The eigenvalues of any square matrix, real and imaginary parts, in no order.
///
/// # Errors
/// As [`SymmetricEigen::new`].
pub fn eigenvalues(matrix: &Dense) -> Result<Vec<[f64; 2]>> {
    if check_square("matrix of an eigenvalue decomposition", matrix.shape())? == 0 {
        return Ok(Vec::new());
    }
    let values = matrix.as_faer().eigenvalues().map_err(|error| failed(TASK, &error))?;
    Ok(values.into_iter().map(|z| [z.re, z.im]).collect())
}
