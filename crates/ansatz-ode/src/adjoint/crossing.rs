//! Derivatives through events: [`Crossings`].
//!
//! An event at the time `t*` where `g(t*, y(t*)) = 0` goes on from `c(t*, y)`. If the state before
//! it moves by `δ` at a fixed time, the event moves by `δt = −(∇g·δ + …)/ġ`, where `ġ = ∇g·f⁻ + ∂g/∂t`
//! is the slope of the condition along the solution, and the state at the event by `δ + f⁻ δt`; the
//! state after it, at a fixed time, by `C (δ + f⁻ δt) + (∂c/∂t − f⁺) δt` (the saltation matrix of
//! M. A. Aizerman, F. R. Gantmakher 1958). This file is the transpose.

use ansatz_ops::{backward_from, linear_combination, variables};
use candle_core::{Tensor, Var};

use super::{
    attach::{Cotangents, Parameters, dot},
    saves::Saves,
    step::Inside,
};
use crate::{Error, Event, Result, Status, VectorField, integrate::Crossed};

/// An event as the backward pass needs it.
#[derive(Clone)]
struct Crossing {
    t: f64,
    /// Length of the step before, by which times are moved for derivatives.
    h: f64,
    /// State before the change.
    y: Tensor,
    found: usize,
    /// Events that happened, in their order.
    happened: Vec<usize>,
    changed: bool,
    /// Number of the first of their crossings.
    first: usize,
    stops: bool,
}

/// The events of a solve, by the steps that end on them.
#[derive(Clone, Default)]
pub(crate) struct Crossings(Vec<(usize, Crossing)>);

impl Crossings {
    /// Notes what happened at the end of step `index` of length `h`; `first` is the number of the
    /// first of its crossings.
    pub(crate) fn note(&mut self, index: usize, crossed: &Crossed<'_, Tensor>, h: f64) {
        let first = self.0.last().map_or(0, |(_, c)| c.first + c.happened.len());
        self.0.push((index, Crossing::of(crossed, h, first)));
    }

    /// Notes how the solve ended; says whether a change made its last state.
    pub(crate) fn finish(&mut self, status: Status) -> bool {
        let Some((_, last)) = self.0.last_mut() else { return false };
        last.stops = matches!(status, Status::Stopped { .. });
        last.stops && last.changed
    }

    /// The variables that the events captured.
    pub(crate) fn variables(&self, events: &[Event<Tensor>]) -> Result<Vec<Tensor>> {
        let mut all = Vec::new();
        for (_, crossing) in &self.0 {
            all.extend(crossing.variables(events)?);
        }
        Ok(all)
    }

    /// Errors unless all that happened can be differentiated.
    pub(crate) fn check(&self, events: &[Event<Tensor>]) -> Result<()> {
        self.0.iter().try_for_each(|(_, c)| c.condition(events, c.t, &c.y).map(|_| ()))
    }

    fn at(&self, index: usize) -> Option<&Crossing> {
        let place = self.0.binary_search_by_key(&index, |(i, _)| *i).ok()?;
        Some(&self.0[place].1)
    }

    /// The state that follows `y` at the end of step `index`.
    pub(crate) fn follow(
        &self,
        index: usize,
        events: &[Event<Tensor>],
        y: Tensor,
    ) -> Result<Tensor> {
        match self.at(index) {
            Some(crossing) if crossing.changed => {
                Ok(crossing.after(events, crossing.t, &y)?.detach())
            }
            _ => Ok(y),
        }
    }

    /// The cotangent that the last step begins with.
    pub(crate) fn at_end(&self, cotangents: &Cotangents) -> Result<Tensor> {
        match self.0.last() {
            // What is there moves with the event.
            Some((_, crossing)) if crossing.stops => Ok(cotangents.end.zeros_like()?),
            _ => Ok(cotangents.end.clone()),
        }
    }

    /// Turns the cotangent `adjoint` of what follows step `index` into that of its result; returns
    /// the cotangents of states interpolated inside it.
    #[allow(clippy::too_many_arguments)] // two callers; a struct would only rename them
    pub(crate) fn of_step<'a, F: VectorField<Tensor>>(
        &self,
        index: usize,
        field: &F,
        events: &[Event<Tensor>],
        saves: &Saves,
        cotangents: &'a Cotangents,
        adjoint: &mut Tensor,
        parameters: &mut Parameters,
    ) -> Result<Vec<Inside<'a>>> {
        let rows = &cotangents.rows;
        let Some(crossing) = self.at(index) else { return saves.of_step(index, rows, adjoint) };
        let (mut changed, mut unchanged) = (adjoint.zeros_like()?, adjoint.zeros_like()?);
        saves.of_change(index, rows, &mut changed)?;
        let inside = saves.of_step(index, rows, &mut unchanged)?;
        let add = |sum: &mut Tensor, term: &Tensor| -> Result<()> {
            *sum = linear_combination(Some(sum), &[(1.0, term)])?;
            Ok(())
        };
        if crossing.stops {
            let last = if crossing.changed { &mut changed } else { &mut unchanged };
            add(last, &cotangents.end)?;
        }
        let mut time = 0.0;
        for number in crossing.first..crossing.first + crossing.happened.len() {
            add(&mut unchanged, &cotangents.crossings[number])?;
            time += cotangents.times[number];
        }
        let after = After { later: adjoint, changed: &changed, unchanged: &unchanged, time };
        *adjoint = crossing.pull_back(field, events, &after, parameters)?;
        Ok(inside)
    }
}

