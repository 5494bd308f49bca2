//! Truncated Taylor series as states: their solutions carry forward sensitivities.

use crate::{Error, Jet, Result, State};

impl State for Jet {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        // Sums of series are sums of their coefficients, which lie in one tensor.
        let like = base.or(terms.clone().next()).unwrap_or(self);
        let (order, directions) = (like.order, like.directions);
        let base = base.map(Self::stack);
        self.stack.combine_iter(base, h, coefficients, terms.map(Self::stack))?;
        (self.order, self.directions) = (order, directions);
        Ok(())
    }

    /// Over the values and all coefficients.
    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        self.stack.weighted_rms(&a.stack, &b.stack, rtol, atol)
    }

    fn all_finite(&self) -> Result<bool> {
        self.stack.all_finite()
    }

    fn dimension(&self) -> usize {
        self.stack.elem_count()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        if (self.order, self.directions) != (other.order, other.directions) {
            let say = |x: &Self| format!("order {} in {} directions", x.order, x.directions);
            return Err(Error::Shape { what, expected: say(self), got: say(other) });
        }
        self.stack.check_like(what, &other.stack)
    }
}
