//! Incomplete Cholesky factorisation: [`Ic0`].

use super::{Rows, WHAT, check_square};
use crate::{Error, LinearOperator, Properties, Result, Sparse};

/// Cholesky factorisation that keeps only the places of the matrix, IC(0), for symmetric positive
/// definite matrices (J. Meijerink, H. van der Vorst, Math. Comp. 31, 1977).
#[derive(Debug, Clone)]
pub struct Ic0 {
    lower: Rows,
    diagonal: Vec<f64>,
}

impl Ic0 {
    /// Of `matrix`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::NotPositiveDefinite`] when a pivot is not
    /// positive. That can happen to positive definite matrices that are not M-matrices: see
    /// [`Ic0::shifted`].
    pub fn new(matrix: &Sparse) -> Result<Self> {
        Self::shifted(matrix, 0.0)
    }

    /// Of `matrix` with its diagonal multiplied by `1 + shift`: from some shift on the
    /// factorisation exists (T. Manteuffel, Math. Comp. 34, 1980).
    ///
    /// # Errors
    /// As [`Ic0::new`], and [`Error::InvalidArgument`] when `shift` is negative or not finite.
    pub fn shifted(matrix: &Sparse, shift: f64) -> Result<Self> {
        let n = check_square(matrix)?;
        if !(shift >= 0.0 && shift.is_finite()) {
            return Err(Error::invalid("shift", shift, "a number of at least 0"));
        }
        let mut lower = Rows::of(matrix, |i, j| i > j)?;
        let mut diagonal = matrix.diagonal();
        for i in 0..n {
            let start = lower.offsets[i];
            let mut square = 0.0;
            for k in start..lower.offsets[i + 1] {
                let column = lower.columns[k] as usize;
                let common = common_product(&lower, start..k, column);
                lower.values[k] = (lower.values[k] - common) / diagonal[column];
                square += lower.values[k].powi(2);
            }
            let pivot = diagonal[i] * (1.0 + shift) - square;
            if !(pivot > 0.0 && pivot.is_finite()) {
                return Err(Error::NotPositiveDefinite { what: WHAT, pivot: i });
            }
            diagonal[i] = pivot.sqrt();
        }
        Ok(Self { lower, diagonal })
    }
}

/// The inner product of the entries `range` of one row with all of another, both with rising
/// columns.
fn common_product(lower: &Rows, range: std::ops::Range<usize>, row: usize) -> f64 {
    let mut sum = 0.0;
    let mut other = lower.offsets[row]..lower.offsets[row + 1];
    for k in range {
        while other.start < other.end && lower.columns[other.start] < lower.columns[k] {
            other.start += 1;
        }
        if other.start < other.end && lower.columns[other.start] == lower.columns[k] {
            sum += lower.values[k] * lower.values[other.start];
        }
    }
    sum
}

impl LinearOperator<Vec<f64>> for Ic0 {
    fn shape(&self) -> [usize; 2] {
        [self.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        self.lower.solve_lower(&self.diagonal, y);
        self.lower.solve_lower_transposed(&self.diagonal, y);
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties::SPD
    }
}
