//! What is known of each row while it is iterated on: [`Rows`].

use ansatz_core::State as _;
use candle_core::{DType, Device, Tensor};

use super::{PROGRESS, RowMap, RowSolutions, VANISHED};
use crate::{
    Error, Outcome, Result, Stopping,
    iterative::{finite, monitor::NOT_FINITE},
    vector::tensor::{format, host, summable},
};

/// What is known of each row.
pub(super) struct Rows {
    dtype: DType,
    device: Device,
    shape: Vec<usize>,
    targets: Vec<f64>,
    /// `None` while a row goes on.
    outcomes: Vec<Option<Outcome>>,
    budget: usize,
    iterations: usize,
}

impl Rows {
    /// For these right-hand sides.
    pub(super) fn new(stopping: &Stopping, b: &Tensor) -> Result<Self> {
        stopping.validate()?;
        if b.rank() < 2 {
            return Err(Error::size("right-hand sides", "[batch, …]", format!("{:?}", b.dims())));
        }
        let mut rows = Self {
            dtype: b.dtype(),
            device: b.device().clone(),
            shape: b.dims().to_vec(),
            targets: Vec::new(),
            outcomes: vec![None; b.dims()[0]],
            budget: stopping.iterations,
            iterations: 0,
        };
        let (norms, squares) = (rows.norms(b)?, inner(b, b)?);
        let expected = "components whose squares can be added up; scale the system";
        if squares.iter().any(|square| !square.is_finite()) {
            let got = "NaN, infinite or too large";
            return Err(Error::invalid("right-hand sides", got, expected));
        }
        if squares.iter().zip(&norms).any(|(square, norm)| *square == 0.0 && *norm > 0.0) {
            return Err(Error::invalid("right-hand sides", "too small", expected));
        }
        rows.targets = norms.iter().map(|norm| stopping.target(*norm)).collect();
        Ok(rows)
    }

    /// The guess, with zero in the rows where that is the solution.
    pub(super) fn checked_guess(&self, b: &Tensor, guess: &Tensor) -> Result<Tensor> {
        b.check_like("first guess", guess)?;
        finite("first guess", guess)?;
        let other: Vec<bool> = self.norms(b)?.iter().map(|norm| *norm > 0.0).collect();
        self.select(&other, &guess.detach(), &b.zeros_like()?)
    }

    pub(super) fn any_active(&self) -> bool {
        self.outcomes.iter().any(Option::is_none)
    }

    /// Without the graph that it was computed by, which would grow with the iterations.
    pub(super) fn map(&self, map: &RowMap<'_>, x: &Tensor) -> Result<Tensor> {
        let y = map(x)?.detach();
        if y.dims() == self.shape {
            return Ok(y);
        }
        let what = "result of an operator on rows";
        Err(Error::size(what, format!("{:?}", self.shape), format!("{:?}", y.dims())))
    }

    /// `a / b` in the rows that go on, zero elsewhere.
    pub(super) fn quotients(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        let all = self.outcomes.iter().zip(a.iter().zip(b));
        all.map(|(outcome, (a, b))| match outcome {
            None if *b != 0.0 => a / b,
            _ => 0.0,
        })
        .collect()
    }

    fn scaled(&self, factors: &[f64], x: &Tensor) -> Result<Tensor> {
        let factors = Tensor::new(factors, &Device::Cpu)?.to_dtype(x.dtype())?;
        let factors = factors.reshape(self.per_row())?.to_device(&self.device)?;
        Ok(x.broadcast_mul(&factors)?)
    }

    /// `[batch, 1, …]`.
    fn per_row(&self) -> Vec<usize> {
        let mut shape = vec![1; self.shape.len()];
        shape[0] = self.shape[0];
        shape
    }

    pub(super) fn add(&self, x: &Tensor, factors: &[f64], y: &Tensor) -> Result<Tensor> {
        Ok((x + self.scaled(factors, y)?)?)
    }

    pub(super) fn subtract(&self, x: &Tensor, factors: &[f64], y: &Tensor) -> Result<Tensor> {
        Ok((x - self.scaled(factors, y)?)?)
    }

