//! A diagonal matrix plus one of low rank.

use super::{check_finite, check_length};
use crate::{Error, LinearOperator, Properties, Result};

/// `D + U Vᵀ`, with `U` and `V` `[n, rank]`: `n · (2 rank + 1)` numbers instead of `n²`.
#[derive(Debug, Clone, PartialEq)]
pub struct LowRank {
    diagonal: Vec<f64>,
    /// Row by row.
    u: Vec<f64>,
    v: Vec<f64>,
    rank: usize,
}

impl LowRank {
    /// From the diagonal `[n]` and the factors, `[n, rank]` row by row.
    ///
    /// # Errors
    /// [`Error::Size`] when the lengths do not fit, [`Error::InvalidArgument`] for rank 0 (take
    /// [`Diagonal`](crate::Diagonal)), [`Error::NotFinite`] when an entry is NaN or infinite.
    pub fn new(diagonal: Vec<f64>, u: Vec<f64>, v: Vec<f64>, rank: usize) -> Result<Self> {
        if rank == 0 {
            return Err(Error::invalid("rank", rank, "at least 1; without it, a Diagonal"));
        }
        let length = diagonal.len().saturating_mul(rank);
        check_length("first factor of a matrix of low rank", length, u.len())?;
        check_length("second factor of a matrix of low rank", length, v.len())?;
        check_finite("diagonal", &diagonal)?;
        check_finite("first factor of a matrix of low rank", &u)?;
        check_finite("second factor of a matrix of low rank", &v)?;
        Ok(Self { diagonal, u, v, rank })
    }

    /// The diagonal and the two factors.
    pub fn parts(&self) -> [&[f64]; 3] {
        [&self.diagonal, &self.u, &self.v]
    }

    fn multiply(&self, u: &[f64], v: &[f64], x: &[f64], y: &mut Vec<f64>) {
        // Without rows there is nothing to add up, whatever the rank.
        let mut inner = vec![0.0; self.rank.min(v.len())];
        for (row, x) in v.chunks_exact(self.rank).zip(x) {
            for (sum, v) in inner.iter_mut().zip(row) {
                *sum += v * x;
            }
        }
        y.clear();
        let rows = u.chunks_exact(self.rank);
        y.extend(rows.zip(&self.diagonal).zip(x).map(|((row, d), x)| {
            d * x + row.iter().zip(&inner).map(|(u, sum)| u * sum).sum::<f64>()
        }));
    }
}

impl LinearOperator<Vec<f64>> for LowRank {
    fn shape(&self) -> [usize; 2] {
        [self.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        self.multiply(&self.u, &self.v, x, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        self.multiply(&self.v, &self.u, x, y);
        Ok(())
    }

    fn properties(&self) -> Properties {
        let symmetric = self.u == self.v;
        // D + U Uᵀ is at least D.
        let positive_definite = symmetric && self.diagonal.iter().all(|d| *d > 0.0);
        Properties { symmetric, positive_definite, ..Properties::NONE }
    }
}
