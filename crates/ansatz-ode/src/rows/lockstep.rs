//! The loop: [`Lockstep`].

use std::{marker::PhantomData, sync::Arc};

use ansatz_ops::{
    Recorder, finite_rows, linear_combination, pick_rows, variables, weighted_rms_each_row,
};
use candle_core::Tensor;

use super::{
    RowsField,
    batch::{Batch, evaluate, take},
    cotangents::Leaves,
    harvest::Harvest,
    lane::{Lane, Limits},
    part::Part,
    record::Record,
    settings::Settings,
};
use crate::{
    Controller, ExplicitRungeKutta, Result, Rms, Statistics, Status,
    first_step::{after_probe, probe},
};

/// How a row ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) t: f64,
    pub(super) status: Status,
    pub(super) statistics: Statistics,
}

/// The rows that are still on their way, and what was collected of the others.
pub(super) struct Lockstep<'a, F, M, C> {
    pub(super) field: &'a F,
    pub(super) controller: &'a C,
    pub(super) settings: &'a Settings,
    pub(super) limits: Limits,
    pub(super) lanes: Vec<Lane>,
    pub(super) rtol: Vec<f64>,
    pub(super) atol: Vec<f64>,
    /// States, and the slopes that the next steps begin with.
    pub(super) y: Tensor,
    pub(super) slope: Tensor,
    /// What the field takes beside them, of these rows.
    pub(super) arguments: Vec<Tensor>,
    pub(super) harvest: Harvest,
    pub(super) ends: Vec<End>,
    /// Numbers of the rows, for the record.
    pub(super) rows: Arc<[u32]>,
    pub(super) record: Option<Record>,
    pub(super) iterations: usize,
    pub(super) method: PhantomData<M>,
}

/// What a solve comes to: the states of all [slots](Settings::slots), and how each row ended.
pub(super) struct Solved {
    pub(super) states: Tensor,
    pub(super) ends: Vec<End>,
    /// Where gradients may be wanted.
    pub(super) record: Option<Record>,
}

/// Solves for all rows; keeps up to `checkpoints` states for a backward pass unless nothing in the
/// problem is tracked.
pub(super) fn solve<F, M, C>(
    field: &F,
    controller: &C,
    part: &Part,
    checkpoints: Option<usize>,
) -> Result<Solved>
where
    F: RowsField,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    let mut lockstep = Lockstep::<F, M, C>::start(field, controller, part, checkpoints)?;
    while !lockstep.lanes.is_empty() {
        lockstep.iterate()?;
    }
    let Lockstep { harvest, ends, record, .. } = lockstep;
    Ok(Solved { states: harvest.assemble(&part.y0)?, ends, record })
}

