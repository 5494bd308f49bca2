//! The discrete adjoint with nothing computed twice: [`Direct`].

use std::cell::RefCell;

use ansatz_ops::variables;
use candle_core::Tensor;

use super::{
    Adjoint,
    attach::{Ends, InputGradients, Inputs, Parameters, argument_leaves, attach, detached},
    crossing::Crossings,
    saves::Saves,
    step::{OfExplicit, StepPlan, Taped, pull_back, through_value},
};
use crate::{
    Controller, ErrorNorm, ExplicitRungeKutta, Result, Save, Solution, Solve, StageInterpolant,
    Stages, VectorField,
    integrate::{Crossed, Observer, Problem, Step, integrate},
    saver::Saver,
    sides::Sides,
};

/// The exact gradient of the discrete solution from tapes kept during the forward solve.
///
/// Gives the gradients of [`RecursiveCheckpoint`](super::RecursiveCheckpoint) without evaluating
/// the field again, in memory that grows with the number of steps times what candle keeps of one
/// evaluation (all activations of a network). Each evaluation has a tape of its own, so that a long
/// solve does not make a deep graph. For short solves of small models; for the others the memory of
/// the recursive checkpoints is worth the second evaluation.
///
/// A variable that the field reads only at some times receives its gradient too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Direct;

/// The field, with each evaluation on a tape that is kept until the step is done.
struct Taping<'a, F> {
    field: &'a F,
    leaves: &'a [Tensor],
    /// With the slope as the solver sees it, detached, by whose identity a tape is found again.
    tapes: &'a RefCell<Vec<(Tensor, Taped)>>,
}

impl<F: VectorField<Tensor>> VectorField<Tensor> for Taping<'_, F> {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> ansatz_core::Result<()> {
        let taped = Taped::evaluate(self.field, t, y, self.leaves)?;
        *dy = taped.slope.detach();
        self.tapes.borrow_mut().push((dy.clone(), taped));
        Ok(())
    }
}

/// Watches the forward solve: saves, tapes of the accepted steps.
struct Watch<'a, M: ExplicitRungeKutta> {
    saver: Saver<'a, Tensor, StageInterpolant<Tensor, M>>,
    tapes: &'a RefCell<Vec<(Tensor, Taped)>>,
    steps: Vec<TapedStep>,
    saves: Saves,
    crossings: Crossings,
}

/// The signed length of a step and its evaluations.
struct TapedStep {
    h: f64,
    stages: Vec<Taped>,
}

impl<M: ExplicitRungeKutta> Observer<Tensor, Stages<Tensor, M>> for Watch<'_, M> {
    fn wants_inside(&self, t1: f64) -> bool {
        self.saver.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, Stages<Tensor, M>>) -> Result<()> {
        let mut tapes = self.tapes.borrow_mut();
        let find = |slope: &Tensor| {
            tapes.iter().find(|(known, _)| known.id() == slope.id()).map(|(_, tape)| tape.clone())
        };
        // Without an end derivative the last entry is of an earlier step, and not read.
        let stages: Vec<Taped> = step.stepper.slopes.iter().map_while(find).collect();
        // The next step begins with the last evaluation of this one; the rest is done with.
        let last = step.stepper.slopes[Stages::<Tensor, M>::last_slope()].id();
        tapes.retain(|(known, _)| known.id() == last);
        self.steps.push(TapedStep { h: step.h, stages });
        self.saver.see(step)?;
        self.saves.note(self.steps.len() - 1, step, &self.saver.ts);
        Ok(())
    }

    fn crossed(&mut self, crossed: &Crossed<'_, Tensor>) -> Result<()> {
        let index = self.steps.len() - 1;
        self.crossings.note(index, crossed, self.steps[index].h);
        self.saver.see_crossed(crossed);
        self.saves.note_changed(index, self.saver.ts.len());
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, M, C> for Direct
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
{
    fn run(solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let leaves = argument_leaves(&solve.field)?;
        let y0 = detached(&solve.y0)?;
        let tapes = RefCell::new(Vec::new());
        let field = Taping { field: &solve.field, leaves: &leaves, tapes: &tapes };
        let saver = Saver::new(&solve.save, &solve.span, &y0)?;
        let saves = Saves::at_start(saver.ts.len());
        let steps = Vec::new();
        let crossings = Crossings::default();
        let mut watch = Watch { saver, tapes: &tapes, steps, saves, crossings };
        let problem = Problem {
            field: &field,
            y0: &y0,
            span: &solve.span,
            method: &solve.method,
            controller: &solve.controller,
            options: &solve.options,
        };
        let reached = integrate(&problem, &mut watch)?;
        let Watch { saver, steps, mut saves, mut crossings, .. } = watch;
        let (solution, _) = saver.finish(reached);
        let changed = crossings.finish(solution.status);
        if solve.save == Save::End {
            saves.note_end(steps.len(), changed);
        }
        let Solve { field, y0: start, span, save, options, .. } = solve;
        let mut inputs = Inputs::found(&field, &start, &span, leaves, reached_by(&steps));
        inputs.also(crossings.variables(&options.events)?);
        if !inputs.is_tracked() {
            return Ok(solution);
        }
        crossings.check(&options.events)?;
        let ends = Ends::of(&solution, &span, y0, &Sides::new(&options.jumps, &span));
        attach(solution, &save, inputs, move |inputs, cotangents| {
            let mut parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let mut adjoint = crossings.at_end(cotangents)?;
            for (i, step) in steps.iter().enumerate().rev() {
                let inside = crossings.of_step(
                    i,
                    &field,
                    &options.events,
                    &saves,
                    cotangents,
                    &mut adjoint,
                    &mut parameters,
                )?;
                let plan = StepPlan::new::<OfExplicit<M>>(&inside);
                let stages = step.stages.get(..plan.count).unwrap_or(&step.stages);
                adjoint = pull_back::<OfExplicit<M>>(
                    step.h,
                    &adjoint,
                    &inside,
                    &plan,
                    stages,
                    &mut parameters,
                    through_value,
                )?;
            }
            let times = ends.gradients(&field, inputs, &adjoint, cotangents)?;
            saves.of_start(&cotangents.rows, &mut adjoint)?;
            Ok(InputGradients { y0: adjoint, times, parameters: parameters.into_sums()? })
        })
    }
}

/// The variables behind the evaluations, without the leaves at which these were made.
fn reached_by(steps: &[TapedStep]) -> Vec<Tensor> {
    let mut found: Vec<Tensor> = Vec::new();
    for stage in steps.iter().flat_map(|step| &step.stages) {
        for v in variables(std::slice::from_ref(&stage.slope)) {
            if v.id() != stage.input.id() && found.iter().all(|f| f.id() != v.id()) {
                found.push(v);
            }
        }
    }
    found
}
