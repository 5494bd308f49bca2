//! Matrices of three diagonals.

use super::{check_finite, check_length};
use crate::{LinearOperator, Properties, Result};

/// A square matrix with entries on the diagonal and beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tridiagonal {
    below: Vec<f64>,
    diagonal: Vec<f64>,
    above: Vec<f64>,
}

impl Tridiagonal {
    /// From the entries below the diagonal (one fewer than on it), on it and above it.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when the lengths do not fit,
    /// [`Error::NotFinite`](crate::Error::NotFinite) when an entry is NaN or infinite.
    pub fn new(below: Vec<f64>, diagonal: Vec<f64>, above: Vec<f64>) -> Result<Self> {
        let beside = diagonal.len().saturating_sub(1);
        check_length("entries below the diagonal", beside, below.len())?;
        check_length("entries above the diagonal", beside, above.len())?;
        check_finite("entries below the diagonal", &below)?;
        check_finite("diagonal", &diagonal)?;
        check_finite("entries above the diagonal", &above)?;
        Ok(Self { below, diagonal, above })
    }

    /// The entries below the diagonal, on it and above it.
    pub fn diagonals(&self) -> [&[f64]; 3] {
        [&self.below, &self.diagonal, &self.above]
    }

    fn multiply(&self, below: &[f64], above: &[f64], x: &[f64], y: &mut Vec<f64>) {
        y.clear();
        y.extend(x.iter().zip(&self.diagonal).map(|(x, d)| d * x));
        let shifted = x.iter().skip(1);
        y.iter_mut().zip(above).zip(shifted).for_each(|((y, a), x)| *y += a * x);
        y.iter_mut().skip(1).zip(below).zip(x).for_each(|((y, b), x)| *y += b * x);
    }
}

impl LinearOperator<Vec<f64>> for Tridiagonal {
    fn shape(&self) -> [usize; 2] {
        [self.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        self.multiply(&self.below, &self.above, x, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        self.multiply(&self.above, &self.below, x, y);
        Ok(())
    }

    fn properties(&self) -> Properties {
        let zero = |entries: &[f64]| entries.iter().all(|x| *x == 0.0);
        let (lower, upper) = (zero(&self.above), zero(&self.below));
        let symmetric = self.below == self.above;
        Properties {
            symmetric,
            positive_definite: symmetric && self.has_positive_pivots(),
            diagonal: lower && upper,
            tridiagonal: true,
            lower_triangular: lower,
            upper_triangular: upper,
        }
    }
}

impl Tridiagonal {
    /// Whether elimination without exchanges meets positive pivots only: for a symmetric matrix,
    /// whether it is positive definite.
    fn has_positive_pivots(&self) -> bool {
        let mut pivot = 1.0;
        for (i, d) in self.diagonal.iter().enumerate() {
            // In an order in which squares neither underflow nor overflow.
            let coupling = if i == 0 { 0.0 } else { self.below[i - 1] / pivot * self.above[i - 1] };
            pivot = d - coupling;
            if pivot.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                return false;
            }
        }
        true
    }
}
