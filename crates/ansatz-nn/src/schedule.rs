//! Learning rates as functions of the step: [`Schedule`].

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A learning rate for every step, the first being step 0.
///
/// A pure function, so that training resumed at step 1000 continues with the rate of step 1000.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// Always the same rate.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// `rate · factor^(step/every)`, falling smoothly.
    Exponential {
        /// The rate of step 0.
        rate: f64,
        /// What the rate is multiplied by over `every` steps.
        factor: f64,
        /// How many steps that takes.
        every: u64,
    },
    /// `rate · factor^⌊step/every⌋`, falling at multiples of `every`.
    Step {
        /// The rate of step 0.
        rate: f64,
        /// What the rate is multiplied by after every `every` steps.
        factor: f64,
        /// The steps between.
        every: u64,
    },
    /// A linear rise to `peak` over the first `warmup` steps (`peak · (step + 1)/warmup`), then
    /// half a cosine that arrives at `floor` at step `steps`, and `floor` from there on
    /// (I. Loshchilov, F. Hutter 2017, eq. 5, without restarts).
    Cosine {
        /// The largest rate.
        peak: f64,
        /// The last rate.
        floor: f64,
        /// Steps of the rise; may be zero.
        warmup: u64,
        /// All steps, rise included.
        steps: u64,
    },
}

impl Schedule {
    /// The rate of a step.
    pub fn at(&self, step: u64) -> f64 {
        match *self {
            Self::Constant { rate } => rate,
            Self::Exponential { rate, factor, every } => {
                rate * factor.powf(step as f64 / every as f64)
            }
            Self::Step { rate, factor, every } => rate * factor.powf((step / every.max(1)) as f64),
            Self::Cosine { peak, warmup, .. } if step < warmup => {
                peak * (step + 1) as f64 / warmup as f64
            }
            Self::Cosine { floor, steps, .. } if step >= steps => floor,
            Self::Cosine { peak, floor, warmup, steps } => {
                let part = (step - warmup) as f64 / (steps - warmup) as f64;
                floor + 0.5 * (peak - floor) * (1.0 + (PI * part).cos())
            }
        }
    }

    /// Checks that the schedule gives a finite rate ≥ 0 for every step.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] names the field.
    pub fn validate(&self) -> Result<()> {
        let rate_ok = |what, rate: f64| {
            if rate.is_finite() && rate >= 0.0 {
                return Ok(());
            }
            Err(Error::invalid(what, rate, "a finite number ≥ 0"))
        };
        match *self {
            Self::Constant { rate } => rate_ok("rate of a schedule", rate),
            Self::Exponential { rate, factor, every } | Self::Step { rate, factor, every } => {
                rate_ok("rate of a schedule", rate)?;
                if !(factor > 0.0 && factor <= 1.0) {
                    return Err(Error::invalid("factor of a schedule", factor, "in (0, 1]"));
                }
                if every == 0 {
                    return Err(Error::invalid("every of a schedule", every, "a positive number"));
                }
                Ok(())
            }
            Self::Cosine { peak, floor, warmup, steps } => {
                rate_ok("peak of a schedule", peak)?;
                rate_ok("floor of a schedule", floor)?;
                if floor > peak {
                    return Err(Error::invalid("floor of a schedule", floor, "at most the peak"));
                }
                if warmup > steps {
                    return Err(Error::invalid("warmup of a schedule", warmup, "at most steps"));
                }
                Ok(())
            }
        }
    }
}

/// A constant rate.
impl From<f64> for Schedule {
    fn from(rate: f64) -> Self {
        Self::Constant { rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-15 * b.abs().max(1e-3), "{a} is not {b}");
    }

    /// Numbers worked out by hand: cos 60° = 1/2, 2^−1.5 = √2/4, and so on.
    #[test]
    fn values() {
        let exponential = Schedule::Exponential { rate: 0.8, factor: 0.25, every: 100 };
        close(exponential.at(0), 0.8);
        close(exponential.at(50), 0.4);
        close(exponential.at(75), 0.8 * 2f64.sqrt() / 4.0);
        close(exponential.at(200), 0.05);

        let step = Schedule::Step { rate: 0.8, factor: 0.5, every: 10 };
        for (at, rate) in [(0, 0.8), (9, 0.8), (10, 0.4), (19, 0.4), (20, 0.2), (35, 0.1)] {
            close(step.at(at), rate);
        }

        let cosine = Schedule::Cosine { peak: 1.0, floor: 0.2, warmup: 4, steps: 16 };
        for (at, rate) in [
            (0, 0.25),
            (1, 0.5),
            (3, 1.0),
            (4, 1.0),
            (6, 0.2 + 0.4 * (1.0 + 3f64.sqrt() / 2.0)),
            (8, 0.8),
            (10, 0.6),
            (12, 0.4),
            (16, 0.2),
            (u64::MAX, 0.2),
        ] {
            close(cosine.at(at), rate);
        }
        close(Schedule::from(0.3).at(7), 0.3);
    }

    /// Without a decay phase there is nothing to divide by.
    #[test]
    fn warmup_may_last_to_the_end() {
        let all = Schedule::Cosine { peak: 1.0, floor: 0.0, warmup: 2, steps: 2 };
        all.validate().unwrap();
        assert_eq!([all.at(0), all.at(1), all.at(2)], [0.5, 1.0, 0.0]);
        let none = Schedule::Cosine { peak: 1.0, floor: 0.0, warmup: 0, steps: 0 };
        none.validate().unwrap();
        assert_eq!(none.at(0), 0.0);
    }

    #[test]
    fn bad_fields_are_named() {
        for (schedule, field) in [
            (Schedule::from(f64::NAN), "rate of a schedule"),
            (Schedule::from(-1.0), "rate of a schedule"),
            (Schedule::Exponential { rate: 1.0, factor: 1.5, every: 1 }, "factor of a schedule"),
            (Schedule::Step { rate: 1.0, factor: f64::NAN, every: 1 }, "factor of a schedule"),
            (Schedule::Step { rate: 1.0, factor: 0.5, every: 0 }, "every of a schedule"),
            (
                Schedule::Cosine { peak: 1.0, floor: 2.0, warmup: 0, steps: 1 },
                "floor of a schedule",
            ),
            (
                Schedule::Cosine { peak: 1.0, floor: 0.0, warmup: 2, steps: 1 },
                "warmup of a schedule",
            ),
        ] {
            match schedule.validate() {
                Err(Error::InvalidArgument { what, .. }) => assert_eq!(what, field),
                other => panic!("{schedule:?}: {other:?}"),
            }
        }
    }
}
