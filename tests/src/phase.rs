//! Positions and momenta as the state of a solve: [`Phase`].

use ansatz::{
    core::{Result, State},
    ode::{DefaultAdjoint, NoGradient},
};

/// A point of phase space: positions `q` and momenta `p`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phase {
    /// Positions.
    pub q: Vec<f64>,
    /// Momenta.
    pub p: Vec<f64>,
}

impl State for Phase {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        self.q.combine_iter(base.map(|b| &b.q), h, coefficients, terms.clone().map(|x| &x.q))?;
        self.p.combine_iter(base.map(|b| &b.p), h, coefficients, terms.map(|x| &x.p))
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        let q = self.q.weighted_rms(&a.q, &b.q, rtol, atol)?;
        let p = self.p.weighted_rms(&a.p, &b.p, rtol, atol)?;
        let (n, m) = (self.q.len() as f64, self.p.len() as f64);
        Ok(((n * q * q + m * p * p) / (n + m).max(1.0)).sqrt())
    }

    fn all_finite(&self) -> Result<bool> {
        Ok(self.q.all_finite()? && self.p.all_finite()?)
    }

    fn dimension(&self) -> usize {
        self.q.len() + self.p.len()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        self.q.check_like(what, &other.q)?;
        self.p.check_like(what, &other.p)
    }
}

impl DefaultAdjoint for Phase {
    type Adjoint = NoGradient;
}
