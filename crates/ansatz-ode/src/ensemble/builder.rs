//! Setting up and running an ensemble: [`ensemble`].

use super::{
    EnsembleField, Trajectory,
    field::{Common, Parametrised},
    trajectories::{Each, Trajectories},
    worker,
};
use crate::{
    Adaptive, AdaptiveFamily, Controller, Error, ErrorNorm, ExplicitRungeKutta, FixedStep, Method,
    Pid, Result, Rms,
};

/// Starts the description of many solves of `dy/dt = field(t, y)`, one from each of the initial
/// states `y0s`, all over one interval (but see [`Ensemble::spans`]).
///
/// Each trajectory has its own times and steps and comes out as from a [`solve`](crate::solve) of its
/// own, to the last bit (from 64 components on: to rounding), whatever the others do and on any number
/// of threads. Explicit Runge–Kutta methods under any control of the step; no events, no jumps, no
/// gradients: for these solve one by one.
///
/// The field is a closure as for `solve`. The compiler makes vector instructions of it that work on
/// several trajectories at once, in a release build and if it is straight-line arithmetic: `+ − × ÷`,
/// `sqrt`, `abs`, `min`, `max`, choices by `if` between values. Other functions (`sin`, `exp`) are
/// called for one trajectory after the other; loops over components should have constant bounds.
/// `mul_add` is slow on machines without that instruction. The trajectories are shared among the
/// threads of rayon. Fewer than about ten of them are solved faster one by one.
///
/// ```
/// use ansatz_ode::{Tsit5, ensemble};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let pendulum = |_t: f64, y: &[f64; 2]| [y[1], -y[0]];
/// let starts: Vec<[f64; 2]> = (0..1000).map(|k| [1.0, 0.01 * f64::from(k)]).collect();
/// let ends = ensemble(pendulum, starts, (0.0, 1.0)).with(Tsit5).tolerance(1e-8, 1e-8).run()?;
/// assert!((ends[250].y_end[0] - (1f64.cos() + 2.5 * 1f64.sin())).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
pub fn ensemble<F, const N: usize>(
    field: F,
    y0s: Vec<[f64; N]>,
    span: (f64, f64),
) -> Ensemble<Common<F>, N, 0, (), ()> {
    let trajectories = Trajectories {
        y0s,
        parameters: Vec::new(),
        spans: Each::All(span),
        tolerances: None,
        saves: Each::All(Vec::new()),
        max_steps: 1_000_000,
    };
    Ensemble { field: Common(field), trajectories, method: (), controller: () }
}

/// An ensemble being described; see [`ensemble`].
#[derive(Debug, Clone)]
#[must_use = "an ensemble does nothing until `run`"]
pub struct Ensemble<F, const N: usize, const P: usize, M, C> {
    pub(super) field: F,
    pub(super) trajectories: Trajectories<N, P>,
    pub(super) method: M,
    pub(super) controller: C,
}

impl<F, const N: usize, M, C> Ensemble<Common<F>, N, 0, M, C> {
    /// Parameters of each trajectory, in the order of the initial states: the third argument of a
    /// field `|t: f64, y: &[f64; N], p: &[f64; P]|`.
    ///
    /// ```
    /// use ansatz_ode::{Tsit5, ensemble};
    ///
    /// # fn main() -> ansatz_ode::Result<()> {
    /// let decay = |_t: f64, y: &[f64; 1], p: &[f64; 1]| [-p[0] * y[0]];
    /// let rates = vec![[0.5], [1.0], [2.0]];
    /// let ends = ensemble(decay, vec![[1.0]; 3], (0.0, 1.0))
    ///     .parameters(rates)
    ///     .with(Tsit5)
    ///     .tolerance(1e-8, 1e-8)
    ///     .run()?;
    /// assert!((ends[2].y_end[0] - (-2f64).exp()).abs() < 1e-7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn parameters<const P: usize>(
        self,
        parameters: Vec<[f64; P]>,
    ) -> Ensemble<Parametrised<F>, N, P, M, C> {
        let Self { field, trajectories, method, controller } = self;
        let trajectories = trajectories.parametrised(parameters);
        Ensemble { field: Parametrised(field.0), trajectories, method, controller }
    }
}

