//! The discrete adjoint of a batch whose rows step independently: [`attach`].
//!
//! The backward pass walks back over the iterations of the forward solve (from checkpoints:
//! [`Recorder`](ansatz_ops::Recorder)), and in each differentiates the step of the rows that were
//! accepted there, stage by stage, with their own times and step lengths held constant; the formulas
//! are those of [`RecursiveCheckpoint`](crate::RecursiveCheckpoint). Rows enter at the iteration that
//! ended them.

use std::{marker::PhantomData, sync::Arc};

use ansatz_ops::{backward_from, combine_rows, custom_vjp, linear_combination, pick_rows};
use candle_core::{Tensor, Var};

use super::{
    RowsField,
    batch::{Batch, take},
    cotangents::{Leaves, Sums},
    lockstep::End,
    part::Part,
    record::{Iteration, Record, Saved},
    saves::dense_weights,
};
use crate::{
    Error, ExplicitRungeKutta, Result,
    adjoint::step::{OfExplicit, Slopes as _},
};

/// A solve, to be differentiated.
pub(super) struct Differentiated<F, M> {
    pub(super) field: Arc<F>,
    pub(super) part: Part,
    pub(super) record: Record,
    pub(super) ends: Vec<End>,
    /// States at the ends of the rows.
    pub(super) y_end: Tensor,
    pub(super) method: PhantomData<M>,
}

/// Attaches the states of a solve `[rows, slots, …]` to the graph.
pub(super) fn attach<F, M>(solve: Differentiated<F, M>, states: &Tensor) -> Result<Tensor>
where
    F: RowsField + Send + Sync + 'static,
    M: ExplicitRungeKutta,
{
    let solve = Arc::new(solve);
    let held = solve.clone();
    let inputs: Vec<&Tensor> = held.part.inputs().chain(&held.record.captured).collect();
    Ok(custom_vjp(&inputs, states, move |cotangents| Ok(solve.pull_back(cotangents)?))?)
}

impl<F: RowsField, M: ExplicitRungeKutta> Differentiated<F, M> {
    /// Gradients of the initial states, the times, the arguments and what was captured.
    fn pull_back(&self, cotangents: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let Self { record, part, .. } = self;
        let Part { y0, settings, .. } = part;
        let mut shape = y0.dims().to_vec();
        shape[0] = settings.slots();
        let cotangents = cotangents.detach().reshape(shape)?;
        let mut sums = Sums::new(&record.captured, part.arguments.len());
        let mut adjoint = None;
        record.states.clone().reverse(
            |i, y| self.advance(i, y),
            |i, y| {
                adjoint =
                    Some(self.pull_back_step(i, y, adjoint.as_ref(), &cotangents, &mut sums)?);
                Ok::<(), Error>(())
            },
        )?;
        let rows: Vec<u32> = (0..settings.rows as u32).collect();
        let adjoint = self.entering(&rows, record.first_rows(), adjoint.as_ref(), &cotangents)?;
        let times = self.times_gradients(&adjoint, &cotangents)?;
        let starts: Vec<_> = record.starts.iter().map(|(r, slot)| (*r, *slot, 1.0)).collect();
        let adjoint = plus(adjoint, &starts, &cotangents)?;
        let mut all = vec![Some(adjoint)];
        all.extend(times.into_iter().flatten().map(Some));
        all.extend(sums.finish()?);
        Ok(all)
    }

    /// Cotangents of the states of `rows`: those of `known` rows are known, the others just ended.
    fn entering(
        &self,
        rows: &[u32],
        known: &[u32],
        adjoint: Option<&Tensor>,
        cotangents: &Tensor,
    ) -> Result<Tensor> {
        let mut known = known.iter().enumerate().peekable();
        let mut pick = |row: &u32| match known.next_if(|(_, r)| *r == row) {
            Some((place, _)) => (1, place),
            None => (0, self.part.settings.end_slot(*row as usize)),
        };
        let picks: Vec<_> = rows.iter().map(&mut pick).collect();
        let mut from = vec![cotangents];
        from.extend(adjoint);
        Ok(pick_rows(&from, &picks)?)
    }

