//! The discrete adjoint by replaying steps from checkpoints: [`RecursiveCheckpoint`].

use ansatz_core::State;
use ansatz_ops::{Recorder, backward_from, linear_combination};
use candle_core::{Tensor, Var};

use super::{
    Adjoint, NoGradient,
    attach::{
        InputGradients, Inputs, Parameters, attach, detached, end_time_gradient, slope_product,
    },
};
use crate::{
    Controller, Error, ExplicitRungeKutta, Result, Save, Solution, Solve, Status, VectorField,
    integrate::{Observer, Saver, Step, Workspace, evaluate, integrate, run_stages},
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
struct Watch<'a, M> {
    saver: Saver<'a, Tensor, M>,
    record: Record,
}

/// What the backward pass needs of the forward solve.
#[derive(Clone)]
struct Record {
    states: Recorder<Tensor>,
    times: Times,
    /// For each saved state the step in which it lies and its position there; `None` at the start.
    saves: Vec<Option<(usize, Position)>>,
}

/// Start of each step and, last, the end of the last one. A step's signed length is the difference,
/// to the last bit: that is how the forward solve computes it.
///
/// Kept in blocks, because a vector that grows holds its numbers three times over while it moves.
#[derive(Clone)]
struct Times {
    blocks: Vec<Vec<f64>>,
}

impl Times {
    const BLOCK: usize = 4096;

    fn starting_at(t0: f64) -> Self {
        let mut times = Self { blocks: Vec::new() };
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
        (self.at(index), self.at(index + 1) - self.at(index))
    }
}

/// Where in a step a state was saved.
#[derive(Clone, Copy)]
enum Position {
    End,
    Inside(f64),
}

