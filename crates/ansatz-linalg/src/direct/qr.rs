//! QR factorisation of a dense matrix: least squares.

use faer::linalg::solvers::{ColPivQr, SolveLstsq};

use crate::{Dense, Error, LinearOperator, Result};

/// `A P = Q R` of a dense matrix with at least as many rows as columns, columns of the largest norm
/// first.
#[derive(Debug, Clone)]
pub struct Qr {
    factors: ColPivQr<f64>,
    shape: [usize; 2],
}

impl Qr {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it has fewer rows than columns (take [`Svd`](crate::Svd)),
    /// [`Error::Singular`] when its columns are dependent but for rounding.
    pub fn new(matrix: &Dense) -> Result<Self> {
        let shape @ [rows, columns] = matrix.shape();
        if rows < columns {
            let expected = "at least as many rows as columns";
            let got = format!("{rows} × {columns}");
            return Err(Error::size("matrix of a QR factorisation", expected, got));
        }
        let factors = matrix.as_faer().col_piv_qr();
        let r = factors.thin_R();
        super::check_pivots("matrix of a QR factorisation", (0..columns).map(|i| r[(i, i)]))?;
        Ok(Self { factors, shape })
    }

    /// The `x` with the least `‖A x − b‖₂`.
    ///
    /// # Errors
    /// [`Error::Size`] when `b` does not have as many numbers as there are rows.
    pub fn solve_least_squares(&self, b: &[f64]) -> Result<Vec<f64>> {
        let [rows, columns] = self.shape;
        crate::operator::check_length("right-hand side of a least-squares problem", rows, b.len())?;
        let mut x = b.to_vec();
        self.factors.solve_lstsq_in_place(super::columns("right-hand side", rows, &mut x)?);
        x.truncate(columns);
        Ok(x)
    }
}
