//! [`Lsmr`].

use super::{Bidiagonalisation, LeastSquares, Recurrence};
use crate::{LinearOperator, Result, Stopping, Vector};

/// Least squares by minimal residuals of the normal equations: the gradient falls in each
/// iteration, so that it may end earlier than [`Lsqr`](super::Lsqr)
/// (D. Fong, M. Saunders, SIAM J. Sci. Comput. 33, 2011).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lsmr {
    /// Weight of `|x|`, or of the distance from the first guess; 0 by default.
    pub damping: f64,
}

impl Lsmr {
    /// From zero until `|b − A x|` is within the tolerance or, where the system has no solution,
    /// the gradient is `relative ‖A‖ |b − A x|`.
    ///
    /// # Errors
    /// As [`Lsmr::run`], and [`Error::NotConverged`](crate::Error::NotConverged).
    pub fn solve<V: Vector>(
        &self,
        a: &dyn LinearOperator<V>,
        b: &V,
        stopping: &Stopping,
    ) -> Result<LeastSquares<V>> {
        self.run(a, b, None, stopping)?.into_converged("LSMR")
    }

    /// What is found when the iteration ends, for whatever reason it ends; from `guess` `x₀`, towards
    /// which it is damped, or from zero.
    ///
    /// # Errors
    /// As [`Lsqr::run`](super::Lsqr::run).
    pub fn run<V: Vector>(
        &self,
        a: &dyn LinearOperator<V>,
        b: &V,
        guess: Option<&V>,
        stopping: &Stopping,
    ) -> Result<LeastSquares<V>> {
        super::run(a, b, guess, self.damping, stopping, |columns| {
            let zero = columns.v.zero_like()?;
            Ok(State {
                x: zero.clone(),
                h: columns.v.clone(),
                h_bar: zero,
                damping: self.damping,
                alpha_bar: columns.alpha,
                zeta_bar: columns.alpha * columns.beta,
                zeta: 0.0,
                rho: 1.0,
                rho_bar: 1.0,
                c_bar: 1.0,
                s_bar: 0.0,
                residual: Residual {
                    beta_double: columns.beta,
                    rho_dot: 1.0,
                    ..Residual::default()
                },
            })
        })
    }
}

struct State<V> {
    x: V,
    h: V,
    h_bar: V,
    damping: f64,
    alpha_bar: f64,
    zeta_bar: f64,
    zeta: f64,
    rho: f64,
    rho_bar: f64,
    c_bar: f64,
    s_bar: f64,
    residual: Residual,
}

/// The norm of the residual, §5.1 of the paper.
#[derive(Default)]
struct Residual {
    beta_double: f64,
    beta_dot: f64,
    rho_dot: f64,
    tau: f64,
    theta: f64,
    shrunk: f64,
}

impl<V: Vector> Recurrence<V> for State<V> {
    // The names of the paper.
    fn step(&mut self, columns: &Bidiagonalisation<'_, V>) -> Result<[f64; 2]> {
        let (alpha, beta) = (columns.alpha, columns.beta);
        let alpha_hat = self.alpha_bar.hypot(self.damping);
        let (c_hat, s_hat) = (self.alpha_bar / alpha_hat, self.damping / alpha_hat);

        let rho_old = self.rho;
        self.rho = alpha_hat.hypot(beta);
        let (c, s) = (alpha_hat / self.rho, beta / self.rho);
        let theta = s * alpha;
        self.alpha_bar = c * alpha;

        let (rho_bar_old, zeta_old) = (self.rho_bar, self.zeta);
        let theta_bar = self.s_bar * self.rho;
        let turned = self.c_bar * self.rho;
        self.rho_bar = turned.hypot(theta);
        (self.c_bar, self.s_bar) = (turned / self.rho_bar, theta / self.rho_bar);
        self.zeta = self.c_bar * self.zeta_bar;
        self.zeta_bar *= -self.s_bar;

        // Products of two of them may underflow.
        let keep = -(theta_bar / rho_old) * (self.rho / rho_bar_old);
        self.h_bar.axpby(keep, 1.0, &self.h)?;
        self.x.axpby(1.0, self.zeta / self.rho / self.rho_bar, &self.h_bar)?;
        self.h.axpby(-theta / self.rho, 1.0, &columns.v)?;

        let residual = &mut self.residual;
        let beta_acute = c_hat * residual.beta_double;
        residual.shrunk = residual.shrunk.hypot(s_hat * residual.beta_double);
        let beta_hat = c * beta_acute;
        residual.beta_double = -s * beta_acute;
        let theta_old = residual.theta;
        let rho_tilde = residual.rho_dot.hypot(theta_bar);
        let (c_tilde, s_tilde) = (residual.rho_dot / rho_tilde, theta_bar / rho_tilde);
        residual.theta = s_tilde * self.rho_bar;
        residual.rho_dot = c_tilde * self.rho_bar;
        residual.beta_dot = c_tilde * beta_hat - s_tilde * residual.beta_dot;
        residual.tau = (zeta_old - theta_old * residual.tau) / rho_tilde;
        let tau_dot = (self.zeta - residual.theta * residual.tau) / residual.rho_dot;
        let norm = residual.shrunk.hypot(residual.beta_dot - tau_dot).hypot(residual.beta_double);
        Ok([norm, self.zeta_bar.abs()])
    }

    fn into_iterate(self) -> V {
        self.x
    }
}
