//! QR factorisation of a dense matrix: least squares.

use faer::{
    Mat, MatRef,
    linalg::solvers::{ColPivQr, SolveLstsq},
};

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
    /// [`Error::Singular`] when its columns are dependent but for rounding, whatever their units.
    pub fn new(matrix: &Dense) -> Result<Self> {
        let shape @ [rows, columns] = matrix.shape();
        if rows < columns {
            let expected = "at least as many rows as columns";
            let got = format!("{rows} × {columns}");
            return Err(Error::size("matrix of a QR factorisation", expected, got));
        }
        let factors = matrix.as_faer().col_piv_qr();
        let r = factors.thin_R();
        // The sine of the angle between a column and those before it.
        let sine = |j: usize| {
            r[(j, j)].abs()
                / (0..=j).map(|i| r[(i, j)]).fold(0.0, f64::hypot).max(f64::MIN_POSITIVE)
        };
        let least = super::rounded_pivot(rows);
        if let Some(j) = (0..columns).find(|j| sine(*j).is_nan() || sine(*j) <= least) {
            let (what, pivot) = ("matrix of a QR factorisation", factors.P().arrays().0[j]);
            return Err(Error::Singular { what, pivot, value: sine(j) });
        }
        Ok(Self { factors, shape })
    }

    /// The first columns of `Q`, as many as `A` has: orthonormal.
    pub fn q(&self) -> Mat<f64> {
        self.factors.compute_thin_Q()
    }

    /// `R`, square and upper triangular.
    pub fn r(&self) -> MatRef<'_, f64> {
        self.factors.thin_R()
    }

    /// `P`: column `j` of `A P` is column `permutation[j]` of `A`.
    pub fn permutation(&self) -> &[usize] {
        self.factors.P().arrays().0
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
