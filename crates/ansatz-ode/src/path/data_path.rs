//! A path through observations: [`DataPath`], and how: [`Interpolation`].

use candle_core::Tensor;

use super::{
    ControlPath, cubic::natural_cubic, hermite::hermite, linear::linear,
    observations::Observations, rectilinear::rectilinear,
};
use crate::{Error, Result};

/// How a path is laid through observations (J. Morrill, P. Kidger, L. Yang, T. Lyons, *Neural
/// Controlled Differential Equations for Online Prediction Tasks*, 2021, arXiv:2106.11028).
///
/// | | smooth | `X` up to an observation depends on | missing values |
/// |---|---|---|---|
/// | `Linear` | continuous | nothing later, if nothing is missing | interpolated linearly |
/// | `Rectilinear` | continuous | nothing later | the last observed value |
/// | `NaturalCubic` | twice differentiable | all observations | skipped |
/// | `Hermite` | once differentiable | nothing later | the last observed value |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// Straight lines from one observation to the next.
    Linear,
    /// First the time moves to the next observation, then the values do. The path has the time as
    /// an additional first channel.
    Rectilinear,
    /// The natural cubic spline.
    NaturalCubic,
    /// Cubic polynomials with backward differences for the slopes.
    #[default]
    Hermite,
}

/// A path through observations, made of polynomials, for data `[batch, times, channels]` with NaN
/// for missing values.
///
/// Where the series of a batch have different times, use the times of all and mark what was not
/// observed as missing; [`with_time`](super::with_time) adds the time as a channel,
/// [`with_counts`](super::with_counts) what was observed. Gradients flow to data that candle tracks.
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor};
/// use ansatz_ode::{ControlPath, DataPath};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let times = [0.0, 1.0, 3.0];
/// let data = Tensor::new(&[[[0f64, 5.0], [2.0, f64::NAN], [6.0, 8.0]]], &Device::Cpu)?;
/// let path = DataPath::linear(&times, &data)?;
/// assert_eq!(path.value(1.0)?.to_vec2::<f64>()?, [[2.0, 6.0]]);
/// assert_eq!(path.derivative(2.0)?.to_vec2::<f64>()?, [[2.0, 1.0]]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DataPath {
    knots: Vec<f64>,
    /// Coefficients of the powers of the time since the last knot, `[pieces, powers, batch,
    /// channels]`.
    coefficients: Tensor,
}

impl DataPath {
    /// A path through `data` `[batch, times, channels]`, NaN where missing.
    ///
    /// # Errors
    /// When there are fewer than two times, they are not finite and increasing, or their number is
    /// not that of the data; when the data are not of the shape, of dtype f32 or f64, are infinite,
    /// or a channel of a series was never observed.
    pub fn new(interpolation: Interpolation, times: &[f64], data: &Tensor) -> Result<Self> {
        let observations = Observations::new(times, data)?;
        match interpolation {
            Interpolation::Linear => linear(&observations),
            Interpolation::Rectilinear => rectilinear(&observations),
            Interpolation::NaturalCubic => natural_cubic(&observations),
            Interpolation::Hermite => hermite(&observations),
        }
    }

