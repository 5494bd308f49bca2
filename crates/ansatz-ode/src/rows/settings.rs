//! What there is of each row, checked: [`Settings`].

use std::ops::Range;

use candle_core::Tensor;

use super::spans::{Each, RowSpans};
use crate::{Error, Result, Span, norm::check_tolerances, save::check_times};

/// What there is of each row.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) rows: usize,
    pub(super) spans: Vec<(f64, f64)>,
    pub(super) rtol: Vec<f64>,
    pub(super) atol: Vec<f64>,
    /// Save times, one row of them after the other.
    times: Vec<f64>,
    /// How many times each row has.
    pub(super) saves: usize,
    pub(super) max_steps: usize,
}

impl Settings {
    /// Errors unless all of it makes sense.
    pub(super) fn new(
        y0: &Tensor,
        spans: &RowSpans,
        tolerances: &Each<(f64, f64)>,
        times: &Each<Vec<f64>>,
        max_steps: usize,
    ) -> Result<Self> {
        if !y0.dtype().is_float() || y0.rank() == 0 {
            let value = format!("{:?} {:?}", y0.dtype(), y0.dims());
            let expected = "a tensor of floating point type, [rows, …]";
            return Err(Error::invalid("initial state", value, expected));
        }
        if y0.elem_count() == 0 {
            return Err(Error::EmptyState);
        }
        let rows = y0.dims()[0];
        let shared = matches!((&spans.ends, times), (Each::All(_), Each::All(_)));
        let spans = spans.ends.spread("spans", rows)?;
        let (rtol, atol) = tolerances.spread("tolerances", rows)?.into_iter().unzip();
        times.check_count("lists of save times", rows)?;
        let finite = ansatz_ops::finite_rows(y0)?;
        let saves = times.of(0).len();
        let mut all = Vec::with_capacity(rows * saves);
        let settings = Self { rows, spans, rtol, atol, times: Vec::new(), saves, max_steps };
        for row in 0..rows {
            let times = times.of(row);
            if row == 0 || !shared {
                let checked = settings.check_span(row, times);
                checked.map_err(|e| if shared { e } else { Error::row(row, e) })?;
            }
            let checked = check_tolerances(settings.rtol[row], settings.atol[row]);
            let shared = matches!(tolerances, Each::All(_));
            checked.map_err(|e| if shared { e } else { Error::row(row, e) })?;
            if !finite[row] {
                let (what, t) = ("the initial state", settings.spans[row].0);
                return Err(Error::row(row, Error::NotFinite { what, t, step: 0 }));
            }
            all.extend_from_slice(times);
        }
        Ok(Self { times: all, ..settings })
    }

    fn check_span(&self, row: usize, times: &[f64]) -> Result<()> {
        let span = Span::from(self.spans[row]);
        span.validate()?;
        if times.len() != self.saves {
            let expected = "as many as the first row has: the solution is one tensor";
            return Err(Error::invalid("number of save times", times.len(), expected));
        }
        check_times(times, &span)
    }

    /// Those of some rows that follow one another.
    pub(super) fn part(&self, rows: Range<usize>) -> Self {
        let times = rows.start * self.saves..rows.end * self.saves;
        Self {
            rows: rows.len(),
            spans: self.spans[rows.clone()].to_vec(),
            rtol: self.rtol[rows.clone()].to_vec(),
            atol: self.atol[rows].to_vec(),
            times: self.times[times].to_vec(),
            ..*self
        }
    }

    /// The save times of a row.
    pub(super) fn times(&self, row: usize) -> &[f64] {
        &self.times[row * self.saves..(row + 1) * self.saves]
    }

    /// All save times, one row of them after the other.
    pub(super) fn all_times(&self) -> &[f64] {
        &self.times
    }

    /// Where the state of a row at its `k`-th save time stands in the solution.
    pub(super) fn slot(&self, row: usize, k: usize) -> usize {
        row * (self.saves + 1) + k
    }

    /// Where the state of a row at its end stands: after the saved ones.
    pub(super) fn end_slot(&self, row: usize) -> usize {
        self.slot(row, self.saves)
    }

    /// The number of states in the solution.
    pub(super) fn slots(&self) -> usize {
        self.rows * (self.saves + 1)
    }
}
