//! The discrete adjoint by undoing steps: [`ReversibleAdjoint`].

use ansatz_core::State as _;
use ansatz_ops::linear_combination;
use candle_core::{DType, Tensor};

use super::{Reversible, ReversibleStages};
use crate::{
    Controller, Error, ErrorNorm, ExplicitRungeKutta, HermiteInterpolant, NoGradient, Result, Save,
    Solution, Solve, VectorField,
    adjoint::{
        Adjoint,
        attach::{Ends, InputGradients, Inputs, Parameters, attach, detached},
        saves::Saves,
        step::{Inside, OfExplicit, Slopes, StepPlan, Taped, pull_back, through_value},
        times::Times,
    },
    integrate::{Crossed, Observer, Step, integrate},
    saver::Saver,
    sides::Sides,
};

/// The exact gradient of the discrete solution of a [`Reversible`] method: the states are computed
/// backwards, step by step, as they were forwards.
///
/// Nothing is recomputed more than once, and little is kept: the times of the steps (8 bytes a step) and
/// both states now and then. On the way back rounding errors grow by `1/λ` a step, so that states are
/// kept as often as they would grow a thousandfold (tenfold in f32): with `λ = 0.999` every 6,900 (2,300)
/// steps.
///
/// Gradients flow as with [`RecursiveCheckpoint`](crate::RecursiveCheckpoint), but not through events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReversibleAdjoint;

/// By how much rounding errors may grow on the way back: a number of 32 bits has few digits to lose.
fn growth(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e3 } else { 10.0 }
}

/// Both states after some steps.
#[derive(Clone)]
struct Anchor {
    steps: usize,
    y: Tensor,
    z: Tensor,
    /// The solve went on from `y` alone.
    restart: bool,
}

/// Watches the forward solve.
struct Watch<'a> {
    saver: Saver<'a, Tensor, HermiteInterpolant<Tensor>>,
    times: Times,
    saves: Saves,
    anchors: Vec<Anchor>,
    last: Option<(Tensor, Tensor)>,
    every: usize,
}

impl<M: ExplicitRungeKutta> Observer<Tensor, ReversibleStages<Tensor, M>> for Watch<'_> {
    fn wants_inside(&self, t1: f64) -> bool {
        self.saver.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Tensor, ReversibleStages<Tensor, M>>) -> Result<()> {
        let (index, restart) = (self.times.steps(), step.stepper.first);
        if let Some((y, z)) = self.last.take()
            && (restart || index.is_multiple_of(self.every))
        {
            self.anchors.push(Anchor { steps: index, y, z, restart });
        }
        self.times.push(step.t1);
        self.saver.see(step)?;
        self.saves.note(index, step, &self.saver.ts);
        self.last = Some((step.y1.clone(), step.stepper.z_new.clone()));
        Ok(())
    }

    fn crossed(&mut self, _: &Crossed<'_, Tensor>) -> Result<()> {
        Ok(())
    }
}

