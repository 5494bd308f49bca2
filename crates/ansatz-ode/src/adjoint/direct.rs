//! The discrete adjoint with nothing computed twice: [`Direct`].

use std::cell::RefCell;

use ansatz_ops::variables;
use candle_core::Tensor;

use super::{
    Adjoint,
    attach::{Ends, InputGradients, Inputs, Parameters, argument_leaves, attach, detached},
    saves::Saves,
    step::{StepPlan, Taped, pull_back},
};
use crate::{
    Controller, ExplicitRungeKutta, Result, Save, Solution, Solve, VectorField,
    integrate::{Observer, Problem, Saver, Step, integrate},
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
struct Watch<'a, M> {
    saver: Saver<'a, Tensor, M>,
    tapes: &'a RefCell<Vec<(Tensor, Taped)>>,
    steps: Vec<TapedStep>,
    saves: Saves,
}

/// The signed length of a step and its evaluations.
struct TapedStep {
    h: f64,
    stages: Vec<Taped>,
}

impl<M: ExplicitRungeKutta> Observer<Tensor> for Watch<'_, M> {
    fn wants_end_derivative(&self, t1: f64) -> bool {
        self.saver.wants_end_derivative(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor>) -> Result<()> {
        let mut tapes = self.tapes.borrow_mut();
        let find = |slope: &Tensor| {
            tapes.iter().find(|(known, _)| known.id() == slope.id()).map(|(_, tape)| tape.clone())
        };
        // Without an end derivative the last entry is of an earlier step, and not read.
        let stages: Vec<Taped> = step.stages.iter().map_while(find).collect();
        // The next step begins with the last evaluation of this one; the rest is done with.
        let tableau = &M::TABLEAU;
        let last = tableau.stages() - usize::from(tableau.first_same_as_last());
        let last = step.stages[last].id();
        tapes.retain(|(known, _)| known.id() == last);
        self.steps.push(TapedStep { h: step.h, stages });
        self.saver.accepted(step)?;
        self.saves.note(self.steps.len() - 1, step, &self.saver.ts);
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, M, C> for Direct
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    fn run(solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let leaves = argument_leaves(&solve.field)?;
        let y0 = detached(&solve.y0)?;
        let tapes = RefCell::new(Vec::new());
        let field = Taping { field: &solve.field, leaves: &leaves, tapes: &tapes };
        let saver = Saver::<Tensor, M>::new(&solve.save, &solve.span, &y0)?;
        let saves = Saves::at_start(saver.ts.len());
        let mut watch = Watch { saver, tapes: &tapes, steps: Vec::new(), saves };
        let problem =
            Problem { field: &field, y0: &y0, span: &solve.span, max_steps: solve.max_steps };
        let reached = integrate::<_, Tensor, M, C>(&problem, &solve.controller, &mut watch)?;
        watch.saver.finish(reached.t, &reached.y);
        let Watch { saver, steps, mut saves, .. } = watch;
        if solve.save == Save::End {
            saves.note_end(steps.len());
        }
        let solution = Solution {
            ts: saver.ts,
            ys: saver.ys,
            t_end: reached.t,
            y_end: reached.y,
            status: reached.status,
            statistics: reached.statistics,
        };
        let Solve { field, y0: start, span, save, .. } = solve;
        let Some(inputs) = Inputs::found(&field, &start, &span, leaves, reached_by(&steps)) else {
            return Ok(solution);
        };
        let ends = Ends::of(&solution, &span, y0);
        attach(solution, &save, inputs, move |inputs, rows, end| {
            let mut parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let mut adjoint = end.clone();
            for (i, step) in steps.iter().enumerate().rev() {
                let inside = saves.of_step(i, rows, &mut adjoint)?;
                let plan = StepPlan::new::<M>(&inside);
                let stages = step.stages.get(..plan.count).unwrap_or(&step.stages);
                adjoint =
                    pull_back::<M>(step.h, &adjoint, &inside, &plan, stages, &mut parameters)?;
            }
            let times = ends.gradients(&field, inputs, &adjoint, rows, end)?;
            saves.of_start(rows, &mut adjoint)?;
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
