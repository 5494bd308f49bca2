//! One iteration: every row that has not ended tries a step.

use ansatz_ops::{combine_rows, finite_rows, pick_rows, weighted_rms_each_row};
use candle_core::Tensor;

use super::{
    RowsField,
    batch::{Batch, take},
    lockstep::Lockstep,
    record::{Iteration, Saved},
};
use crate::{
    Controller, ExplicitRungeKutta, Judgement, Result, Rms, Status,
    explicit::{error_order, of_both},
};

/// The steps that were tried.
struct Tried {
    t: Vec<f64>,
    h: Vec<f64>,
    /// Of the stages.
    slopes: Vec<Tensor>,
    y_new: Tensor,
}

/// What came of them.
struct Verdicts {
    /// Lanes whose step counts.
    accepted: Vec<usize>,
    counts: Vec<bool>,
    /// How lanes ended.
    ended: Vec<Option<Status>>,
    /// States to be saved: the lane, the slot, where in the step (1 is its end itself).
    saves: Vec<(usize, usize, f64)>,
    /// Lanes whose slope at the end of the step is read.
    at_end: Vec<usize>,
}

impl<F, M, C> Lockstep<'_, F, M, C>
where
    F: RowsField,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    const LAST_IS_FIRST: bool = M::TABLEAU.first_same_as_last();

    pub(super) fn iterate(&mut self) -> Result<()> {
        let tried = self.attempt()?;
        let verdicts = self.judge(&tried)?;
        if let Some(record) = &mut self.record {
            record.states.push(&self.y);
            let Verdicts { accepted, saves, .. } = &verdicts;
            let step = |lane: &usize| accepted.binary_search(lane).unwrap_or(0) as u32;
            record.iterations.push(Iteration {
                rows: self.rows.clone(),
                accepted: accepted.iter().map(|lane| *lane as u32).collect(),
                t: accepted.iter().map(|lane| tried.t[*lane]).collect(),
                h: accepted.iter().map(|lane| tried.h[*lane]).collect(),
                saves: saves
                    .iter()
                    .map(|(lane, slot, theta)| Saved {
                        step: step(lane),
                        slot: *slot as u32,
                        theta: *theta,
                    })
                    .collect(),
            });
        }
        let end = self.end_slopes(&tried, &verdicts)?;
        self.save(&tried, &verdicts, end.as_ref())?;
        self.iterations += 1;
        self.merge(&tried, &verdicts, end.as_ref())
    }

    /// Tries a step in every lane.
    fn attempt(&mut self) -> Result<Tried> {
        let tableau = &M::TABLEAU;
        let stages = tableau.stages();
        let t: Vec<f64> = self.lanes.iter().map(|lane| lane.t).collect();
        let h: Vec<f64> = self.lanes.iter().map(|lane| lane.signed).collect();
        let mut slopes = Vec::with_capacity(tableau.slopes());
        slopes.push(self.slope.clone());
        let batch = self.batch(&t, &h, &self.y, &self.arguments);
        let point = batch.run_stages::<M>(&mut slopes, stages)?;
        // The last stage may be evaluated at the new state.
        let y_new = if Self::LAST_IS_FIRST { point } else { batch.along(tableau.b, &slopes)? };
        for lane in &mut self.lanes {
            lane.statistics.evaluations += stages - 1;
        }
        Ok(Tried { t, h, slopes, y_new })
    }

    fn batch<'b>(
        &'b self,
        t: &'b [f64],
        h: &'b [f64],
        y: &'b Tensor,
        arguments: &'b [Tensor],
    ) -> Batch<'b, F> {
        Batch { field: self.field, t, h, y, arguments, step: self.iterations }
    }

    /// Errors of the steps, against the tolerances; `None` with fixed steps.
    fn errors(&self, tried: &Tried) -> Result<Option<Vec<f64>>> {
        if self.controller.norm().is_none() {
            return Ok(None);
        }
        let batch = self.batch(&tried.t, &tried.h, &self.y, &self.arguments);
        let norm = |weights: &[f64]| -> Result<Vec<f64>> {
            let error = batch.sum(weights, &tried.slopes)?;
            let Self { y, rtol, atol, .. } = self;
            Ok(weighted_rms_each_row(&error, y, &tried.y_new, rtol, atol)?)
        };
        let mut errors = norm(M::TABLEAU.error)?;
        if let Some(second) = M::SECOND_ESTIMATE {
            for (error, second) in errors.iter_mut().zip(norm(second.error)?) {
                *error = of_both(*error, second);
            }
        }
        Ok(Some(errors))
    }

    /// Judges the steps, and plans the next ones.
    fn judge(&mut self, tried: &Tried) -> Result<Verdicts> {
        let count = self.lanes.len();
        let errors = self.errors(tried)?;
        let mut judgements = vec![Judgement { accept: true, next: 0.0 }; count];
        let mut fit = Vec::new();
        if let Some(errors) = &errors {
            let order = error_order::<M>();
            let lanes = &self.lanes;
            let trial = |i: usize| lanes[i].trial(errors[i], order);
            self.controller.judge_each(count, trial, |i, judgement| judgements[i] = judgement);
        } else {
            fit = finite_rows(&tried.y_new)?;
        }
        let mut verdicts = Verdicts {
            accepted: Vec::with_capacity(count),
            counts: vec![false; count],
            ended: vec![None; count],
            saves: Vec::new(),
            at_end: Vec::new(),
        };
        for i in 0..count {
            let lane = &mut self.lanes[i];
            let error = errors.as_ref().map(|errors| errors[i]);
            let Judgement { accept, next } = judgements[i];
            let ended = match error {
                None if !fit[i] => Some(Status::NotFinite { what: "the state after a step" }),
                Some(error) if !accept => lane.reject(error, next),
                _ => {
                    verdicts.accepted.push(i);
                    verdicts.counts[i] = true;
                    let inside = passed(self.settings, lane, i, &mut verdicts.saves);
                    if inside || !lane.last {
                        verdicts.at_end.push(i);
                    }
                    if !Self::LAST_IS_FIRST {
                        lane.statistics.evaluations += usize::from(inside || !lane.last);
                    }
                    if inside {
                        lane.statistics.evaluations += M::TABLEAU.extra.len();
                    }
                    lane.accept(error.map(|error| (error, next)))
                }
            };
            verdicts.ended[i] = ended.or_else(|| lane.plan(&self.limits));
        }
        Ok(verdicts)
    }

    /// The slopes at the ends of the steps of the lanes `at_end`, where the last stage is not that.
    fn end_slopes(&self, tried: &Tried, verdicts: &Verdicts) -> Result<Option<Tensor>> {
        let at_end = &verdicts.at_end;
        if Self::LAST_IS_FIRST || at_end.is_empty() {
            return Ok(None);
        }
        let (t, h) = (of(&tried.t, at_end), of(&tried.h, at_end));
        let (y, arguments) = (take(&tried.y_new, at_end)?, self.arguments_of(at_end)?);
        Ok(Some(self.batch(&t, &h, &y, &arguments).evaluate(1.0, &y)?.detach()))
    }

    fn arguments_of(&self, lanes: &[usize]) -> Result<Vec<Tensor>> {
        self.arguments.iter().map(|argument| take(argument, lanes)).collect()
    }

    /// Saves what lies in the steps.
    fn save(&mut self, tried: &Tried, verdicts: &Verdicts, end: Option<&Tensor>) -> Result<()> {
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

    /// Moves on where steps were accepted, and drops the lanes that ended.
    fn merge(&mut self, tried: &Tried, verdicts: &Verdicts, end: Option<&Tensor>) -> Result<()> {
        let Verdicts { accepted, counts, ended, at_end, .. } = verdicts;
        let all = self.lanes.len();
        let stays: Vec<usize> = (0..all).filter(|lane| ended[*lane].is_none()).collect();
        let pick = |lane: &usize| (usize::from(counts[*lane]), *lane);
        if stays.len() < all {
            let gone: Vec<_> = (0..all).filter(|l| ended[*l].is_some()).map(|l| pick(&l)).collect();
            let states = pick_rows(&[&self.y, &tried.y_new], &gone)?;
            self.take_leave(states, ended);
        }
        if stays.is_empty() {
            return self.keep(&stays);
        }
        let picks: Vec<_> = stays.iter().map(pick).collect();
        let straight = accepted.len() == all && stays.len() == all;
        self.y = if straight {
            tried.y_new.clone()
        } else {
            pick_rows(&[&self.y, &tried.y_new], &picks)?
        };
        self.slope = match end {
            None if Self::LAST_IS_FIRST && straight => tried.slopes[tried.slopes.len() - 1].clone(),
            None if Self::LAST_IS_FIRST => {
                pick_rows(&[&self.slope, &tried.slopes[tried.slopes.len() - 1]], &picks)?
            }
            None => take(&self.slope, &stays)?,
            Some(end) => {
                let place = |lane: &usize| match at_end.binary_search(lane) {
                    Ok(place) if counts[*lane] => (1, place),
                    _ => (0, *lane),
                };
                pick_rows(&[&self.slope, end], &stays.iter().map(place).collect::<Vec<_>>())?
            }
        };
        self.keep(&stays)
    }
}

/// Lists the save times that a step passes; whether any of them lies inside.
fn passed(
    settings: &super::settings::Settings,
    lane: &mut super::lane::Lane,
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

fn of(values: &[f64], lanes: &[usize]) -> Vec<f64> {
    lanes.iter().map(|lane| values[*lane]).collect()
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
