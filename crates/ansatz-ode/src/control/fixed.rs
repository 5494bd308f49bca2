//! Steps of one length: [`FixedStep`].

use super::{Controller, Judgement, Trial};
use crate::{Error, Method, Result, Rms};

/// Steps of one length. The last one is shortened to hit the end exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    /// Length of a step, positive in either direction of time.
    pub step: f64,
}

impl<M: Method> Controller<M> for FixedStep {
    type Norm = Rms;

    fn validate(&self) -> Result<()> {
        if self.step.is_finite() && self.step > 0.0 {
            return Ok(());
        }
        Err(Error::invalid("step", self.step, "a positive, finite length of time"))
    }

    fn norm(&self) -> Option<&Rms> {
        None
    }

    fn first_step(&self) -> Option<f64> {
        Some(self.step)
    }

    fn judge(&self, _: &Trial) -> Judgement {
        Judgement { accept: true, next: self.step }
    }
}
