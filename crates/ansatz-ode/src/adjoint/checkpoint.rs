//! The discrete adjoint by replaying steps from checkpoints: [`RecursiveCheckpoint`].

use std::marker::PhantomData;

use ansatz_core::State;
use ansatz_ops::Recorder;
use candle_core::Tensor;

use super::{
    Adjoint, NoGradient,
    attach::{Ends, InputGradients, Inputs, Parameters, attach, detached},
    crossing::Crossings,
    saves::Saves,
    step::{Inside, StepPlan, Taped, node, pull_back, row},
};
use crate::{
    Controller, Error, ErrorNorm, ExplicitRungeKutta, Result, Save, Solution, Solve,
    StageInterpolant, Stages, Statistics, VectorField,
    explicit::run_stages,
    field::evaluate,
    integrate::{Crossed, Observer, Step, integrate},
    saver::Saver,
    sides::Sides,
};

/// The exact gradient of the discrete solution, in memory that does not grow with its length.
///
/// The forward solve keeps at most `checkpoints` states ([`Recorder`]) and the times of the steps
/// (8 bytes a step). The backward pass recomputes the states between checkpoints and
/// differentiates one stage of one step at a time (J. M. Sanz-Serna, SIAM Rev. 58, 2016, 3–33,
/// section 3), so that no tape is longer than one evaluation of the vector field.
///
/// Gradients flow to the initial state, to variables that the field captured, to the field's
/// explicit [`arguments`](VectorField::arguments) and to the ends of the interval
/// ([`Span::from_tensors`](crate::Span::from_tensors)). Step sizes are treated as constants. The
/// gradient of an end time is the slope of the solution there, right to the tolerance of the
/// solve; states saved exactly at the end move with it.
///
/// Variables are found by evaluating the field once at the start. A variable that it reads only at
/// other times must be an explicit argument; the backward pass looks for such variables once a step
/// and fails with [`Error::LateVariable`] rather than lose their gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecursiveCheckpoint {
    /// Most states held at any time, at least 1. With as many as there are steps nothing is
    /// recomputed; with `c`, each step is recomputed a few times (growing like the `c`-th root of
    /// the number of steps).
    pub checkpoints: usize,
}

impl RecursiveCheckpoint {
    /// The adjoint with this many checkpoints.
    pub const fn new(checkpoints: usize) -> Self {
        Self { checkpoints }
    }
}

impl Default for RecursiveCheckpoint {
    fn default() -> Self {
        Self::new(64)
    }
}

/// Watches the forward solve: saves, checkpoints, times.
struct Watch<'a, M: ExplicitRungeKutta> {
    saver: Saver<'a, Tensor, StageInterpolant<Tensor, M>>,
    record: Record,
}

/// What the backward pass needs of the forward solve.
#[derive(Clone)]
struct Record {
    states: Recorder<Tensor>,
    times: Times,
    saves: Saves,
    crossings: Crossings,
}

/// Start of each step and, last, the end of the last one. From them and the jumps the forward solve
/// computes where a step is taken, so that it can be replayed to the last bit.
///
/// Kept in blocks, because a vector that grows holds its numbers three times over while it moves.
#[derive(Clone)]
struct Times {
    blocks: Vec<Vec<f64>>,
    sides: Sides,
}

impl Times {
    const BLOCK: usize = 4096;

    fn starting_at(t0: f64, sides: Sides) -> Self {
        let mut times = Self { blocks: Vec::new(), sides };
        times.push(t0);
        times
    }

    fn push(&mut self, t: f64) {
        match self.blocks.last_mut() {
            Some(block) if block.len() < Self::BLOCK => block.push(t),
            _ => {
                let mut block = Vec::with_capacity(Self::BLOCK);
                block.push(t);
                self.blocks.push(block);
            }
        }
    }

    fn at(&self, index: usize) -> f64 {
        self.blocks[index / Self::BLOCK][index % Self::BLOCK]
    }

    /// Number of steps.
    fn steps(&self) -> usize {
        let (full, last) = (self.blocks.len() - 1, self.blocks.last().map_or(0, Vec::len));
        full * Self::BLOCK + last - 1
    }

    /// Start and signed length of a step.
    fn step(&self, index: usize) -> (f64, f64) {
        self.sides.inside(self.at(index), self.at(index + 1))
    }
}

