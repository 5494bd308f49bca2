//! The discrete adjoint by replaying steps from checkpoints: [`RecursiveCheckpoint`].

use std::cell::RefCell;

use ansatz_ops::Recorder;
use candle_core::Tensor;

use super::{
    Adjoint, NoGradient,
    attach::{Ends, InputGradients, Inputs, Parameters, attach, detached},
    crossing::Crossings,
    replay::{Replay, Replays},
    saves::Saves,
    times::Times,
};
use crate::{
    Controller, Error, ErrorNorm, Interpolates, Method, Result, Save, Solution, Solve, Solves,
    VectorField,
    integrate::{Crossed, Observer, Step, integrate},
    saver::Saver,
    sides::Sides,
};

/// The exact gradient of the discrete solution, in memory that does not grow with its length.
///
/// The forward solve keeps at most `checkpoints` states ([`Recorder`]) and the times of the steps
/// (8 bytes a step). The backward pass recomputes the states between checkpoints and
/// differentiates one stage of one step at a time (J. M. Sanz-Serna, SIAM Rev. 58, 2016, 3–33,
/// section 3), so that no tape is longer than one evaluation of the vector field. It differentiates
/// explicit methods and diagonally implicit ones; the stages of the latter by the implicit function
/// theorem, at their solutions to rounding, whatever the tolerance of the forward solve left of them.
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
struct Watch<'a, I> {
    saver: Saver<'a, Tensor, I>,
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

impl<S: Interpolates<Tensor>> Observer<Tensor, S> for Watch<'_, S::Interpolant> {
    fn wants_inside(&self, t1: f64) -> bool {
        self.saver.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, S>) -> Result<()> {
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
    M: Method<Family: Replays<M, F>> + Solves<F, Tensor>,
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
        // What cannot be differentiated is known before the solve.
        drop(M::Family::replay(&solve.field, &solve.y0)?);
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
            let replay = RefCell::new(M::Family::replay(&field, &ends.y0)?);
            record.states.clone().reverse(
                |i, y| {
                    let y = replay.borrow_mut().advance(&field, record.times.step(i), i, y)?;
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
                    adjoint = replay.borrow_mut().step_vjp(
                        &field,
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
