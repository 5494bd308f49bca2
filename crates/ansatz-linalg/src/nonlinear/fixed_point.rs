//! Fixed points `x = g(x)`: what solves for them, and the plain iteration [`FixedPoint`].

use super::{NonlinearStopping, Root, iterate::Iterate};
use crate::{Error, Outcome, Result, Vector, operator::check_length};

/// Whatever solves `x = g(x)` from a first guess. The residual is `g(x) − x`.
///
/// ```
/// use ansatz_linalg::{Anderson, FixedPoint, FixedPointMethod, NonlinearStopping};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let cosine = |x: &f64| Ok(x.cos());
/// let stopping = NonlinearStopping { relative: 1e-12, ..NonlinearStopping::default() };
/// let plain = FixedPoint::default().solve(&cosine, &1.0, &stopping)?;
/// let accelerated = Anderson::default().solve(&cosine, &1.0, &stopping)?;
/// assert!((plain.x - accelerated.x).abs() < 1e-11);
/// assert!(accelerated.evaluations < 10 && plain.evaluations > 60);
/// # Ok(())
/// # }
/// ```
pub trait FixedPointMethod<V: Vector> {
    /// What the method is called in messages.
    fn name(&self) -> &'static str;

    /// What the method has found when it ends, for whatever reason it ends.
    ///
    /// # Errors
    /// [`Error::Size`] when `g(x)` has another size than `x`, [`Error::InvalidArgument`] for
    /// settings that make no sense and when the first guess or the value of the map there is not
    /// finite, and those of the map.
    fn run(
        &self,
        map: &dyn Fn(&V) -> Result<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>>;

    /// The fixed point.
    ///
    /// # Errors
    /// As [`FixedPointMethod::run`], and [`Error::NotConverged`].
    fn solve(
        &self,
        map: &dyn Fn(&V) -> Result<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.run(map, guess, stopping)?.into_converged(self.name())
    }
}

/// `g(x) − x`.
pub(super) fn defect<V: Vector>(map: &dyn Fn(&V) -> Result<V>, x: &V) -> Result<V> {
    let mut value = map(x)?;
    check_length("value of a map whose fixed point is sought", x.dimension(), value.dimension())?;
    value.axpby(1.0, -1.0, x)?;
    Ok(value)
}

pub(super) const NOT_FINITE: Outcome = Outcome::Breakdown("the map is not finite");

/// `x ← x + damping (g(x) − x)`, which converges where `g` contracts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedPoint {
    /// 1 by default.
    pub damping: f64,
}

impl Default for FixedPoint {
    fn default() -> Self {
        Self { damping: 1.0 }
    }
}

impl<V: Vector> FixedPointMethod<V> for FixedPoint {
    fn name(&self) -> &'static str {
        "fixed-point iteration"
    }

    fn run(
        &self,
        map: &dyn Fn(&V) -> Result<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        if self.damping == 0.0 || !self.damping.is_finite() {
            return Err(Error::invalid("damping", self.damping, "a number other than 0"));
        }
        let residual = |x: &V| defect(map, x);
        let mut iterate = Iterate::new(&residual, guess, stopping)?;
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let step = iterate.at.value.clone();
            let point = iterate.trial(self.damping, &step)?;
            if !point.norm.is_finite() {
                break NOT_FINITE;
            }
            let length = self.damping.abs() * iterate.at.norm;
            iterate.accept(point, Some(length))?;
        };
        Ok(iterate.finish(outcome))
    }
}
