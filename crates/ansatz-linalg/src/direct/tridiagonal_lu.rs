//! LU factorisation of a tridiagonal matrix with exchanges of neighbouring rows.

use super::{Factorised, LogDeterminant, condition};
use crate::{Error, LinearOperator, Result, Tridiagonal};

/// `P A = L U` of a tridiagonal matrix, in time and memory proportional to its dimension
/// (E. Anderson et al., *LAPACK Users' Guide*, `dgttrf`).
#[derive(Debug, Clone)]
pub struct TridiagonalLu {
    /// Multipliers of the elimination, and whether row i was exchanged with the next.
    lower: Vec<f64>,
    exchanged: Vec<bool>,
    diagonal: Vec<f64>,
    /// The two diagonals above; the second comes from exchanges.
    above: Vec<f64>,
    second: Vec<f64>,
}

impl TridiagonalLu {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Singular`] when it has no inverse but for rounding, by the rule of
    /// [`SparseLu`](crate::SparseLu).
    pub fn new(matrix: &Tridiagonal) -> Result<Self> {
        let [mut lower, mut diagonal, mut above] = matrix.diagonals().map(<[f64]>::to_vec);
        let n = diagonal.len();
        let mut second = vec![0.0; n.saturating_sub(2)];
        let mut exchanged = vec![false; lower.len()];
        for i in 0..lower.len() {
            if diagonal[i].abs() >= lower[i].abs() {
                if diagonal[i] == 0.0 {
                    return Err(Error::Singular { what: WHAT, pivot: i, value: 0.0 });
                }
                lower[i] /= diagonal[i];
                diagonal[i + 1] -= lower[i] * above[i];
            } else {
                exchanged[i] = true;
                let factor = diagonal[i] / lower[i];
                diagonal[i] = lower[i];
                lower[i] = factor;
                let kept = above[i];
                above[i] = diagonal[i + 1];
                diagonal[i + 1] = kept - factor * above[i];
                if i + 1 < above.len() {
                    second[i] = above[i + 1];
                    above[i + 1] *= -factor;
                }
            }
        }
        let factors = Self { lower, exchanged, diagonal, above, second };
        condition::check(WHAT, &factors, &column_norms(matrix))?;
        Ok(factors)
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let odd = self.exchanged.iter().filter(|e| **e).count() % 2 == 1;
        let sign = if odd { -1.0 } else { 1.0 };
        LogDeterminant::of_diagonal(self.diagonal.iter().copied(), sign)
    }

    fn each(&self, x: &mut [f64], solve: impl Fn(&mut [f64])) -> Result<()> {
        let n = self.diagonal.len();
        super::columns("right-hand side of a tridiagonal solve", n, x)?;
        x.chunks_exact_mut(n.max(1)).for_each(solve);
        Ok(())
    }
}

const WHAT: &str = "tridiagonal matrix";

fn column_norms(matrix: &Tridiagonal) -> Vec<f64> {
    let [below, diagonal, above] = matrix.diagonals();
    let mut norms: Vec<f64> = diagonal.iter().map(|d| d.abs()).collect();
    norms.iter_mut().zip(below).for_each(|(norm, b)| *norm += b.abs());
    norms.iter_mut().skip(1).zip(above).for_each(|(norm, a)| *norm += a.abs());
    norms
}

impl Factorised for TridiagonalLu {
    fn dimension(&self) -> usize {
        self.diagonal.len()
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, |x| {
            for i in 0..self.lower.len() {
                if self.exchanged[i] {
                    x.swap(i, i + 1);
                }
                x[i + 1] -= self.lower[i] * x[i];
            }
            for i in (0..x.len()).rev() {
                if let Some(a) = self.above.get(i) {
                    x[i] -= a * x[i + 1];
                }
                if let Some(s) = self.second.get(i) {
                    x[i] -= s * x[i + 2];
                }
                x[i] /= self.diagonal[i];
            }
        })
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        self.each(x, |x| {
            for i in 0..x.len() {
                if i >= 1 {
                    x[i] -= self.above[i - 1] * x[i - 1];
                }
                if i >= 2 {
                    x[i] -= self.second[i - 2] * x[i - 2];
                }
                x[i] /= self.diagonal[i];
            }
            for i in (0..self.lower.len()).rev() {
                x[i] -= self.lower[i] * x[i + 1];
                if self.exchanged[i] {
                    x.swap(i, i + 1);
                }
            }
        })
    }
}

impl Tridiagonal {
    /// The solution `x` of `A x = b`.
    ///
    /// # Errors
    /// [`Error::Size`] when `b` has another length, [`Error::Singular`].
    pub fn solve(&self, b: &[f64]) -> Result<Vec<f64>> {
        let n = LinearOperator::<Vec<f64>>::shape(self)[0];
        crate::operator::check_length("right-hand side of a tridiagonal solve", n, b.len())?;
        TridiagonalLu::new(self)?.solve(b)
    }
}
