//! What a solve of rows returns: [`RowsSolution`].

use candle_core::Tensor;

use crate::{Error, Result, Statistics, Status};

/// The result of [`solve_rows`](crate::solve_rows).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RowsSolution {
    /// Save times `[rows, times]`, f64 on the CPU.
    pub t: Tensor,
    /// States at those times `[rows, times, …]`; NaN where a row ended before.
    pub y: Tensor,
    /// Time that each row reached: the end of its interval, unless something stopped it before.
    pub t_end: Vec<f64>,
    /// States at `t_end`, `[rows, …]`.
    pub y_end: Tensor,
    /// How each row ended.
    pub status: Vec<Status>,
    /// What each row cost, counted as a solve of its own would.
    pub statistics: Vec<Statistics>,
}

impl RowsSolution {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.status.len()
    }

    /// What stopped a row before its end; `None` if nothing did.
    pub fn error(&self, row: usize) -> Option<Error> {
        let status = self.status.get(row)?;
        let error = status.error(self.t_end[row], self.statistics[row].attempted())?;
        Some(Error::row(row, error))
    }

    /// The solution if every row reached its end.
    ///
    /// # Errors
    /// [`Error::Row`] with the first row that did not, and what stopped it.
    pub fn finished(self) -> Result<Self> {
        match (0..self.rows()).find_map(|row| self.error(row)) {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}
