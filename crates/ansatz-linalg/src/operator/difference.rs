//! Jacobians by differences of the function: [`DifferenceJacobian`].

use super::check_length;
use crate::{LinearOperator, Result, Vector};

/// The Jacobian of a function at a point, applied by a difference of two values of it:
/// `J v ≈ (f(x + ε v) − f(x)) / ε` with `ε = √((1 + ‖x‖) u) / ‖v‖`, `u` the rounding unit of `V`
/// (D. Knoll, D. Keyes, *Jacobian-free Newton–Krylov methods*, J. Comput. Phys. 193, 2004, §3.1).
///
/// About half of the digits are right. It has no transpose; `Jacobian`, for
/// functions of tensors, is exact and has one.
pub struct DifferenceJacobian<F, V> {
    function: F,
    x: V,
    value: V,
    norm: f64,
}

impl<V: Vector, F: Fn(&V) -> Result<V>> DifferenceJacobian<F, V> {
    /// Of `function` at `x`.
    ///
    /// # Errors
    /// Those of the function.
    pub fn new(function: F, x: V) -> Result<Self> {
        let value = function(&x)?;
        Self::with_value(function, x, value)
    }

    /// Of `function` at `x`, where its value is `value`.
    ///
    /// # Errors
    /// When the norm of `x` cannot be taken.
    pub fn with_value(function: F, x: V, value: V) -> Result<Self> {
        let norm = x.norm2()?;
        Ok(Self { function, x, value, norm })
    }

    /// The value of the function at the point.
    pub fn value(&self) -> &V {
        &self.value
    }
}

impl<V: Vector, F: Fn(&V) -> Result<V>> LinearOperator<V> for DifferenceJacobian<F, V> {
    fn shape(&self) -> [usize; 2] {
        [self.value.dimension(), self.x.dimension()]
    }

    fn apply_into(&self, v: &V, y: &mut V) -> Result<()> {
        check_length("argument of a Jacobian", self.x.dimension(), v.dimension())?;
        let length = v.norm2()?;
        y.clone_from(&self.value);
        if length == 0.0 {
            return Ok(y.combine(None, 0.0, &[], &[])?);
        }
        let epsilon = ((1.0 + self.norm) * self.x.epsilon()).sqrt() / length;
        let mut moved = self.x.clone();
        moved.combine(Some(&self.x), epsilon, &[1.0], std::slice::from_ref(v))?;
        let value = (self.function)(&moved)?;
        let terms = [value, self.value.clone()];
        Ok(y.combine(None, epsilon.recip(), &[1.0, -1.0], &terms)?)
    }
}
