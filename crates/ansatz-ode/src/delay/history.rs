//! The right-hand side of a delay equation, and what it remembers: [`Delayed`].

use std::{cell::RefCell, collections::VecDeque};

use ansatz_core::{Result as CoreResult, State};

use super::Lags;
use crate::{FieldOutput, Interpolant, Result, VectorField};

/// The field of a delay equation; see [`solve_delayed`](crate::solve_delayed).
pub struct Delayed<F, P, Y> {
    field: F,
    history: P,
    pub(super) lags: Lags<Y>,
    t0: f64,
    past: RefCell<Past<Y>>,
}

/// A step that was made, as a function.
trait Inside<Y> {
    fn state(&self, theta: f64) -> Result<Y>;
}

impl<Y, I: Interpolant<Y>> Inside<Y> for I {
    fn state(&self, theta: f64) -> Result<Y> {
        self.at(theta)
    }
}

/// The steps that were made and are still within reach.
struct Past<Y> {
    steps: VecDeque<Made<Y>>,
    /// Room for the lags and the states there.
    lags: Vec<f64>,
    states: Vec<Y>,
}

struct Made<Y> {
    t0: f64,
    h: f64,
    t1: f64,
    inside: Box<dyn Inside<Y>>,
}

impl<F, P, Y> Delayed<F, P, Y> {
    pub(super) fn new(field: F, history: P, lags: Lags<Y>, t0: f64) -> Self {
        let past =
            Past { steps: VecDeque::new(), lags: vec![0.0; lags.count()], states: Vec::new() };
        Self { field, history, lags, t0, past: RefCell::new(past) }
    }

    /// Remembers a step, and forgets those that no lag reaches any more.
    pub(super) fn remember<I>(&self, t0: f64, h: f64, t1: f64, inside: I)
    where
        I: Interpolant<Y> + 'static,
    {
        let steps = &mut self.past.borrow_mut().steps;
        steps.push_back(Made { t0, h, t1, inside: Box::new(inside) });
        if let Some((_, longest)) = self.lags.bounds() {
            // With room for the rounding of times.
            let reach = t1 - longest * (1.0 + 1e-9);
            while steps.front().is_some_and(|step| step.t1 < reach) {
                steps.pop_front();
            }
        }
    }
}

impl<F, P, Y> VectorField<Y> for Delayed<F, P, Y>
where
    F: DelayedField<Y>,
    P: Fn(f64) -> Y,
    Y: State,
{
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> CoreResult<()> {
        let Past { steps, lags, states } = &mut *self.past.borrow_mut();
        self.lags.at(t, y, lags);
        states.clear();
        for lag in lags.iter() {
            let at = t - lag;
            if at <= self.t0 {
                states.push((self.history)(at));
                continue;
            }
            // `at` is not in a step where it is not a number, or has not been reached.
            let index = steps.partition_point(|step| step.t1 < at);
            match steps.get(index).or(steps.back().filter(|last| at - last.t1 <= rounding(at))) {
                Some(step) if at >= step.t0 - rounding(at) => {
                    let theta = ((at - step.t0) / step.h).clamp(0.0, 1.0);
                    states.push(step.inside.state(theta).map_err(ansatz_core::Error::custom)?);
                }
                // The step that asks is longer than the lag: no value, so that it is tried again shorter.
                _ => return dy.combine(Some(y), 1.0, &[f64::NAN], std::slice::from_ref(y)),
            }
        }
        self.field.slope(t, y, states, dy)
    }
}

#[cfg(feature = "stiff")]
impl<F, P, Y> crate::ImplicitField<Y> for Delayed<F, P, Y>
where
    F: DelayedField<Y>,
    P: Fn(f64) -> Y,
    Y: State,
{
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> CoreResult<()> {
        self.eval_into(t, y, out)
    }
}

/// Times are known to about this.
fn rounding(t: f64) -> f64 {
    32.0 * f64::EPSILON * t.abs()
}

/// A closure `(t, y, delayed states) -> dy/dt`, or a result of it.
pub trait DelayedField<Y> {
    /// Writes the slope.
    ///
    /// # Errors
    /// Of the caller's choosing.
    fn slope(&self, t: f64, y: &Y, delayed: &[Y], dy: &mut Y) -> CoreResult<()>;
}

impl<F, Y, O> DelayedField<Y> for F
where
    F: Fn(f64, &Y, &[Y]) -> O,
    O: FieldOutput<Y>,
{
    fn slope(&self, t: f64, y: &Y, delayed: &[Y], dy: &mut Y) -> CoreResult<()> {
        self(t, y, delayed).store(dy)
    }
}
