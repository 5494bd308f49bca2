//! Coefficients of exponential Rosenbrock methods: [`ExponentialRosenbrockTableau`].

use crate::{AdaptiveFamily, Method, Pid};

/// The family of exponential Rosenbrock methods.
#[derive(Debug, Clone, Copy)]
pub struct ExponentialRosenbrock;

impl AdaptiveFamily for ExponentialRosenbrock {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        Pid::i(rtol, atol)
    }
}

/// A stage
/// `Y = y + c h φ₁(c h J) f + (c h)² φ₂(c h J) ∂f/∂t + h Σₖ φₖ(c h J) Σⱼ wₖⱼ Dⱼ`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialRosenbrockStage {
    /// The node.
    pub c: f64,
    /// For `φ₁, φ₂, …` the weights of the `Dⱼ` of the stages before, the start of the step, where
    /// `D` is zero, not counted.
    pub weights: &'static [&'static [f64]],
}

/// The coefficients of an exponential Rosenbrock method (M. Hochbruck, A. Ostermann, J. Schweitzer,
/// SIAM J. Numer. Anal. 47, 2009, 786–803) for `y′ = f(t, y)` with the Jacobian `J` at the start of
/// each step, written with the differences `Dⱼ = g(tⱼ, Yⱼ) − g(t, y)` of what `J` leaves over,
/// `g(t, y) = f(t, y) − J y − t ∂f/∂t`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialRosenbrockTableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution; 0 for methods without one.
    pub embedded_order: u32,
    /// The stages after the first one, which is the start of the step.
    pub stages: &'static [ExponentialRosenbrockStage],
    /// For `φ₁, φ₂, …` the weights of the step.
    pub step: &'static [&'static [f64]],
    /// For `φ₁, φ₂, …` the weights of the error estimate; empty for methods without one.
    pub error: &'static [&'static [f64]],
}

impl ExponentialRosenbrockTableau {
    /// Whether stages only use those before them.
    pub const fn is_well_formed(&self) -> bool {
        let mut i = 0;
        while i <= self.stages.len() {
            let weights = if i < self.stages.len() { self.stages[i].weights } else { self.step };
            let mut k = 0;
            while k < weights.len() {
                if weights[k].len() > i {
                    return false;
                }
                k += 1;
            }
            i += 1;
        }
        self.error.is_empty() || self.embedded_order > 0
    }
}

/// An exponential Rosenbrock method: a name for an [`ExponentialRosenbrockTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait ExponentialRosenbrockMethod: Method<Family = ExponentialRosenbrock> + Copy {
    /// The coefficients.
    const TABLEAU: ExponentialRosenbrockTableau;
}
