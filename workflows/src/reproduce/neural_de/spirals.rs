//! Spirals that turn one way or the other, at irregular times, partly observed.
use ansatz::core::Key;
use candle_core::{Device, Tensor};

use crate::AnyError;

/// Times of observation.
pub(super) const TIMES: usize = 60;
/// Length of the interval.
const LENGTH: f64 = 2.0;
/// Standard deviation of the noise; a spiral starts at radius 1.
const NOISE: f64 = 0.1;

/// Series with their direction.
pub(super) struct Spirals {
    /// `[series, times, 2]`, NaN where dropped.
    pub(super) data: Tensor,
    /// `[series, 1]`: 1 for anticlockwise, −1 for clockwise.
    pub(super) turns: Tensor,
}

/// Irregular times, the same for all.
pub(super) fn times(key: &Key) -> Vec<f64> {
    let mut times = key.uniform(TIMES);
    times.sort_by(f64::total_cmp);
    (times[0], times[TIMES - 1]) = (0.0, 1.0);
    times.iter().map(|t| LENGTH * t).collect()
}

/// `count` spirals, half of each kind: from any angle, 1.3 to 2.5 turns, radius falling to about a
/// third. Every coordinate of every observation is dropped with the probability `dropped`.
pub(super) fn spirals(
    count: usize,
    times: &[f64],
    dropped: f64,
    key: &Key,
) -> Result<Spirals, AnyError> {
    let [angles, speeds, noise, drops] = key.split();
    let (angles, speeds) = (angles.uniform(count), speeds.uniform(count));
    let noise = noise.normal(count * TIMES * 2);
    let drops = drops.uniform(count * TIMES * 2);
    let (mut data, mut turns) = (Vec::with_capacity(noise.len()), Vec::with_capacity(count));
    for series in 0..count {
        let turn = if series % 2 == 0 { 1.0 } else { -1.0 };
        turns.push(turn);
        let (start, speed) = (std::f64::consts::TAU * angles[series], 4.0 + 4.0 * speeds[series]);
        for t in times {
            let (sin, cos) = (start + turn * speed * t).sin_cos();
            let radius = (-0.5 * t).exp();
            for x in [radius * cos, radius * sin] {
                let place = data.len();
                let seen = drops[place] >= dropped;
                data.push(if seen { x + NOISE * noise[place] } else { f64::NAN });
            }
        }
    }
    let data = Tensor::from_vec(data, (count, TIMES, 2), &Device::Cpu)?;
    let turns = Tensor::from_vec(turns, (count, 1), &Device::Cpu)?;
    Ok(Spirals { data, turns })
}

impl Spirals {
    /// The series at these places.
    pub(super) fn some(&self, places: &[usize]) -> Result<Self, AnyError> {
        let places =
            places.iter().map(|p| Ok(u32::try_from(*p)?)).collect::<Result<Vec<_>, AnyError>>()?;
        let places = Tensor::new(places, &Device::Cpu)?;
        Ok(Self {
            data: self.data.index_select(&places, 0)?,
            turns: self.turns.index_select(&places, 0)?,
        })
    }
}
