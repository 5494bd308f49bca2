//! Steps that can be made again and differentiated: [`Replays`].

use std::marker::PhantomData;

use ansatz_core::State;
use candle_core::Tensor;

use super::{
    attach::Parameters,
    step::{Inside, OfExplicit, Slopes, StepPlan, Taped, pull_back, through_value},
};
use crate::{
    Error, Explicit, ExplicitRungeKutta, Result, Stages, Statistics, VectorField,
    explicit::run_stages, field::evaluate,
};

/// A family whose members `M` can make steps of problems with the field `F` again and differentiate
/// them.
#[diagnostic::on_unimplemented(
    message = "gradients through methods of the kind `{Self}` are not known",
    note = "explicit and diagonally implicit methods have gradients; name the adjoint `NoGradient` \
            for values only"
)]
pub trait Replays<M, F> {
    /// What makes the steps.
    type Replay: Replay<F>;

    /// Room for steps of states like `like`.
    ///
    /// # Errors
    /// When the problem's parts make no sense.
    fn replay(field: &F, like: &Tensor) -> Result<Self::Replay>;
}

/// Makes single steps again and differentiates them.
pub trait Replay<F> {
    /// The state after the step of signed length `h` from `y` at `t`.
    ///
    /// # Errors
    /// When the field fails.
    fn advance(&mut self, field: &F, step: (f64, f64), index: usize, y: &Tensor) -> Result<Tensor>;

    /// The cotangent of `y` from that of the state after the step and those of states inside; adds to
    /// the gradients of parameters.
    ///
    /// # Errors
    /// When the field fails or cannot be differentiated.
    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename them
    fn step_vjp(
        &mut self,
        field: &F,
        step: (f64, f64),
        index: usize,
        y: &Tensor,
        adjoint: &Tensor,
        inside: &[Inside<'_>],
        leaves: &[Tensor],
        parameters: &mut Parameters,
    ) -> Result<Tensor>;
}

impl<M: ExplicitRungeKutta, F: VectorField<Tensor>> Replays<M, F> for Explicit {
    type Replay = ExplicitReplay<M>;

    fn replay(_: &F, _: &Tensor) -> Result<ExplicitReplay<M>> {
        Ok(ExplicitReplay(PhantomData))
    }
}

/// Steps of an explicit method, the same to the last bit.
pub struct ExplicitReplay<M>(PhantomData<M>);

impl<M: ExplicitRungeKutta, F: VectorField<Tensor>> Replay<F> for ExplicitReplay<M> {
    fn advance(
        &mut self,
        field: &F,
        (t, h): (f64, f64),
        index: usize,
        y: &Tensor,
    ) -> Result<Tensor> {
        let tableau = &M::TABLEAU;
        let fsal = tableau.first_same_as_last();
        let stages = tableau.stages() - usize::from(fsal);
        let mut work = Stages::<Tensor, M>::new(y);
        let mut counts = Statistics { accepted: index, ..Statistics::default() };
        evaluate(field, t, y, &mut work.slopes[0], &mut counts)?;
        run_stages(field, t, h, y, &mut work, stages, &mut counts)?;
        let mut y_new = y.clone();
        y_new.combine(Some(y), h, &tableau.b[..stages], &work.slopes[..stages])?;
        Ok(y_new)
    }

    fn step_vjp(
        &mut self,
        field: &F,
        (t, h): (f64, f64),
        index: usize,
        y: &Tensor,
        adjoint: &Tensor,
        inside: &[Inside<'_>],
        leaves: &[Tensor],
        parameters: &mut Parameters,
    ) -> Result<Tensor> {
        type Rows<M> = OfExplicit<M>;
        let plan = StepPlan::new::<Rows<M>>(inside);
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
            input.combine(Some(y), h, Rows::<M>::row(j), &slopes)?;
            let time = t + Rows::<M>::node(j) * h;
            let stage = Taped::evaluate(field, time, &input, leaves)
                .map_err(|source| Error::Field { t: time, step: index, source })?;
            if j == 0 {
                // Once a step is enough to find a control that switches variables.
                parameters.check_complete(&stage, time)?;
            }
            slopes.push(stage.slope.detach());
            stages.push(stage);
        }
        pull_back::<Rows<M>>(h, adjoint, inside, &plan, &stages, parameters, through_value)
    }
}