impl<'a, F, M, C> Lockstep<'a, F, M, C>
where
    F: RowsField,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    /// Evaluates the first slopes, chooses the first steps, and deals with the rows that need none.
    fn start(
        field: &'a F,
        controller: &'a C,
        part: &'a Part,
        checkpoints: Option<usize>,
    ) -> Result<Self> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        const { assert!(M::TABLEAU.takes(M::SECOND_ESTIMATE), "the second estimate does not fit") };
        let Part { y0, settings, .. } = part;
        let &Settings { rows, ref spans, .. } = settings;
        let record = checkpoints
            .map(|slots| -> Result<Record> {
                let states = Recorder::new(slots)?;
                let (iterations, starts, captured) = (Vec::new(), Vec::new(), Vec::new());
                Ok(Record { states, iterations, starts, captured })
            })
            .transpose()?;
        let fixed = controller.norm().is_none();
        let first = controller.first_step();
        let at_start = |row: usize| usize::from(settings.times(row).first() == Some(&spans[row].0));
        let lane = |row: usize| {
            let (t0, t1) = spans[row];
            let h = first.unwrap_or((t1 - t0).abs());
            Lane::new(row, spans[row], h, fixed, at_start(row), 1)
        };
        let unsolved = |row: usize| End {
            t: spans[row].0,
            status: Status::Finished,
            statistics: Statistics::default(),
        };
        let (starting, resting): (Vec<usize>, Vec<usize>) =
            (0..rows).partition(|row| spans[*row].0 != spans[*row].1);
        let mut lockstep = Self {
            field,
            controller,
            settings,
            limits: Limits {
                max_step: controller.max_step(),
                min_step: controller.min_step(),
                max_steps: settings.max_steps,
            },
            lanes: starting.iter().map(|row| lane(*row)).collect(),
            rtol: starting.iter().map(|row| settings.rtol[*row]).collect(),
            atol: starting.iter().map(|row| settings.atol[*row]).collect(),
            // Copies: what the caller's variables hold may be overwritten later.
            y: pick_rows(&[y0], &starting.iter().map(|row| (0, *row)).collect::<Vec<_>>())?,
            slope: y0.detach(),
            arguments: Leaves::of(&part.arguments, &starting)?.arguments,
            harvest: Harvest::new(settings.slots()),
            ends: (0..rows).map(unsolved).collect(),
            rows: Arc::from([]),
            record,
            iterations: 0,
            method: PhantomData,
        };
        lockstep.save_starts(y0, at_start, &resting)?;
        if !starting.is_empty() {
            lockstep.first_slopes(part.is_tracked())?;
            lockstep.first_steps(first.is_none() && !fixed)?;
        }
        Ok(lockstep)
    }

    /// Saves the states at the start, and those of rows that rest there.
    fn save_starts(
        &mut self,
        y0: &Tensor,
        at_start: impl Fn(usize) -> usize,
        resting: &[usize],
    ) -> Result<()> {
        let settings = self.settings;
        let saved: Vec<usize> = (0..settings.rows).filter(|row| at_start(*row) == 1).collect();
        for (rows, slot) in [(&saved[..], 0), (resting, settings.saves)] {
            if !rows.is_empty() {
                let picks: Vec<_> = rows.iter().map(|row| (0, *row)).collect();
                let slots = rows.iter().map(|row| settings.slot(*row, slot));
                self.harvest.put(pick_rows(&[y0], &picks)?, slots);
            }
        }
        if let Some(record) = &mut self.record {
            let start = |row: &usize| (*row as u32, settings.slot(*row, 0) as u32);
            record.starts = saved.iter().map(start).collect();
        }
        Ok(())
    }

    /// Evaluates the first slopes, and sees by them whether gradients may be wanted.
    fn first_slopes(&mut self, tracked: bool) -> Result<()> {
        let t = self.lanes.iter().map(|lane| lane.t).collect();
        let slope = evaluate(self.field, t, &self.y, &self.arguments, 0)?;
        if let Some(record) = &mut self.record {
            let mut captured = variables(std::slice::from_ref(&slope));
            captured.retain(|v| self.arguments.iter().all(|leaf| leaf.id() != v.id()));
            record.captured = captured;
        }
        self.record = self.record.take().filter(|r| tracked || !r.captured.is_empty());
        self.slope = slope.detach();
        self.arguments = self.arguments.iter().map(Tensor::detach).collect();
        let finite = finite_rows(&self.slope)?;
        let ended =
            |lane: usize| (!finite[lane]).then_some(Status::NotFinite { what: "the vector field" });
        let ended: Vec<_> = (0..finite.len()).map(ended).collect();
        self.drop_ended(&ended)
    }

    /// Chooses the first steps (of the lengths that are there, unless they are `sought`).
    fn first_steps(&mut self, sought: bool) -> Result<()> {
        if sought && !self.lanes.is_empty() {
            let Self { field, y, slope, arguments, rtol, atol, settings, lanes, .. } = &mut *self;
            let norm = |x: &Tensor| weighted_rms_each_row(x, y, y, rtol, atol);
            let (d0, d1) = (norm(y)?, norm(slope)?);
            let t: Vec<f64> = lanes.iter().map(|lane| lane.t).collect();
            let spans: Vec<_> = lanes.iter().map(|lane| settings.spans[lane.row]).collect();
            let lengths: Vec<f64> = spans.iter().map(|(t0, t1)| (t1 - t0).abs()).collect();
            let h0: Vec<f64> = (0..t.len()).map(|i| probe(d0[i], d1[i], lengths[i])).collect();
            let signed: Vec<f64> = spans
                .iter()
                .zip(&h0)
                .map(|((t0, t1), h0)| if t1 < t0 { -h0 } else { *h0 })
                .collect();
            let batch = Batch { field: *field, t: &t, h: &signed, y, arguments, step: 0 };
            let point = batch.along(&[1.0], std::slice::from_ref(slope))?;
            let f1 = batch.evaluate(1.0, &point)?.detach();
            // (f1 − f0) / h0 approximates the second derivative.
            let d2 = norm(&linear_combination(Some(&f1), &[(-1.0, slope)])?)?;
            for (i, lane) in lanes.iter_mut().enumerate() {
                let d2 = d2[i] / h0[i];
                let h = after_probe(d1[i], d2, h0[i], lengths[i], M::TABLEAU.order);
                *lane = Lane::new(lane.row, spans[i], h, false, lane.saved, 2);
            }
        }
        let limits = self.limits;
        let ended: Vec<_> = self.lanes.iter_mut().map(|lane| lane.plan(&limits)).collect();
        self.drop_ended(&ended)
    }

    /// Drops the rows that ended before their first step.
    fn drop_ended(&mut self, ended: &[Option<Status>]) -> Result<()> {
        let stays: Vec<usize> = (0..ended.len()).filter(|lane| ended[*lane].is_none()).collect();
        let gone: Vec<usize> = (0..ended.len()).filter(|lane| ended[*lane].is_some()).collect();
        if !gone.is_empty() {
            let picks: Vec<_> = gone.iter().map(|lane| (0, *lane)).collect();
            let states = pick_rows(&[&self.y], &picks)?;
            self.take_leave(states, ended);
            self.y = take(&self.y, &stays)?;
            self.slope = take(&self.slope, &stays)?;
        }
        self.keep(&stays)
    }

    /// Notes the ends of rows, whose last states are given.
    pub(super) fn take_leave(&mut self, states: Tensor, ended: &[Option<Status>]) {
        let mut slots = Vec::new();
        for (lane, status) in self.lanes.iter().zip(ended) {
            if let Some(status) = *status {
                slots.push(self.settings.end_slot(lane.row));
                self.ends[lane.row] = End { t: lane.t, status, statistics: lane.statistics };
            }
        }
        self.harvest.put(states, slots);
    }

    /// Keeps these lanes alone, but for their states and slopes.
    pub(super) fn keep(&mut self, stays: &[usize]) -> Result<()> {
        if stays.len() < self.lanes.len() {
            for argument in &mut self.arguments {
                *argument = take(argument, stays)?;
            }
            let mut index = 0..;
            let mut next = stays.iter().peekable();
            self.lanes.retain(|_| next.next_if_eq(&&index.next().unwrap_or(0)).is_some());
            self.rtol = stays.iter().map(|lane| self.rtol[*lane]).collect();
            self.atol = stays.iter().map(|lane| self.atol[*lane]).collect();
        }
        if self.record.is_some() && self.rows.len() != self.lanes.len() {
            self.rows = self.lanes.iter().map(|lane| lane.row as u32).collect();
        }
        Ok(())
    }
}
