//! Many systems at once, one per row of a tensor: [`CgRows`] and [`BiCgStabRows`].

use candle_core::{DType, Device, Tensor};

use super::{Outcome, Stopping};
use crate::{Error, Result};

/// Conjugate gradients for the rows of a tensor `[batch, …]`: each row has its own step lengths and
/// its own stop, all rows share each application of the operator.
///
/// The operator is any function that maps each row by itself, with one matrix for all or one for
/// each, symmetric and positive definite. Two numbers per row and iteration are read from the device.
///
/// ```
/// use ansatz_linalg::{CgRows, Stopping};
/// use ansatz_linalg::core::candle::{Device, Tensor};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Tensor::new(&[[4f32, 1.0], [1.0, 3.0]], &Device::Cpu)?;
/// let b = Tensor::new(&[[1f32, 2.0], [4.0, 1.0], [0.0, 0.0]], &Device::Cpu)?;
/// let solver = CgRows { stopping: Stopping { relative: 1e-6, ..Stopping::default() } };
/// let solution = solver.solve(|x| Ok(x.matmul(&a)?), &b)?;
/// assert!(solution.outcomes.iter().all(|o| *o == ansatz_linalg::Outcome::Converged));
/// let x: Vec<Vec<f32>> = solution.x.to_vec2()?;
/// assert!((x[1][0] - 1.0).abs() < 1e-5 && x[1][1].abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CgRows {
    /// When a row stops.
    pub stopping: Stopping,
}

/// BiCGStab for the rows of a tensor `[batch, …]`, as [`CgRows`] but for any square operators
/// (H. van der Vorst, SIAM J. Sci. Stat. Comput. 13, 1992).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BiCgStabRows {
    /// When a row stops.
    pub stopping: Stopping,
}

/// What was found for each row.
#[derive(Debug, Clone)]
pub struct RowSolutions {
    /// The last iterates, of the shape of the right-hand side.
    pub x: Tensor,
    /// Why each row ended. A row counts as converged up to twice the target: recurrences in the
    /// arithmetic of tensors may be single precision.
    pub outcomes: Vec<Outcome>,
    /// `‖b − A x‖` of each row, measured at the end.
    pub residuals: Vec<f64>,
    /// The residuals that were asked for.
    pub targets: Vec<f64>,
    /// Iterations of the row that took the most.
    pub iterations: usize,
}

impl RowSolutions {
    /// The solutions if all rows converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] for the first that did not.
    pub fn into_converged(self, method: &'static str) -> Result<Tensor> {
        match self.outcomes.iter().position(|outcome| *outcome != Outcome::Converged) {
            None => Ok(self.x),
            Some(row) => Err(Error::NotConverged {
                method,
                outcome: self.outcomes[row],
                iterations: self.iterations,
                residual: self.residuals[row],
                target: self.targets[row],
            }),
        }
    }
}

impl CgRows {
    /// The solutions of `A x = b` from zero, row by row.
    ///
    /// # Errors
    /// [`Error::Size`] when `b` has no axis for the rows or the operator returns another shape,
    /// [`Error::InvalidArgument`] for tolerances and right-hand sides that make no sense; those of
    /// the operator.
    pub fn solve(
        &self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        b: &Tensor,
    ) -> Result<RowSolutions> {
        let mut rows = Rows::new(&self.stopping, b)?;
        let mut x = b.zeros_like()?;
        let mut r = b.clone();
        let mut p = r.clone();
        let mut square = inner(&r, &r)?;
        while rows.any_active() {
            let image = rows.apply(&apply, &p)?;
            let curvature = inner(&p, &image)?;
            rows.stop_where(|i| curvature[i] <= 0.0, super::cg::INDEFINITE);
            let step = rows.quotients(&square, &curvature);
            x = rows.add(&x, &step, &p)?;
            r = rows.subtract(&r, &step, &image)?;
            let next = inner(&r, &r)?;
            rows.record(&next);
            p = rows.add(&r, &rows.quotients(&next, &square), &p)?;
            square = next;
        }
        rows.finish(&apply, x, b)
    }
}

const VANISHED: &str = "an inner product vanished: take Gmres row by row";

impl BiCgStabRows {
    /// The solutions of `A x = b` from zero, row by row.
    ///
    /// # Errors
    /// As [`CgRows::solve`].
    pub fn solve(
        &self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        b: &Tensor,
    ) -> Result<RowSolutions> {
        let mut rows = Rows::new(&self.stopping, b)?;
        let mut x = b.zeros_like()?;
        let mut r = b.clone();
        let shadow = b.clone();
        let mut p = r.clone();
        let mut rho = inner(&r, &shadow)?;
        while rows.any_active() {
            let image = rows.apply(&apply, &p)?;
            let along = inner(&image, &shadow)?;
            rows.stop_where(|i| along[i] == 0.0, VANISHED);
            let alpha = rows.quotients(&rho, &along);
            let s = rows.subtract(&r, &alpha, &image)?;
            let t = rows.apply(&apply, &s)?;
            // Where s is zero the solution is exact, and the quotient zero.
            let omega = rows.quotients(&inner(&t, &s)?, &inner(&t, &t)?);
            x = rows.add(&rows.add(&x, &alpha, &p)?, &omega, &s)?;
            r = rows.subtract(&s, &omega, &t)?;
            let squares = inner(&r, &r)?;
            rows.record(&squares);
            let next = inner(&r, &shadow)?;
            rows.stop_where(|i| next[i] == 0.0 || omega[i] == 0.0, VANISHED);
            let forward = rows.quotients(&next, &rho);
            let turn = rows.quotients(&alpha, &omega);
            let beta: Vec<f64> = forward.iter().zip(&turn).map(|(a, b)| a * b).collect();
            p = rows.add(&r, &beta, &rows.subtract(&p, &omega, &image)?)?;
            rho = next;
        }
        rows.finish(&apply, x, b)
    }
}

