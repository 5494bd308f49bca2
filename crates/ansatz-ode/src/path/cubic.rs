//! Natural cubic splines through tensors.

use ansatz_ops::custom_vjp;
use candle_core::{Device, Tensor};

use super::{
    data_path::DataPath,
    natural_spline::NaturalSpline,
    observations::{Observations, host_values},
};
use crate::{Error, Result};

/// See [`DataPath::natural_cubic`].
pub(super) fn natural_cubic(observations: &Observations<'_>) -> Result<DataPath> {
    let (batch, count, channels) = observations.shape;
    let series = Series::of(observations)?;
    let data = observations.data;
    let (dtype, device) = (data.dtype(), data.device().clone());
    // Values and slopes at all times, which fix the spline of every channel, whatever its own knots.
    let mut both = vec![0.0; 2 * count * batch * channels];
    series.apply(&observations.values, &mut both);
    let shape = (2, count, batch, channels);
    let both = Tensor::from_vec(both, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(&device)?;
    let rows = data.shape().clone();
    let both = custom_vjp(&[data], &both, move |cotangent| {
        let cotangent = host_values(cotangent)?;
        let mut gradient = vec![0.0; rows.elem_count()];
        series.apply_transposed(&cotangent, &mut gradient);
        let gradient = Tensor::from_vec(gradient, &rows, &Device::Cpu)?;
        Ok(vec![Some(gradient.to_dtype(dtype)?.to_device(&device)?)])
    })?;
    let (values, slopes) = (both.get(0)?, both.get(1)?);
    let (left, right) = (slopes.narrow(0, 0, count - 1)?, slopes.narrow(0, 1, count - 1)?);
    DataPath::with_slopes(observations.times.to_vec(), &values, &left, &right)
}

/// The splines of all channels of all series.
struct Series {
    shape: (usize, usize, usize),
    /// One for each series and channel; a single one if nothing is missing.
    splines: Vec<NaturalSpline>,
}

impl Series {
    fn of(observations: &Observations<'_>) -> Result<Self> {
        let (batch, count, channels) = observations.shape;
        let times = observations.times;
        if !observations.values.iter().any(|x| x.is_nan()) {
            let all: Vec<usize> = (0..count).collect();
            let splines = vec![NaturalSpline::new(times, &all)];
            return Ok(Self { shape: observations.shape, splines });
        }
        let mut splines = Vec::with_capacity(batch * channels);
        for series in 0..batch {
            for channel in 0..channels {
                let place = |i: usize| (series * count + i) * channels + channel;
                let observed = |i: &usize| !observations.values[place(*i)].is_nan();
                let observed: Vec<usize> = (0..count).filter(observed).collect();
                if observed.is_empty() {
                    return Err(Error::Unobserved { series, channel });
                }
                splines.push(NaturalSpline::new(times, &observed));
            }
        }
        Ok(Self { shape: observations.shape, splines })
    }

    /// From data `[batch, times, channels]` to values and slopes `[2, times, batch, channels]`.
    fn apply(&self, data: &[f64], both: &mut [f64]) {
        let (batch, count, channels) = self.shape;
        let half = both.len() / 2;
        let (mut values, mut slopes) = (vec![0.0; count], vec![0.0; count]);
        for (place, spline) in (0..batch * channels).zip(self.splines.iter().cycle()) {
            let (series, channel) = (place / channels, place % channels);
            let source = |i: usize| data[(series * count + i) * channels + channel];
            spline.apply(source, &mut values, &mut slopes);
            for i in 0..count {
                both[i * batch * channels + place] = values[i];
                both[half + i * batch * channels + place] = slopes[i];
            }
        }
    }

    /// The transposed map.
    fn apply_transposed(&self, both: &[f64], data: &mut [f64]) {
        let (batch, count, channels) = self.shape;
        let half = both.len() / 2;
        for (place, spline) in (0..batch * channels).zip(self.splines.iter().cycle()) {
            let (series, channel) = (place / channels, place % channels);
            let value = |i: usize| both[i * batch * channels + place];
            let slope = |i: usize| both[half + i * batch * channels + place];
            spline.apply_transposed(value, slope, |i, g| {
                data[(series * count + i) * channels + channel] += g;
            });
        }
    }
}
