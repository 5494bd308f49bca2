//! A method with a tolerance: [`Iterative`].

use rayon::prelude::*;

use super::{
    IterativeMethod, LinearSolver, Monitor, Outcome, Pause, Solution, Stopping, System, finite,
    measurable_norm, monitor::NOT_FINITE,
};
use crate::{Error, Identity, LinearOperator, Result, Transposed, Vector};

/// A method, a preconditioner and a tolerance.
///
/// ```
/// use ansatz_linalg::{Cg, Edge, Iterative, LinearOperator, LinearSolver, Stencil};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Stencil::laplacian(&[30, 30], &[1.0, 1.0], &[Edge::Zero, Edge::Zero])?;
/// let solution = Iterative::new(Cg).relative(1e-10).solve(&a, &vec![1.0; 900])?;
/// assert!(solution.residual() <= 1e-10 * 30.0);
/// assert!(solution.iterations() < 90);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Iterative<M, P = Identity> {
    method: M,
    preconditioner: Option<P>,
    stopping: Stopping,
}

impl<M> Iterative<M> {
    /// `method` without a preconditioner, until the residual is `10⁻⁸ ‖b‖`, in at most 1000
    /// iterations.
    pub fn new(method: M) -> Self {
        Self { method, preconditioner: None, stopping: Stopping::default() }
    }
}

impl<M, P> Iterative<M, P> {
    /// With a preconditioner: an operator near `A⁻¹`.
    pub fn preconditioner<Q>(self, preconditioner: Q) -> Iterative<M, Q> {
        let Self { method, stopping, .. } = self;
        Iterative { method, preconditioner: Some(preconditioner), stopping }
    }

    /// Until `‖b − A x‖ ≤ relative ‖b‖` or the absolute tolerance is reached.
    #[must_use]
    pub fn relative(mut self, relative: f64) -> Self {
        self.stopping.relative = relative;
        self
    }

    /// Until `‖b − A x‖ ≤ absolute` or the relative tolerance is reached.
    #[must_use]
    pub fn absolute(mut self, absolute: f64) -> Self {
        self.stopping.absolute = absolute;
        self
    }

    /// With at most this many iterations.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.stopping.iterations = iterations;
        self
    }

    /// When it stops.
    #[must_use]
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// What the method has found when it ends, for whatever reason it ends; from `guess`, or from
    /// zero, and never with a larger residual than there.
    ///
    /// # Errors
    /// [`Error::Size`] when the operator is not square or the vectors do not fit it,
    /// [`Error::InvalidArgument`] for tolerances or settings of the method that make no sense and when
    /// `b` or `guess` has a NaN, and those of the operators.
    pub fn run<V: Vector>(
        &self,
        a: &dyn LinearOperator<V>,
        b: &V,
        guess: Option<&V>,
    ) -> Result<Solution<V>>
    where
        M: IterativeMethod<V>,
        P: LinearOperator<V>,
    {
        let preconditioner = self.preconditioner.as_ref().map(|p| p as &dyn LinearOperator<V>);
        run(&self.method, &System { operator: a, preconditioner }, b, guess, &self.stopping)
    }

    /// The solutions for several right-hand sides, each from zero and with its own stop, shared
    /// between threads.
    ///
    /// # Errors
    /// As [`Iterative::run`], and [`Error::NotConverged`] for the first that does not converge.
    pub fn solve_all<V: Vector + Send + Sync>(
        &self,
        a: &(impl LinearOperator<V> + Sync),
        right_hand_sides: &[V],
    ) -> Result<Vec<Solution<V>>>
    where
        M: IterativeMethod<V> + Sync,
        P: LinearOperator<V> + Sync,
    {
        let solve = |b: &V| self.run(a, b, None)?.into_converged(self.method.name());
        let all: Vec<Result<_>> = right_hand_sides.par_iter().map(solve).collect();
        // Errors in the order of the right-hand sides.
        all.into_iter().collect()
    }
}

impl<V: Vector, M: IterativeMethod<V>, P: LinearOperator<V>> LinearSolver<V> for Iterative<M, P> {
    /// From zero.
    ///
    /// # Errors
    /// As [`Iterative::run`], and [`Error::NotConverged`].
    fn solve(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
        self.run(a, b, None)?.into_converged(self.method.name())
    }

