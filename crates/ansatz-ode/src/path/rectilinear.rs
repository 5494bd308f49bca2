//! Rectilinear paths: the time moves first, then the values.

use candle_core::{Device, Tensor};

use super::{data_path::DataPath, observations::Observations};
use crate::Result;

/// See [`DataPath::rectilinear`].
pub(super) fn rectilinear(observations: &Observations<'_>) -> Result<DataPath> {
    let times = observations.times;
    let (batch, count, _) = observations.shape;
    let data = observations.data;
    // At knot 2i both time and values are those of observation i; at 2i + 1 the time is the next.
    let corners = 2 * count - 1;
    let knots: Vec<f64> = (0..corners)
        .map(|k| if k % 2 == 0 { times[k / 2] } else { 0.5 * (times[k / 2] + times[k / 2 + 1]) })
        .collect();
    let time: Vec<f64> = (0..corners).map(|k| times[k.div_ceil(2)]).collect();
    let time = Tensor::from_vec(time, (corners, 1, 1), &Device::Cpu)?
        .to_dtype(data.dtype())?
        .to_device(data.device())?
        .repeat((1, batch, 1))?;
    let held: Vec<i64> = (0..corners).map(|k| (k / 2) as i64).collect();
    let held = Tensor::new(held, data.device())?;
    let values = observations.carried_forward()?.index_select(&held, 0)?;
    DataPath::through(knots, &Tensor::cat(&[time, values], 2)?)
}
