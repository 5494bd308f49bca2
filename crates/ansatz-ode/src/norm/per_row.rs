//! The worst row of a batch: [`MaxOverRows`].

use candle_core::Tensor;

use super::{ErrorNorm, check_tolerances};
use crate::Result;

/// The largest over the rows of a batch of each row's root mean square, so that no row may hide
/// behind many good ones. All rows still share their steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxOverRows {
    /// Relative tolerance, positive or 0 if `atol` is positive.
    pub rtol: f64,
    /// Absolute tolerance, positive or 0 if `rtol` is positive.
    pub atol: f64,
}

impl ErrorNorm<Tensor> for MaxOverRows {
    fn validate(&self) -> Result<()> {
        check_tolerances(self.rtol, self.atol)
    }

    fn norm(&self, error: &Tensor, before: &Tensor, after: &Tensor) -> Result<f64> {
        let rows = ansatz_ops::weighted_rms_rows(error, before, after, self.rtol, self.atol)?;
        // Unlike `f64::max`, keeps a NaN.
        Ok(rows.into_iter().fold(0.0, |m: f64, r| if r > m || r.is_nan() { r } else { m }))
    }
}
