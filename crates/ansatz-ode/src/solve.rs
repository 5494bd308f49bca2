//! Setting up and running a solve: [`solve`].

use ansatz_core::State;

use crate::{
    Adaptive, Controller, DenseOutput, Error, ExplicitRungeKutta, FixedStep, Pid, Result, Save,
    Solution, Span, VectorField,
    adjoint::{Adjoint, DefaultAdjoint, NoGradient},
    integrate::{Problem, Saver, check_initial, integrate},
};

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
    F: VectorField<Y>,
    Y: DefaultAdjoint,
{
    Solve {
        field,
        y0,
        span: span.into(),
        method: (),
        controller: (),
        save: Save::End,
        max_steps: 1_000_000,
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
    /// Most steps, accepted and rejected together.
    pub max_steps: usize,
    /// How gradients are computed.
    pub adjoint: A,
}

impl<F, Y, C, A> Solve<F, Y, (), C, A> {
    /// Chooses the method.
    pub fn with<M: ExplicitRungeKutta>(self, method: M) -> Solve<F, Y, M, C, A> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        let Self { field, y0, span, controller, save, max_steps, adjoint, .. } = self;
        Solve { field, y0, span, method, controller, save, max_steps, adjoint }
    }
}

impl<F, Y, M, A> Solve<F, Y, M, (), A> {
    /// Chooses the step size control.
    pub fn controller<C: Controller<M>>(self, controller: C) -> Solve<F, Y, M, C, A> {
        let Self { field, y0, span, method, save, max_steps, adjoint, .. } = self;
        Solve { field, y0, span, method, controller, save, max_steps, adjoint }
    }

    /// Adaptive steps under integral control: an error of about `rtol · |y| + atol` per step.
    pub fn tolerance(self, rtol: f64, atol: f64) -> Solve<F, Y, M, Pid, A>
    where
        M: Adaptive,
    {
        self.controller(Pid::i(rtol, atol))
    }

    /// Steps of one length; the last one is shortened to hit the end.
    pub fn step(self, step: f64) -> Solve<F, Y, M, FixedStep, A>
    where
        M: ExplicitRungeKutta,
    {
        self.controller(FixedStep { step })
    }

    /// `count` steps of one length. A count of 0 is an error when the solve is run.
    pub fn steps(self, count: usize) -> Solve<F, Y, M, FixedStep, A>
    where
        M: ExplicitRungeKutta,
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
        self.max_steps = max_steps;
        self
    }

    /// Chooses how gradients are computed.
    pub fn adjoint<B>(self, adjoint: B) -> Solve<F, Y, M, C, B> {
        let Self { field, y0, span, method, controller, save, max_steps, .. } = self;
        Solve { field, y0, span, method, controller, save, max_steps, adjoint }
    }
}

impl<F, Y, M, C, A> Solve<F, Y, M, C, A>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
    C: Controller<M>,
    A: Adjoint<F, Y, M, C>,
{
    /// Runs the solve.
    ///
    /// # Errors
    /// When an option, a time or the initial state makes no sense; when the field fails or is not
    /// finite; when the step size falls below the resolution of time.
    pub fn run(self) -> Result<Solution<Y>> {
        self.validate()?;
        A::run(self)
    }
}

impl<F, Y, M, C> Solve<F, Y, M, C, NoGradient>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    /// Runs the solve and also returns the solution as a function of time.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_dense(self) -> Result<(Solution<Y>, DenseOutput<Y, M>)> {
        self.validate()?;
        let dense = DenseOutput::new(self.span.t0, self.span.direction(), &self.y0);
        let (solution, dense) = forward(&self, Some(dense))?;
        dense.map_or(Err(Error::EmptyState), |d| Ok((solution, d)))
    }
}

impl<F, Y, M, C, A> Solve<F, Y, M, C, A>
where
    Y: State,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    fn validate(&self) -> Result<()> {
        self.span.validate()?;
        self.save.validate(&self.span)?;
        self.controller.validate()?;
        check_initial(&self.y0, self.span.t0)
    }

    pub(crate) fn problem(&self) -> Problem<'_, F, Y> {
        Problem { field: &self.field, y0: &self.y0, span: &self.span, max_steps: self.max_steps }
    }
}

/// A solve without gradients.
pub(crate) fn forward<F, Y, M, C, A>(
    solve: &Solve<F, Y, M, C, A>,
    dense: Option<DenseOutput<Y, M>>,
) -> Result<(Solution<Y>, Option<DenseOutput<Y, M>>)>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    let mut saver = Saver::<Y, M>::new(&solve.save, &solve.span, &solve.y0)?;
    saver.dense = dense;
    let reached = integrate::<F, Y, M, C>(&solve.problem(), &solve.controller, &mut saver)?;
    saver.finish(reached.t, &reached.y);
    let solution = Solution {
        ts: saver.ts,
        ys: saver.ys,
        t_end: reached.t,
        y_end: reached.y,
        status: reached.status,
        statistics: reached.statistics,
    };
    Ok((solution, saver.dense))
}
