//! LU factorisation of a banded matrix with exchanges of rows.

use super::{Factorised, LogDeterminant, condition};
use crate::{Error, LinearOperator, Result, Sparse};

/// `P A = L U` of a matrix whose entries lie within `lower` diagonals below and `upper` above the
/// main one, in memory `n (2 lower + upper + 1)` and time `n lower (lower + upper)`
/// (G. Golub, C. Van Loan, *Matrix Computations*, §4.3).
#[derive(Debug, Clone)]
pub struct BandedLu {
    n: usize,
    lower: usize,
    /// Of U: exchanges add to it.
    upper: usize,
    /// Row by row, each from `lower` places left of the diagonal to `upper` right of it.
    rows: Vec<f64>,
    /// The multipliers of each step, and the row that it took as pivot.
    multipliers: Vec<f64>,
    pivots: Vec<usize>,
}

const WHAT: &str = "banded matrix";

/// `n · width` of them: a wide band may need more memory than there is.
fn zeros(n: usize, width: usize) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    let length = n.saturating_mul(width);
    all.try_reserve_exact(length).map_err(|error| super::failed("banded factorisation", &error))?;
    all.resize(length, 0.0);
    Ok(all)
}

impl BandedLu {
    /// Of `matrix`, whose band is read from the places of its entries.
    ///
    /// # Errors
    /// [`Error::Size`] when it is not square, [`Error::Singular`] when it has no inverse but for
    /// rounding, by the rule of [`SparseLu`](crate::SparseLu), [`Error::Factorisation`] when memory
    /// runs out.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        let n = super::check_square(WHAT, matrix.shape())?;
        let entries = || matrix.as_csr().triplet_iter();
        let lower = entries().map(|(i, j, _)| i.saturating_sub(j)).max().unwrap_or(0);
        let above = entries().map(|(i, j, _)| j.saturating_sub(i)).max().unwrap_or(0);
        let upper = (lower + above).min(n.saturating_sub(1));
        let mut factors = Self {
            n,
            lower,
            upper,
            rows: zeros(n, lower + upper + 1)?,
            multipliers: zeros(n, lower)?,
            pivots: (0..n).collect(),
        };
        let mut norms = vec![0.0; n];
        for (i, j, a) in entries() {
            let at = factors.place(i, j);
            factors.rows[at] += a;
            norms[j] += a.abs();
        }
        factors.eliminate()?;
        condition::check(WHAT, &factors, &norms)?;
        Ok(factors)
    }

    fn place(&self, i: usize, j: usize) -> usize {
        i * (self.lower + self.upper + 1) + j + self.lower - i
    }

    fn eliminate(&mut self) -> Result<()> {
        let n = self.n;
        for k in 0..n {
            let last = n.min(k + self.lower + 1);
            let size = |i: usize| self.rows[self.place(i, k)].abs();
            let pivot = (k..last).reduce(|a, b| if size(b) > size(a) { b } else { a }).unwrap_or(k);
            let end = n.min(k + self.upper + 1);
            if pivot != k {
                for j in k..end {
                    let (a, b) = (self.place(k, j), self.place(pivot, j));
                    self.rows.swap(a, b);
                }
            }
            self.pivots[k] = pivot;
            let value = self.rows[self.place(k, k)];
            if value == 0.0 {
                return Err(Error::Singular { what: WHAT, pivot: k, value });
            }
            for i in k + 1..last {
                let at = self.place(i, k);
                let factor = self.rows[at] / value;
                self.rows[at] = 0.0;
                self.multipliers[k * self.lower + i - k - 1] = factor;
                if factor != 0.0 {
                    for j in k + 1..end {
                        let (from, to) = (self.place(k, j), self.place(i, j));
                        self.rows[to] -= factor * self.rows[from];
                    }
                }
            }
        }
        Ok(())
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|i| self.rows[self.place(i, i)])
    }

    /// The determinant.
    pub fn log_determinant(&self) -> LogDeterminant {
        let exchanges = self.pivots.iter().enumerate().filter(|(k, p)| k != *p).count();
        let sign = if exchanges % 2 == 1 { -1.0 } else { 1.0 };
        LogDeterminant::of_diagonal(self.diagonal(), sign)
    }

    fn steps(&self, k: usize) -> &[f64] {
        let count = self.lower.min(self.n - k - 1);
        &self.multipliers[k * self.lower..k * self.lower + count]
    }
}

impl Factorised for BandedLu {
    fn dimension(&self) -> usize {
        self.n
    }

    fn solve_in_place(&self, x: &mut [f64]) -> Result<()> {
        super::columns("right-hand side of a banded solve", self.n, x)?;
        for x in x.chunks_exact_mut(self.n.max(1)) {
            for k in 0..self.n {
                x.swap(k, self.pivots[k]);
                for (i, factor) in self.steps(k).iter().enumerate() {
                    x[k + 1 + i] -= factor * x[k];
                }
            }
            for i in (0..self.n).rev() {
                let start = self.place(i, i);
                let count = self.upper.min(self.n - i - 1);
                let row = &self.rows[start + 1..start + 1 + count];
                let sum: f64 = row.iter().zip(&x[i + 1..]).map(|(a, x)| a * x).sum();
                x[i] = (x[i] - sum) / self.rows[start];
            }
        }
        Ok(())
    }

    fn solve_transposed_in_place(&self, x: &mut [f64]) -> Result<()> {
        super::columns("right-hand side of a banded solve", self.n, x)?;
        for x in x.chunks_exact_mut(self.n.max(1)) {
            for i in 0..self.n {
                let start = self.place(i, i);
                x[i] /= self.rows[start];
                let count = self.upper.min(self.n - i - 1);
                for j in 0..count {
                    x[i + 1 + j] -= self.rows[start + 1 + j] * x[i];
                }
            }
            for k in (0..self.n).rev() {
                let steps = self.steps(k).iter().zip(&x[k + 1..]);
                let sum: f64 = steps.map(|(factor, x)| factor * x).sum();
                x[k] -= sum;
                x.swap(k, self.pivots[k]);
            }
        }
        Ok(())
    }
}
