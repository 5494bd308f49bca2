//! Preparing observations: [`with_time`], [`with_counts`], [`forward_fill`].

use candle_core::{Device, Tensor};

use super::observations::{check_data, host_values};
use crate::{Error, Result};

/// `data` `[batch, times, channels]` with the time as an additional first channel,
/// `[batch, times, 1 + channels]`.
///
/// Without it the solution of a controlled equation does not depend on how fast the data were run
/// through: reparametrising time changes nothing.
///
/// # Errors
/// When there are not as many times as in the data, or these are not of the shape or of dtype f32 or
/// f64.
pub fn with_time(times: &[f64], data: &Tensor) -> Result<Tensor> {
    let (batch, count, _) = check_data(data)?;
    if times.len() != count {
        return Err(Error::from(ansatz_core::Error::Shape {
            what: "times beside data",
            expected: format!("{count} times"),
            got: format!("{}", times.len()),
        }));
    }
    let time = Tensor::new(times, &Device::Cpu)?.reshape((1, count, 1))?;
    let time = time.to_dtype(data.dtype())?.to_device(data.device())?.repeat((batch, 1, 1))?;
    Ok(Tensor::cat(&[&time, data], 2)?)
}

/// `data` `[batch, times, channels]` with, for each channel, the number of its values observed so
/// far, `[batch, times, 2 · channels]`: the cumulative mask that lets a model know what was missing
/// and how often data came in (P. Kidger, J. Morrill, J. Foster, T. Lyons 2020, arXiv:2005.08926,
/// section 3.5).
///
/// # Errors
/// When the data are not of the shape or of dtype f32 or f64.
pub fn with_counts(data: &Tensor) -> Result<Tensor> {
    let (batch, count, channels) = check_data(data)?;
    let mut counts: Vec<f64> =
        host_values(data)?.iter().map(|x| f64::from(u8::from(!x.is_nan()))).collect();
    for series in counts.chunks_mut(count * channels) {
        for i in channels..series.len() {
            series[i] += series[i - channels];
        }
    }
    let counts = Tensor::from_vec(counts, (batch, count, channels), &Device::Cpu)?;
    let counts = counts.to_dtype(data.dtype())?.to_device(data.device())?;
    Ok(Tensor::cat(&[data, &counts], 2)?)
}

/// `data` `[batch, times, channels]` with each missing value replaced by the last observed one of
/// its channel, and by `start` before the first observation. Nothing is missing afterwards.
///
/// # Errors
/// When the data are not of the shape or of dtype f32 or f64, or `start` is not finite.
pub fn forward_fill(data: &Tensor, start: f64) -> Result<Tensor> {
    let (_, count, channels) = check_data(data)?;
    if !start.is_finite() {
        return Err(Error::invalid("start of forward_fill", start, "a finite value"));
    }
    let values = host_values(data)?;
    // The value to start with stands behind the data.
    let beyond = values.len();
    let mut places = vec![beyond as i64; values.len()];
    for i in 0..values.len() {
        let first = i % (count * channels) < channels;
        if !values[i].is_nan() {
            places[i] = i as i64;
        } else if !first {
            places[i] = places[i - channels];
        }
    }
    let start = Tensor::new(&[start], &Device::Cpu)?.to_dtype(data.dtype())?;
    let all = Tensor::cat(&[data.flatten_all()?, start.to_device(data.device())?], 0)?;
    let places = Tensor::new(places, data.device())?;
    Ok(all.index_select(&places, 0)?.reshape(data.shape())?)
}
