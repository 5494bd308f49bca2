//! Butcher tableaux: [`Tableau`] and [`ExplicitRungeKutta`].

use super::Explicit;
use crate::Method;

/// The coefficients of an explicit Runge–Kutta method (J. C. Butcher 1964).
///
/// Stage `i` is `kᵢ = f(t + cᵢ h, y + h Σⱼ aᵢⱼ kⱼ)`, the step `y₁ = y + h Σᵢ bᵢ kᵢ`. The first
/// stage has `c₀ = 0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution; 0 for methods without one.
    pub embedded_order: u32,
    /// Nodes.
    pub c: &'static [f64],
    /// Rows of the strictly lower triangular matrix; row `i` has `i` entries.
    pub a: &'static [&'static [f64]],
    /// Weights of the step.
    pub b: &'static [f64],
    /// Weights of the error estimate, `bᵢ − b̂ᵢ`; empty for methods without one.
    pub error: &'static [f64],
    /// Stages that only dense output needs, evaluated only where it is wanted.
    pub extra: &'static [ExtraStage],
    /// Dense output as polynomials, for each of the [`slopes`](Self::slopes) the coefficients of
    /// `θ, θ², …`; empty for the cubic Hermite interpolant.
    pub dense: &'static [&'static [f64]],
}

/// A stage that only dense output needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExtraStage {
    /// Its node.
    pub c: f64,
    /// Its row of the matrix: over the stages of the step, the derivative at the end of the step,
    /// and the extra stages before it.
    pub a: &'static [f64],
}

impl Tableau {
    /// Number of stages.
    pub const fn stages(&self) -> usize {
        self.b.len()
    }

    /// Number of slopes that dense output may read: stages, the end derivative, extra stages.
    pub const fn slopes(&self) -> usize {
        self.stages() + 1 + self.extra.len()
    }

    /// Whether the numbers of nodes, rows and weights fit together: checked when a method is
    /// compiled into a solve.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        if stages == 0 || self.c.len() != stages || self.a.len() != stages || self.c[0] != 0.0 {
            return false;
        }
        let mut i = 0;
        while i < stages {
            if self.a[i].len() != i {
                return false;
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.extra.len() {
            if self.extra[i].a.len() != stages + 1 + i {
                return false;
            }
            i += 1;
        }
        (self.error.is_empty() || self.has_error_estimate())
            && (self.dense.is_empty() || self.dense.len() == self.slopes())
    }

    /// Whether there is an error estimate: a weight for each stage and an order.
    pub const fn has_error_estimate(&self) -> bool {
        self.error.len() == self.stages() && self.embedded_order > 0
    }

    /// Whether the last stage is the derivative at the end of the step ("first same as last"), so
    /// that it serves as the first stage of the next step.
    pub const fn first_same_as_last(&self) -> bool {
        let last = self.a[self.a.len() - 1];
        if last.len() + 1 != self.b.len() || self.b[self.b.len() - 1] != 0.0 {
            return false;
        }
        let mut i = 0;
        while i < last.len() {
            if last[i] != self.b[i] {
                return false;
            }
            i += 1;
        }
        true
    }
}

/// An explicit Runge–Kutta method: a name for a [`Tableau`], with its dense output.
///
/// Implement it for a type of your own to add a method; step size control, dense output and
/// adjoints follow.
pub trait ExplicitRungeKutta: Method<Family = Explicit> + Copy {
    /// The coefficients.
    const TABLEAU: Tableau;

    /// Weights of the dense output at `theta` in [0, 1]: `y(t + θh) ≈ y + h Σᵢ wᵢ kᵢ`.
    ///
    /// `weights` has one entry for each stage, one more for the derivative at the end of the step,
    /// which the solver supplies (for methods that are first same as last it is the last stage),
    /// and one for each [extra](Tableau::extra) stage. The default is what
    /// [`Tableau::dense`] says.
    #[inline]
    fn dense_weights(theta: f64, weights: &mut [f64]) {
        if Self::TABLEAU.dense.is_empty() {
            hermite_weights(&Self::TABLEAU, theta, weights);
        } else {
            for (w, row) in weights.iter_mut().zip(Self::TABLEAU.dense) {
                *w = theta * row.iter().rev().fold(0.0, |sum, c| c + theta * sum);
            }
        }
    }
}

/// The cubic Hermite interpolant through both ends of a step, written on the stages.
pub(crate) fn hermite_weights(tableau: &Tableau, theta: f64, weights: &mut [f64]) {
    let rise = theta * theta * (3.0 - 2.0 * theta);
    let stages = tableau.stages();
    for (w, b) in weights.iter_mut().zip(tableau.b) {
        *w = rise * b;
    }
    weights[stages..].fill(0.0);
    weights[0] += theta * (1.0 - theta) * (1.0 - theta);
    weights[stages] += theta * theta * (theta - 1.0);
}
