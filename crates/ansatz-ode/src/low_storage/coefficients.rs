//! The coefficients of low-storage methods: [`LowStorageCoefficients`].

use ansatz_core::State;

use super::LowStorage;
use crate::{Method, Result};

/// An explicit Runge–Kutta method in low-storage form.
///
/// Implement it for a type of your own to add a method; one whose
/// [`embedded`](LowStorageCoefficients::embedded) weights are given may be
/// [`Adaptive`](crate::Adaptive).
pub trait LowStorageRungeKutta: Method<Family = LowStorage> + Copy {
    /// The coefficients.
    const COEFFICIENTS: LowStorageCoefficients;
}

/// What makes a low-storage method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowStorageCoefficients {
    /// Order of the step.
    pub order: u32,
    /// Nodes, one for each stage; the first is 0.
    pub c: &'static [f64],
    /// How a stage changes the registers.
    pub recurrence: Recurrence,
    /// The error estimate, for methods that have one.
    pub embedded: Option<EmbeddedWeights>,
}

/// The error estimate of a low-storage method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddedWeights {
    /// Order of its companion solution.
    pub order: u32,
    /// Weights `bᵢ − b̂ᵢ` of the stages and, last, of the derivative at the end of the step, which
    /// the next step begins with.
    pub error: &'static [f64],
}

/// How stage `i`, with slope `kᵢ = f(t + cᵢ h, u)`, changes the register `u`, which begins as the
/// state `y` before the step and ends as the one after, and the other register.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recurrence {
    /// `v ← aᵢ v + h kᵢ`, `u ← u + bᵢ v` with `a₀ = 0`: two registers of `N` numbers (J. H.
    /// Williamson, J. Comput. Phys. 35, 1980, 48–56).
    TwoN {
        /// `aᵢ`.
        a: &'static [f64],
        /// `bᵢ`.
        b: &'static [f64],
    },
    /// `v ← v + δᵢ u`, `u ← γᵢ₁ u + γᵢ₂ v + γᵢ₃ y + βᵢ h kᵢ` from `v = 0`: three registers, of which
    /// `y` is kept in any case (the class 3S* of D. I. Ketcheson, J. Comput. Phys. 229, 2010,
    /// 1763–1773).
    ThreeS {
        /// `γᵢ₁, γᵢ₂, γᵢ₃`.
        gamma: &'static [[f64; 3]],
        /// `δᵢ`.
        delta: &'static [f64],
        /// `βᵢ`.
        beta: &'static [f64],
    },
}

impl LowStorageCoefficients {
    /// Number of stages.
    pub const fn stages(&self) -> usize {
        self.c.len()
    }

    /// Whether the numbers of coefficients fit together: checked when a method is compiled into a
    /// solve.
    pub const fn is_well_formed(&self) -> bool {
        let stages = self.stages();
        let fits = match self.recurrence {
            Recurrence::TwoN { a, b } => {
                stages > 0 && a.len() == stages && b.len() == stages && a[0] == 0.0
            }
            Recurrence::ThreeS { gamma, delta, beta } => {
                stages > 0 && gamma.len() == stages && delta.len() == stages && beta.len() == stages
            }
        };
        let estimates = match self.embedded {
            Some(EmbeddedWeights { order, error }) => order > 0 && error.len() == stages + 1,
            None => true,
        };
        fits && estimates && self.c[0] == 0.0
    }
}

impl Recurrence {
    /// What stage `i` of a step of signed length `h` from `y`, with this slope, does to `u` and `v`.
    #[inline]
    pub(crate) fn advance<Y: State>(
        &self,
        i: usize,
        h: f64,
        y: &Y,
        slope: &Y,
        u: &mut Y,
        v: &mut Y,
    ) -> Result<()> {
        match *self {
            Self::TwoN { a, b } => {
                v.accumulate(a[i], &[(h, slope)])?;
                u.accumulate(1.0, &[(b[i], v)])?;
            }
            Self::ThreeS { gamma, delta, beta } => {
                if i == 0 || delta[i] != 0.0 {
                    v.accumulate(if i == 0 { 0.0 } else { 1.0 }, &[(delta[i], u)])?;
                }
                let [g1, g2, g3] = gamma[i];
                u.accumulate(g1, &[(g2, v), (g3, y), (h * beta[i], slope)])?;
            }
        }
        Ok(())
    }
}
