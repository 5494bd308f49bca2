//! Setting up and running a solve: [`solve`].

use ansatz_core::State;

use crate::{
    Adaptive, AdaptiveFamily, Controller, DenseOutput, Error, ErrorNorm, Event, FixedStep,
    Interpolates, Method, Result, Save, Solution, Solves, Span,
    adjoint::{Adjoint, DefaultAdjoint, NoGradient},
    integrate::{Options, Problem, check_initial, integrate},
    saver::Saver,
};

/// What a method `M` gives as the solution inside a step.
type InterpolantOf<M, F, Y> = <<M as Solves<F, Y>>::Stepper as Interpolates<Y>>::Interpolant;

/// Starts the description of a solve of `dy/dt = field(t, y)`, `y(t0) = y0`.
///
/// Name a method and how to choose the steps, then run it:
///
/// ```
/// use ansatz_ode::{Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let decay = |_t: f64, y: &[f64; 1]| [-y[0]];
/// let solution = solve(decay, [1.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-8, 1e-8).run()?;
/// assert!((solution.y_end[0] - (-1f64).exp()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
///
/// Tensors are differentiated by [`RecursiveCheckpoint`](crate::RecursiveCheckpoint) unless
/// another adjoint is named; plain numbers carry no gradient.
pub fn solve<F, Y>(
    field: F,
    y0: Y,
    span: impl Into<Span>,
) -> Solve<F, Y, (), (), <Y as DefaultAdjoint>::Adjoint>
where
    Y: DefaultAdjoint,
{
    Solve {
        field,
        y0,
        span: span.into(),
        method: (),
        controller: (),
        save: Save::End,
        options: Options { max_steps: 1_000_000, jumps: Vec::new(), events: Vec::new() },
        adjoint: Default::default(),
    }
}

/// A solve being described; see [`solve`].
#[derive(Debug, Clone)]
#[must_use = "a solve does nothing until `run`"]
#[non_exhaustive]
pub struct Solve<F, Y, M, C, A> {
    /// The right-hand side.
    pub field: F,
    /// The initial state.
    pub y0: Y,
    /// From where to where.
    pub span: Span,
    /// The method, `()` until chosen.
    pub method: M,
    /// The step size control, `()` until chosen.
    pub controller: C,
    /// What is kept.
    pub save: Save,
    /// The smaller settings.
    pub(crate) options: Options<Y>,
    /// How gradients are computed.
    pub adjoint: A,
}

impl<F, Y, C, A> Solve<F, Y, (), C, A> {
    /// Chooses the method.
    pub fn with<M: Method>(self, method: M) -> Solve<F, Y, M, C, A> {
        let Self { field, y0, span, controller, save, options, adjoint, .. } = self;
        Solve { field, y0, span, method, controller, save, options, adjoint }
    }
}

impl<F, Y, M, A> Solve<F, Y, M, (), A> {
    /// Chooses the step size control.
    pub fn controller<C: Controller<M>>(self, controller: C) -> Solve<F, Y, M, C, A> {
        let Self { field, y0, span, method, save, options, adjoint, .. } = self;
        Solve { field, y0, span, method, controller, save, options, adjoint }
    }

    /// Adaptive steps under integral control: an error of about `rtol · |y| + atol` per step.
    pub fn tolerance(
        self,
        rtol: f64,
        atol: f64,
    ) -> Solve<F, Y, M, <M::Family as AdaptiveFamily>::Controller, A>
    where
        M: Adaptive,
        <M::Family as AdaptiveFamily>::Controller: Controller<M>,
    {
        self.controller(M::Family::controller(rtol, atol))
    }

    /// Steps of one length; the last one is shortened to hit the end.
    pub fn step(self, step: f64) -> Solve<F, Y, M, FixedStep, A>
    where
        M: Method,
    {
        self.controller(FixedStep { step })
    }

    /// `count` steps of one length. A count of 0 is an error when the solve is run.
    pub fn steps(self, count: usize) -> Solve<F, Y, M, FixedStep, A>
    where
        M: Method,
    {
        let length = (self.span.t1 - self.span.t0).abs();
        // An empty interval takes no step, whatever its length.
        let step = if length == 0.0 { 1.0 } else { length / count as f64 };
        self.step(step)
    }
}

impl<F, Y, M, C, A> Solve<F, Y, M, C, A> {
    /// Chooses what is kept; the state at the end by default.
    pub fn save(mut self, save: Save) -> Self {
        self.save = save;
        self
    }

