//! When the Jacobian and its factorisation are computed anew: [`Reuse`].

use ansatz_linalg::Components;

use super::{
    ImplicitField, Linearisation,
    linear::{Linear, value},
};
use crate::{Result, Statistics};

/// Keeps the Jacobian as long as Newton's method converges quickly with it, and the factorisation
/// as long as the step length hardly changes.
pub(crate) struct Reuse<Y> {
    pub(crate) linear: Linear<Y>,
    /// The field where the Jacobian is found. What stages make of it will not do: differences
    /// would divide its error by their small increments.
    value: Y,
    freshness: Freshness,
}

/// How well a Jacobian still serves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Freshness {
    /// Whether there is a Jacobian, and whether it is that of the present state.
    known: bool,
    current: bool,
    /// Accepted steps since it was found.
    age: usize,
    /// Whether the next step wants another one.
    slow: bool,
}

/// A Jacobian that makes corrections shrink by less than this serves no longer.
const SLOW: f64 = 0.1;

/// Accepted steps after which the Jacobian is found anew however well it serves.
const MAX_AGE: usize = 50;

/// Up to this size a factorisation costs less than an iteration that it may save.
const CHEAP: usize = 16;

/// Relative change of the step length that a costly factorisation stands.
const TOLERATED: f64 = 0.2;

impl Freshness {
    /// Whether another Jacobian is due.
    pub(crate) fn is_due(&self) -> bool {
        !self.known || (!self.current && (self.slow || self.age >= MAX_AGE))
    }

    /// A Jacobian of the present state was found.
    pub(crate) fn found(&mut self) {
        *self = Self { known: true, current: true, age: 0, slow: false };
    }

    /// After a failure: whether another Jacobian may help, which is then due.
    pub(crate) fn can_renew(&mut self) -> bool {
        self.slow |= !self.current;
        !self.current
    }

    /// A step was accepted; `slow` if Newton's method was on its way.
    pub(crate) fn accepted(&mut self, slow: bool) {
        self.current = false;
        self.age += 1;
        self.slow |= slow;
    }
}

impl<Y: Components> Reuse<Y> {
    pub(crate) fn new(linear: Linear<Y>, like: &Y) -> Self {
        Self { linear, value: like.clone(), freshness: Freshness::default() }
    }

    /// Forgets the Jacobian.
    pub(crate) fn restart(&mut self) {
        self.freshness = Freshness::default();
    }

    /// Sees to it that there is a factorisation that serves a step with `gamma_h`, with the Jacobian
    /// at `(t, y)` if another one is due; `false` if the matrix is singular.
    pub(crate) fn prepare<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        gamma_h: f64,
        statistics: &mut Statistics,
    ) -> Result<bool> {
        if self.linear.matrix_free {
            self.linear.gamma_h = gamma_h;
            return Ok(true);
        }
        if self.freshness.is_due() {
            if !matches!(field.linearisation(), Linearisation::Given(_)) {
                value(field, t, y, &mut self.value, statistics)?;
            }
            self.linear.linearise(field, t, y, &self.value, statistics)?;
            self.freshness.found();
        }
        let change = (gamma_h / self.linear.gamma_h - 1.0).abs();
        let tolerated = if self.linear.dimension() <= CHEAP { 0.0 } else { TOLERATED };
        // Not a number where there is no factorisation.
        if change <= tolerated {
            return Ok(true);
        }
        self.linear.factorise(gamma_h, statistics)
    }

    /// After a failure of a step with `gamma_h`: whether another Jacobian may help, or a
    /// factorisation for just this step, which the next preparation then finds.
    pub(crate) fn can_renew(&mut self, gamma_h: f64) -> bool {
        if self.linear.matrix_free {
            return false;
        }
        if self.freshness.can_renew() {
            return true;
        }
        let renew = self.linear.gamma_h != gamma_h;
        self.linear.gamma_h = f64::NAN;
        renew
    }

    /// A step was accepted, with this slowest rate of convergence.
    pub(crate) fn accepted(&mut self, slowest: f64) {
        self.freshness.accepted(slowest > SLOW);
    }
}