    /// Straight lines from one observation to the next. Missing values are interpolated, those at
    /// the ends take the nearest observed one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn linear(times: &[f64], data: &Tensor) -> Result<Self> {
        Self::new(Interpolation::Linear, times, data)
    }

    /// Lines along the axes: in the first half of the way from one observation to the next the
    /// first channel, which is added and holds the time, moves to the time of the next one; in the
    /// second half the values move. The state of a controlled equation at an observation time thus
    /// depends on what was observed until then and on nothing later, whatever is missing: for
    /// predictions while data come in.
    ///
    /// A missing value is the last observed one, before the first observation that one: the single
    /// look ahead, avoided with [`forward_fill`](super::forward_fill).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn rectilinear(times: &[f64], data: &Tensor) -> Result<Self> {
        Self::new(Interpolation::Rectilinear, times, data)
    }

    /// The natural cubic spline through what was observed, each channel of each series with its own
    /// knots. The first and the last value of a channel, if missing, are the nearest observed one.
    ///
    /// The spline's equations are solved on the CPU, in time linear in the data, whatever the
    /// device. Gradients are of first order.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn natural_cubic(times: &[f64], data: &Tensor) -> Result<Self> {
        Self::new(Interpolation::NaturalCubic, times, data)
    }

    /// Cubic polynomials whose slope at an observation is that of the line from the one before (at
    /// the first, to the one after): once differentiable, and at observation times dependent on
    /// nothing later. Missing values as in [`rectilinear`](Self::rectilinear).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn hermite(times: &[f64], data: &Tensor) -> Result<Self> {
        Self::new(Interpolation::Hermite, times, data)
    }

    /// Lines between `values` `[knots, batch, channels]`.
    pub(super) fn through(knots: Vec<f64>, values: &Tensor) -> Result<Self> {
        let slopes = slopes(&knots, values)?;
        let start = values.narrow(0, 0, knots.len() - 1)?;
        let coefficients = Tensor::stack(&[start, slopes], 1)?;
        Ok(Self { knots, coefficients })
    }

    /// Cubic polynomials between `values` `[knots, batch, channels]` with the slopes `left` and
    /// `right` at the ends of each piece, `[pieces, batch, channels]`.
    pub(super) fn with_slopes(
        knots: Vec<f64>,
        values: &Tensor,
        left: &Tensor,
        right: &Tensor,
    ) -> Result<Self> {
        let per_time = per_length(&knots, values)?;
        let mean = slopes(&knots, values)?;
        let bend_left = (&mean - left)?;
        let bend_right = (right - &mean)?;
        let quadratic = ((&bend_left * 2.0)? - &bend_right)?.broadcast_mul(&per_time)?;
        let cubic = (bend_right - bend_left)?.broadcast_mul(&per_time)?.broadcast_mul(&per_time)?;
        let start = values.narrow(0, 0, knots.len() - 1)?;
        let coefficients = Tensor::stack(&[&start, left, &quadratic, &cubic], 1)?;
        Ok(Self { knots, coefficients })
    }

    /// The coefficients of the piece that holds `t`, `[powers, batch, channels]`, and the time since
    /// its start.
    fn piece(&self, t: f64, coefficients: &Tensor) -> Result<(Tensor, f64)> {
        let (t0, t1) = self.interval();
        let slack = 1e-9 * (t1 - t0);
        // Written so that NaN is outside.
        if !(t0 - slack..=t1 + slack).contains(&t) {
            return Err(Error::OutsideInterval { value: t, t0, t1 });
        }
        let pieces = self.knots.len() - 1;
        let i = self.knots[1..pieces].partition_point(|knot| *knot <= t);
        Ok((coefficients.get(i)?, t - self.knots[i]))
    }
}

/// One over the lengths of the pieces, `[pieces, 1, 1]`, of the kind of `like`.
fn per_length(knots: &[f64], like: &Tensor) -> Result<Tensor> {
    let inverse: Vec<f64> = knots.windows(2).map(|k| 1.0 / (k[1] - k[0])).collect();
    let inverse = Tensor::new(inverse, &candle_core::Device::Cpu)?.reshape(((), 1, 1))?;
    Ok(inverse.to_dtype(like.dtype())?.to_device(like.device())?)
}

/// The slopes of the lines between `values` `[knots, …]`.
pub(super) fn slopes(knots: &[f64], values: &Tensor) -> Result<Tensor> {
    let pieces = knots.len() - 1;
    let rise = (values.narrow(0, 1, pieces)? - values.narrow(0, 0, pieces)?)?;
    Ok(rise.broadcast_mul(&per_length(knots, values)?)?)
}

impl ControlPath for DataPath {
    fn interval(&self) -> (f64, f64) {
        (self.knots[0], self.knots[self.knots.len() - 1])
    }

    fn batch(&self) -> usize {
        self.coefficients.dims()[2]
    }

    fn channels(&self) -> usize {
        self.coefficients.dims()[3]
    }

    fn value(&self, t: f64) -> Result<Tensor> {
        let (piece, s) = self.piece(t, &self.coefficients)?;
        let powers = piece.dims()[0];
        let mut value = piece.get(powers - 1)?;
        for power in (0..powers - 1).rev() {
            value = ((value * s)? + piece.get(power)?)?;
        }
        Ok(value)
    }

    fn derivative(&self, t: f64) -> Result<Tensor> {
        self.derivative_with(t, std::slice::from_ref(&self.coefficients))
    }

    fn knots(&self) -> &[f64] {
        &self.knots
    }

    fn jumps(&self) -> &[f64] {
        let lines = self.coefficients.dims()[1] == 2;
        if lines { &self.knots } else { &[] }
    }

    fn tensors(&self) -> &[Tensor] {
        std::slice::from_ref(&self.coefficients)
    }

    fn derivative_with(&self, t: f64, tensors: &[Tensor]) -> Result<Tensor> {
        let (piece, s) = self.piece(t, tensors.first().unwrap_or(&self.coefficients))?;
        let last = piece.dims()[0] - 1;
        let mut slope = piece.get(last)?;
        if last > 1 {
            slope = (slope * last as f64)?;
        }
        for power in (1..last).rev() {
            slope = ((slope * s)? + (piece.get(power)? * power as f64)?)?;
        }
        Ok(slope)
    }
}