/// Cotangents of what an event leads to.
struct After<'a> {
    /// Of the solution that follows, at a fixed time.
    later: &'a Tensor,
    /// Of states that move with the event: after the change, and before it.
    changed: &'a Tensor,
    unchanged: &'a Tensor,
    /// Of the time of the event.
    time: f64,
}

impl Crossing {
    fn of(crossed: &Crossed<'_, Tensor>, h: f64, first: usize) -> Self {
        Self {
            t: crossed.t,
            h: h.abs(),
            y: crossed.y.clone(),
            found: crossed.found,
            happened: crossed.crossings.iter().map(|c| c.event).collect(),
            changed: crossed.changed.is_some(),
            first,
            stops: false,
        }
    }

    /// The state after the changes.
    fn after(&self, events: &[Event<Tensor>], t: f64, y: &Tensor) -> Result<Tensor> {
        let mut y = y.clone();
        for &i in &self.happened {
            if let Some(changed) = events[i].changed(t, &y) {
                y = changed?;
            }
        }
        Ok(y)
    }

    fn condition(&self, events: &[Event<Tensor>], t: f64, y: &Tensor) -> Result<Tensor> {
        match events[self.found].taped(t, y) {
            Some(value) => Ok(value?.flatten_all()?),
            None => Err(Error::EventsNotDifferentiated { adjoint: "An event without a tensor" }),
        }
    }

    /// The variables that the condition and the changes captured.
    fn variables(&self, events: &[Event<Tensor>]) -> Result<Vec<Tensor>> {
        let y = self.y.detach();
        let mut outputs = Vec::new();
        if let Some(condition) = events[self.found].taped(self.t, &y) {
            outputs.push(condition?);
        }
        if self.changed {
            outputs.push(self.after(events, self.t, &y)?);
        }
        Ok(variables(&outputs))
    }

    /// The cotangent of the state before, at a fixed time; adds the gradients of parameters.
    fn pull_back<F: VectorField<Tensor>>(
        &self,
        field: &F,
        events: &[Event<Tensor>],
        after: &After<'_>,
        parameters: &mut Parameters,
    ) -> Result<Tensor> {
        let slope = |y: &Tensor| -> Result<Tensor> {
            let (mut dy, t) = (y.detach(), self.t);
            let failed = |source| Error::Field { t, step: 0, source };
            field.eval_into(t, &y.detach(), &mut dy).map_err(failed)?;
            Ok(dy.detach())
        };
        let leaf = Var::from_tensor(&self.y.detach())?.into_inner();
        let before = slope(&leaf)?;
        let mut adjoint = after.unchanged.clone();
        // What a later event changes, at fixed t*: ∂c/∂t · v − f⁺ · λ.
        let mut by_time = after.time;
        let moved = linear_combination(Some(after.later), &[(1.0, after.changed)])?;
        if self.changed {
            let state = self.after(events, self.t, &leaf)?;
            by_time -= dot(after.later, &slope(&state)?)?;
            by_time +=
                self.difference(|t| dot(&self.after(events, t, &self.y)?.detach(), &moved))?;
            let store = backward_from(&[state], std::slice::from_ref(&moved))?;
            parameters.add(&store)?;
            if let Some(g) = store.get(&leaf) {
                adjoint = linear_combination(Some(&adjoint), &[(1.0, &g.detach())])?;
            }
        } else {
            by_time -= dot(after.later, &before)?;
            adjoint = linear_combination(Some(&adjoint), &[(1.0, &moved)])?;
        }
        by_time += dot(&adjoint, &before)?;

        let condition = self.condition(events, self.t, &leaf)?;
        let one = condition.ones_like()?;
        let store = backward_from(std::slice::from_ref(&condition), &[one])?;
        let gradient = match store.get(&leaf) {
            Some(g) => g.detach(),
            None => leaf.zeros_like()?.detach(),
        };
        let rate =
            dot(&gradient, &before)? + self.difference(|t| events[self.found].value(t, &self.y))?;
        if rate == 0.0 || !rate.is_finite() {
            return Err(Error::TangentialEvent { t: self.t });
        }
        let factor = -by_time / rate;
        let seed = (condition.ones_like()? * factor)?;
        parameters.add(&backward_from(&[condition], &[seed])?)?;
        Ok(linear_combination(Some(&adjoint), &[(factor, &gradient)])?)
    }

    /// The derivative by time of something that usually does not depend on it.
    fn difference(&self, value: impl Fn(f64) -> Result<f64>) -> Result<f64> {
        let delta = 1e-4 * self.h;
        let (ahead, behind) = (self.t + delta, self.t - delta);
        Ok((value(ahead)? - value(behind)?) / (ahead - behind))
    }
}
