//! The solution as a function of time: [`DenseOutput`].

use crate::{Error, Interpolant, Result};

/// The solution between the ends of a solve, evaluated at any time by the method's interpolant.
///
/// Keeps what every step needs for it. Values carry no gradient; to differentiate, name the times
/// beforehand with [`Save::Times`](crate::Save::Times). Where an event changes the state, the value
/// at that time is the one before the change.
#[derive(Debug, Clone)]
pub struct DenseOutput<Y, I> {
    t0: f64,
    direction: f64,
    y_start: Y,
    steps: Vec<Kept<I>>,
}

#[derive(Debug, Clone)]
struct Kept<I> {
    t0: f64,
    h: f64,
    t1: f64,
    inside: I,
}

impl<Y: Clone, I> DenseOutput<Y, I> {
    pub(crate) fn new(t0: f64, direction: f64, y0: &Y) -> Self {
        Self { t0, direction, y_start: y0.clone(), steps: Vec::new() }
    }

    pub(crate) fn push(&mut self, t0: f64, h: f64, t1: f64, inside: I) {
        self.steps.push(Kept { t0, h, t1, inside });
    }

    /// The interval covered, from the start to the time reached.
    pub fn interval(&self) -> (f64, f64) {
        (self.t0, self.steps.last().map_or(self.t0, |s| s.t1))
    }

    /// The state at `t`.
    ///
    /// # Errors
    /// [`Error::OutsideInterval`] when `t` was not covered.
    pub fn at(&self, t: f64) -> Result<Y>
    where
        I: Interpolant<Y>,
    {
        let (t0, t1) = self.interval();
        if t.is_nan() || (t - t0) * self.direction < 0.0 || (t1 - t) * self.direction < 0.0 {
            return Err(Error::OutsideInterval { value: t, t0, t1 });
        }
        let index = self.steps.partition_point(|s| (t - s.t1) * self.direction > 0.0);
        match self.steps.get(index) {
            Some(step) => step.inside.at((t - step.t0) / step.h),
            None => Ok(self.y_start.clone()),
        }
    }
}
