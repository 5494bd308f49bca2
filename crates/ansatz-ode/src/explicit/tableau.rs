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
    /// Dense output: for each of the [`slopes`](Self::slopes) the Bernstein coefficients `β₁ … β_d`
    /// of its weight, `wᵢ(θ) = Σⱼ βᵢⱼ (d choose j) θʲ (1 − θ)^(d−j)`; empty for the cubic Hermite
    /// interpolant.
    ///
    /// The last coefficient is the weight of the step, `bᵢ` (0 beyond the stages), so that steps
    /// join. In powers of θ the coefficients of methods of high order are so large (1e6 for
    /// [`Vern8`](crate::Vern8)) that the interpolant would lose four digits.
    pub dense: &'static [&'static [f64]],
}

/// A second error estimate, of lower order than that of the [`Tableau`].
///
/// With the norms `e` of the first and `e₂` of the second, the norm of the error is taken to be
/// `e² / √(e² + 0.01 e₂²)` (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, 2nd ed. 1993,
/// section II.10): small steps weigh it by the ratio of the two, so that an estimate that vanishes
/// by chance does less harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SecondEstimate {
    /// Order of its companion solution.
    pub order: u32,
    /// Weights of the estimate, `bᵢ − b̂ᵢ`.
    pub error: &'static [f64],
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
        (self.error.is_empty() || self.has_error_estimate()) && self.dense_is_well_formed()
    }

    /// Whether dense output has as many coefficients for each slope, and joins the steps.
    const fn dense_is_well_formed(&self) -> bool {
        if self.dense.is_empty() {
            return true;
        }
        let degree = self.dense[0].len();
        if self.dense.len() != self.slopes() || degree == 0 || degree > MOST_DEGREE {
            return false;
        }
        let mut i = 0;
        while i < self.dense.len() {
            let weight = if i < self.b.len() { self.b[i] } else { 0.0 };
            if self.dense[i].len() != degree || self.dense[i][degree - 1] != weight {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Whether there is an error estimate: a weight for each stage and an order.
    pub const fn has_error_estimate(&self) -> bool {
        self.error.len() == self.stages() && self.embedded_order > 0
    }

    /// Whether a second error estimate fits, if there is one.
    pub(crate) const fn takes(&self, second: Option<SecondEstimate>) -> bool {
        match second {
            Some(second) => {
                self.has_error_estimate()
                    && second.error.len() == self.stages()
                    && second.order > 0
                    && second.order <= self.embedded_order
            }
            None => true,
        }
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

    /// A second error estimate, for the few methods that have one.
    const SECOND_ESTIMATE: Option<SecondEstimate> = None;

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
            bernstein_weights(Self::TABLEAU.dense, theta, weights);
        }
    }
}

/// The highest degree of dense output.
const MOST_DEGREE: usize = 15;

/// The values at `theta` of the polynomials with these Bernstein coefficients, from the second on:
/// the first is 0.
fn bernstein_weights(coefficients: &[&[f64]], theta: f64, weights: &mut [f64]) {
    let degree = coefficients[0].len();
    let mut basis = [0.0; MOST_DEGREE + 1];
    basis[0] = 1.0;
    for d in 1..=degree {
        for j in (1..=d).rev() {
            basis[j] = (1.0 - theta) * basis[j] + theta * basis[j - 1];
        }
        basis[0] *= 1.0 - theta;
    }
    for (w, row) in weights.iter_mut().zip(coefficients) {
        *w = row.iter().zip(&basis[1..]).map(|(c, b)| c * b).sum();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dop853, Rk4};

    #[test]
    fn coefficients_that_do_not_fit_are_seen() {
        let good = Dop853::TABLEAU;
        assert!(good.is_well_formed() && Rk4::TABLEAU.is_well_formed());
        let rows = |row: &'static [f64]| -> &'static [&'static [f64]] { vec![row; 5].leak() };
        let stage =
            |a: &'static [f64]| -> &'static [ExtraStage] { vec![ExtraStage { c: 0.5, a }].leak() };
        let with = |dense| Tableau { b: &[0.0, 0.0, 0.0, 1.0], dense, ..Rk4::TABLEAU };
        for bad in [
            Tableau { b: &good.b[1..], ..good },
            Tableau { c: &good.c[1..], ..good },
            Tableau { a: &good.a[1..], ..good },
            Tableau { error: &good.error[1..], ..good },
            Tableau { embedded_order: 0, ..good },
            Tableau { dense: &good.dense[1..], ..good },
            Tableau { extra: &good.extra[1..], ..good },
            Tableau { extra: stage(&[0.5; 4]), ..Rk4::TABLEAU },
            // As many coefficients for each slope, not too many, and the last one the weight.
            with(rows(&[])),
            with(rows(&[0.0; 16])),
            with(rows(&[0.0, 1.0])),
            with(vec![&[0.5, 0.0][..], &[0.0; 2], &[0.0; 2], &[0.0, 1.0], &[0.0; 3]].leak()),
        ] {
            assert!(!bad.is_well_formed(), "{bad:?}");
        }
        let steps = vec![&[0.5, 0.0][..], &[0.0; 2], &[0.0; 2], &[0.0, 1.0], &[0.0; 2]].leak();
        assert!(with(steps).is_well_formed());
        assert!(Tableau { extra: stage(&[0.5; 5]), ..Rk4::TABLEAU }.is_well_formed());
    }

    #[test]
    fn second_estimates_that_do_not_fit_are_seen() {
        let tableau = Dop853::TABLEAU;
        let good = SecondEstimate { order: 3, error: tableau.error };
        assert!(tableau.takes(None) && tableau.takes(Some(good)));
        assert!(!Rk4::TABLEAU.takes(Some(SecondEstimate { order: 3, error: &[0.0; 4] })));
        for bad in [
            SecondEstimate { order: 0, ..good },
            SecondEstimate { order: 6, ..good },
            SecondEstimate { error: &tableau.error[1..], ..good },
        ] {
            assert!(!tableau.takes(Some(bad)), "{bad:?}");
        }
    }
}
