//! Setting up and running a solve of rows: [`solve_rows`].

use std::{marker::PhantomData, sync::Arc};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::{
    RowSpans, RowsField, RowsSolution,
    adjoint::{Differentiated, attach},
    lockstep::{End, Solved, solve},
    part::Part,
    settings::Settings,
    spans::Each,
};
use crate::{
    Adaptive, AdaptiveFamily, Controller, Error, ExplicitRungeKutta, FixedStep, Method, NoGradient,
    Pid, RecursiveCheckpoint, Result, Rms,
};

/// Starts the description of a solve of `dyᵢ/dt = fieldᵢ(t, y)` for the rows `i` of a batch
/// `y0: [rows, …]`, each with an interval, steps and an end of its own.
///
/// Every row takes the steps that it would take in a [`solve`](crate::solve) of its own, whatever the
/// others do; they only share the evaluations of the [field](RowsField). Rows that have ended, or
/// failed, are left out of these. Explicit Runge–Kutta methods, adaptive or with fixed steps; no events
/// and no jumps.
///
/// Gradients with respect to the initial states, the field's
/// [arguments](RowsField::arguments), variables that it captured and the ends of the intervals
/// ([`RowSpans::from_tensors`]) come from the discrete adjoint
/// ([`RecursiveCheckpoint`], to which all that is said there of memory and variables applies).
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor};
/// use ansatz_ode::{Tsit5, solve_rows};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // dy/dt = −t y for three rows over three intervals, the last one backwards in time.
/// let field = |t: &Tensor, y: &Tensor| y.broadcast_mul(&t.neg()?.unsqueeze(1)?);
/// let y0 = Tensor::new(&[[1f64], [1.0], [1.0]], &Device::Cpu)?;
/// let solution = solve_rows(field, y0, vec![(0.0, 1.0), (0.0, 2.0), (1.0, 0.0)])
///     .with(Tsit5)
///     .tolerance(1e-8, 1e-8)
///     .save_each_at(vec![vec![0.5, 1.0], vec![1.0, 2.0], vec![0.5, 0.0]])
///     .run()?;
/// assert_eq!(solution.y.dims(), [3, 2, 1]);
/// let ends: Vec<f64> = solution.y_end.flatten_all()?.to_vec1()?;
/// for (end, exponent) in ends.iter().zip([-0.5f64, -2.0, 0.5]) {
///     assert!((end - exponent.exp()).abs() < 1e-7);
/// }
/// # Ok(())
/// # }
/// ```
pub fn solve_rows<F>(field: F, y0: Tensor, spans: impl Into<RowSpans>) -> SolveRows<F, (), ()> {
    SolveRows {
        field,
        y0,
        spans: spans.into(),
        method: (),
        controller: (),
        tolerances: None,
        saves: Each::All(Vec::new()),
        max_steps: 1_000_000,
        adjoint: RowsAdjoint::default(),
    }
}

/// A solve of rows being described; see [`solve_rows`].
#[derive(Debug, Clone)]
#[must_use = "a solve does nothing until `run`"]
pub struct SolveRows<F, M, C> {
    field: F,
    y0: Tensor,
    spans: RowSpans,
    method: M,
    controller: C,
    tolerances: Option<Vec<(f64, f64)>>,
    saves: Each<Vec<f64>>,
    max_steps: usize,
    adjoint: RowsAdjoint,
}

/// How gradients of a solve of rows are computed: made of a [`RecursiveCheckpoint`] (the default) or
/// of [`NoGradient`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsAdjoint {
    checkpoints: Option<usize>,
}

impl Default for RowsAdjoint {
    fn default() -> Self {
        RecursiveCheckpoint::default().into()
    }
}

impl From<RecursiveCheckpoint> for RowsAdjoint {
    fn from(adjoint: RecursiveCheckpoint) -> Self {
        Self { checkpoints: Some(adjoint.checkpoints) }
    }
}

impl From<NoGradient> for RowsAdjoint {
    fn from(_: NoGradient) -> Self {
        Self { checkpoints: None }
    }
}

impl<F, C> SolveRows<F, (), C> {
    /// Chooses the method.
    pub fn with<M: Method>(self, method: M) -> SolveRows<F, M, C> {
        let Self { field, y0, spans, controller, tolerances, saves, max_steps, adjoint, .. } = self;
        SolveRows { field, y0, spans, method, controller, tolerances, saves, max_steps, adjoint }
    }
}

impl<F, M> SolveRows<F, M, ()> {
    /// Chooses the step size control, the same for all rows; each has a history of its own.
    pub fn controller<C: Controller<M>>(self, controller: C) -> SolveRows<F, M, C> {
        let Self { field, y0, spans, method, tolerances, saves, max_steps, adjoint, .. } = self;
        SolveRows { field, y0, spans, method, controller, tolerances, saves, max_steps, adjoint }
    }

    /// Adaptive steps under integral control: an error of about `rtol · |y| + atol` per step.
    pub fn tolerance(
        self,
        rtol: f64,
        atol: f64,
    ) -> SolveRows<F, M, <M::Family as AdaptiveFamily>::Controller>
    where
        M: Adaptive,
        <M::Family as AdaptiveFamily>::Controller: Controller<M>,
    {
        self.controller(M::Family::controller(rtol, atol))
    }

