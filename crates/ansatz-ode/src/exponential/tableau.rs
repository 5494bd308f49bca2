//! Coefficients of exponential Runge–Kutta methods: [`ExponentialTableau`].

use crate::{AdaptiveFamily, Method, Pid};

/// The family of exponential Runge–Kutta methods for `y′ = L y + N(t, y)`.
#[derive(Debug, Clone, Copy)]
pub struct Exponential;

impl AdaptiveFamily for Exponential {
    type Controller = Pid;

    fn controller(rtol: f64, atol: f64) -> Pid {
        // The φ-functions are kept as long as the step is.
        Pid::stiff(rtol, atol)
    }
}

/// A stage `Y = φ₀(s h L) b + h Σₖ φₖ(s h L) Σⱼ wₖⱼ N(tⱼ, Yⱼ)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialStage {
    /// The node: the stage belongs to the time `t + c h`.
    pub c: f64,
    /// The part `s` of the step whose φ-functions it takes.
    pub scale: f64,
    /// The stage whose value `b` is carried on; 0 for the start of the step.
    pub base: usize,
    /// For `φ₁, φ₂, …` the weights of `N` at the stages before.
    pub weights: &'static [&'static [f64]],
}

/// The coefficients of an exponential Runge–Kutta method with constant weights of φ-functions
/// (M. Hochbruck, A. Ostermann, *Exponential integrators*, Acta Numerica 19, 2010, 209–286).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialTableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution; 0 for methods without one.
    pub embedded_order: u32,
    /// The stages after the first one, which is the start of the step.
    pub stages: &'static [ExponentialStage],
    /// The step itself, as a stage.
    pub step: ExponentialStage,
    /// The error estimate `h Σₖ φₖ(hL) Σⱼ wₖⱼ Nⱼ`; empty for methods without one.
    pub error: &'static [&'static [f64]],
}

impl ExponentialTableau {
    /// The largest index of a φ-function.
    pub const fn functions(&self) -> usize {
        let mut most = if self.step.weights.len() > self.error.len() {
            self.step.weights.len()
        } else {
            self.error.len()
        };
        let mut i = 0;
        while i < self.stages.len() {
            if self.stages[i].weights.len() > most {
                most = self.stages[i].weights.len();
            }
            i += 1;
        }
        most
    }

    /// Whether stages only use those before them, and the step the functions of a whole step.
    pub const fn is_well_formed(&self) -> bool {
        let mut i = 0;
        while i <= self.stages.len() {
            let stage = if i < self.stages.len() { self.stages[i] } else { self.step };
            let mut k = 0;
            while k < stage.weights.len() {
                if stage.weights[k].len() > i + 1 {
                    return false;
                }
                k += 1;
            }
            if stage.base > i || stage.scale <= 0.0 {
                return false;
            }
            i += 1;
        }
        self.step.scale == 1.0
            && self.step.c == 1.0
            && (self.error.is_empty() || self.embedded_order > 0)
    }
}

/// An exponential Runge–Kutta method: a name for an [`ExponentialTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait ExponentialMethod: Method<Family = Exponential> + Copy {
    /// The coefficients.
    const TABLEAU: ExponentialTableau;
}
