//! Delay equations: [`solve_delayed`].

mod history;
mod lags;
mod method_of_steps;

pub use history::Delayed;
pub use lags::Lags;
pub use method_of_steps::MethodOfSteps;

use ansatz_core::State;

use crate::{Save, Solve, Span, integrate::Options};

/// Starts the description of a solve of the delay equation
/// `dy/dt = field(t, y(t), [y(t − τ₁), y(t − τ₂), …])`, with `y(t) = history(t)` up to the start.
///
/// The rest is as for [`solve`](crate::solve): any method, tolerance, output, events. Delayed states come
/// from the dense output of the method (A. Bellen, M. Zennaro, *Numerical Methods for Delay Differential
/// Equations*, 2003, section 4.3); steps are no longer than the shortest lag, so that they are known.
/// The solution has kinks where lags reach back to the start; steps end there for [`Lags::constant`].
///
/// ```
/// use ansatz_ode::{Lags, Tsit5, solve_delayed};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Logistic growth that feels the crowding of one unit of time ago (G. E. Hutchinson 1948).
/// let field = |_t: f64, y: &f64, before: &[f64]| 1.8 * y * (1.0 - before[0]);
/// let solution = solve_delayed(field, |_t| 0.5, Lags::constant([1.0]), (0.0, 40.0))
///     .with(Tsit5)
///     .tolerance(1e-8, 1e-8)
///     .run()?;
/// assert!(solution.y_end > 0.0); // a limit cycle, since 1.8 > π/2
/// # Ok(())
/// # }
/// ```
///
/// Delay equations run forwards in time. Their solutions carry no gradients.
pub fn solve_delayed<F, P, Y>(
    field: F,
    history: P,
    lags: Lags<Y>,
    span: impl Into<Span>,
) -> Solve<Delayed<F, P, Y>, Y, (), (), MethodOfSteps>
where
    P: Fn(f64) -> Y,
    Y: State,
{
    let span = span.into();
    Solve {
        y0: history(span.t0),
        field: Delayed::new(field, history, lags, span.t0),
        span,
        method: (),
        controller: (),
        save: Save::End,
        options: Options { max_steps: 1_000_000, jumps: Vec::new(), events: Vec::new() },
        adjoint: MethodOfSteps,
    }
}
