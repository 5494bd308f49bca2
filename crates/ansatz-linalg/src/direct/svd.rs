//! Singular values and vectors of a dense matrix.

use faer::MatRef;

use super::columns;
use crate::{Dense, Error, LinearOperator, Result};

/// `A = U diag(s) Vᵀ` with `s` falling, `U` and `V` of as many columns as there are singular values.
#[derive(Debug, Clone)]
pub struct Svd {
    factors: faer::linalg::solvers::Svd<f64>,
    values: Vec<f64>,
    shape: [usize; 2],
}

impl Svd {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Factorisation`] when the iteration does not converge.
    pub fn new(matrix: &Dense) -> Result<Self> {
        let factors = matrix.as_faer().thin_svd().map_err(|error| Error::Factorisation {
            what: "singular value decomposition",
            reason: format!("{error:?}"),
        })?;
        let values = factors.S().column_vector().iter().copied().collect();
        Ok(Self { factors, values, shape: matrix.shape() })
    }

    /// The singular values, the largest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The left singular vectors, as columns.
    pub fn left(&self) -> MatRef<'_, f64> {
        self.factors.U()
    }

    /// The right singular vectors, as columns.
    pub fn right(&self) -> MatRef<'_, f64> {
        self.factors.V()
    }

    /// The number of singular values above `tolerance` times the largest.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the tolerance is negative or not finite.
    pub fn rank(&self, tolerance: f64) -> Result<usize> {
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            let expected = "a finite number from 0 on";
            return Err(Error::invalid("tolerance of singular values", tolerance, expected));
        }
        let least = tolerance * self.values.first().copied().unwrap_or(0.0);
        Ok(self.values.iter().filter(|s| **s > least).count())
    }

    /// The `x` of least norm among those with the least `‖A x − b‖₂`; singular values up to
    /// `tolerance` times the largest count as zero.
    ///
    /// # Errors
    /// [`Error::Size`] when `b` does not have as many numbers as there are rows,
    /// [`Error::InvalidArgument`] as [`Svd::rank`].
    pub fn solve_least_squares(&self, b: &[f64], tolerance: f64) -> Result<Vec<f64>> {
        let [rows, n] = self.shape;
        crate::operator::check_length("right-hand side of a least-squares problem", rows, b.len())?;
        let rank = self.rank(tolerance)?;
        if rows == 0 {
            return Ok(vec![0.0; n]);
        }
        let mut b = b.to_vec();
        let b = columns("right-hand side", rows, &mut b)?;
        let mut inner = self.left().transpose() * b.as_ref();
        for (i, s) in self.values.iter().enumerate() {
            inner[(i, 0)] = if i < rank { inner[(i, 0)] / s } else { 0.0 };
        }
        let x = self.right() * inner;
        Ok((0..n).map(|i| x[(i, 0)]).collect())
    }
}
