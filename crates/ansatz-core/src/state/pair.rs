//! Two states as one: positions and momenta.

use super::State;
use crate::Result;

/// A pair of states, such as positions and momenta `(q, p)`: the space of both, with the root mean
/// square over the components of both.
impl<Q: State, P: State> State for (Q, P) {
    #[inline]
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()>
    where
        Self: 'a,
    {
        let (q, p) = (terms.clone().map(|x| &x.0), terms.map(|x| &x.1));
        self.0.combine_iter(base.map(|b| &b.0), h, coefficients, q)?;
        self.1.combine_iter(base.map(|b| &b.1), h, coefficients, p)
    }

    #[inline]
    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        let (n, m) = (self.0.dimension() as f64, self.1.dimension() as f64);
        let of_q = self.0.weighted_rms(&a.0, &b.0, rtol, atol)?;
        let of_p = self.1.weighted_rms(&a.1, &b.1, rtol, atol)?;
        let all = (n + m).max(1.0);
        // Of an infinite and a NaN part either will do.
        Ok(((n / all).sqrt() * of_q).hypot((m / all).sqrt() * of_p))
    }

    #[inline]
    fn all_finite(&self) -> Result<bool> {
        Ok(self.0.all_finite()? && self.1.all_finite()?)
    }

    fn dimension(&self) -> usize {
        self.0.dimension() + self.1.dimension()
    }

    #[inline]
    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        self.0.check_like(what, &other.0)?;
        self.1.check_like(what, &other.1)
    }
}
