//! What an ensemble returns of each trajectory: [`Trajectory`].

use crate::{Error, Result, Statistics, Status};

/// One trajectory of an [`ensemble`](crate::ensemble()).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trajectory<const N: usize> {
    /// Time reached: the end of its interval, unless something ended it before.
    pub t_end: f64,
    /// State at `t_end`.
    pub y_end: [f64; N],
    /// States at its save times, as far as they were reached.
    pub ys: Vec<[f64; N]>,
    /// How it ended.
    pub status: Status,
    /// What it cost, counted as an ordinary solve would.
    pub statistics: Statistics,
}

impl<const N: usize> Trajectory<N> {
    pub(super) fn unsolved() -> Self {
        Self {
            t_end: 0.0,
            y_end: [0.0; N],
            ys: Vec::new(),
            status: Status::Finished,
            statistics: Statistics::default(),
        }
    }

    /// The trajectory if its end was reached.
    ///
    /// # Errors
    /// Those of [`Solve::run`](crate::Solve::run) for what stopped it before.
    pub fn finished(self) -> Result<Self> {
        match self.status.error(self.t_end, self.statistics.attempted()) {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// The error that [`finished`](Self::finished) would return.
    pub fn error(&self) -> Option<Error> {
        self.status.error(self.t_end, self.statistics.attempted())
    }
}
