//! How a method takes steps: [`Method`], [`Family`], [`Stepper`].

use crate::{Controller, ErrorNorm, Judgement, Result, Span, Statistics, Trial};

/// A method by its name: `Tsit5`, `Kvaerno5`, `Bdf`.
///
/// What it needs of the problem follows from its [`Family`]; a method and a problem that do not fit
/// do not compile.
pub trait Method: Clone + Send + Sync + 'static {
    /// What kind of method it is.
    type Family;
}

/// A method with an error estimate, fit for adaptive steps.
pub trait Adaptive: Method<Family: AdaptiveFamily> {}

/// A kind of method whose members may estimate their error.
pub trait AdaptiveFamily {
    /// The control of the step size that suits them.
    type Controller;

    /// That control with an error of about `rtol · |y| + atol` per step.
    fn controller(rtol: f64, atol: f64) -> Self::Controller;
}

/// A kind of method: how its members `M` step through problems of `F` and `Y`.
pub trait Family<M, F, Y> {
    /// A method at work.
    type Stepper: Stepper<F, Y>;

    /// Room for the steps of `method` on states like `y0`.
    ///
    /// # Errors
    /// When the method's options or the problem's parts make no sense.
    fn stepper(method: &M, field: &F, y0: &Y) -> Result<Self::Stepper>;
}

/// Methods that solve problems with a field `F` and states `Y`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not solve problems with the field `{F}` and the state `{Y}`",
    note = "explicit methods need a `VectorField`, implicit ones also a state with components, \
            symplectic ones a `PartitionedField` and a pair of states"
)]
pub trait Solves<F, Y>: Method {
    /// The method at work.
    type Stepper: Stepper<F, Y>;

    /// Room for its steps on states like `y0`.
    ///
    /// # Errors
    /// When the method's options or the problem's parts make no sense.
    fn stepper(&self, field: &F, y0: &Y) -> Result<Self::Stepper>;
}

impl<M, F, Y> Solves<F, Y> for M
where
    M: Method,
    M::Family: Family<M, F, Y>,
{
    type Stepper = <M::Family as Family<M, F, Y>>::Stepper;

    fn stepper(&self, field: &F, y0: &Y) -> Result<Self::Stepper> {
        M::Family::stepper(self, field, y0)
    }
}

/// What became of an attempted step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attempt {
    /// It was made. The norm of its error estimate, at most 1 if within tolerance; `None` if none
    /// was asked for.
    Made(Option<f64>),
    /// Its equations could not be solved; a step shorter by this factor may do.
    Failed(f64),
}

/// A step that was made.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a, Y> {
    /// Time before.
    pub t0: f64,
    /// State before.
    pub y0: &'a Y,
    /// Time after.
    pub t: f64,
    /// State after.
    pub y: &'a Y,
}

/// What is needed after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Another step follows.
    pub next: bool,
    /// The solution inside the step is read.
    pub inside: bool,
}

/// A method at work on one problem.
///
/// A step is [attempted](Self::attempt), as often as need be, then
/// [completed](Self::complete), looked at ([`interpolate`](Interpolates::interpolate)) and left behind
/// ([`advance`](Self::advance)). Only the last one cannot be taken back.
pub trait Stepper<F, Y>: Interpolates<Y> {
    /// Prepares for a first step from `y` at `t`, forgetting all that was before.
    ///
    /// # Errors
    /// When the field fails.
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()>;

    /// A length (positive) for the first step after [`restart`](Self::restart).
    ///
    /// # Errors
    /// When the field fails.
    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64>;

    /// Tries a step of signed length `h` from `y` at `t`; its result goes to `y_new`.
    ///
    /// # Errors
    /// When the field fails.
    #[allow(clippy::too_many_arguments)] // what a step is
    fn attempt<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        h: f64,
        y: &Y,
        y_new: &mut Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<Attempt>;

    /// The power of the step length in the error estimate of the last attempt.
    fn error_order(&self) -> u32;

    /// Whether the step counts and how long the next one is: the controller decides, except where
    /// the method varies its order.
    #[inline]
    fn judge<M, C: Controller<M>>(&mut self, controller: &C, trial: &Trial) -> Judgement {
        controller.judge(trial)
    }

    /// Computes what is needed after a step that was made.
    ///
    /// # Errors
    /// When the field fails.
    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()>;

    /// Goes on to the next step, after one completed with [`Needs::next`].
    fn advance(&mut self);
}

/// The solution inside a step that was [completed](Stepper::complete) with [`Needs::inside`].
pub trait Interpolates<Y> {
    /// The same, kept.
    type Interpolant: Interpolant<Y>;

    /// The state at `t + theta · h`.
    ///
    /// # Errors
    /// When states cannot be combined.
    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()>;

    /// The solution inside the step.
    fn interpolant(&self, y: &Y, y_new: &Y) -> Self::Interpolant;
}

/// The solution inside one step, kept.
pub trait Interpolant<Y>: Clone {
    /// The state at `t + theta · h`.
    ///
    /// # Errors
    /// When states cannot be combined.
    fn at(&self, theta: f64) -> Result<Y>;
}
