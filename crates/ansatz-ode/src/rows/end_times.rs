//! Gradients with respect to the ends of the intervals.

use candle_core::{Device, Tensor};

use super::{
    RowsField,
    adjoint::{Differentiated, plus},
    batch::{evaluate, take},
    cotangents::Leaves,
    part::Part,
    spans::host,
};
use crate::{ExplicitRungeKutta, Result, Status};

impl<F: RowsField, M: ExplicitRungeKutta> Differentiated<F, M> {
    /// Gradients of the end times, where these are tensors: minus the slope at the start times
    /// `adjoint`, the cotangent of the state that leaves it; the slope at the end times what the
    /// states that move with it (saved exactly there) receive.
    pub(super) fn times_gradients(
        &self,
        adjoint: &Tensor,
        cotangents: &Tensor,
    ) -> Result<Option<[Tensor; 2]>> {
        let Self { part, ends, y_end, .. } = self;
        let Part { y0, settings, .. } = part;
        let Some([t0, t1]) = &part.times else { return Ok(None) };
        let all: Vec<usize> = (0..settings.rows).collect();
        let starts = settings.spans.iter().map(|span| span.0).collect();
        let start = self.slopes_times(starts, &all, &y0.detach(), adjoint)?;
        let reached: Vec<usize> =
            all.into_iter().filter(|row| ends[*row].status == Status::Finished).collect();
        let mut moving = Vec::new();
        for (place, row) in reached.iter().enumerate() {
            let times = settings.times(*row).iter().copied();
            for (k, t) in times.chain([ends[*row].t]).enumerate() {
                if t == ends[*row].t {
                    moving.push((place as u32, settings.slot(*row, k) as u32, 1.0));
                }
            }
        }
        let mut end = vec![0.0; settings.rows];
        if !reached.is_empty() {
            let y = take(y_end, &reached)?;
            let total = plus(y.zeros_like()?, &moving, cotangents)?;
            let t = reached.iter().map(|row| ends[*row].t).collect();
            for (row, g) in reached.iter().zip(self.slopes_times(t, &reached, &y, &total)?) {
                end[*row] = g;
            }
        }
        let start = start.into_iter().map(|g| -g).collect();
        let tensor = |values: Vec<f64>, like: &Tensor| -> Result<Tensor> {
            let x = Tensor::from_vec(values, like.shape(), &Device::Cpu)?.to_dtype(like.dtype())?;
            Ok(x.to_device(like.device())?)
        };
        Ok(Some([tensor(start, t0)?, tensor(end, t1)?]))
    }

    /// `⟨aᵢ, f(tᵢ, yᵢ)⟩` for these rows.
    fn slopes_times(
        &self,
        t: Vec<f64>,
        rows: &[usize],
        y: &Tensor,
        a: &Tensor,
    ) -> Result<Vec<f64>> {
        let leaves = Leaves::of(&self.part.arguments, rows)?;
        let slope = evaluate(&*self.field, t, y, &leaves.arguments, self.record.iterations.len())?;
        host(&(slope.detach() * a)?.reshape((rows.len(), ()))?.sum(1)?)
    }
}
