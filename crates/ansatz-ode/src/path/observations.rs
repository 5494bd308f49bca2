//! Irregular data with missing values: [`Observations`].

use candle_core::{DType, Tensor};

use crate::{Error, Result};

/// Data `[batch, times, channels]` at common times, NaN where missing.
pub(crate) struct Observations<'a> {
    pub(crate) times: &'a [f64],
    pub(crate) data: &'a Tensor,
    /// The data in row-major order.
    pub(crate) values: Vec<f64>,
    /// Number of series, of times and of channels.
    pub(crate) shape: (usize, usize, usize),
    complete: bool,
}

impl<'a> Observations<'a> {
    /// Checks times and data.
    pub(crate) fn new(times: &'a [f64], data: &'a Tensor) -> Result<Self> {
        check_times(times)?;
        let shape = check_data(data)?;
        if shape.1 != times.len() {
            return Err(Error::from(ansatz_core::Error::Shape {
                what: "data of a control path",
                expected: format!("[batch, {} times, channels]", times.len()),
                got: format!("{:?}", data.dims()),
            }));
        }
        let values = host_values(data)?;
        if let Some(x) = values.iter().find(|x| x.is_infinite()) {
            let expected = "finite values, or NaN for missing ones";
            return Err(Error::invalid("data of a control path", x, expected));
        }
        let complete = !values.iter().any(|x| x.is_nan());
        Ok(Self { times, data, values, shape, complete })
    }

    /// Time-major `[times, batch, channels]` with the missing values interpolated linearly, those
    /// before the first and after the last observation filled with the nearest one.
    pub(crate) fn linear(&self) -> Result<Tensor> {
        if self.complete {
            return time_major(self.data);
        }
        let [before, after] = self.neighbours()?;
        let time = |place: usize| self.times[place / self.shape.2 % self.shape.1];
        let weights: Vec<f64> = (0..self.values.len())
            .map(|i| {
                let (t0, t1) = (time(before[i]), time(after[i]));
                if t0 == t1 { 0.0 } else { (time(i) - t0) / (t1 - t0) }
            })
            .collect();
        let weights = Tensor::from_vec(weights, self.shape, &candle_core::Device::Cpu)?
            .to_dtype(self.data.dtype())?
            .to_device(self.data.device())?;
        let (left, right) = (take(self.data, &before)?, take(self.data, &after)?);
        time_major(&(&left + ((right - &left)? * weights)?)?)
    }

    /// Time-major `[times, batch, channels]` with the missing values replaced by the last observed
    /// one, those before the first observation by that.
    pub(crate) fn carried_forward(&self) -> Result<Tensor> {
        if self.complete {
            return time_major(self.data);
        }
        let [before, _] = self.neighbours()?;
        time_major(&take(self.data, &before)?)
    }

    /// For each place the nearest places of the same series and channel with an observed value,
    /// before (or at) it and after (or at) it. Beyond the ends, twice the same one.
    pub(crate) fn neighbours(&self) -> Result<[Vec<usize>; 2]> {
        let (batch, times, channels) = self.shape;
        let (mut before, mut after): (Vec<usize>, Vec<usize>) =
            (0..self.values.len()).map(|i| (i, i)).unzip();
        for series in 0..batch {
            for channel in 0..channels {
                let place = |i: usize| (series * times + i) * channels + channel;
                let mut last = None;
                for i in (0..times).map(place) {
                    last = if self.values[i].is_nan() { last } else { Some(i) };
                    before[i] = last.unwrap_or(i);
                }
                let Some(last) = last else { return Err(Error::Unobserved { series, channel }) };
                let mut next = last;
                for i in (0..times).rev().map(place) {
                    next = if self.values[i].is_nan() { next } else { i };
                    after[i] = next;
                    if self.values[before[i]].is_nan() {
                        before[i] = next;
                    }
                }
            }
        }
        Ok([before, after])
    }
}

/// Errors unless there are two times or more, finite and increasing.
fn check_times(times: &[f64]) -> Result<()> {
    let what = "observation times";
    if times.len() < 2 {
        return Err(Error::invalid(what, format!("{times:?}"), "at least two"));
    }
    for (i, t) in times.iter().enumerate() {
        if !t.is_finite() || (i > 0 && *t <= times[i - 1]) {
            let value = format!("{t} at position {i}");
            return Err(Error::invalid(what, value, "finite times, each after the one before"));
        }
    }
    Ok(())
}

/// The shape of data `[batch, times, channels]`; an error if they are something else.
pub(crate) fn check_data(data: &Tensor) -> Result<(usize, usize, usize)> {
    let what = "data of a control path";
    let got = format!("{:?}", data.dims());
    let Ok(shape) = data.dims3() else {
        let expected = "[batch, times, channels]".to_string();
        return Err(Error::from(ansatz_core::Error::Shape { what, expected, got }));
    };
    if data.elem_count() == 0 {
        return Err(Error::invalid(what, got, "at least one series, time and channel"));
    }
    if !matches!(data.dtype(), DType::F32 | DType::F64) {
        return Err(Error::from(ansatz_core::Error::DType {
            what,
            expected: "f32 or f64".to_string(),
            got: data.dtype().as_str().to_string(),
        }));
    }
    Ok(shape)
}

/// The values of a tensor in row-major order.
pub(crate) fn host_values(x: &Tensor) -> Result<Vec<f64>> {
    Ok(x.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

/// The elements of `x` at these places, in its shape. Gradients flow to the places that were read.
pub(crate) fn take(x: &Tensor, places: &[usize]) -> Result<Tensor> {
    let places = places.iter().map(|p| *p as i64).collect::<Vec<_>>();
    let places = Tensor::new(places, x.device())?;
    Ok(x.flatten_all()?.index_select(&places, 0)?.reshape(x.shape())?)
}

fn time_major(data: &Tensor) -> Result<Tensor> {
    Ok(data.transpose(0, 1)?.contiguous()?)
}
