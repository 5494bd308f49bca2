//! What happens when a function of the state crosses zero: [`Event`].

use std::{fmt, sync::Arc};

use crate::{Error, Result};

type Condition<Y> = dyn Fn(f64, &Y) -> ansatz_core::Result<f64> + Send + Sync;
type Change<Y> = dyn Fn(f64, &Y) -> ansatz_core::Result<Y> + Send + Sync;

/// A zero of a function of time and state, and what happens there.
///
/// ```
/// use ansatz_ode::{Event, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // A ball falls from 1 m and bounces with 80 % of its speed, until its third bounce.
/// let ball = |_t: f64, y: &[f64; 2]| [y[1], -9.81];
/// let floor = Event::new(|_t: f64, y: &[f64; 2]| Ok(y[0]))
///     .falling()
///     .change(|_t, y: &[f64; 2]| Ok([0.0, -0.8 * y[1]]));
/// let third = Event::new(|_t: f64, y: &[f64; 2]| Ok(y[0])).falling().stop_after(3);
/// let solution = solve(ball, [1.0, 0.0], (0.0, 10.0))
///     .with(Tsit5)
///     .tolerance(1e-8, 1e-8)
///     .event(floor)
///     .event(third)
///     .run()?;
/// let fall = (2.0f64 / 9.81).sqrt();
/// assert!((solution.t_end - fall * (1.0 + 2.0 * (0.8 + 0.64))).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
pub struct Event<Y> {
    condition: Arc<Condition<Y>>,
    direction: Direction,
    /// The condition as a scalar tensor, for gradients.
    tape: Option<Arc<Change<Y>>>,
    change: Option<Arc<Change<Y>>>,
    stop_after: Option<usize>,
    samples: usize,
}

impl<Y> Clone for Event<Y> {
    fn clone(&self) -> Self {
        Self {
            condition: self.condition.clone(),
            direction: self.direction,
            tape: self.tape.clone(),
            change: self.change.clone(),
            stop_after: self.stop_after,
            samples: self.samples,
        }
    }
}

impl<Y> fmt::Debug for Event<Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("direction", &self.direction)
            .field("changes", &self.change.is_some())
            .field("stop_after", &self.stop_after)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

/// Which crossings count, as seen in the direction of the solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both.
    #[default]
    Either,
    /// From below zero to above.
    Rising,
    /// From above zero to below.
    Falling,
}

/// A crossing that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Crossing<Y> {
    /// Which event, in the order in which they were given to the solve.
    pub event: usize,
    /// When.
    pub t: f64,
    /// The state there, before any change.
    pub y: Y,
    /// The time again, as a scalar tensor with a gradient, where the solve was differentiated.
    pub time: Option<Y>,
}

impl<Y> Event<Y> {
    /// The zeros of `condition`. They are only recorded, in
    /// [`Solution::crossings`](crate::Solution::crossings), unless something else is asked for.
    ///
    /// The condition should cross zero with a slope: a zero that is only touched has no sign change
    /// to be found by.
    pub fn new<G>(condition: G) -> Self
    where
        G: Fn(f64, &Y) -> ansatz_core::Result<f64> + Send + Sync + 'static,
    {
        Self {
            condition: Arc::new(condition),
            direction: Direction::Either,
            tape: None,
            change: None,
            stop_after: None,
            samples: 8,
        }
    }

    /// Only zeros where the condition grows in the direction of the solve.
    #[must_use]
    pub fn rising(mut self) -> Self {
        self.direction = Direction::Rising;
        self
    }

    /// Only zeros where the condition falls in the direction of the solve.
    #[must_use]
    pub fn falling(mut self) -> Self {
        self.direction = Direction::Falling;
        self
    }

    /// Ends the solve at the first crossing.
    #[must_use]
    pub fn stop(self) -> Self {
        self.stop_after(1)
    }

    /// Ends the solve at the crossing of this number.
    #[must_use]
    pub fn stop_after(mut self, crossings: usize) -> Self {
        self.stop_after = Some(crossings);
        self
    }

    /// Goes on from another state: `change` makes it of the state at the crossing.
    #[must_use]
    pub fn change<G>(mut self, change: G) -> Self
    where
        G: Fn(f64, &Y) -> ansatz_core::Result<Y> + Send + Sync + 'static,
    {
        self.change = Some(Arc::new(change));
        self
    }

