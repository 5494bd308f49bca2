//! The continuous adjoint along the interpolated solution: [`Interpolating`].

use ansatz_ops::{backward_from, linear_combination};
use candle_core::Tensor;

use super::{
    Adjoint, NoGradient,
    attach::{Ends, InputGradients, Inputs, Parameters, attach, detached},
    step::Taped,
    thinned::Thinned,
    times::Times,
};
use crate::{
    Controller, DenseOutput, Error, ErrorNorm, ExplicitRungeKutta, Interpolates as _, Made, Needs,
    Result, Rms, Solution, Solve, StageInterpolant, Stages, Statistics, Status, Stepper as _,
    VectorField,
    integrate::{Crossed, Observer, Options, Problem, Step, integrate},
    saver::Saver,
    sides::Sides,
};

/// The adjoint equation `da/dt = −(∂f/∂y)ᵀ a`, solved backwards along the interpolated solution, with
/// the method and the controller of the forward solve; the gradients of parameters `∫ aᵀ ∂f/∂p dt` by
/// Gauss–Legendre quadrature over its steps (A. Norcliffe, M. P. Deisenroth 2023, *Faster training of
/// neural ODEs using Gauß–Legendre quadrature*, arXiv:2308.10644).
///
/// The solution is not computed backwards, as [`Backsolve`](super::Backsolve) does, so that dissipative
/// problems do no harm; only the linear equation is solved, often in fewer steps than the problem. Some
/// states of the forward solve are kept, and the steps from one to the next computed again when the way
/// back comes there, with their stages: memory for `checkpoints` states, and `stages + 1` of them for
/// each of the steps between two.
///
/// The gradient is that of the continuous problem, to the tolerance of the solve, whatever the size of
/// the loss: cotangents are brought to size 1 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpolating {
    /// Most states kept of the forward solve, at least 1; half as many when there are just too few.
    pub checkpoints: usize,
}

impl Interpolating {
    /// The adjoint with this many checkpoints.
    pub const fn new(checkpoints: usize) -> Self {
        Self { checkpoints }
    }
}

impl Default for Interpolating {
    fn default() -> Self {
        Self::new(64)
    }
}

/// Watches the forward solve.
struct Watch<'a, I> {
    saver: Saver<'a, Tensor, I>,
    times: Times,
    states: Thinned<Tensor>,
}

impl<M: ExplicitRungeKutta> Observer<Tensor, Stages<Tensor, M>>
    for Watch<'_, StageInterpolant<Tensor, M>>
{
    fn wants_inside(&self, t1: f64) -> bool {
        self.saver.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, Stages<Tensor, M>>) -> Result<()> {
        self.states.push(step.y0);
        self.times.push(step.t1);
        self.saver.see(step)
    }

    fn crossed(&mut self, _: &Crossed<'_, Tensor>) -> Result<()> {
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, M, C> for Interpolating
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
{
    fn run(mut solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let states = Thinned::new(solve.adjoint.checkpoints)?;
        let inputs = Inputs::discover(&solve.field, &solve.y0, &solve.span)?;
        if !inputs.is_tracked() {
            return NoGradient::run(solve.adjoint(NoGradient));
        }
        if !solve.options.events.is_empty() {
            return Err(Error::EventsNotDifferentiated { adjoint: "Interpolating" });
        }
        solve.y0 = detached(&solve.y0)?;
        let saver = Saver::new(&solve.save, &solve.span, &solve.y0)?;
        let sides = Sides::new(&solve.options.jumps, &solve.span);
        let times = Times::starting_at(solve.span.t0, sides);
        let mut watch = Watch { saver, times, states };
        let reached = integrate(&solve.problem(), &mut watch)?;
        let Watch { saver, times, states } = watch;
        let (solution, _) = saver.finish(reached);
        let Solve { field, y0, span, save, method, controller, options, .. } = solve;
        let ends = Ends::of(&solution, &span, y0, &times.sides);
        let ts = solution.ts.clone();
        attach(solution, &save, inputs, move |inputs, cotangents| {
            let scale = cotangents.size()?;
            let mut back = Back {
                field: &field,
                inputs,
                method: &method,
                controller: &controller,
                options: &options,
                parameters: Parameters::new(&inputs.leaves, &inputs.captured),
                a: (&cotangents.end / scale)?,
            };
            let direction = span.direction();
            let mut waiting: Vec<(f64, &Tensor)> =
                ts.iter().copied().zip(&cotangents.rows).collect();
            let mut t = times.at(times.steps());
            for (first, end, y) in states.stretches(times.steps()).rev() {
                let dense = again::<F, M>(&field, &times, first..end, y)?;
                let start = times.at(first);
                while let Some((time, row)) =
                    waiting.pop_if(|(time, _)| (*time - start) * direction > 0.0)
                {
                    back.solve(&dense, t, time)?;
                    t = time;
                    back.a = linear_combination(Some(&back.a), &[(1.0 / scale, row)])?;
                }
                back.solve(&dense, t, start)?;
                t = start;
            }
            let mut adjoint = (&back.a * scale)?;
            let times = ends.gradients(&field, inputs, &adjoint, cotangents)?;
            for (_, row) in waiting {
                adjoint = linear_combination(Some(&adjoint), &[(1.0, row)])?;
            }
            let sums = back.parameters.into_sums()?.into_iter();
            let parameters = sums.map(|sum| Ok(sum.map(|s| s * scale).transpose()?));
            let parameters = parameters.collect::<Result<_>>()?;
            Ok(InputGradients { y0: adjoint, times, parameters })
        })
    }
}

/// The solution over some steps, made again from the state before them.
fn again<F: VectorField<Tensor>, M: ExplicitRungeKutta>(
    field: &F,
    times: &Times,
    steps: std::ops::Range<usize>,
    y: &Tensor,
) -> Result<DenseOutput<Tensor, StageInterpolant<Tensor, M>>> {
    let direction = if times.at(steps.end) < times.at(steps.start) { -1.0 } else { 1.0 };
    let mut dense = DenseOutput::new(times.at(steps.start), direction, y);
    let mut stages = Stages::<Tensor, M>::new(y);
    let mut counts = Statistics::default();
    let (mut y, mut y_new) = (y.clone(), y.clone());
    for index in steps {
        counts.accepted = index;
        let (t, h) = times.step(index);
        stages.restart(field, t, &y, &mut counts)?;
        stages.attempt(field, t, h, &y, &mut y_new, None::<&Rms>, &mut counts)?;
        let made = Made { t0: t, y0: &y, t: t + h, y: &y_new };
        let needs = Needs { next: false, inside: true };
        stages.complete(field, &made, needs, &mut counts)?;
        dense.push(times.at(index), h, times.at(index + 1), stages.interpolant(&y, &y_new));
        std::mem::swap(&mut y, &mut y_new);
    }
    Ok(dense)
}

/// The adjoint equation on its way back.
struct Back<'a, F, M, C> {
    field: &'a F,
    inputs: &'a Inputs,
    method: &'a M,
    controller: &'a C,
    options: &'a Options<Tensor>,
    parameters: Parameters,
    a: Tensor,
}

impl<F, M, C> Back<'_, F, M, C>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
{
    /// From `t` back to `target`, which `along` covers.
    fn solve(
        &mut self,
        along: &DenseOutput<Tensor, StageInterpolant<Tensor, M>>,
        t: f64,
        target: f64,
    ) -> Result<()> {
        if t == target {
            return Ok(());
        }
        let field = AdjointField { field: self.field, leaves: &self.inputs.leaves, along };
        let wanted = !self.inputs.leaves.is_empty() || !self.inputs.captured.is_empty();
        let mut quadrature = Quadrature { field: &field, parameters: &mut self.parameters, wanted };
        let span = (t, target).into();
        let reached = integrate(
            &Problem {
                field: &field,
                y0: &self.a,
                span: &span,
                method: self.method,
                controller: self.controller,
                options: self.options,
            },
            &mut quadrature,
        )?;
        if reached.status != Status::Finished {
            let steps = reached.statistics.attempted();
            return Err(Error::StepBudgetExhausted { t: reached.t, steps });
        }
        self.a = reached.y;
        Ok(())
    }
}

/// `−(∂f/∂y)ᵀ a` along a solution.
struct AdjointField<'a, F, I> {
    field: &'a F,
    leaves: &'a [Tensor],
    along: &'a DenseOutput<Tensor, I>,
}

