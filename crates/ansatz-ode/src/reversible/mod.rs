//! Methods whose steps can be undone to rounding: [`Reversible`].

#[cfg(feature = "candle")]
mod adjoint;
mod stepper;

#[cfg(feature = "candle")]
pub use adjoint::ReversibleAdjoint;
pub use stepper::ReversibleStages;

use crate::{Adaptive, AdaptiveFamily, ExplicitRungeKutta, Method, Pid};

/// An explicit method made algebraically reversible (S. McCallum, J. Foster 2024, *Efficient, accurate
/// and stable gradients for neural ODEs*, arXiv:2410.11648, eq. 4), of the same order and with the same
/// error estimate, at twice the evaluations.
///
/// A second state `z` goes along. With `Ψ_h(t, y)` the increment of a step of the method,
///
/// ```text
/// y₁ = λ y₀ + (1 − λ) z₀ + Ψ_h(t₀, z₀)
/// z₁ = z₀ − Ψ₋ₕ(t₁, y₁)
/// ```
///
/// which can be solved for `z₀` and then `y₀` without solving equations: `ReversibleAdjoint` gives the
/// gradient of the discrete solution, exact to rounding, in memory that hardly grows with its length.
///
/// Inside steps the solution is Hermite's cubic. Where an event changes the state, and at jumps, both
/// states start again from one.
///
/// ```
/// use ansatz_ode::{Reversible, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let decay = |_t: f64, y: &f64| -y;
/// let solution = solve(decay, 1.0, (0.0, 1.0)).with(Reversible::new(Tsit5)).tolerance(1e-8, 1e-8);
/// assert!((solution.run()?.y_end - (-1f64).exp()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reversible<M> {
    /// The method of the increments.
    pub method: M,
    /// How strongly the two states are held together: `λ`, above 0 and at most 1. With 1 they are not,
    /// and may drift apart; smaller ones damp their difference, and are multiplied up again on the way
    /// back, by `1/λ` a step.
    pub coupling: f64,
}

impl<M: ExplicitRungeKutta> Reversible<M> {
    /// With `λ = 0.999`.
    pub fn new(method: M) -> Self {
        Self { method, coupling: 0.999 }
    }
}

impl<M: ExplicitRungeKutta> Method for Reversible<M> {
    type Family = ReversibleFamily;
}

impl<M: ExplicitRungeKutta + Adaptive> Adaptive for Reversible<M> {}

/// The family of [`Reversible`] methods.
#[derive(Debug, Clone, Copy)]
pub struct ReversibleFamily;

impl AdaptiveFamily for ReversibleFamily {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}