    /// From zero; where `a` is not symmetric, with the transpose of the preconditioner.
    ///
    /// # Errors
    /// As [`LinearSolver::solve`], and [`Error::NoTranspose`].
    fn solve_transposed(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
        if a.properties().symmetric {
            return self.solve(a, b);
        }
        let operator: &dyn LinearOperator<V> = &Transposed(a);
        let preconditioner = self.preconditioner.as_ref().map(Transposed);
        let preconditioner = preconditioner.as_ref().map(|p| p as &dyn LinearOperator<V>);
        run(&self.method, &System { operator, preconditioner }, b, None, &self.stopping)?
            .into_converged(self.method.name())
    }

    /// From zero.
    ///
    /// # Errors
    /// As [`Iterative::run`].
    fn solve_within(&self, a: &dyn LinearOperator<V>, b: &V, relative: f64) -> Result<Solution<V>> {
        let preconditioner = self.preconditioner.as_ref().map(|p| p as &dyn LinearOperator<V>);
        let relative = relative.max(self.stopping.relative);
        let stopping = Stopping { relative, ..self.stopping };
        run(&self.method, &System { operator: a, preconditioner }, b, None, &stopping)
    }
}

/// Of a pass that claims to have converged the true residual must be this much smaller than at its
/// beginning, of one that ends for another reason this much: otherwise rounding has the upper hand.
const PROGRESS: f64 = 0.5;
const LEAST_PROGRESS: f64 = 0.9999;

fn run<V: Vector>(
    method: &dyn IterativeMethod<V>,
    system: &System<'_, V>,
    b: &V,
    guess: Option<&V>,
    stopping: &Stopping,
) -> Result<Solution<V>> {
    stopping.validate()?;
    check(system, b, guess)?;
    let norm = measurable_norm("right-hand side", b)?;
    let target = stopping.target(norm);
    if norm == 0.0 {
        let x = b.zero_like()?;
        return Ok(Solution { x, outcome: Outcome::Converged, residuals: vec![0.0], target });
    }
    let mut residual = b.clone().detached();
    let mut x = match guess {
        Some(guess) => {
            system.operator.apply_into(guess, &mut residual)?;
            residual.axpby(-1.0, 1.0, b)?;
            guess.clone().detached()
        }
        None => b.zero_like()?,
    };
    let mut before = residual.norm2()?;
    let mut monitor = Monitor::new(before, target, stopping.iterations);
    let outcome = loop {
        if before <= target {
            break Outcome::Converged;
        }
        if !before.is_finite() {
            break Outcome::Breakdown(NOT_FINITE);
        }
        let begun = monitor.iterations();
        if stopping.iterations <= begun {
            break Outcome::Budget;
        }
        let x_before = x.clone();
        let pause = method.improve(system, &mut x, residual.clone(), &mut monitor)?;
        // What a recurrence says of the residual drifts away from it.
        system.operator.apply_into(&x, &mut residual)?;
        residual.axpby(-1.0, 1.0, b)?;
        let now = residual.norm2()?;
        let progress = now / before;
        // Every way on from a pass that made it worse is an end.
        if progress.is_nan() || progress > 1.0 {
            x = x_before;
        } else {
            before = now;
        }
        monitor.correct(begun, before);
        match pause {
            _ if now <= target => break Outcome::Converged,
            _ if !now.is_finite() => break Outcome::Breakdown(NOT_FINITE),
            Pause::Converged if progress > PROGRESS => break Outcome::Stagnation,
            Pause::Restart if progress > LEAST_PROGRESS => break Outcome::Stagnation,
            Pause::Breakdown(reason) => break Outcome::Breakdown(reason),
            Pause::Budget => break Outcome::Budget,
            Pause::Converged | Pause::Restart => {}
        }
    };
    Ok(Solution { x, outcome, residuals: monitor.into_history(), target })
}

/// Errors unless the sizes fit and the vectors are finite.
pub(crate) fn check<V: Vector>(system: &System<'_, V>, b: &V, guess: Option<&V>) -> Result<()> {
    let [rows, columns] = system.operator.shape();
    if rows != columns {
        let expected = "as many rows as columns (for others: Lsqr, Lsmr)";
        return Err(Error::size(
            "operator of a linear system",
            expected,
            format!("{rows} × {columns}"),
        ));
    }
    let sized = |what, got| crate::operator::check_length(what, rows, got);
    sized("right-hand side", b.dimension())?;
    finite("right-hand side", b)?;
    if let Some(guess) = guess {
        sized("first guess", guess.dimension())?;
        b.check_like("first guess", guess)?;
        finite("first guess", guess)?;
    }
    if let Some(preconditioner) = system.preconditioner {
        let [rows, columns] = preconditioner.shape();
        sized("rows of the preconditioner", rows)?;
        sized("columns of the preconditioner", columns)?;
    }
    Ok(())
}