impl<F, M> AdjointField<'_, F, StageInterpolant<Tensor, M>>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
{
    fn taped(&self, t: f64) -> Result<Taped> {
        let (start, end) = self.along.interval();
        // Off a jump the time is a rounding outside.
        let inside = t.clamp(start.min(end), start.max(end));
        let y = self.along.at(inside)?;
        Taped::evaluate(self.field, t, &y, self.leaves).map_err(|source| Error::Field {
            t,
            step: 0,
            source,
        })
    }
}

impl<F, M> VectorField<Tensor> for AdjointField<'_, F, StageInterpolant<Tensor, M>>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
{
    fn eval_into(&self, t: f64, a: &Tensor, da: &mut Tensor) -> ansatz_core::Result<()> {
        let stage = self.taped(t)?;
        let store = backward_from(std::slice::from_ref(&stage.slope), &[a.neg()?])?;
        *da = match store.get(&stage.input) {
            Some(g) => g.detach(),
            None => a.zeros_like()?.detach(),
        };
        Ok(())
    }
}

/// Adds up the gradients of parameters over the steps of the adjoint equation.
struct Quadrature<'a, G> {
    field: &'a G,
    parameters: &'a mut Parameters,
    /// Whether there are any.
    wanted: bool,
}

/// Nodes and weights on [−1, 1], exact for polynomials of degree 5 and 9 (C. F. Gauss 1814).
const THREE: [(f64, f64); 3] =
    [(-0.774596669241483377, 5.0 / 9.0), (0.0, 8.0 / 9.0), (0.774596669241483377, 5.0 / 9.0)];
const FIVE: [(f64, f64); 5] = [
    (-0.906179845938663993, 0.236926885056189088),
    (-0.538469310105683091, 0.478628670499366468),
    (0.0, 0.568888888888888889),
    (0.538469310105683091, 0.478628670499366468),
    (0.906179845938663993, 0.236926885056189088),
];

impl<F, M> Observer<Tensor, Stages<Tensor, M>>
    for Quadrature<'_, AdjointField<'_, F, StageInterpolant<Tensor, M>>>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
{
    fn wants_inside(&self, _: f64) -> bool {
        self.wanted
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, Stages<Tensor, M>>) -> Result<()> {
        if !self.wanted {
            return Ok(());
        }
        let rule: &[(f64, f64)] = if M::TABLEAU.order <= 5 { &THREE } else { &FIVE };
        for (node, weight) in rule {
            let t = step.t0 + 0.5 * (1.0 + node) * step.h;
            let stage = self.field.taped(t)?;
            self.parameters.check_complete(&stage, t)?;
            // The step goes backwards, the integral forwards.
            let cotangent = (step.at(t)? * (-0.5 * weight * step.h))?;
            let store = backward_from(std::slice::from_ref(&stage.slope), &[cotangent])?;
            self.parameters.add(&store)?;
        }
        Ok(())
    }

    fn crossed(&mut self, _: &Crossed<'_, Tensor>) -> Result<()> {
        Ok(())
    }
}
