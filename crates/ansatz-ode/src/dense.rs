//! The solution as a function of time: [`DenseOutput`].

use ansatz_core::State;

use crate::{Error, ExplicitRungeKutta, Result, integrate::Step};

/// The solution between the ends of a solve, evaluated at any time by the method's interpolant.
///
/// Keeps the stages of every step. Values carry no gradient; to differentiate, name the times
/// beforehand with [`Save::Times`](crate::Save::Times).
#[derive(Debug, Clone)]
pub struct DenseOutput<Y, M> {
    t0: f64,
    direction: f64,
    y_start: Y,
    steps: Vec<Kept<Y>>,
    method: std::marker::PhantomData<M>,
}

#[derive(Debug, Clone)]
struct Kept<Y> {
    t0: f64,
    h: f64,
    t1: f64,
    y0: Y,
    stages: Vec<Y>,
}

impl<Y: State, M: ExplicitRungeKutta> DenseOutput<Y, M> {
    pub(crate) fn new(t0: f64, direction: f64, y0: &Y) -> Self {
        let method = std::marker::PhantomData;
        Self { t0, direction, y_start: y0.clone(), steps: Vec::new(), method }
    }

    pub(crate) fn push(&mut self, step: &Step<'_, Y>) {
        self.steps.push(Kept {
            t0: step.t0,
            h: step.h,
            t1: step.t1,
            y0: step.y0.clone(),
            stages: step.stages.to_vec(),
        });
    }

    /// The interval covered, from the start to the time reached.
    pub fn interval(&self) -> (f64, f64) {
        (self.t0, self.steps.last().map_or(self.t0, |s| s.t1))
    }

    /// The state at `t`.
    ///
    /// # Errors
    /// [`Error::OutsideInterval`] when `t` was not covered.
    pub fn at(&self, t: f64) -> Result<Y> {
        let (t0, t1) = self.interval();
        if t.is_nan() || (t - t0) * self.direction < 0.0 || (t1 - t) * self.direction < 0.0 {
            return Err(Error::OutsideInterval { value: t, t0, t1 });
        }
        let index = self.steps.partition_point(|s| (t - s.t1) * self.direction > 0.0);
        let Some(step) = self.steps.get(index) else { return Ok(self.y_start.clone()) };
        let mut weights = vec![0.0; M::TABLEAU.stages() + 1];
        M::dense_weights((t - step.t0) / step.h, &mut weights);
        let mut y = step.y0.clone();
        y.combine(Some(&step.y0), step.h, &weights, &step.stages)?;
        Ok(y)
    }
}