/// What is known of each row.
struct Rows {
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
    fn new(stopping: &Stopping, b: &Tensor) -> Result<Self> {
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
        let squares = inner(b, b)?;
        if squares.iter().any(|s| !s.is_finite()) {
            return Err(Error::invalid("right-hand sides", "NaN or infinite", "finite numbers"));
        }
        let largest = b.detach().flatten_from(1)?.abs()?;
        if largest.dims()[1] > 0 {
            let largest = largest.max(1)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
            let largest = largest.to_vec1::<f64>()?;
            if squares.iter().zip(&largest).any(|(s, l)| *s == 0.0 && *l > 0.0) {
                let expected = "components whose squares can be added up; scale the system";
                return Err(Error::invalid("right-hand sides", "too small", expected));
            }
        }
        rows.targets = squares.iter().map(|s| stopping.target(s.sqrt())).collect();
        for (row, (square, target)) in squares.iter().zip(&rows.targets).enumerate() {
            if square.sqrt() <= *target {
                rows.outcomes[row] = Some(Outcome::Converged);
            } else if rows.budget == 0 {
                rows.outcomes[row] = Some(Outcome::Budget);
            }
        }
        Ok(rows)
    }

    fn any_active(&self) -> bool {
        self.outcomes.iter().any(Option::is_none)
    }

    fn apply(&self, apply: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor) -> Result<Tensor> {
        let y = apply(x)?.detach();
        if y.dims() == self.shape {
            return Ok(y);
        }
        let what = "result of an operator on rows";
        Err(Error::size(what, format!("{:?}", self.shape), format!("{:?}", y.dims())))
    }

    /// `a / b` in the rows that go on, zero elsewhere.
    fn quotients(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        let all = self.outcomes.iter().zip(a.iter().zip(b));
        all.map(|(outcome, (a, b))| match outcome {
            None if *b != 0.0 => a / b,
            _ => 0.0,
        })
        .collect()
    }

    fn scaled(&self, factors: &[f64], x: &Tensor) -> Result<Tensor> {
        let mut shape = vec![1; self.shape.len()];
        shape[0] = factors.len();
        let factors = Tensor::new(factors, &Device::Cpu)?.to_dtype(self.dtype)?;
        Ok(x.broadcast_mul(&factors.reshape(shape)?.to_device(&self.device)?)?)
    }

    fn add(&self, x: &Tensor, factors: &[f64], y: &Tensor) -> Result<Tensor> {
        Ok((x + self.scaled(factors, y)?)?)
    }

    fn subtract(&self, x: &Tensor, factors: &[f64], y: &Tensor) -> Result<Tensor> {
        Ok((x - self.scaled(factors, y)?)?)
    }

    fn stop_where(&mut self, fails: impl Fn(usize) -> bool, reason: &'static str) {
        for (row, outcome) in self.outcomes.iter_mut().enumerate() {
            if outcome.is_none() && fails(row) {
                *outcome = Some(Outcome::Breakdown(reason));
            }
        }
    }

    /// Takes the squares of the residuals after an iteration.
    fn record(&mut self, squares: &[f64]) {
        self.iterations += 1;
        for (row, outcome) in self.outcomes.iter_mut().enumerate() {
            if outcome.is_some() {
                continue;
            }
            if !squares[row].is_finite() {
                *outcome = Some(Outcome::Breakdown("the residual is not finite"));
            } else if squares[row].sqrt() <= self.targets[row] {
                *outcome = Some(Outcome::Converged);
            } else if self.iterations == self.budget {
                *outcome = Some(Outcome::Budget);
            }
        }
    }

    /// Measures the residuals: what a recurrence says of them drifts away.
    fn finish(
        self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        x: Tensor,
        b: &Tensor,
    ) -> Result<RowSolutions> {
        let r = (b.detach() - self.apply(apply, &x)?)?;
        let squares = inner(&r, &r)?;
        let residuals: Vec<f64> = squares.iter().map(|s| s.sqrt()).collect();
        let outcome = |(row, outcome): (usize, Option<Outcome>)| match outcome {
            Some(Outcome::Converged) if residuals[row] > 2.0 * self.targets[row] => {
                Outcome::Stagnation
            }
            Some(outcome) => outcome,
            None => Outcome::Budget,
        };
        let outcomes = self.outcomes.iter().copied().enumerate().map(outcome).collect();
        let Self { targets, iterations, .. } = self;
        Ok(RowSolutions { x, outcomes, residuals, targets, iterations })
    }
}

/// Inner products of the rows, on the host.
fn inner(a: &Tensor, b: &Tensor) -> Result<Vec<f64>> {
    let product = (a.detach() * b.detach())?.flatten_from(1)?.sum(1)?;
    Ok(product.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}
