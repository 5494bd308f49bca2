//! Steps whose lengths are powers of two: [`PowersOfTwo`].

use ansatz::ode::{Adaptive, Controller, Error, Judgement, Result};

/// Halves a step that failed, doubles one that was far too good, and leaves the others alone.
///
/// Times are then sums of powers of two, exact in floating point: runs with different tolerances
/// share grid points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowersOfTwo {
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance, positive.
    pub atol: f64,
    /// The first step is two to this power.
    pub first_exponent: i32,
}

impl<M: Adaptive> Controller<M> for PowersOfTwo {
    fn validate(&self) -> Result<()> {
        if self.rtol >= 0.0 && self.atol > 0.0 && self.rtol.is_finite() && self.atol.is_finite() {
            return Ok(());
        }
        Err(Error::InvalidArgument {
            what: "tolerances of PowersOfTwo",
            value: format!("({}, {})", self.rtol, self.atol),
            expected: "rtol ≥ 0 and atol > 0, both finite",
        })
    }

    fn tolerance(&self) -> Option<(f64, f64)> {
        Some((self.rtol, self.atol))
    }

    fn first_step(&self) -> Option<f64> {
        Some(f64::from(self.first_exponent).exp2())
    }

    fn judge(&self, h: f64, [error, ..]: [f64; 3]) -> Judgement {
        // The last step of a solve may be shorter than a power of two.
        let h = h.log2().floor().exp2();
        let order = M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1;
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
