//! The continuous adjoint, solved backwards in time: [`Backsolve`].

use ansatz_core::State;
use ansatz_ops::{backward_from, linear_combination};
use candle_core::Tensor;

use super::{
    Adjoint, NoGradient,
    attach::{Ends, InputGradients, Inputs, Parameters, attach, detached},
    step::Taped,
};
use crate::{
    Controller, Error, ErrorNorm, ExplicitRungeKutta, Judgement, Result, Save, Solution, Solve,
    Status, Trial, VectorField,
    integrate::{Options, Problem, integrate},
    saver::Saver,
    sides::Sides,
    solve::forward,
};

/// The adjoint equation `da/dt = −aᵀ ∂f/∂y` solved backwards beside the state (L. S. Pontryagin
/// 1962; R. T. Q. Chen et al. 2018), with the method and controller of the forward solve.
///
/// Constant memory and no recomputation schedule, but the state is reconstructed by solving
/// backwards, which is unstable for dissipative problems: the gradient agrees with that of the
/// discrete adjoint only to the tolerance of the solve, and not at all for stiff ones. The state
/// is reset at every saved time. Gradients of parameters are integrated but do not enter the error
/// norm (P. Kidger, R. T. Q. Chen, T. Lyons 2021). Cotangents are brought to size 1 first, so that the
/// tolerance means the same for a loss of any size.
///
/// Prefer [`RecursiveCheckpoint`](super::RecursiveCheckpoint).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backsolve;

impl<F, M, C> Adjoint<F, Tensor, M, C> for Backsolve
where
    F: VectorField<Tensor> + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    C::Norm: ErrorNorm<Tensor>,
{
    fn run(mut solve: Solve<F, Tensor, M, C, Self>) -> Result<Solution<Tensor>> {
        let inputs = Inputs::discover(&solve.field, &solve.y0, &solve.span)?;
        if !inputs.is_tracked() {
            return NoGradient::run(solve.adjoint(NoGradient));
        }
        if !solve.options.events.is_empty() {
            return Err(Error::EventsNotDifferentiated { adjoint: "Backsolve" });
        }
        solve.y0 = detached(&solve.y0)?;
        let (solution, _) = forward(&solve, None)?;
        let Solve { field, y0, span, save, method, controller, options, .. } = solve;
        let controller = OnAugmented::new(controller);
        let Options { max_steps, jumps, .. } = options;
        let options = Options { max_steps, jumps, events: Vec::new() };
        let (t_end, y_end) = (solution.t_end, solution.y_end.clone());
        let (ts, ys) = (solution.ts.clone(), solution.ys.clone());
        let ends = Ends::of(&solution, &span, y0, &Sides::new(&options.jumps, &span));
        attach(solution, &save, inputs, move |inputs, cotangents| {
            let rows = &cotangents.rows;
            let parameters = Parameters::new(&inputs.leaves, &inputs.captured);
            let zeros: Vec<Tensor> = inputs
                .leaves
                .iter()
                .chain(&inputs.captured)
                .map(|p| Ok(p.zeros_like()?.detach()))
                .collect::<Result<_>>()?;
            let scale = cotangents.size()?;
            let augmented = AugmentedField { field: &field, inputs, parameters };
            let a = (&cotangents.end / scale)?;
            let mut state = Augmented { y: y_end.clone(), a, g: zeros };
            let mut t = t_end;
            let back_to = |state: &mut Augmented, t: &mut f64, target: f64| -> Result<()> {
                let part = (*t, target).into();
                let problem = Problem {
                    field: &augmented,
                    y0: &*state,
                    span: &part,
                    method: &method,
                    controller: &controller,
                    options: &options,
                };
                let mut nothing = Saver::new(&Save::End, &part, state)?;
                let reached = integrate(&problem, &mut nothing)?;
                if reached.status != Status::Finished {
                    return Err(Error::StepBudgetExhausted {
                        t: reached.t,
                        steps: options.max_steps,
                    });
                }
                *state = reached.y;
                *t = target;
                Ok(())
            };
            for ((&time, y), row) in ts.iter().zip(&ys).zip(rows).rev() {
                if time == span.t0 {
                    break;
                }
                back_to(&mut state, &mut t, time)?;
                state.y = y.clone();
                state.a = linear_combination(Some(&state.a), &[(1.0 / scale, row)])?;
            }
            back_to(&mut state, &mut t, span.t0)?;
            let mut a = (state.a * scale)?;
            let times = ends.gradients(&field, inputs, &a, cotangents)?;
            for (&time, row) in ts.iter().zip(rows) {
                if time == span.t0 {
                    a = linear_combination(Some(&a), &[(1.0, row)])?;
                }
            }
            let parameters = state.g.into_iter().map(|g| Ok(Some((g * scale)?)));
            let parameters = parameters.collect::<Result<_>>()?;
            Ok(InputGradients { y0: a, times, parameters })
        })
    }
}