    /// The rows of `x` where `which`, those of `other` elsewhere.
    pub(super) fn select(&self, which: &[bool], x: &Tensor, other: &Tensor) -> Result<Tensor> {
        if which.iter().all(|which| *which) {
            return Ok(x.clone());
        }
        let which: Vec<u8> = which.iter().map(|which| u8::from(*which)).collect();
        let which = Tensor::from_vec(which, self.per_row(), &Device::Cpu)?;
        let which = which.to_device(&self.device)?.broadcast_as(self.shape.as_slice())?;
        Ok(which.contiguous()?.where_cond(x, other)?)
    }

    /// The norms of all rows of `x`, right where squares underflow too.
    pub(super) fn norms(&self, x: &Tensor) -> Result<Vec<f64>> {
        self.norms_where(x, |_| true)
    }

    /// The same, but right only in the rows that go on.
    pub(super) fn active_norms(&self, x: &Tensor) -> Result<Vec<f64>> {
        self.norms_where(x, |row| self.outcomes[row].is_none())
    }

    fn norms_where(&self, x: &Tensor, counts: impl Fn(usize) -> bool) -> Result<Vec<f64>> {
        let squares = inner(x, x)?;
        let (format, count) = (format(self.dtype), x.elem_count() / squares.len().max(1));
        let lost = |(row, square): (usize, &f64)| {
            counts(row) && !square.is_nan() && !format.holds(*square, count)
        };
        if !squares.iter().enumerate().any(lost) {
            return Ok(squares.iter().map(|square| square.sqrt()).collect());
        }
        let x = summable(x)?;
        let largest = host(x.flatten_from(1)?.abs()?.max(1)?)?;
        let scale = |largest: f64| match largest {
            largest if largest > 0.0 && largest.is_finite() => format.scale(largest),
            _ => 1.0,
        };
        let scales: Vec<f64> = largest.into_iter().map(scale).collect();
        let x = self.scaled(&scales, &x)?;
        Ok(inner(&x, &x)?.iter().zip(scales).map(|(square, s)| square.sqrt() / s).collect())
    }

    pub(super) fn stop_where(&mut self, fails: impl Fn(usize) -> bool, reason: &'static str) {
        for (row, outcome) in self.outcomes.iter_mut().enumerate() {
            if outcome.is_none() && fails(row) {
                *outcome = Some(Outcome::Breakdown(reason));
            }
        }
    }

    /// Takes the norms of the residuals after an iteration.
    pub(super) fn record(&mut self, residuals: &[f64]) {
        self.iterations += 1;
        for (row, outcome) in self.outcomes.iter_mut().enumerate() {
            if outcome.is_some() {
                continue;
            }
            if !residuals[row].is_finite() {
                *outcome = Some(Outcome::Breakdown(NOT_FINITE));
            } else if residuals[row] <= self.targets[row] {
                *outcome = Some(Outcome::Converged);
            } else if self.iterations >= self.budget {
                *outcome = Some(Outcome::Budget);
            }
        }
    }

    /// Takes measured residuals, at the start or after a pass that began with those `before`: rows
    /// that only believed that they have converged go on if they came nearer.
    pub(super) fn settle(&mut self, residuals: &[f64], before: Option<&[f64]>) {
        for (row, outcome) in self.outcomes.iter_mut().enumerate() {
            let now = residuals[row];
            let nearer = before.is_none_or(|before| now <= PROGRESS * before[row]);
            let spent = self.iterations >= self.budget;
            *outcome = match *outcome {
                _ if now <= self.targets[row] => Some(Outcome::Converged),
                _ if !now.is_finite() => Some(Outcome::Breakdown(NOT_FINITE)),
                None if spent => Some(Outcome::Budget),
                None => None,
                Some(Outcome::Converged | Outcome::Breakdown(VANISHED)) if nearer && spent => {
                    Some(Outcome::Budget)
                }
                Some(Outcome::Converged | Outcome::Breakdown(VANISHED)) if nearer => None,
                Some(Outcome::Converged) => Some(Outcome::Stagnation),
                other => other,
            };
        }
    }

    pub(super) fn into_solutions(self, x: Tensor, residuals: Vec<f64>) -> RowSolutions {
        let Self { outcomes, targets, iterations, .. } = self;
        let outcomes = outcomes.into_iter().map(|o| o.unwrap_or(Outcome::Budget)).collect();
        RowSolutions { x, outcomes, residuals, targets, iterations }
    }
}

/// Inner products of the rows, on the host.
pub(super) fn inner(a: &Tensor, b: &Tensor) -> Result<Vec<f64>> {
    host((summable(a)? * summable(b)?)?.flatten_from(1)?.sum(1)?)
}
