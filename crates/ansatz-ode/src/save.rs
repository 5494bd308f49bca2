//! What a solve keeps: [`Save`].

use crate::{Error, Result, Span};

/// Which states a solve returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Save {
    /// The state at the end.
    #[default]
    End,
    /// The states at these times, by dense output; they run from the start towards the end.
    Times(Vec<f64>),
    /// The initial state and the state after every accepted step; where an event changes the
    /// state, both before and after it.
    Steps,
    /// The initial state and the state after every so many accepted steps.
    Every(usize),
}

impl Save {
    /// Errors unless what it says can be done on `span`.
    pub(crate) fn validate(&self, span: &Span) -> Result<()> {
        if *self == Self::Every(0) {
            return Err(Error::invalid("Save::Every", 0, "a positive number of steps"));
        }
        let Self::Times(times) = self else { return Ok(()) };
        check_times(times, span)
    }
}

/// Errors unless the times are finite, monotone in the direction of time and inside `span`.
pub(crate) fn check_times(times: &[f64], span: &Span) -> Result<()> {
    let direction = span.direction();
    for (index, &value) in times.iter().enumerate() {
        if !value.is_finite() {
            return Err(Error::invalid("save time", value, "a finite time"));
        }
        if index > 0 && (value - times[index - 1]) * direction <= 0.0 {
            return Err(Error::NonMonotone { index, value, previous: times[index - 1] });
        }
        if (value - span.t0) * direction < 0.0 || (span.t1 - value) * direction < 0.0 {
            return Err(Error::OutsideInterval { value, t0: span.t0, t1: span.t1 });
        }
    }
    Ok(())
}