impl<M: ExplicitRungeKutta> Observer<Tensor, Stages<Tensor, M>> for Watch<'_, M> {
    fn wants_inside(&self, t1: f64) -> bool {
        self.saver.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, Stages<Tensor, M>>) -> Result<()> {
        self.record.states.push(step.y0);
        let index = self.record.times.steps();
        self.record.times.push(step.t1);
        self.saver.see(step)?;
        self.record.saves.note(index, step, &self.saver.ts);
        Ok(())
    }

    fn crossed(&mut self, crossed: &Crossed<'_, Tensor>) -> Result<()> {
        let index = self.record.times.steps() - 1;
        self.record.crossings.note(index, crossed, self.record.times.step(index).1);
        self.saver.see_crossed(crossed);
        self.record.saves.note_changed(index, self.saver.ts.len());
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, M, C> for RecursiveCheckpoint
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
{
    fn run(mut solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let states = Recorder::new(solve.adjoint.checkpoints)?;
        let mut inputs = Inputs::discover(&solve.field, &solve.y0, &solve.span)?;
        if !inputs.is_tracked() && solve.options.events.is_empty() {
            return NoGradient::run(solve.adjoint(NoGradient));
        }
        solve.y0 = detached(&solve.y0)?;
        let saver = Saver::new(&solve.save, &solve.span, &solve.y0)?;
        let saves = Saves::at_start(saver.ts.len());
        let times =
            Times::starting_at(solve.span.t0, Sides::new(&solve.options.jumps, &solve.span));
        let crossings = Crossings::default();
        let record = Record { states, times, saves, crossings };
        let mut watch = Watch { saver, record };
        let reached = integrate(&solve.problem(), &mut watch)?;
        let Watch { saver, mut record } = watch;
        let (solution, _) = saver.finish(reached);
        let changed = record.crossings.finish(solution.status);
        inputs.also(record.crossings.variables(&solve.options.events)?);
        if !inputs.is_tracked() {
            return Ok(solution);
        }
        record.crossings.check(&solve.options.events)?;
        if solve.save == Save::End {
            record.saves.note_end(record.times.steps(), changed);
        }
        let Solve { field, y0, span, save, options, .. } = solve;
        let ends = Ends::of(&solution, &span, y0, &record.times.sides);
        attach(solution, &save, inputs, move |inputs, cotangents| {
            let mut parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let mut adjoint = record.crossings.at_end(cotangents)?;
            let events = &options.events;
            let replay = Replay::<F, M> { field: &field, method: PhantomData };
            record.states.clone().reverse(
                |i, y| {
                    let y = replay.advance(record.times.step(i), i, y)?;
                    record.crossings.follow(i, events, y)
                },
                |i, y| {
                    let inside = record.crossings.of_step(
                        i,
                        &field,
                        events,
                        &record.saves,
                        cotangents,
                        &mut adjoint,
                        &mut parameters,
                    )?;
                    adjoint = replay.step_vjp(
                        record.times.step(i),
                        i,
                        y,
                        &adjoint,
                        &inside,
                        &inputs.leaves,
                        &mut parameters,
                    )?;
                    Ok::<(), Error>(())
                },
            )?;
            let times = ends.gradients(&field, inputs, &adjoint, cotangents)?;
            record.saves.of_start(&cotangents.rows, &mut adjoint)?;
            Ok(InputGradients { y0: adjoint, times, parameters: parameters.into_sums()? })
        })
    }
}

/// Recomputes and differentiates single steps.
struct Replay<'a, F, M> {
    field: &'a F,
    method: PhantomData<M>,
}

impl<F, M> Replay<'_, F, M>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
{
    /// The state after a step.
    fn advance(&self, (t, h): (f64, f64), index: usize, y: &Tensor) -> Result<Tensor> {
        let tableau = &M::TABLEAU;
        let fsal = tableau.first_same_as_last();
        let stages = tableau.stages() - usize::from(fsal);
        let mut work = Stages::<Tensor, M>::new(y);
        let mut counts = Statistics { accepted: index, ..Statistics::default() };
        evaluate(self.field, t, y, &mut work.slopes[0], &mut counts)?;
        run_stages(self.field, t, h, y, &mut work, stages, &mut counts)?;
        let mut y_new = y.clone();
        y_new.combine(Some(y), h, &tableau.b[..stages], &work.slopes[..stages])?;
        Ok(y_new)
    }

    /// Recomputes the stages of a step on tapes and pulls back through them.
    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename them
    fn step_vjp(
        &self,
        (t, h): (f64, f64),
        index: usize,
        y: &Tensor,
        adjoint: &Tensor,
        inside: &[Inside<'_>],
        leaves: &[Tensor],
        parameters: &mut Parameters,
    ) -> Result<Tensor> {
        let plan = StepPlan::new::<M>(inside);
        let mut stages: Vec<Taped> = Vec::with_capacity(plan.count);
        let mut slopes: Vec<Tensor> = Vec::with_capacity(plan.count);
        for j in 0..plan.count {
            if j > 0 && !plan.needed[j] {
                // Holds the place of one that is not read.
                slopes.push(slopes[0].clone());
                stages.push(stages[0].clone());
                continue;
            }
            let mut input = y.clone();
            input.combine(Some(y), h, row::<M>(j), &slopes)?;
            let time = t + node::<M>(j) * h;
            let stage = Taped::evaluate(self.field, time, &input, leaves)
                .map_err(|source| Error::Field { t: time, step: index, source })?;
            if j == 0 {
                // Once a step is enough to find a control that switches variables.
                parameters.check_complete(&stage, time)?;
            }
            slopes.push(stage.slope.detach());
            stages.push(stage);
        }
        pull_back::<M>(h, adjoint, inside, &plan, &stages, parameters)
    }
}