impl<F, M, C> Adjoint<F, Tensor, Reversible<M>, C> for ReversibleAdjoint
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<Reversible<M>>,
    C::Norm: ErrorNorm<Tensor>,
{
    fn run(mut solve: Solve<F, Tensor, Reversible<M>, C, Self>) -> Result<Solution<Tensor>> {
        let inputs = Inputs::discover(&solve.field, &solve.y0, &solve.span)?;
        if !inputs.is_tracked() {
            return NoGradient::run(solve.adjoint(NoGradient));
        }
        if !solve.options.events.is_empty() {
            return Err(Error::EventsNotDifferentiated { adjoint: "ReversibleAdjoint" });
        }
        solve.y0 = detached(&solve.y0)?;
        let coupling = solve.method.coupling;
        let saver = Saver::new(&solve.save, &solve.span, &solve.y0)?;
        let saves = Saves::at_start(saver.ts.len());
        let sides = Sides::new(&solve.options.jumps, &solve.span);
        let times = Times::starting_at(solve.span.t0, sides);
        // Infinite without damping; the conversion then gives the largest number.
        let growth = growth(solve.y0.dtype());
        let every = (growth.ln() / coupling.recip().ln()).max(1.0) as usize;
        let mut watch = Watch { saver, times, saves, anchors: Vec::new(), last: None, every };
        let reached = integrate(&solve.problem(), &mut watch)?;
        let Watch { saver, times, mut saves, anchors, last, .. } = watch;
        let (solution, _) = saver.finish(reached);
        if solve.save == Save::End {
            saves.note_end(times.steps(), false);
        }
        let Solve { field, y0, span, save, .. } = solve;
        let ends = Ends::of(&solution, &span, y0, &times.sides);
        attach(solution, &save, inputs, move |inputs, cotangents| {
            let mut parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let mut of_y = cotangents.end.clone();
            let mut of_z = of_y.zeros_like()?;
            let mut anchors = anchors.iter().rev().peekable();
            let (mut y, mut z) = last.clone().unwrap_or_else(|| (of_y.clone(), of_z.clone()));
            for i in (0..times.steps()).rev() {
                if let Some(anchor) = anchors.next_if(|a| a.steps == i + 1) {
                    (y, z) = (anchor.y.clone(), anchor.z.clone());
                    if anchor.restart {
                        of_y = sum(&[(1.0, &of_y), (1.0, &of_z)])?;
                        of_z = of_z.zeros_like()?;
                    }
                }
                let inside = saves.of_step(i, &cotangents.rows, &mut of_y)?;
                let back = Back::<F, M> {
                    field: &field,
                    leaves: &inputs.leaves,
                    step: times.step(i),
                    index: i,
                    coupling,
                    method: std::marker::PhantomData,
                };
                [y, z, of_y, of_z] = back.undo([&y, &z, &of_y, &of_z], &inside, &mut parameters)?;
            }
            let mut adjoint = sum(&[(1.0, &of_y), (1.0, &of_z)])?;
            let times = ends.gradients(&field, inputs, &adjoint, cotangents)?;
            saves.of_start(&cotangents.rows, &mut adjoint)?;
            Ok(InputGradients { y0: adjoint, times, parameters: parameters.into_sums()? })
        })
    }
}

fn sum(terms: &[(f64, &Tensor)]) -> Result<Tensor> {
    Ok(linear_combination(None, terms)?)
}

/// One step to be undone.
struct Back<'a, F, M> {
    field: &'a F,
    leaves: &'a [Tensor],
    step: (f64, f64),
    index: usize,
    coupling: f64,
    method: std::marker::PhantomData<M>,
}

/// Hermite's weight of the slope at the start of an increment: `theta` is the distance from there.
fn slope_weight(theta: f64) -> f64 {
    theta * (1.0 - theta) * (1.0 - theta)
}

/// The slopes of one increment; states inside the step read the first of them.
struct OfIncrement<M>(std::marker::PhantomData<M>);

impl<M: ExplicitRungeKutta> Slopes for OfIncrement<M> {
    fn count() -> usize {
        M::TABLEAU.stages() - usize::from(M::TABLEAU.first_same_as_last())
    }

    fn row(j: usize) -> &'static [f64] {
        M::TABLEAU.a[j]
    }

    fn node(j: usize) -> f64 {
        M::TABLEAU.c[j]
    }

    fn weight(j: usize) -> f64 {
        M::TABLEAU.b[j]
    }

    fn inside(theta: f64, weights: &mut [f64]) {
        weights[0] = slope_weight(theta);
    }
}

