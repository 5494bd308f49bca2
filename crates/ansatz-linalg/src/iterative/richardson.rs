//! Stationary iterations: [`Richardson`].

use super::{IterativeMethod, Monitor, Pause, System};
use crate::{Error, Result, Vector};

/// `x ← x + damping · M (b − A x)`.
///
/// The preconditioner makes the method: with [`Jacobi`](crate::Jacobi) it is Jacobi's, with
/// [`Sor`](crate::Sor) it is Gauss–Seidel's and successive over-relaxation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Richardson {
    /// Factor of each correction, positive; 1 by default.
    pub damping: f64,
}

impl Default for Richardson {
    fn default() -> Self {
        Self { damping: 1.0 }
    }
}

impl<V: Vector> IterativeMethod<V> for Richardson {
    fn name(&self) -> &'static str {
        "Richardson's iteration"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        mut r: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        if !(self.damping > 0.0 && self.damping.is_finite()) {
            return Err(Error::invalid("damping", self.damping, "a positive number"));
        }
        let (mut z, mut image) = (r.clone(), r.clone());
        loop {
            system.precondition(&r, &mut z)?;
            x.axpby(1.0, self.damping, &z)?;
            system.operator.apply_into(&z, &mut image)?;
            r.axpby(1.0, -self.damping, &image)?;
            if let Some(pause) = monitor.record(r.norm2()?) {
                return Ok(pause);
            }
        }
    }
}
