//! Incomplete LU factorisation: [`Ilu0`].

use super::{Rows, WHAT, check_square};
use crate::{Error, LinearOperator, Result, Sparse};

/// LU factorisation that keeps only the places of the matrix, ILU(0) (J. Meijerink, H. van der
/// Vorst, Math. Comp. 31, 1977).
#[derive(Debug, Clone)]
pub struct Ilu0 {
    /// Below a diagonal of ones.
    lower: Rows,
    upper: Rows,
    diagonal: Vec<f64>,
}

impl Ilu0 {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::Singular`] when a pivot is zero: an
    /// incomplete factorisation exchanges no rows.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        let n = check_square(matrix)?;
        let mut lower = Rows::of(matrix, |i, j| i > j)?;
        let mut upper = Rows::of(matrix, |i, j| i < j)?;
        let mut diagonal = matrix.diagonal();
        // The entries of the row in hand by column: below, and from there on above the diagonal.
        let mut place = vec![usize::MAX; n];
        for i in 0..n {
            let (below, above) = (range(&lower, i), range(&upper, i));
            below.clone().for_each(|k| place[lower.columns[k] as usize] = k);
            above.clone().for_each(|k| place[upper.columns[k] as usize] = k);
            for k in below.clone() {
                let row = lower.columns[k] as usize;
                let factor = lower.values[k] / diagonal[row];
                lower.values[k] = factor;
                for from in range(&upper, row) {
                    let (column, a) = (upper.columns[from] as usize, upper.values[from]);
                    if column == i {
                        diagonal[i] -= factor * a;
                    } else if place[column] != usize::MAX {
                        let values = if column < i { &mut lower.values } else { &mut upper.values };
                        values[place[column]] -= factor * a;
                    }
                }
            }
            if diagonal[i] == 0.0 || !diagonal[i].is_finite() {
                return Err(Error::Singular { what: WHAT, pivot: i, value: diagonal[i] });
            }
            below.for_each(|k| place[lower.columns[k] as usize] = usize::MAX);
            above.for_each(|k| place[upper.columns[k] as usize] = usize::MAX);
        }
        Ok(Self { lower, upper, diagonal })
    }
}

fn range(rows: &Rows, i: usize) -> std::ops::Range<usize> {
    rows.offsets[i]..rows.offsets[i + 1]
}

impl LinearOperator<Vec<f64>> for Ilu0 {
    fn shape(&self) -> [usize; 2] {
        [self.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        for i in 0..y.len() {
            y[i] -= self.lower.dot(i, y);
        }
        self.upper.solve_upper(&self.diagonal, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.clone_from(x);
        self.upper.solve_upper_transposed(&self.diagonal, y);
        for i in (0..y.len()).rev() {
            self.lower.subtract(i, y[i], y);
        }
        Ok(())
    }
}