    /// Steps of one length; the last one of each row is shortened to hit its end.
    pub fn step(self, step: f64) -> SolveRows<F, M, FixedStep>
    where
        M: Method,
    {
        self.controller(FixedStep { step })
    }
}

impl<F, M> SolveRows<F, M, Pid> {
    /// Tolerances of each row, relative and absolute, in place of the controller's.
    pub fn tolerances(mut self, each: impl Into<Vec<(f64, f64)>>) -> Self {
        self.tolerances = Some(each.into());
        self
    }
}

impl<F, M, C> SolveRows<F, M, C> {
    /// Keeps the states of every row at these times, by dense output.
    pub fn save_at(mut self, times: impl Into<Vec<f64>>) -> Self {
        self.saves = Each::All(times.into());
        self
    }

    /// Keeps the states of each row at times of its own, equally many for all.
    pub fn save_each_at(mut self, times: impl Into<Vec<Vec<f64>>>) -> Self {
        self.saves = Each::PerRow(times.into());
        self
    }

    /// Allows each row at most this many steps, accepted and rejected together (a million by default).
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Chooses how gradients are computed: `RecursiveCheckpoint::new(16)` or `NoGradient`.
    pub fn adjoint(mut self, adjoint: impl Into<RowsAdjoint>) -> Self {
        self.adjoint = adjoint.into();
        self
    }
}

impl<F, M, C> SolveRows<F, M, C>
where
    F: RowsField + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    /// Solves for all rows, each to its end.
    ///
    /// # Errors
    /// [`Error::Row`] with the first row that does not reach its end, and why; as
    /// [`run_partial`](Self::run_partial).
    pub fn run(self) -> Result<RowsSolution> {
        self.run_partial()?.finished()
    }

    /// Solves for all rows, each as far as it goes: what stopped it is in its
    /// [`status`](RowsSolution::status), its last good state in [`RowsSolution::y_end`].
    ///
    /// # Errors
    /// When there are no rows, an option makes no sense, or an interval, tolerance, save time or initial
    /// state of a row does; when the field fails or returns something of another shape.
    pub fn run_partial(self) -> Result<RowsSolution> {
        self.controller.validate()?;
        let norm = self.controller.norm();
        let tableau = &M::TABLEAU;
        if norm.is_some() && !tableau.has_error_estimate() {
            let expected = "a weight for each stage and an embedded order in an adaptive method";
            return Err(Error::invalid("error weights", tableau.error.len(), expected));
        }
        let tolerances = match self.tolerances {
            Some(each) => Each::PerRow(each),
            None => Each::All(norm.map_or((0.0, 1.0), |norm| (norm.rtol, norm.atol))),
        };
        let Self { field, y0, spans, controller, saves, max_steps, adjoint, .. } = self;
        let settings = Settings::new(&y0, &spans, &tolerances, &saves, max_steps)?;
        for argument in field.arguments() {
            if argument.dims().first() != Some(&settings.rows) {
                let got = argument.dims().first().copied().unwrap_or(0);
                let (what, rows) = ("rows in an argument of the field", settings.rows);
                return Err(Error::RowCount { what, got, rows });
            }
        }
        let t = Tensor::from_vec(
            settings.all_times().to_vec(),
            (settings.rows, settings.saves),
            &Device::Cpu,
        )?;
        let saves = settings.saves;
        let arguments = field.arguments().to_vec();
        let parts = Part { y0, times: spans.tensors, arguments, settings }.split()?;
        let field = Arc::new(field);
        let solve = |part: Part| solve_part::<F, M, C>(&field, &controller, part, adjoint);
        let solved = match parts.len() {
            1 => parts.into_iter().map(solve).collect::<Result<Vec<_>>>()?,
            _ => parts.into_par_iter().map(solve).collect::<Result<Vec<_>>>()?,
        };

        let (states, ends): (Vec<Tensor>, Vec<Vec<End>>) = solved.into_iter().unzip();
        let (states, ends) = (Tensor::cat(&states, 0)?, ends.concat());
        Ok(RowsSolution {
            t,
            y: states.narrow(1, 0, saves)?.contiguous()?,
            y_end: states.narrow(1, saves, 1)?.squeeze(1)?.contiguous()?,
            t_end: ends.iter().map(|end| end.t).collect(),
            status: ends.iter().map(|end| end.status).collect(),
            statistics: ends.iter().map(|end| end.statistics).collect(),
        })
    }
}

/// States `[rows, slots, …]`, attached to the graph, and how each row ended.
fn solve_part<F, M, C>(
    field: &Arc<F>,
    controller: &C,
    part: Part,
    adjoint: RowsAdjoint,
) -> Result<(Tensor, Vec<End>)>
where
    F: RowsField + Send + Sync + 'static,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    let Solved { states, ends, record } =
        solve::<F, M, C>(field, controller, &part, adjoint.checkpoints)?;
    let saves = part.settings.saves;
    let mut shape = part.y0.dims().to_vec();
    shape.insert(1, saves + 1);
    let mut states = states.reshape(shape)?;
    if let Some(record) = record {
        let y_end = states.narrow(1, saves, 1)?.squeeze(1)?.contiguous()?;
        let (method, field, ends) = (PhantomData::<M>, field.clone(), ends.clone());
        states = attach(Differentiated { field, part, record, ends, y_end, method }, &states)?;
    }
    Ok((states, ends))
}
