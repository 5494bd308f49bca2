//! Coefficients of collocation methods: [`CollocationTableau`].

use super::Collocation;
use crate::Method;

/// The coefficients of a collocation method in the form in which its stages are solved (E. Hairer,
/// G. Wanner, *Solving ODEs II*, section IV.8).
///
/// The unknowns are the increments `zᵢ = Yᵢ − y` of the stages. With the matrix `A` of the method,
/// `T⁻¹ A⁻¹ T` is diagonal but for a block `[[α, −β], [β, α]]` for each pair `α ± iβ` of complex
/// eigenvalues: one system with real coefficients and one with complex ones in place of a system of
/// all stages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollocationTableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution; 0 for methods without one.
    pub embedded_order: u32,
    /// Nodes, increasing, in (0, 1].
    pub c: &'static [f64],
    /// Rows of `T`.
    pub t: &'static [&'static [f64]],
    /// Rows of `T⁻¹`.
    pub t_inverse: &'static [&'static [f64]],
    /// The real eigenvalue of `A⁻¹`, which belongs to the first column of `T`; `None` for an even
    /// number of stages.
    pub real: Option<f64>,
    /// The complex eigenvalues `α ± iβ` of `A⁻¹` as `(α, β)`.
    pub pairs: &'static [(f64, f64)],
    /// Weights of the step, `y₁ = y + Σ dᵢ zᵢ`.
    pub d: &'static [f64],
    /// Weights of the error estimate `(M − h γ₀ J)⁻¹ (h γ₀ f(t, y) + M Σ eᵢ zᵢ)`, where `γ₀` is one
    /// over the real eigenvalue; empty for methods without one.
    pub error: &'static [f64],
    /// The collocation polynomial `y + Σ zᵢ pᵢ(θ)`, for each stage the coefficients of `θ, θ², …`.
    pub dense: &'static [&'static [f64]],
}

impl CollocationTableau {
    /// Number of stages.
    pub const fn stages(&self) -> usize {
        self.c.len()
    }

    /// Whether the lengths fit together.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        let real = if self.real.is_some() { 1 } else { 0 };
        if stages == 0 || real + 2 * self.pairs.len() != stages || self.d.len() != stages {
            return false;
        }
        if self.t.len() != stages || self.t_inverse.len() != stages || self.dense.len() != stages {
            return false;
        }
        let mut i = 0;
        while i < stages {
            let lengths = [self.t[i].len(), self.t_inverse[i].len(), self.dense[i].len()];
            if lengths[0] != stages || lengths[1] != stages || lengths[2] != stages {
                return false;
            }
            i += 1;
        }
        self.error.is_empty() || self.has_error_estimate()
    }

    /// Whether there is an error estimate: a weight for each stage, an order, a real eigenvalue.
    pub const fn has_error_estimate(&self) -> bool {
        self.error.len() == self.stages() && self.embedded_order > 0 && self.real.is_some()
    }

    /// Values of the polynomials `pᵢ` at `theta`.
    pub(crate) fn weights(&self, theta: f64) -> Vec<f64> {
        let value = |row: &&[f64]| theta * row.iter().rev().fold(0.0, |sum, c| c + theta * sum);
        self.dense.iter().map(value).collect()
    }
}

/// A collocation method: a name for a [`CollocationTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait CollocationMethod: Method<Family = Collocation> + Copy {
    /// The coefficients.
    const TABLEAU: CollocationTableau;
}
