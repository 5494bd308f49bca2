//! Cubic Hermite paths with backward differences.

use candle_core::Tensor;

use super::{
    data_path::{DataPath, slopes},
    observations::Observations,
};
use crate::Result;

/// See [`DataPath::hermite`].
pub(super) fn hermite(observations: &Observations<'_>) -> Result<DataPath> {
    let values = observations.carried_forward()?;
    let right = slopes(observations.times, &values)?;
    let pieces = observations.times.len() - 1;
    let left = Tensor::cat(&[right.narrow(0, 0, 1)?, right.narrow(0, 0, pieces - 1)?], 0)?;
    DataPath::with_slopes(observations.times.to_vec(), &values, &left, &right)
}
