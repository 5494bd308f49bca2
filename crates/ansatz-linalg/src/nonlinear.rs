//! Nonlinear systems, `F(x) = 0` and `x = g(x)`.

mod anderson;
mod broyden;
mod chord;
mod fixed_point;
mod guarded;
mod iterate;
mod newton;
mod residual;
mod root;
mod stopping;
mod trust_region;

pub use anderson::Anderson;
pub use broyden::{Broyden, BroydenStart};
pub use chord::Chord;
pub use fixed_point::{FixedPoint, FixedPointMethod};
pub(crate) use guarded::{Guarded, no_step, outward};
pub use newton::{Forcing, Newton};
#[cfg(feature = "candle")]
pub use residual::WithExactJacobian;
pub use residual::{Residual, WithJacobian};
pub use root::Root;
pub use stopping::NonlinearStopping;
pub use trust_region::TrustRegion;

use crate::{Result, Vector};

/// Whatever solves `F(x) = 0` from a first guess.
///
/// ```
/// use ansatz_linalg::{Direct, Newton, NonlinearStopping, RootFinder};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // The unit circle and the parabola y = x². The Jacobian is taken by differences.
/// let f = |p: &[f64; 2]| Ok([p[0] * p[0] + p[1] * p[1] - 1.0, p[1] - p[0] * p[0]]);
/// let stopping = NonlinearStopping { relative: 1e-12, ..NonlinearStopping::default() };
/// let root = Newton::new(Direct).solve(&f, &[1.0, 1.0], &stopping)?;
/// assert!((root.x[1] - (5f64.sqrt() - 1.0) / 2.0).abs() < 1e-12);
/// assert!(root.iterations() <= 6);
/// # Ok(())
/// # }
/// ```
pub trait RootFinder<V: Vector> {
    /// What the method is called in messages.
    fn name(&self) -> &'static str;

    /// What the method has found when it ends, for whatever reason it ends.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when the function has not as many values as arguments,
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for settings that make no sense and
    /// when the first guess or the value of the function there is not finite, and those of the
    /// function and its Jacobian.
    fn run(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>>;

    /// The root.
    ///
    /// # Errors
    /// As [`RootFinder::run`], and [`Error::NotConverged`](crate::Error::NotConverged).
    fn solve(
        &self,
        function: &dyn Residual<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.run(function, guess, stopping)?.into_converged(self.name())
    }
}

/// `factor · x`.
pub(crate) fn scaled<V: Vector>(x: &V, factor: f64) -> Result<V> {
    let mut y = x.clone();
    y.scale_in_place(factor)?;
    Ok(y)
}