    /// The state after an iteration, from that before.
    fn advance(&self, index: usize, y: &Tensor) -> Result<Tensor> {
        let tableau = &M::TABLEAU;
        let stages = tableau.stages() - usize::from(tableau.first_same_as_last());
        let iteration = &self.record.iterations[index];
        let after = self.record.rows_after(index);
        let mut counts = vec![None; iteration.rows.len()];
        for (place, lane) in iteration.accepted.iter().enumerate() {
            counts[*lane as usize] = Some(place);
        }
        let mut picks = Vec::with_capacity(after.len());
        let mut after = after.iter().peekable();
        for (lane, row) in iteration.rows.iter().enumerate() {
            if after.next_if_eq(&row).is_some() {
                picks.push(counts[lane].map_or((0, lane), |place| (1, place)));
            }
        }
        if iteration.accepted.is_empty() {
            return Ok(pick_rows(&[y], &picks)?);
        }
        let before = take(y, &iteration.lanes())?;
        let leaves = self.leaves(iteration)?;
        let arguments: Vec<Tensor> = leaves.arguments.iter().map(Tensor::detach).collect();
        let batch = self.batch(index, &before, &arguments);
        let mut slopes = vec![batch.evaluate(0.0, &before)?.detach()];
        batch.run_stages::<M>(&mut slopes, stages)?;
        let new = batch.along(&tableau.b[..stages], &slopes)?;
        Ok(pick_rows(&[y, &new], &picks)?)
    }

    fn leaves(&self, iteration: &Iteration) -> Result<Leaves> {
        Leaves::of(&self.part.arguments, &iteration.accepted_rows())
    }

    fn batch<'a>(&'a self, step: usize, y: &'a Tensor, arguments: &'a [Tensor]) -> Batch<'a, F> {
        let Iteration { t, h, .. } = &self.record.iterations[step];
        Batch { field: &*self.field, t, h, y, arguments, step }
    }

    /// The cotangent of the state before an iteration, from that after it; adds the gradients of
    /// parameters.
    fn pull_back_step(
        &self,
        index: usize,
        y: &Tensor,
        adjoint: Option<&Tensor>,
        cotangents: &Tensor,
        sums: &mut Sums,
    ) -> Result<Tensor> {
        let iteration = &self.record.iterations[index];
        let after = self.record.rows_after(index);
        let all = self.entering(&iteration.rows, after, adjoint, cotangents)?;
        if iteration.accepted.is_empty() {
            return Ok(all);
        }
        let lanes = iteration.lanes();
        let (ends, inside): (Vec<Saved>, Vec<Saved>) =
            iteration.saves.iter().partition(|s| s.theta == 1.0);
        let ends: Vec<_> = ends.iter().map(|s| (s.step, s.slot, 1.0)).collect();
        let own = plus(take(&all, &lanes)?, &ends, cotangents)?;
        let own = self.through_stages(index, &take(y, &lanes)?, &own, &inside, cotangents, sums)?;
        if lanes.len() == iteration.rows.len() {
            return Ok(own);
        }
        let mut picks: Vec<_> = (0..iteration.rows.len()).map(|lane| (0, lane)).collect();
        for (place, lane) in lanes.into_iter().enumerate() {
            picks[lane] = (1, place);
        }
        Ok(pick_rows(&[&all, &own], &picks)?)
    }

    /// Pulls the cotangents of the states after the steps that were accepted, and of states inside of
    /// them, back to the states before.
    fn through_stages(
        &self,
        index: usize,
        y: &Tensor,
        adjoint: &Tensor,
        inside: &[Saved],
        cotangents: &Tensor,
        sums: &mut Sums,
    ) -> Result<Tensor> {
        let iteration = &self.record.iterations[index];
        let h = &iteration.h;
        let weights = dense_weights::<M>(inside.iter().map(|s| s.theta));
        let needed = needed::<M>(&weights);
        let count = needed.iter().rposition(|n| *n).map_or(0, |j| j + 1);
        let mut leaves = self.leaves(iteration)?;
        let arguments = leaves.arguments.clone();
        let batch = self.batch(index, y, &arguments);
        let mut slopes: Vec<Tensor> = Vec::with_capacity(count);
        let mut taped: Vec<Option<(Tensor, Tensor)>> = Vec::with_capacity(count);
        for (j, needed) in needed.iter().enumerate().take(count) {
            if j > 0 && !needed {
                // Holds the place of one that is not read.
                slopes.push(slopes[0].clone());
                taped.push(None);
                continue;
            }
            let input = batch.along(OfExplicit::<M>::row(j), &slopes)?;
            let input = Var::from_tensor(&input)?.into_inner();
            let slope = batch.evaluate(OfExplicit::<M>::node(j), &input)?;
            if j == 0 {
                // Once a step is enough to find a control that switches variables.
                leaves.input = Some(input.clone());
                sums.check_complete(&slope, &leaves, iteration.t[0])?;
            }
            slopes.push(slope.detach());
            taped.push(Some((input, slope)));
        }
        drop(slopes);

        let mut pulled: Vec<Option<Tensor>> = vec![None; count];
        let mut own = vec![Vec::new(); arguments.len()];
        for j in (0..count).rev() {
            // The slope's cotangent: from the step, the later stages and the saved states.
            let b = M::TABLEAU.b.get(j).copied().unwrap_or(0.0);
            let mut terms: Vec<(f64, &Tensor)> = Vec::new();
            terms.extend((b != 0.0).then_some((b, adjoint)));
            for (m, g) in pulled.iter().enumerate().skip(j + 1) {
                if let (Some(a), Some(g)) = (OfExplicit::<M>::row(m).get(j), g)
                    && *a != 0.0
                {
                    terms.push((*a, g));
                }
            }
            let of_saves: Vec<_> = inside
                .iter()
                .zip(&weights[j])
                .map(|(s, w)| (s.step, s.slot, h[s.step as usize] * w))
                .filter(|(_, _, factor)| *factor != 0.0)
                .collect();
            let (Some((input, slope)), true) =
                (taped[j].take(), !terms.is_empty() || !of_saves.is_empty())
            else {
                continue;
            };
            let cotangent = if terms.is_empty() {
                adjoint.zeros_like()?
            } else {
                combine_rows(None, h, &terms)?
            };
            let cotangent = plus(cotangent, &of_saves, cotangents)?;
            let store = backward_from(&[slope], &[cotangent])?;
            sums.add(&store, &leaves, &mut own)?;
            pulled[j] = store.get(&input).map(Tensor::detach);
        }
        if own.iter().any(|own| !own.is_empty()) {
            let rows: Vec<u32> = iteration.accepted_rows().iter().map(|r| *r as u32).collect();
            let rows = Tensor::from_vec(rows, h.len(), y.device())?;
            sums.spread(&rows, &self.part.arguments, &own)?;
        }
        let terms: Vec<(f64, &Tensor)> = pulled.iter().flatten().map(|g| (1.0, g)).collect();
        let inside: Vec<_> = inside.iter().map(|s| (s.step, s.slot, 1.0)).collect();
        plus(linear_combination(Some(adjoint), &terms)?, &inside, cotangents)
    }
}

