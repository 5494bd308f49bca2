//! Coefficients of Rosenbrock methods: [`RosenbrockTableau`].

use super::Rosenbrock;
use crate::Method;

/// The coefficients of a Rosenbrock method, in the form without products with the Jacobian
/// (E. Hairer, G. Wanner, *Solving ODEs II*, eq. IV.7.25):
///
/// `(M/(hγ) − J) uᵢ = f(t + αᵢ h, y + Σⱼ aᵢⱼ uⱼ) + M Σⱼ cᵢⱼ uⱼ / h + dᵢ h ∂f/∂t`,
/// `y₁ = y + Σᵢ mᵢ uᵢ`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RosenbrockTableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution.
    pub embedded_order: u32,
    /// The diagonal coefficient `γ`.
    pub gamma: f64,
    /// Nodes `αᵢ`.
    pub nodes: &'static [f64],
    /// Coefficients `dᵢ` of the time derivative.
    pub d: &'static [f64],
    /// Rows `aᵢⱼ`; row `i` has `i` entries.
    pub a: &'static [&'static [f64]],
    /// Rows `cᵢⱼ`; row `i` has `i` entries.
    pub c: &'static [&'static [f64]],
    /// Weights `mᵢ` of the step.
    pub m: &'static [f64],
    /// Weights of the error estimate.
    pub error: &'static [f64],
    /// Dense output `y + Σ wᵢ(θ) uᵢ`: for each stage the coefficients of `θ, θ², …`.
    pub dense: &'static [&'static [f64]],
}

impl RosenbrockTableau {
    /// Number of stages.
    pub const fn stages(&self) -> usize {
        self.m.len()
    }

    /// Whether stage `i` evaluates the field where the stage before did.
    pub const fn repeats(&self, i: usize) -> bool {
        if i == 0 || self.nodes[i] != self.nodes[i - 1] || self.a[i][i - 1] != 0.0 {
            return false;
        }
        let mut j = 0;
        while j + 1 < i {
            if self.a[i][j] != self.a[i - 1][j] {
                return false;
            }
            j += 1;
        }
        true
    }

    /// Whether the lengths fit together.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        if stages == 0
            || self.nodes.len() != stages
            || self.d.len() != stages
            || self.a.len() != stages
            || self.c.len() != stages
            || self.error.len() != stages
            || self.dense.len() != stages
        {
            return false;
        }
        let mut i = 0;
        while i < stages {
            if self.a[i].len() != i || self.c[i].len() != i {
                return false;
            }
            i += 1;
        }
        self.embedded_order > 0
    }
}

/// A Rosenbrock method: a name for a [`RosenbrockTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait RosenbrockMethod: Method<Family = Rosenbrock> + Copy {
    /// The coefficients.
    const TABLEAU: RosenbrockTableau;
}
