//! States saved at given times, by the dense output of the method.

use ansatz_ops::{combine_rows, pick_rows};
use candle_core::Tensor;

use super::{
    RowsField,
    batch::take,
    iteration::{Tried, Verdicts, of},
    lane::Lane,
    lockstep::Lockstep,
    settings::Settings,
};
use crate::{Controller, ExplicitRungeKutta, Result, Rms};

impl<F, M, C> Lockstep<'_, F, M, C>
where
    F: RowsField,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    /// Saves what lies in the steps.
    pub(super) fn save(
        &mut self,
        tried: &Tried,
        verdicts: &Verdicts,
        end: Option<&Tensor>,
    ) -> Result<()> {
        let (ends, inside): (Vec<_>, Vec<_>) = verdicts.saves.iter().partition(|s| s.2 == 1.0);
        if !ends.is_empty() {
            let picks: Vec<_> = ends.iter().map(|(lane, _, _)| (0, *lane)).collect();
            let slots = ends.iter().map(|(_, slot, _)| *slot);
            self.harvest.put(pick_rows(&[&tried.y_new], &picks)?, slots);
        }
        if inside.is_empty() {
            return Ok(());
        }
        let mut lanes: Vec<usize> = inside.iter().map(|(lane, _, _)| *lane).collect();
        lanes.dedup();
        let (t, h) = (of(&tried.t, &lanes), of(&tried.h, &lanes));
        let (y, arguments) = (take(&self.y, &lanes)?, self.arguments_of(&lanes)?);
        let batch = self.batch(&t, &h, &y, &arguments);
        let mut slopes: Vec<Tensor> =
            tried.slopes.iter().map(|k| take(k, &lanes)).collect::<Result<_>>()?;
        slopes.push(match end {
            None => slopes[slopes.len() - 1].clone(),
            Some(end) => {
                let place = |lane: &usize| verdicts.at_end.binary_search(lane).unwrap_or(0);
                take(end, &lanes.iter().map(place).collect::<Vec<_>>())?
            }
        });
        for stage in M::TABLEAU.extra {
            let point = batch.along(stage.a, &slopes)?;
            slopes.push(batch.evaluate(stage.c, &point)?.detach());
        }
        let entries: Vec<(usize, f64)> = inside
            .iter()
            .map(|(lane, _, theta)| (lanes.binary_search(lane).unwrap_or(0), *theta))
            .collect();
        let states = interpolated::<M>(&y, &slopes, &h, &entries)?;
        self.harvest.put(states, inside.iter().map(|(_, slot, _)| *slot));
        Ok(())
    }
}

/// Lists the save times that a step passes; whether any of them lies inside.
pub(super) fn passed(
    settings: &Settings,
    lane: &mut Lane,
    index: usize,
    saves: &mut Vec<(usize, usize, f64)>,
) -> bool {
    let times = settings.times(lane.row);
    let mut inside = false;
    while let Some(&t) = times.get(lane.saved) {
        if (lane.t_new - t) * lane.signed < 0.0 {
            break;
        }
        let theta = if t == lane.t_new { 1.0 } else { (t - lane.t) / lane.signed };
        inside |= theta != 1.0;
        saves.push((index, settings.slot(lane.row, lane.saved), theta));
        lane.saved += 1;
    }
    inside
}

/// States inside steps: for each entry the position of its step and where in it.
fn interpolated<M: ExplicitRungeKutta>(
    y: &Tensor,
    slopes: &[Tensor],
    h: &[f64],
    entries: &[(usize, f64)],
) -> Result<Tensor> {
    let picks: Vec<_> = entries.iter().map(|(step, _)| (0, *step)).collect();
    let steps: Vec<usize> = entries.iter().map(|(step, _)| *step).collect();
    let weights = dense_weights::<M>(entries.iter().map(|(_, theta)| *theta));
    let mut states = pick_rows(&[y], &picks)?;
    for (slope, weights) in slopes.iter().zip(&weights) {
        if weights.iter().any(|w| *w != 0.0) {
            let scales: Vec<f64> = steps.iter().zip(weights).map(|(s, w)| h[*s] * w).collect();
            let slope = pick_rows(&[slope], &picks)?;
            states = combine_rows(Some(&states), &scales, &[(1.0, &slope)])?;
        }
    }
    Ok(states)
}

/// For each slope its weights in the solution at these fractions of a step.
pub(super) fn dense_weights<M: ExplicitRungeKutta>(
    thetas: impl ExactSizeIterator<Item = f64>,
) -> Vec<Vec<f64>> {
    let slopes = M::TABLEAU.slopes();
    let mut weights = vec![Vec::with_capacity(thetas.len()); slopes];
    let mut at = vec![0.0; slopes];
    for theta in thetas {
        M::dense_weights(theta, &mut at);
        for (weights, w) in weights.iter_mut().zip(&at) {
            weights.push(*w);
        }
    }
    weights
}