/// For each slope whether anything depends on it.
fn needed<M: ExplicitRungeKutta>(weights: &[Vec<f64>]) -> Vec<bool> {
    let slopes = M::TABLEAU.slopes();
    let mut needed = vec![false; slopes];
    for j in (0..slopes).rev() {
        let later = (j + 1..slopes)
            .any(|m| needed[m] && OfExplicit::<M>::row(m).get(j).is_some_and(|a| *a != 0.0));
        let b = M::TABLEAU.b.get(j).is_some_and(|b| *b != 0.0);
        needed[j] = later || b || weights[j].iter().any(|w| *w != 0.0);
    }
    needed
}

/// `x` with, for each entry (row, slot, factor), the factor times the cotangent of a slot added to a
/// row.
pub(super) fn plus(x: Tensor, entries: &[(u32, u32, f64)], cotangents: &Tensor) -> Result<Tensor> {
    if entries.is_empty() {
        return Ok(x);
    }
    let picks: Vec<_> = entries.iter().map(|(_, slot, _)| (0, *slot as usize)).collect();
    let factors: Vec<f64> = entries.iter().map(|(_, _, factor)| *factor).collect();
    let part = combine_rows(None, &factors, &[(1.0, &pick_rows(&[cotangents], &picks)?)])?;
    let rows: Vec<u32> = entries.iter().map(|(row, _, _)| *row).collect();
    let rows = Tensor::from_vec(rows, entries.len(), x.device())?;
    Ok(x.contiguous()?.index_add(&rows, &part, 0)?)
}
