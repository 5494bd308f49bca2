//! Tolerances of each component: [`PerComponent`].

use super::{ErrorNorm, max::same_length};
use crate::{Error, Result};

/// The root mean square of the components' errors, each relative to a tolerance of its own,
/// `atolᵢ + rtolᵢ · max(|yₙ|, |yₙ₊₁|)`: for components of different sizes, like the concentrations
/// of chemistry.
#[derive(Debug, Clone, PartialEq)]
pub struct PerComponent {
    /// Relative tolerances, one for each component.
    pub rtol: Vec<f64>,
    /// Absolute tolerances, one for each component.
    pub atol: Vec<f64>,
}

impl PerComponent {
    /// One relative tolerance and an absolute one for each component.
    pub fn new(rtol: f64, atol: impl Into<Vec<f64>>) -> Self {
        let atol = atol.into();
        Self { rtol: vec![rtol; atol.len()], atol }
    }

    fn check(&self) -> Result<()> {
        if self.rtol.len() != self.atol.len() {
            let expected = "as many relative as absolute tolerances";
            return Err(Error::invalid("length of rtol", self.rtol.len(), expected));
        }
        self.rtol.iter().zip(&self.atol).try_for_each(|(r, a)| super::check_tolerances(*r, *a))
    }

    fn of_slices(&self, error: &[f64], before: &[f64], after: &[f64]) -> Result<f64> {
        same_length(error, before, after)?;
        same_length(error, &self.atol, &self.rtol)?;
        let states = error.iter().zip(before).zip(after);
        let sum: f64 = states
            .zip(self.atol.iter().zip(&self.rtol))
            .map(|(((e, a), b), (atol, rtol))| (e / (atol + rtol * a.abs().max(b.abs()))).powi(2))
            .sum();
        Ok((sum / error.len().max(1) as f64).sqrt())
    }
}

impl<const N: usize> ErrorNorm<[f64; N]> for PerComponent {
    fn validate(&self) -> Result<()> {
        self.check()
    }

    fn norm(&self, error: &[f64; N], before: &[f64; N], after: &[f64; N]) -> Result<f64> {
        self.of_slices(error, before, after)
    }
}

impl ErrorNorm<Vec<f64>> for PerComponent {
    fn validate(&self) -> Result<()> {
        self.check()
    }

    fn norm(&self, error: &Vec<f64>, before: &Vec<f64>, after: &Vec<f64>) -> Result<f64> {
        self.of_slices(error, before, after)
    }
}
