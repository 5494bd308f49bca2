//! Piecewise linear paths.

use super::{data_path::DataPath, observations::Observations};
use crate::Result;

/// See [`DataPath::linear`].
pub(super) fn linear(observations: &Observations<'_>) -> Result<DataPath> {
    DataPath::through(observations.times.to_vec(), &observations.linear()?)
}