/// `(∂Ψ/∂y)ᵀ a`, and what states inside owe to the first slope.
fn pull_increment<M: ExplicitRungeKutta>(
    h: f64,
    stages: &[Taped],
    adjoint: &Tensor,
    inside: &[Inside<'_>],
    parameters: &mut Parameters,
) -> Result<Tensor> {
    let plan = StepPlan::new::<OfIncrement<M>>(inside);
    let stages = &stages[..plan.count];
    let pulled =
        pull_back::<OfIncrement<M>>(h, adjoint, inside, &plan, stages, parameters, through_value)?;
    // That of a whole step, where the state itself counts as well.
    let mut terms = vec![(1.0, &pulled), (-1.0, adjoint)];
    terms.extend(inside.iter().map(|(_, cotangent)| (-1.0, *cotangent)));
    sum(&terms)
}

impl<F, M> Back<'_, F, M>
where
    F: VectorField<Tensor>,
    M: ExplicitRungeKutta,
{
    /// The evaluations of the increment from `y` at `t`, on tapes, and the increment.
    fn increment(&self, t: f64, h: f64, y: &Tensor) -> Result<(Vec<Taped>, Tensor)> {
        let count = OfIncrement::<M>::count();
        let mut stages: Vec<Taped> = Vec::with_capacity(count);
        let mut slopes: Vec<Tensor> = Vec::with_capacity(count);
        for j in 0..count {
            let mut input = y.clone();
            input.combine(Some(y), h, OfExplicit::<M>::row(j), &slopes)?;
            let time = t + OfExplicit::<M>::node(j) * h;
            let stage = Taped::evaluate(self.field, time, &input, self.leaves)
                .map_err(|source| Error::Field { t: time, step: self.index, source })?;
            slopes.push(stage.slope.detach());
            stages.push(stage);
        }
        let mut increment = y.clone();
        increment.combine(None, h, &M::TABLEAU.b[..count], &slopes)?;
        Ok((stages, increment))
    }

    /// States before the step from those after it, with their cotangents.
    fn undo(
        &self,
        [y1, z1, of_y1, of_z1]: [&Tensor; 4],
        inside: &[Inside<'_>],
        parameters: &mut Parameters,
    ) -> Result<[Tensor; 4]> {
        let ((t, h), coupling) = (self.step, self.coupling);
        let (back, fell) = self.increment(t + h, -h, y1)?;
        parameters.check_complete(&back[0], t + h)?;
        let z = sum(&[(1.0, z1), (1.0, &fell)])?;
        let (forth, rose) = self.increment(t, h, &z)?;
        let part = (coupling - 1.0) / coupling;
        let y = sum(&[(1.0 / coupling, y1), (part, &z), (-1.0 / coupling, &rose)])?;

        // What states inside owe to the state after the step, to its slope and to the slope before.
        let mut of_y1 = of_y1.clone();
        let mut of_y = of_y1.zeros_like()?;
        let mut from_end: Vec<Inside<'_>> = Vec::with_capacity(inside.len());
        for (theta, cotangent) in inside {
            let after = theta * theta * (3.0 - 2.0 * theta);
            of_y1 = sum(&[(1.0, &of_y1), (after, cotangent)])?;
            of_y = sum(&[(1.0, &of_y), (1.0 - after, cotangent)])?;
            from_end.push((1.0 - theta, cotangent));
        }
        // z₁ = z₀ − Ψ₋ₕ(t₁, y₁).
        let minus = of_z1.neg()?;
        let pulled = pull_increment::<M>(-h, &back, &minus, &from_end, parameters)?;
        of_y1 = sum(&[(1.0, &of_y1), (1.0, &pulled)])?;
        // y₁ = λ y₀ + (1 − λ) z₀ + Ψ_h(t₀, z₀).
        let pulled = pull_increment::<M>(h, &forth, &of_y1, inside, parameters)?;
        let of_z = sum(&[(1.0, of_z1), (1.0 - coupling, &of_y1), (1.0, &pulled)])?;
        of_y = sum(&[(1.0, &of_y), (coupling, &of_y1)])?;
        Ok([y, z, of_y, of_z])
    }
}