    /// Looks for sign changes at this many places inside each step beside its ends (8 unless
    /// given). More of them find crossings that come in pairs within one step.
    #[must_use]
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// Places inside a step that are looked at.
    pub(crate) fn inner_samples(&self) -> usize {
        self.samples
    }

    /// The number of crossings that end the solve.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.stop_after
    }

    /// What is made of the state at a crossing, if anything.
    pub(crate) fn changed(&self, t: f64, y: &Y) -> Option<Result<Y>> {
        let change = self.change.as_ref()?;
        Some(change(t, y).map_err(|source| Error::Event { t, source }))
    }

    /// The condition.
    pub(crate) fn value(&self, t: f64, y: &Y) -> Result<f64> {
        let value = (self.condition)(t, y).map_err(|source| Error::Event { t, source })?;
        if value.is_nan() {
            return Err(Error::NotFinite { what: "the condition of an event", t, step: 0 });
        }
        Ok(value)
    }

    /// Whether a solution that has just left a zero with a change is back on the far side of it,
    /// though it should have left to the near one.
    pub(crate) fn is_past(&self, value: f64) -> bool {
        self.change.is_some()
            && match self.direction {
                Direction::Either => false,
                Direction::Rising => value > 0.0,
                Direction::Falling => value < 0.0,
            }
    }

    /// Whether going from value `a` to value `b` is a crossing that counts. A step may begin on
    /// the zero but not end there: then the zero is the end of this step, not the start of the next.
    pub(crate) fn crosses(&self, a: f64, b: f64) -> bool {
        let rising = a < 0.0 && b >= 0.0;
        let falling = a > 0.0 && b <= 0.0;
        match self.direction {
            Direction::Either => rising || falling,
            Direction::Rising => rising,
            Direction::Falling => falling,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.stop_after == Some(0) {
            return Err(Error::invalid("stop_after", 0, "at least one crossing"));
        }
        Ok(())
    }
}

#[cfg(feature = "candle")]
impl Event<candle_core::Tensor> {
    /// The zeros of a `condition` that returns a scalar tensor: gradients flow through the time and
    /// the state of the crossing, to the state before it and to what the condition captured.
    ///
    /// ```
    /// use ansatz_ode::{Event, Tsit5, solve};
    /// use ansatz_ode::core::candle::{Device, Tensor, Var};
    ///
    /// # fn main() -> ansatz_ode::Result<()> {
    /// // A ball falls from a height `x`: after the time `√(2x/g)` it is on the floor.
    /// let start = Var::new(&[2f64, 0.0], &Device::Cpu)?;
    /// let ball = |_t: f64, y: &Tensor| {
    ///     let speed = y.narrow(0, 1, 1)?;
    ///     Tensor::cat(&[&speed, &(speed.zeros_like()? - 9.81)?], 0)
    /// };
    /// let floor = Event::of_tensor(|_t, y: &Tensor| Ok(y.get(0)?)).falling().stop();
    /// let solution = solve(ball, start.as_tensor().clone(), (0.0, 10.0))
    ///     .with(Tsit5)
    ///     .tolerance(1e-8, 1e-8)
    ///     .event(floor)
    ///     .run()?;
    /// let time = solution.crossings[0].time.as_ref().unwrap();
    /// let gradient = time.backward()?.get(&start).unwrap().to_vec1::<f64>()?;
    /// assert!((gradient[0] - 1.0 / (2.0 * 9.81 * 2f64).sqrt()).abs() < 1e-8);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_tensor<G>(condition: G) -> Self
    where
        G: Fn(f64, &candle_core::Tensor) -> ansatz_core::Result<candle_core::Tensor>
            + Send
            + Sync
            + 'static,
    {
        let tape: Arc<Change<candle_core::Tensor>> = Arc::new(condition);
        let condition = tape.clone();
        let value = move |t: f64, y: &candle_core::Tensor| {
            let value = condition(t, &y.detach())?.to_dtype(candle_core::DType::F64)?;
            Ok(value.flatten_all()?.squeeze(0)?.to_scalar::<f64>()?)
        };
        Self { tape: Some(tape), ..Self::new(value) }
    }

    /// The condition with its graph, if it has one.
    pub(crate) fn taped(
        &self,
        t: f64,
        y: &candle_core::Tensor,
    ) -> Option<Result<candle_core::Tensor>> {
        let tape = self.tape.as_ref()?;
        Some(tape(t, y).map_err(|source| Error::Event { t, source }))
    }
}
