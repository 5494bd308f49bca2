//! The linear systems of a collocation method: [`Systems`].

use ansatz_linalg::Components;

use super::{CollocationTableau, pair::Pair};
use crate::{
    Error, Result, Statistics,
    implicit::{ImplicitField, linear::Linear, reuse::Freshness},
};

/// One system for the real eigenvalue and one for each pair of complex ones, all with the same
/// Jacobian.
pub(crate) struct Systems<Y> {
    /// The Jacobian, and the system of the real eigenvalue.
    pub(crate) linear: Linear<Y>,
    pairs: Vec<Pair>,
    /// The step length of the factorisations.
    h: f64,
    freshness: Freshness,
}

/// A relative change of the step length by rounding; the factorisations stand it.
const ROUNDING: f64 = 1e-6;

/// Jacobians that make the corrections shrink by less than this serve no longer: one that is found
/// quickly (the first number, for systems up to the size of the constant below it) is kept for a
/// shorter time (E. Hairer, G. Wanner, *Solving ODEs II*, section IV.8).
const SLOW: [f64; 2] = [1e-3, 0.1];
const CHEAP: usize = 16;

impl<Y: Components> Systems<Y> {
    pub(crate) fn new(linear: Linear<Y>, tableau: &CollocationTableau) -> Self {
        let pairs = tableau.pairs.iter().map(|_| Pair::default()).collect();
        Self { linear, pairs, h: f64::NAN, freshness: Freshness::default() }
    }

    /// Forgets the Jacobian.
    pub(crate) fn restart(&mut self) {
        self.freshness = Freshness::default();
        self.h = f64::NAN;
    }

    /// Whether the next preparation finds a Jacobian.
    pub(crate) fn jacobian_is_due(&self) -> bool {
        self.freshness.is_due()
    }

    /// Finds a Jacobian where one is due: at `(t, y)`, where the field is `f`.
    pub(crate) fn linearise<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        f: &Y,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if self.freshness.is_due() {
            self.linear.linearise(field, t, y, f, statistics)?;
            self.freshness.found();
            self.h = f64::NAN;
        }
        Ok(())
    }

    /// Sees to it that there are factorisations for steps of length `h`; `false` if a matrix is
    /// singular.
    pub(crate) fn factorise(
        &mut self,
        tableau: &CollocationTableau,
        h: f64,
        statistics: &mut Statistics,
    ) -> Result<bool> {
        // Not a number where there is no factorisation.
        if (h / self.h - 1.0).abs() <= ROUNDING {
            return Ok(true);
        }
        self.h = f64::NAN;
        if let Some(gamma) = tableau.real
            && !self.linear.factorise(h / gamma, statistics)?
        {
            return Ok(false);
        }
        let (jacobian, mass) = (self.linear.jacobian(), self.linear.mass());
        let n = self.linear.dimension();
        for (pair, eigenvalue) in self.pairs.iter_mut().zip(tableau.pairs) {
            statistics.factorisations += 1;
            if !pair.factorise(*eigenvalue, h, jacobian, mass, n)? {
                return Ok(false);
            }
        }
        self.h = h;
        Ok(true)
    }

    /// Solves with `(α + iβ) M − h J` of the pair `k`, in place.
    pub(crate) fn solve_pair(
        &mut self,
        k: usize,
        re: &mut [f64],
        im: &mut [f64],
        statistics: &mut Statistics,
    ) -> Result<()> {
        statistics.linear_solves += 1;
        if self.pairs[k].solve(re, im)? { Ok(()) } else { Err(Error::EmptyState) }
    }

    /// After a failure: whether another Jacobian may help, which is then due.
    pub(crate) fn can_renew(&mut self) -> bool {
        self.freshness.can_renew()
    }

    /// A step was accepted, with this slowest rate of convergence.
    pub(crate) fn accepted(&mut self, slowest: f64) {
        let costly = self.linear.dimension() > CHEAP;
        self.freshness.accepted(slowest > SLOW[usize::from(costly)]);
    }
}
