//! [`Lsqr`].

use super::{Bidiagonalisation, LeastSquares, Recurrence};
use crate::{LinearOperator, Result, Stopping, Vector};

/// Least squares by the bidiagonalisation of Golub and Kahan: conjugate gradients on the normal
/// equations without their rounding (C. Paige, M. Saunders, ACM Trans. Math. Softw. 8, 1982).
///
/// ```
/// use ansatz_linalg::{Dense, Lsqr, Stopping};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // A line through three points: 1 + 2 t fits (0, 1), (1, 3), (2, 5).
/// let a = Dense::from_rows(&[[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])?;
/// let fit = Lsqr::default().solve(&a, &vec![1.0, 3.0, 5.0], &Stopping::default())?;
/// assert!((fit.x[0] - 1.0).abs() < 1e-8 && (fit.x[1] - 2.0).abs() < 1e-8);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lsqr {
    /// Weight of `|x|`, or of the distance from the first guess; 0 by default.
    pub damping: f64,
}

impl Lsqr {
    /// From zero until `|b − A x|` is within the tolerance or, where the system has no solution,
    /// the gradient is `relative ‖A‖ |b − A x|`.
    ///
    /// # Errors
    /// As [`Lsqr::run`], and [`Error::NotConverged`](crate::Error::NotConverged).
    pub fn solve<V: Vector>(
        &self,
        a: &dyn LinearOperator<V>,
        b: &V,
        stopping: &Stopping,
    ) -> Result<LeastSquares<V>> {
        self.run(a, b, None, stopping)?.into_converged("LSQR")
    }

    /// What is found when the iteration ends, for whatever reason it ends; from `guess` `x₀`, towards
    /// which it is damped, or from zero.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size), [`Error::InvalidArgument`](crate::Error::InvalidArgument)
    /// for tolerances, damping or vectors that make no sense,
    /// [`Error::NoTranspose`](crate::Error::NoTranspose).
    pub fn run<V: Vector>(
        &self,
        a: &dyn LinearOperator<V>,
        b: &V,
        guess: Option<&V>,
        stopping: &Stopping,
    ) -> Result<LeastSquares<V>> {
        super::run(a, b, guess, self.damping, stopping, |columns| {
            Ok(State {
                x: columns.v.zero_like()?,
                w: columns.v.clone(),
                damping: self.damping,
                phi: columns.beta,
                rho: columns.alpha,
                shrunk: 0.0,
            })
        })
    }
}

struct State<V> {
    x: V,
    w: V,
    damping: f64,
    phi: f64,
    rho: f64,
    /// What damping leaves in the residual.
    shrunk: f64,
}

impl<V: Vector> Recurrence<V> for State<V> {
    // The names of the paper.
    fn step(&mut self, columns: &Bidiagonalisation<'_, V>) -> Result<[f64; 2]> {
        let (alpha, beta) = (columns.alpha, columns.beta);
        let damped = self.rho.hypot(self.damping);
        self.shrunk = self.shrunk.hypot(self.damping / damped * self.phi);
        let phi_bar = self.rho / damped * self.phi;
        let rho = damped.hypot(beta);
        let (c, s) = (damped / rho, beta / rho);
        let theta = s * alpha;
        self.rho = -c * alpha;
        self.phi = s * phi_bar;
        self.x.axpby(1.0, c * phi_bar / rho, &self.w)?;
        self.w.axpby(-theta / rho, 1.0, &columns.v)?;
        Ok([self.phi.hypot(self.shrunk), (self.phi * alpha * c).abs()])
    }

    fn into_iterate(self) -> V {
        self.x
    }
}
