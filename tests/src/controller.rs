//! Steps whose lengths are powers of two: [`PowersOfTwo`].

use ansatz::ode::{Adaptive, Controller, Error, Judgement, Result, Rms, Trial};

/// Halves a step that failed, doubles one that was far too good, and leaves the others alone.
///
/// Times are then sums of powers of two, exact in floating point: runs with different tolerances
/// share grid points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowersOfTwo {
    /// How errors are measured.
    pub norm: Rms,
    /// The first step is two to this power.
    pub first_exponent: i32,
}

impl<M: Adaptive> Controller<M> for PowersOfTwo {
    type Norm = Rms;

    fn validate(&self) -> Result<()> {
        if self.norm.atol > 0.0 {
            return Ok(());
        }
        Err(Error::InvalidArgument {
            what: "atol of PowersOfTwo",
            value: self.norm.atol.to_string(),
            expected: "a positive number",
        })
    }

    fn norm(&self) -> Option<&Rms> {
        Some(&self.norm)
    }

    fn first_step(&self) -> Option<f64> {
        Some(f64::from(self.first_exponent).exp2())
    }

    fn judge(&self, trial: &Trial) -> Judgement {
        let &Trial { h, error, order, .. } = trial;
        // The last step of a solve may be shorter than a power of two.
        let h = h.log2().floor().exp2();
        // Twice the step has 2^order times the error; keep a factor of two in hand.
        let small = (-f64::from(order) - 1.0).exp2();
        if error <= small {
            Judgement { accept: true, next: 2.0 * h }
        } else if error <= 1.0 {
            Judgement { accept: true, next: h }
        } else {
            Judgement { accept: false, next: 0.5 * h }
        }
    }
}
