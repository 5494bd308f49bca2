//! Rows that are advanced together: [`Part`].

use std::ops::Range;

use candle_core::Tensor;

use super::settings::Settings;
use crate::Result;

/// Rows that are advanced together, and all that there is of them. On the CPU a batch is cut into
/// parts for the threads; the limits do not depend on how many of these there are.
pub(super) struct Part {
    pub(super) y0: Tensor,
    /// The ends of the intervals, where they are tensors.
    pub(super) times: Option<[Tensor; 2]>,
    /// What the field takes beside the states.
    pub(super) arguments: Vec<Tensor>,
    pub(super) settings: Settings,
}

/// Rows of a part: so many that calls of candle's operations cost little, and so few that a step's
/// slopes stay in the cache while rows are narrow.
const ROWS: usize = 1024;

impl Part {
    /// The parts of a batch.
    pub(super) fn split(self) -> Result<Vec<Self>> {
        let rows = self.settings.rows;
        if rows <= ROWS || !self.y0.device().is_cpu() {
            return Ok(vec![self]);
        }
        let count = rows.div_ceil(ROWS);
        (0..count).map(|k| self.of(k * rows / count..(k + 1) * rows / count)).collect()
    }

    fn of(&self, rows: Range<usize>) -> Result<Self> {
        let some = |x: &Tensor| x.narrow(0, rows.start, rows.len());
        let times = match &self.times {
            Some([t0, t1]) => Some([some(t0)?, some(t1)?]),
            None => None,
        };
        let arguments = self.arguments.iter().map(some).collect::<Result<_, _>>()?;
        let settings = self.settings.part(rows.clone());
        Ok(Self { y0: some(&self.y0)?, times, arguments, settings })
    }

    /// What may receive gradients, beside what the field captured.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Tensor> {
        std::iter::once(&self.y0).chain(self.times.iter().flatten()).chain(&self.arguments)
    }

    /// Whether candle tracks anything of it.
    pub(super) fn is_tracked(&self) -> bool {
        self.inputs().any(Tensor::track_op)
    }
}
