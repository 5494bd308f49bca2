//! Butcher tableaux of diagonally implicit methods: [`DirkTableau`].

use super::Dirk;
use crate::Method;

/// The coefficients of a singly diagonally implicit Runge–Kutta method with an explicit first stage
/// (ESDIRK; A. Kværnø 2004).
///
/// The first stage is the derivative at the start of the step, all others have the diagonal entry
/// `γ`. The last row of the matrix is that of the weights (stiffly accurate), so that the last stage
/// is the derivative at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirkTableau {
    /// Order of the step.
    pub order: u32,
    /// Order of the error estimate's companion solution; 0 for methods without one.
    pub embedded_order: u32,
    /// Nodes; the first one is 0, the last one 1.
    pub c: &'static [f64],
    /// Rows of the lower triangular matrix; row `i` has `i + 1` entries.
    pub a: &'static [&'static [f64]],
    /// Weights of the error estimate, `bᵢ − b̂ᵢ`; empty for methods without one.
    pub error: &'static [f64],
    /// Dense output as polynomials, for each stage the coefficients of `θ, θ², …`; empty for the
    /// cubic Hermite interpolant.
    pub dense: &'static [&'static [f64]],
    /// First guesses: for each stage the coefficients of the derivatives of the stages before.
    pub predictor: &'static [&'static [f64]],
}

impl DirkTableau {
    /// Number of stages, with the explicit one.
    pub const fn stages(&self) -> usize {
        self.a.len()
    }

    /// The diagonal entry.
    pub const fn gamma(&self) -> f64 {
        self.a[1][1]
    }

    /// The weights of the step: the last row.
    pub const fn b(&self) -> &'static [f64] {
        self.a[self.a.len() - 1]
    }

    /// Whether the lengths fit together and the diagonal has one value.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        if stages < 2 || self.c.len() != stages || self.predictor.len() != stages {
            return false;
        }
        if self.a[0].len() != 1 || self.a[0][0] != 0.0 || self.c[stages - 1] != 1.0 {
            return false;
        }
        let mut i = 1;
        while i < stages {
            if self.a[i].len() != i + 1 || self.a[i][i] != self.gamma() {
                return false;
            }
            if self.predictor[i].len() != i {
                return false;
            }
            i += 1;
        }
        (self.error.is_empty() || self.has_error_estimate())
            && (self.dense.is_empty() || self.dense.len() == stages)
    }

    /// The weight of each slope in the state at `theta`: those of [`dense`](Self::dense), or of Hermite's
    /// cubic.
    pub(crate) fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        if !self.dense.is_empty() {
            for (weight, row) in weights.iter_mut().zip(self.dense) {
                *weight = theta * row.iter().rev().fold(0.0, |sum, c| c + theta * sum);
            }
            return;
        }
        let rest = 1.0 - theta;
        for (weight, b) in weights.iter_mut().zip(self.b()) {
            *weight = theta * theta * (1.0 + 2.0 * rest) * b;
        }
        weights[0] += theta * rest * rest;
        weights[self.stages() - 1] -= theta * theta * rest;
    }

    /// Whether there is an error estimate: a weight for each stage and an order.
    pub const fn has_error_estimate(&self) -> bool {
        self.error.len() == self.stages() && self.embedded_order > 0
    }
}

/// A diagonally implicit Runge–Kutta method: a name for a [`DirkTableau`].
///
/// Implement it for a type of your own to add a method.
pub trait DiagonallyImplicit: Method<Family = Dirk> + Copy {
    /// The coefficients.
    const TABLEAU: DirkTableau;
}
