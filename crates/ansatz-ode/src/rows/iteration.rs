//! One iteration: every row that has not ended tries a step.

use ansatz_ops::{finite_rows, pick_rows, weighted_rms_each_row};
use candle_core::Tensor;

use super::{
    RowsField,
    batch::{Batch, take},
    lockstep::Lockstep,
    record::{Iteration, Saved},
    saves::passed,
};
use crate::{
    Controller, ExplicitRungeKutta, Judgement, Result, Rms, Status,
    explicit::{error_order, of_both},
};

/// The steps that were tried.
pub(super) struct Tried {
    pub(super) t: Vec<f64>,
    pub(super) h: Vec<f64>,
    /// Of the stages.
    pub(super) slopes: Vec<Tensor>,
    pub(super) y_new: Tensor,
}

/// What came of them.
pub(super) struct Verdicts {
    /// Lanes whose step counts.
    pub(super) accepted: Vec<usize>,
    pub(super) counts: Vec<bool>,
    /// How lanes ended.
    pub(super) ended: Vec<Option<Status>>,
    /// States to be saved: the lane, the slot, where in the step (1 is its end itself).
    pub(super) saves: Vec<(usize, usize, f64)>,
    /// Lanes whose slope at the end of the step is read.
    pub(super) at_end: Vec<usize>,
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

    pub(super) fn batch<'b>(
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

    pub(super) fn arguments_of(&self, lanes: &[usize]) -> Result<Vec<Tensor>> {
        self.arguments.iter().map(|argument| take(argument, lanes)).collect()
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

pub(super) fn of(values: &[f64], lanes: &[usize]) -> Vec<f64> {
    lanes.iter().map(|lane| values[*lane]).collect()
}
