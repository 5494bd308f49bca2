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
    fn combine(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: &[Self],
    ) -> Result<()> {
        if base.is_none() && terms.is_empty() {
            self.q.fill(0.0);
            self.p.fill(0.0);
            return Ok(());
        }
        // The trait takes slices of whole states, so the parts have to be gathered.
        let part = |of: fn(&Self) -> &Vec<f64>| terms.iter().map(of).cloned().collect::<Vec<_>>();
        self.q.combine(base.map(|b| &b.q), h, coefficients, &part(|x| &x.q))?;
        self.p.combine(base.map(|b| &b.p), h, coefficients, &part(|x| &x.p))
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
