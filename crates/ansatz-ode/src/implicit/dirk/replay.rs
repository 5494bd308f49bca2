//! Steps of diagonally implicit methods made again and differentiated: [`DirkReplay`].
//!
//! A slope `k = f(t, Y)` at the stage `Y = known + γh k` depends on `known` and the parameters by
//! `dk = (I − γh J)⁻¹ (J d known + ∂f/∂p dp)` (implicit function theorem). So a cotangent `κ` of it is
//! pulled back through the evaluation of the field at `Y` like that of an explicit method, after
//! `w = (I − γh Jᵀ)⁻¹ κ` has taken its place.

use ansatz_core::State as _;
use ansatz_linalg::Vector as _;
use ansatz_ops::{backward_from, linear_combination};
use candle_core::{Tensor, backprop::GradStore};

use super::{DiagonallyImplicit, Dirk, stepper::DirkStages};
use crate::{
    Attempt, Error, ImplicitField, Result, Rms, Statistics, Stepper as _, VectorField,
    adjoint::{
        attach::{Parameters, dot},
        replay::{Replay, Replays},
        step::{Inside, Slopes, StepPlan, Taped, pull_back, through_value},
    },
    implicit::{Linearisation, linear::value},
};

impl<M, F> Replays<M, F> for Dirk
where
    M: DiagonallyImplicit,
    F: ImplicitField<Tensor> + VectorField<Tensor>,
{
    type Replay = DirkReplay<M>;

    fn replay(field: &F, like: &Tensor) -> Result<DirkReplay<M>> {
        if field.mass().is_some() {
            let expected = "none in a solve with gradients; use NoGradient for values only";
            return Err(Error::invalid("mass matrix", "one", expected));
        }
        if matches!(field.linearisation(), Linearisation::MatrixFree(_)) {
            let expected = "a matrix in a solve with gradients; use NoGradient for values only";
            return Err(Error::invalid("Jacobian", "products alone", expected));
        }
        Ok(DirkReplay { stages: DirkStages::new(field, like)?, counts: Statistics::default() })
    }
}

/// The slopes of a diagonally implicit method; dense output reads no others.
struct OfDirk<M>(std::marker::PhantomData<M>);

impl<M: DiagonallyImplicit> Slopes for OfDirk<M> {
    fn count() -> usize {
        M::TABLEAU.stages()
    }

    fn row(j: usize) -> &'static [f64] {
        &M::TABLEAU.a[j][..j]
    }

    fn node(j: usize) -> f64 {
        M::TABLEAU.c[j]
    }

    fn weight(j: usize) -> f64 {
        M::TABLEAU.b()[j]
    }

    fn inside(theta: f64, weights: &mut [f64]) {
        M::TABLEAU.dense_weights(theta, weights);
    }
}

/// Steps with their equations solved to rounding.
pub struct DirkReplay<M> {
    stages: DirkStages<Tensor, M>,
    counts: Statistics,
}

/// Corrections of one transposed solve, after which a Jacobian at the stage itself is tried.
const CORRECTIONS: usize = 30;

impl<M: DiagonallyImplicit> DirkReplay<M> {
    /// `(I − γh Jᵀ)⁻¹ κ` for the slope of a stage, pulled back: corrections with the factorisation at
    /// hand, from residuals with the Jacobian of the stage itself.
    fn through<F>(
        &mut self,
        field: &F,
        (t, gamma_h): (f64, f64),
        stage: &Taped,
        cotangent: Tensor,
    ) -> Result<GradStore>
    where
        F: ImplicitField<Tensor>,
    {
        let rounding = 1e3 * cotangent.epsilon();
        let mut found = self.corrected(gamma_h, stage, &cotangent, rounding)?;
        if found.is_none() {
            let linear = &mut self.stages.reuse.linear;
            linear.linearise(field, t, &stage.input, &stage.slope.detach(), &mut self.counts)?;
            linear.factorise(gamma_h, &mut self.counts)?;
            found = self.corrected(gamma_h, stage, &cotangent, rounding)?;
        }
        found.ok_or(Error::NotConverged { t, h: gamma_h, step: self.counts.accepted })
    }

    fn corrected(
        &mut self,
        gamma_h: f64,
        stage: &Taped,
        cotangent: &Tensor,
        rounding: f64,
    ) -> Result<Option<GradStore>> {
        let mut w = cotangent.clone();
        self.stages.reuse.linear.solve_transposed(&mut w)?;
        for _ in 0..CORRECTIONS {
            let store = backward_from(std::slice::from_ref(&stage.slope), &[w.clone()])?;
            // Without a gradient the slope does not depend on the state.
            let Some(pulled) = store.get(&stage.input).map(Tensor::detach) else {
                w = cotangent.clone();
                return Ok(Some(through_value(0, stage, w)?));
            };
            let mut left =
                linear_combination(None, &[(1.0, cotangent), (-1.0, &w), (gamma_h, &pulled)])?;
            let size = dot(&w, &w)?.max(gamma_h * gamma_h * dot(&pulled, &pulled)?);
            let remaining = dot(&left, &left)?;
            if remaining <= rounding * rounding * size {
                return Ok(Some(store));
            }
            if !remaining.is_finite() {
                return Ok(None);
            }
            self.stages.reuse.linear.solve_transposed(&mut left)?;
            w = linear_combination(Some(&w), &[(1.0, &left)])?;
        }
        Ok(None)
    }
}

impl<M, F> Replay<F> for DirkReplay<M>
where
    M: DiagonallyImplicit,
    F: ImplicitField<Tensor> + VectorField<Tensor>,
{
    fn advance(
        &mut self,
        field: &F,
        (t, h): (f64, f64),
        index: usize,
        y: &Tensor,
    ) -> Result<Tensor> {
        self.counts.accepted = index;
        let counts = &mut self.counts;
        value(field, t, y, &mut self.stages.slopes[0], counts)?;
        let mut y_new = y.clone();
        match self.stages.attempt(field, t, h, y, &mut y_new, None::<&Rms>, counts)? {
            Attempt::Made(_) => {}
            Attempt::Failed(_) => return Err(Error::NotConverged { t, h, step: index }),
        }
        self.stages.reuse.accepted(self.stages.newton.slowest);
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
        Replay::<F>::advance(self, field, (t, h), index, y)?;
        let plan = StepPlan::new::<OfDirk<M>>(inside);
        let mut stages: Vec<Taped> = Vec::with_capacity(plan.count);
        for j in 0..plan.count {
            let mut input = y.clone();
            input.combine(Some(y), h, M::TABLEAU.a[j], &self.stages.slopes[..=j])?;
            let time = t + M::TABLEAU.c[j] * h;
            let stage = Taped::evaluate(field, time, &input, leaves)
                .map_err(|source| Error::Field { t: time, step: index, source })?;
            if j == 0 {
                // Once a step is enough to find a control that switches variables.
                parameters.check_complete(&stage, time)?;
            }
            stages.push(stage);
        }
        let gamma_h = M::TABLEAU.gamma() * h;
        pull_back::<OfDirk<M>>(h, adjoint, inside, &plan, &stages, parameters, |j, stage, ct| {
            if j == 0 {
                return through_value(j, stage, ct);
            }
            self.through(field, (t + M::TABLEAU.c[j] * h, gamma_h), stage, ct)
        })
    }
}