/// The control of the forward solve, on the augmented state.
#[derive(Clone)]
struct OnAugmented<C, N> {
    controller: C,
    norm: Option<OnBoth<N>>,
}

impl<C, N: Clone> OnAugmented<C, N> {
    fn new<M>(controller: C) -> Self
    where
        C: Controller<M, Norm = N>,
    {
        let norm = controller.norm().cloned().map(OnBoth);
        Self { controller, norm }
    }
}

impl<M, C, N> Controller<M> for OnAugmented<C, N>
where
    C: Controller<M, Norm = N>,
    N: Clone + Send + Sync + 'static,
{
    type Norm = OnBoth<N>;

    fn validate(&self) -> Result<()> {
        self.controller.validate()
    }

    fn norm(&self) -> Option<&OnBoth<N>> {
        self.norm.as_ref()
    }

    fn first_step(&self) -> Option<f64> {
        self.controller.first_step()
    }

    fn max_step(&self) -> f64 {
        self.controller.max_step()
    }

    fn min_step(&self) -> f64 {
        self.controller.min_step()
    }

    fn judge(&self, trial: &Trial) -> Judgement {
        self.controller.judge(trial)
    }
}

/// The root mean square of a norm of the state's error and of the adjoint's.
#[derive(Clone)]
struct OnBoth<N>(N);

impl<N: ErrorNorm<Tensor>> ErrorNorm<Augmented> for OnBoth<N> {
    fn norm(&self, error: &Augmented, p: &Augmented, q: &Augmented) -> Result<f64> {
        let y = self.0.norm(&error.y, &p.y, &q.y)?;
        let a = self.0.norm(&error.a, &p.a, &q.a)?;
        Ok((0.5 * (y * y + a * a)).sqrt())
    }
}

/// State, adjoint and the integral of the parameters' gradients.
#[derive(Clone)]
struct Augmented {
    y: Tensor,
    a: Tensor,
    g: Vec<Tensor>,
}

/// The right-hand side of the augmented system.
struct AugmentedField<'a, F> {
    field: &'a F,
    inputs: &'a Inputs,
    parameters: Parameters,
}

impl<F: VectorField<Tensor>> VectorField<Augmented> for AugmentedField<'_, F> {
    fn eval_into(&self, t: f64, s: &Augmented, ds: &mut Augmented) -> ansatz_core::Result<()> {
        let stage = Taped::evaluate(self.field, t, &s.y, &self.inputs.leaves)?;
        self.parameters.check_complete(&stage, t)?;
        let store = backward_from(std::slice::from_ref(&stage.slope), &[s.a.neg()?])?;
        ds.y = stage.slope.detach();
        ds.a = match store.get(&stage.input) {
            Some(g) => g.detach(),
            None => s.y.zeros_like()?.detach(),
        };
        let parameters = self.inputs.leaves.iter().chain(&self.inputs.captured);
        for (parameter, out) in parameters.zip(&mut ds.g) {
            *out = match store.get(parameter) {
                Some(g) => g.detach(),
                None => parameter.zeros_like()?.detach(),
            };
        }
        Ok(())
    }
}

impl State for Augmented {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> ansatz_core::Result<()> {
        let used: Vec<(f64, &Self)> = coefficients
            .iter()
            .zip(terms)
            .filter(|(c, _)| **c != 0.0)
            .map(|(c, x)| (h * c, x))
            .collect();
        let part = |pick: &dyn Fn(&Self) -> Tensor| -> ansatz_core::Result<Tensor> {
            let owned: Vec<(f64, Tensor)> = used.iter().map(|(c, x)| (*c, pick(x))).collect();
            let terms: Vec<(f64, &Tensor)> = owned.iter().map(|(c, x)| (*c, x)).collect();
            Ok(linear_combination(base.map(pick).as_ref(), &terms)?)
        };
        let y = part(&|s| s.y.clone())?;
        let a = part(&|s| s.a.clone())?;
        let g = (0..self.g.len()).map(|i| part(&|s| s.g[i].clone())).collect::<Result<_, _>>()?;
        *self = Self { y, a, g };
        Ok(())
    }

    fn weighted_rms(&self, p: &Self, q: &Self, rtol: f64, atol: f64) -> ansatz_core::Result<f64> {
        let y = self.y.weighted_rms(&p.y, &q.y, rtol, atol)?;
        let a = self.a.weighted_rms(&p.a, &q.a, rtol, atol)?;
        Ok((0.5 * (y * y + a * a)).sqrt())
    }

    fn all_finite(&self) -> ansatz_core::Result<bool> {
        Ok(self.y.all_finite()? && self.a.all_finite()?)
    }

    fn dimension(&self) -> usize {
        self.y.elem_count() + self.a.elem_count()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> ansatz_core::Result<()> {
        self.y.check_like(what, &other.y)?;
        self.a.check_like(what, &other.a)
    }
}
