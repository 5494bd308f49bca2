//! Any tensor-like value as the state of a solve: [`Lifted`].

use ansatz::{
    core::{Result, State, TensorLike},
    ode::{DefaultAdjoint, NoGradient},
};

/// A [`TensorLike`] value that a solver can step: on a jet a solve gives the derivatives of the
/// flow with respect to the initial state, on a [`Bound`](crate::Bound) the states that the
/// discrete solution can reach from a box.
///
/// Steps are chosen by the plain value alone.
#[derive(Debug, Clone)]
pub struct Lifted<T>(pub T);

impl<T: TensorLike> State for Lifted<T> {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        let mut sum = base.map(|b| b.0.clone());
        for (c, x) in coefficients.iter().zip(terms) {
            if *c == 0.0 {
                continue;
            }
            let term = x.0.scale(h * c)?;
            sum = Some(match sum {
                Some(s) => s.add(&term)?,
                None => term,
            });
        }
        self.0 = match sum {
            Some(s) => s,
            None => self.0.constant(&self.0.primal()?.zeros_like()?)?,
        };
        Ok(())
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        self.0.primal()?.weighted_rms(&a.0.primal()?, &b.0.primal()?, rtol, atol)
    }

    fn all_finite(&self) -> Result<bool> {
        self.0.primal()?.all_finite()
    }

    fn dimension(&self) -> usize {
        self.0.shape().map_or(0, |s| s.elem_count())
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        self.0.primal()?.check_like(what, &other.0.primal()?)
    }
}

impl<T: TensorLike> DefaultAdjoint for Lifted<T> {
    type Adjoint = NoGradient;
}