    /// Keeps the states at these times: [`Save::Times`].
    pub fn save_at(self, times: impl Into<Vec<f64>>) -> Self {
        self.save(Save::Times(times.into()))
    }

    /// Allows at most this many steps, accepted and rejected together (a million by default). A
    /// solve that needs more returns what it has, with
    /// [`Status::StepBudgetExhausted`](crate::Status::StepBudgetExhausted).
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.options.max_steps = max_steps;
        self
    }

    /// Times at which the field jumps, increasing or decreasing: steps end there, and the next one
    /// starts afresh. Each step sees the field on its own side of the jump, which is never evaluated
    /// at these times themselves; it may be undefined there. Times outside the interval do nothing.
    pub fn jumps(mut self, times: impl Into<Vec<f64>>) -> Self {
        self.options.jumps = times.into();
        self
    }

    /// Adds something that happens when a function of the state crosses zero.
    pub fn event(mut self, event: Event<Y>) -> Self {
        self.options.events.push(event);
        self
    }

    /// Chooses how gradients are computed.
    pub fn adjoint<B>(self, adjoint: B) -> Solve<F, Y, M, C, B> {
        let Self { field, y0, span, method, controller, save, options, .. } = self;
        Solve { field, y0, span, method, controller, save, options, adjoint }
    }
}

impl<F, Y, M, C, A> Solve<F, Y, M, C, A>
where
    Y: State,
    M: Solves<F, Y>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
    A: Adjoint<F, Y, M, C>,
{
    /// Runs the solve to its end, or to an event that ends it.
    ///
    /// # Errors
    /// When an option, a time or the initial state makes no sense; when the field fails or is not
    /// finite; when the step budget runs out, the step size falls below the resolution of time, or
    /// the equations of an implicit step cannot be solved.
    pub fn run(self) -> Result<Solution<Y>> {
        self.run_partial()?.finished()
    }

    /// Runs the solve as far as it goes: what stops it before its end is in
    /// [`Solution::status`], and the solution is what was reached, with the last good state.
    ///
    /// # Errors
    /// As [`run`](Self::run) for what does not even start, and when the field fails.
    pub fn run_partial(self) -> Result<Solution<Y>> {
        self.validate()?;
        A::run(self)
    }
}

impl<F, Y, M, C> Solve<F, Y, M, C, NoGradient>
where
    Y: State,
    M: Solves<F, Y>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
{
    /// Runs the solve and also returns the solution as a function of time.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    #[allow(clippy::type_complexity)] // the pair says what it is
    pub fn run_dense(self) -> Result<(Solution<Y>, DenseOutput<Y, InterpolantOf<M, F, Y>>)> {
        self.validate()?;
        let dense = DenseOutput::new(self.span.t0, self.span.direction(), &self.y0);
        let (solution, dense) = forward(&self, Some(dense))?;
        let solution = solution.finished()?;
        dense.map_or(Err(Error::EmptyState), |d| Ok((solution, d)))
    }
}

impl<F, Y, M, C, A> Solve<F, Y, M, C, A> {
    fn validate(&self) -> Result<()>
    where
        Y: State,
        M: Method,
        C: Controller<M>,
        C::Norm: ErrorNorm<Y>,
    {
        self.span.validate()?;
        self.save.validate(&self.span)?;
        self.controller.validate()?;
        if let Some(norm) = self.controller.norm() {
            norm.validate()?;
        }
        self.options.validate()?;
        check_initial(&self.y0, self.span.t0)
    }

    pub(crate) fn problem(&self) -> Problem<'_, F, Y, M, C> {
        Problem {
            field: &self.field,
            y0: &self.y0,
            span: &self.span,
            method: &self.method,
            controller: &self.controller,
            options: &self.options,
        }
    }
}

/// A solve without gradients.
#[allow(clippy::type_complexity)] // as above
pub(crate) fn forward<F, Y, M, C, A>(
    solve: &Solve<F, Y, M, C, A>,
    dense: Option<DenseOutput<Y, InterpolantOf<M, F, Y>>>,
) -> Result<(Solution<Y>, Option<DenseOutput<Y, InterpolantOf<M, F, Y>>>)>
where
    Y: State,
    M: Solves<F, Y>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
{
    let mut saver = Saver::new(&solve.save, &solve.span, &solve.y0)?;
    saver.dense = dense;
    let reached = integrate(&solve.problem(), &mut saver)?;
    Ok(saver.finish(reached))
}