impl<F, const N: usize, const P: usize, C> Ensemble<F, N, P, (), C> {
    /// Chooses the method.
    pub fn with<M: Method>(self, method: M) -> Ensemble<F, N, P, M, C> {
        let Self { field, trajectories, controller, .. } = self;
        Ensemble { field, trajectories, method, controller }
    }
}

impl<F, const N: usize, const P: usize, M> Ensemble<F, N, P, M, ()> {
    /// Chooses the step size control.
    pub fn controller<C: Controller<M>>(self, controller: C) -> Ensemble<F, N, P, M, C> {
        let Self { field, trajectories, method, .. } = self;
        Ensemble { field, trajectories, method, controller }
    }

    /// Adaptive steps under integral control: an error of about `rtol · |y| + atol` per step.
    pub fn tolerance(
        self,
        rtol: f64,
        atol: f64,
    ) -> Ensemble<F, N, P, M, <M::Family as AdaptiveFamily>::Controller>
    where
        M: Adaptive,
        <M::Family as AdaptiveFamily>::Controller: Controller<M>,
    {
        self.controller(M::Family::controller(rtol, atol))
    }

    /// Steps of one length; the last one of each trajectory is shortened to hit the end.
    pub fn step(self, step: f64) -> Ensemble<F, N, P, M, FixedStep>
    where
        M: Method,
    {
        self.controller(FixedStep { step })
    }
}

impl<F, const N: usize, const P: usize, M> Ensemble<F, N, P, M, Pid> {
    /// Tolerances of each trajectory, relative and absolute, in place of the controller's.
    pub fn tolerances(mut self, each: impl Into<Vec<(f64, f64)>>) -> Self {
        self.trajectories.tolerances = Some(each.into());
        self
    }
}

impl<F, const N: usize, const P: usize, M, C> Ensemble<F, N, P, M, C> {
    /// An interval `(t0, t1)` of each trajectory, some backwards in time if need be.
    pub fn spans(mut self, each: impl Into<Vec<(f64, f64)>>) -> Self {
        self.trajectories.spans = Each::PerTrajectory(each.into());
        self
    }

    /// Keeps the states of every trajectory at these times, in [`Trajectory::ys`].
    pub fn save_at(mut self, times: impl Into<Vec<f64>>) -> Self {
        self.trajectories.saves = Each::All(times.into());
        self
    }

    /// Keeps the states of each trajectory at times of its own.
    pub fn save_each_at(mut self, times: impl Into<Vec<Vec<f64>>>) -> Self {
        self.trajectories.saves = Each::PerTrajectory(times.into());
        self
    }

    /// Allows each trajectory at most this many steps, accepted and rejected together (a million by
    /// default). One that needs more ends with
    /// [`Status::StepBudgetExhausted`](crate::Status::StepBudgetExhausted).
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.trajectories.max_steps = max_steps;
        self
    }
}

impl<F, const N: usize, const P: usize, M, C> Ensemble<F, N, P, M, C>
where
    F: EnsembleField<N, P>,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    /// Solves for all trajectories, in the order of the initial states.
    ///
    /// What stops one of them before its end is in its [`Trajectory::status`]; the others go on.
    /// The field may be evaluated more often than the statistics say, at places where some
    /// trajectory evaluated it: lanes without work repeat themselves.
    ///
    /// # Errors
    /// When there are no trajectories, an option makes no sense, or an initial state, interval,
    /// tolerance or save time does: then with the number of the trajectory.
    pub fn run(self) -> Result<Vec<Trajectory<N>>> {
        self.validate()?;
        worker::run(&self)
    }

    fn validate(&self) -> Result<()> {
        self.controller.validate()?;
        if let Some(norm) = self.controller.norm() {
            ErrorNorm::<[f64; N]>::validate(norm)?;
            let tableau = &M::TABLEAU;
            if !tableau.has_error_estimate() {
                let expected =
                    "a weight for each stage and an embedded order in an adaptive method";
                return Err(Error::invalid("error weights", tableau.error.len(), expected));
            }
        }
        self.trajectories.validate()
    }
}