impl<M: ExplicitRungeKutta> Observer<Tensor> for Watch<'_, M> {
    fn wants_end_derivative(&self, t1: f64) -> bool {
        self.saver.wants_end_derivative(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor>) -> Result<()> {
        self.record.states.push(step.y0);
        let index = self.record.times.steps();
        self.record.times.push(step.t1);
        self.saver.accepted(step)?;
        for &t in &self.saver.ts[self.record.saves.len()..] {
            let position =
                if t == step.t1 { Position::End } else { Position::Inside((t - step.t0) / step.h) };
            self.record.saves.push(Some((index, position)));
        }
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, M, C> for RecursiveCheckpoint
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    fn run(mut solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let states = Recorder::new(solve.adjoint.checkpoints)?;
        let Some(inputs) = Inputs::discover(&solve.field, &solve.y0, &solve.span)? else {
            return NoGradient::run(solve.adjoint(NoGradient));
        };
        solve.y0 = detached(&solve.y0)?;
        let saver = Saver::<Tensor, M>::new(&solve.save, &solve.span, &solve.y0)?;
        let saves = vec![None; saver.ts.len()];
        let record = Record { states, times: Times::starting_at(solve.span.t0), saves };
        let mut watch = Watch { saver, record };
        let reached =
            integrate::<F, Tensor, M, C>(&solve.problem(), &solve.controller, &mut watch)?;
        watch.saver.finish(reached.t, &reached.y);
        let Watch { saver, mut record } = watch;
        if solve.save == Save::End {
            let last = record.times.steps().checked_sub(1);
            record.saves.push(last.map(|i| (i, Position::End)));
        }
        let solution = Solution {
            ts: saver.ts,
            ys: saver.ys,
            t_end: reached.t,
            y_end: reached.y,
            status: reached.status,
            statistics: reached.statistics,
        };
        let Solve { field, y0, span, save, .. } = solve;
        let (ts, t_end, y_end) = (solution.ts.clone(), solution.t_end, solution.y_end.clone());
        let finished = solution.status == Status::Finished;
        attach(solution, &save, inputs, move |inputs, rows, end| {
            let mut parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let mut adjoint = end.clone();
            let replay = Replay::<F, M> { field: &field, method: std::marker::PhantomData };
            record.states.clone().reverse(
                |i, y| replay.advance(record.times.step(i), i, y),
                |i, y| {
                    let mut inside = Vec::new();
                    // Saves are in order of time, so those of one step stand together.
                    let first = record.saves.partition_point(|s| s.is_none_or(|(j, _)| j < i));
                    for (save, row) in record.saves[first..].iter().zip(&rows[first..]) {
                        match save {
                            Some((j, Position::End)) if *j == i => {
                                adjoint = linear_combination(Some(&adjoint), &[(1.0, row)])?;
                            }
                            Some((j, Position::Inside(theta))) if *j == i => {
                                inside.push((*theta, row));
                            }
                            _ => break,
                        }
                    }
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
            let (mut t0, mut t1) = (None, None);
            if inputs.wants_times() {
                t0 = Some(-slope_product(&field, span.t0, &y0, &adjoint)?);
                if finished {
                    t1 = Some(end_time_gradient(&field, t_end, &y_end, &ts, rows, end)?);
                }
            }
            // What was saved at the start is the initial state itself.
            for (save, row) in record.saves.iter().zip(rows) {
                if save.is_none() {
                    adjoint = linear_combination(Some(&adjoint), &[(1.0, row)])?;
                }
            }
            Ok(InputGradients { y0: adjoint, t0, t1, parameters })
        })
    }
}

/// Recomputes and differentiates single steps.
struct Replay<'a, F, M> {
    field: &'a F,
    method: std::marker::PhantomData<M>,
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
        let mut work = Workspace::new::<M>(y);
        evaluate(self.field, t, y, &mut work.stages[0], index)?;
        run_stages::<F, Tensor, M>(self.field, t, h, y, &mut work, index, stages)?;
        let mut y_new = y.clone();
        y_new.combine(Some(y), h, &tableau.b[..stages], &work.stages[..stages])?;
        Ok(y_new)
    }

    /// Pulls the cotangent of the state after a step, and of states interpolated inside it, back
    /// to the state before; adds the gradients of parameters.
    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename them
    fn step_vjp(
        &self,
        (t, h): (f64, f64),
        index: usize,
        y: &Tensor,
        adjoint: &Tensor,
        inside: &[(f64, &Tensor)],
        leaves: &[Tensor],
        parameters: &mut Parameters,
    ) -> Result<Tensor> {
        let tableau = &M::TABLEAU;
        let stages = tableau.stages();
        // Interpolation may read the derivative at the end of the step: one more stage.
        let weights: Vec<Vec<f64>> = inside
            .iter()
            .map(|(theta, _)| {
                let mut w = vec![0.0; stages + 1];
                M::dense_weights(*theta, &mut w);
                w
            })
            .collect();
        let row = |j: usize| if j < stages { tableau.a[j] } else { tableau.b };
        let b = |j: usize| if j < stages { tableau.b[j] } else { 0.0 };
        let mut needed = vec![false; stages + 1];
        for j in (0..=stages).rev() {
            let later =
                (j + 1..=stages).any(|m| needed[m] && row(m).get(j).is_some_and(|a| *a != 0.0));
            needed[j] = later || b(j) != 0.0 || weights.iter().any(|w| w[j] != 0.0);
        }
        let count = needed.iter().rposition(|n| *n).map_or(0, |j| j + 1);

        // Forwards: each stage on its own tape, from a fresh leaf.
        let mut inputs: Vec<Tensor> = Vec::with_capacity(count);
        let mut slopes: Vec<Tensor> = Vec::with_capacity(count);
        for j in 0..count {
            let mut stage = y.clone();
            stage.combine(Some(y), h, row(j), &slopes)?;
            let leaf = Var::from_tensor(&stage)?.into_inner();
            let c = if j < stages { tableau.c[j] } else { 1.0 };
            let time = t + c * h;
            let mut slope = stage;
            self.field
                .eval_with(time, &leaf, leaves, &mut slope)
                .map_err(|source| Error::Field { t: time, step: index, source })?;
            if j == 0 {
                // Once a step is enough to find a control that switches variables.
                parameters.check_complete(&slope, &leaf, time)?;
            }
            inputs.push(leaf);
            slopes.push(slope);
        }

        // Backwards: the cotangent of slope j collects the step, the interpolations and the later
        // stages that used it.
        let mut pulled: Vec<Option<Tensor>> = vec![None; count];
        for j in (0..count).rev() {
            if !needed[j] {
                continue;
            }
            let mut terms: Vec<(f64, &Tensor)> = Vec::new();
            if b(j) != 0.0 {
                terms.push((h * b(j), adjoint));
            }
            for (w, (_, cotangent)) in weights.iter().zip(inside) {
                if w[j] != 0.0 {
                    terms.push((h * w[j], cotangent));
                }
            }
            for (m, g) in pulled.iter().enumerate().skip(j + 1) {
                if let (Some(a), Some(g)) = (row(m).get(j), g)
                    && *a != 0.0
                {
                    terms.push((h * a, g));
                }
            }
            if terms.is_empty() {
                continue;
            }
            let cotangent = linear_combination(None, &terms)?;
            let store = backward_from(&slopes[j..=j], &[cotangent])?;
            parameters.add(&store)?;
            pulled[j] = store.get(&inputs[j]).map(Tensor::detach);
        }
        let mut terms: Vec<(f64, &Tensor)> = inside.iter().map(|(_, ct)| (1.0, *ct)).collect();
        terms.extend(pulled.iter().flatten().map(|g| (1.0, g)));
        Ok(linear_combination(Some(adjoint), &terms)?)
    }
}
