//! The coefficients of symplectic methods: [`Splitting`] and [`SymplecticMethod`].

use super::Symplectic;
use crate::Method;

/// The coefficients of a method that moves positions and momenta in turn (R. D. Ruth, IEEE Trans.
/// Nucl. Sci. 30, 1983, 2669–2671).
///
/// For `i = 0, 1, …` in this order
///
/// ```text
/// q ← q + cᵢ h drift(t + h Σⱼ₍ⱼ﹤ᵢ₎ dⱼ, p)
/// p ← p + dᵢ h kick (t + h Σⱼ₍ⱼ≤ᵢ₎ cⱼ, q)
/// ```
///
/// Parts with coefficient 0 are skipped. Each part is evaluated at the time that the *other* part
/// has reached: these are the exact flows of the two halves of the system that has time as a
/// further position and as a further momentum (`q̂ = (q, τ)`, `p̂ = (p, σ)` with `τ' = 1` in the
/// drift and `σ' = 1` in the kick), so that the order is the same whether or not the parts depend
/// on time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splitting {
    /// Order of the step.
    pub order: u32,
    /// The coefficients `cᵢ` of the drifts.
    pub drift: &'static [f64],
    /// The coefficients `dᵢ` of the kicks, as many as there are of drifts.
    pub kick: &'static [f64],
}

impl Splitting {
    /// Whether there are as many drifts as kicks and both cover the step: checked when a method is
    /// compiled into a solve.
    pub const fn is_well_formed(&self) -> bool {
        self.drift.len() == self.kick.len() && covers(self.drift) && covers(self.kick)
    }

    /// Whether the step begins and ends with a kick: the last one is the first of the next step,
    /// and evaluated once.
    pub const fn shares_kick(&self) -> bool {
        let last = self.kick.len() - 1;
        self.drift[0] == 0.0 && self.kick[0] != 0.0 && self.kick[last] != 0.0 && last > 0
    }
}

/// Whether coefficients add up to 1, but for rounding.
const fn covers(coefficients: &[f64]) -> bool {
    let (mut sum, mut i) = (0.0, 0);
    while i < coefficients.len() {
        sum += coefficients[i];
        i += 1;
    }
    sum > 1.0 - 1e-13 && sum < 1.0 + 1e-13
}

/// A symplectic method: a name for a [`Splitting`].
///
/// It solves [`PartitionedField`](crate::PartitionedField)s over pairs `(q, p)`, with steps of one
/// length. On Hamiltonian problems each step is a canonical transformation, so that the error of
/// the energy stays bounded over exponentially many steps instead of growing (E. Hairer,
/// C. Lubich, G. Wanner, *Geometric Numerical Integration*, chapter IX); this needs the steps to be
/// of one length. What counts as an [evaluation](crate::Statistics::evaluations) is a kick.
///
/// Dense output is the cubic Hermite interpolant between the ends of a step, of order 4 whatever
/// the order of the method; it costs up to one further kick for each step that is read inside.
/// There is no error estimate, hence no tolerance:
///
/// ```compile_fail,E0277
/// use ansatz_ode::{Newtonian, VelocityVerlet, solve};
///
/// let spring = Newtonian::new(|_t: f64, q: &f64| -q);
/// let _ = solve(spring, (1.0, 0.0), (0.0, 1.0)).with(VelocityVerlet).tolerance(1e-6, 1e-6);
/// ```
///
/// Implement it for a type of your own to add a method.
pub trait SymplecticMethod: Method<Family = Symplectic> + Copy {
    /// The coefficients.
    const SPLITTING: Splitting;
}
