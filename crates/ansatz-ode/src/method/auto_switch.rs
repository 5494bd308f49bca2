//! A method that finds out whether the problem is stiff.

use crate::{Adaptive, AdaptiveFamily, ExplicitRungeKutta, Method, Pid, Rodas5P, Switching, Tsit5};

/// An explicit method that gives way to an implicit one where the problem becomes stiff, and takes
/// over again where it no longer is (L. R. Petzold, SIAM J. Sci. Stat. Comput. 4, 1983, 136–148):
/// for problems of which it is not known, or that are stiff in parts.
///
/// A problem counts as stiff where ten steps of the explicit method have been as long as its
/// stability allows, by the estimate of `|h λ|` from its last two stages (L. F. Shampine 1977), and
/// no longer as stiff where five steps of the implicit one were well within that, by the spectral
/// radius of the Jacobian. [`Statistics::switches`](crate::Statistics::switches) tells how often
/// that happened: none means that the steps are those of the explicit method.
///
/// The explicit method needs two stages at the end of the step, like [`Tsit5`],
/// [`Dopri5`](crate::Dopri5), [`Bs5`](crate::Bs5) and those of Verner, which is checked when the solve is
/// compiled; the implicit one may be any of Rosenbrock, or a diagonally implicit one. Problems with a
/// mass matrix take the implicit method alone.
///
/// ```
/// use ansatz_ode::{AutoSwitch, Kvaerno5, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let oscillator = |mu: f64| {
///     move |_t: f64, y: &[f64; 2]| [y[1], mu * (1.0 - y[0] * y[0]) * y[1] - y[0]]
/// };
/// let auto = AutoSwitch::default(); // Tsit5 and Rodas5P
/// let easy = solve(oscillator(1.0), [2.0, 0.0], (0.0, 10.0)).with(auto).tolerance(1e-6, 1e-6);
/// assert_eq!(easy.run()?.statistics.switches, 0);
/// let auto = AutoSwitch::new(Tsit5, Kvaerno5);
/// let stiff = solve(oscillator(1e4), [2.0, 0.0], (0.0, 10.0)).with(auto).tolerance(1e-6, 1e-6);
/// assert_eq!(stiff.run()?.statistics.switches, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoSwitch<E, S> {
    /// The explicit method.
    pub nonstiff: E,
    /// The implicit method.
    pub stiff: S,
}

impl<E, S> AutoSwitch<E, S> {
    /// Begins with `nonstiff`.
    pub const fn new(nonstiff: E, stiff: S) -> Self {
        Self { nonstiff, stiff }
    }
}

impl Default for AutoSwitch<Tsit5, Rodas5P> {
    fn default() -> Self {
        Self::new(Tsit5, Rodas5P)
    }
}

impl<E: ExplicitRungeKutta, S: Method> Method for AutoSwitch<E, S> {
    type Family = Switching;
}

impl<E, S> Adaptive for AutoSwitch<E, S>
where
    E: ExplicitRungeKutta + Adaptive,
    S: Adaptive<Family: AdaptiveFamily<Controller = Pid>>,
{
}
