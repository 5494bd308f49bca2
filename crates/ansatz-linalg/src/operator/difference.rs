//! Jacobians by differences of the function: [`DifferenceJacobian`].

use super::check_length;
use crate::{Error, LinearOperator, Result, Vector, nonlinear::scaled};

/// The Jacobian of a function at a point, applied by a difference of two values of it:
/// `J v ≈ (f(x + ε v) − f(x)) / ε`. With `u` the rounding unit of `V`, `ε` is so large that `ε v` has
/// the norm `√u n^¼`, each component relative to `1 + |xᵢ|`: for a column the usual `√u (1 + |xⱼ|)`
/// (J. Dennis, R. Schnabel, *Numerical Methods for Unconstrained Optimization and Nonlinear
/// Equations*, 1983, §5.4; P. Brown, Y. Saad, SIAM J. Sci. Stat. Comput. 11, 1990, §2.3), for a
/// vector of many components somewhat more, as rounding of `x` asks for.
///
/// About half of the digits are right, if the function changes on the scale of `1 + |xᵢ|`; for others
/// there is [`typical`](Self::typical). It has no transpose; `Jacobian`, for functions of tensors, is
/// exact and has one.
pub struct DifferenceJacobian<F, V> {
    function: F,
    x: V,
    value: V,
    typical: f64,
}

impl<V: Vector, F: Fn(&V) -> Result<V>> DifferenceJacobian<F, V> {
    /// Of `function` at `x`.
    ///
    /// # Errors
    /// Those of the function.
    pub fn new(function: F, x: V) -> Result<Self> {
        let value = function(&x)?;
        Ok(Self::with_value(function, x, value))
    }

    /// Of `function` at `x`, where its value is `value`.
    pub fn with_value(function: F, x: V, value: V) -> Self {
        Self { function, x, value, typical: 1.0 }
    }

    /// With differences on the scale of `typical + |xᵢ|`, for unknowns that are much smaller, or
    /// larger, than 1.
    ///
    /// ```
    /// use ansatz_linalg::{DifferenceJacobian, Direct, Newton, NonlinearStopping, RootFinder};
    /// use ansatz_linalg::WithJacobian;
    ///
    /// # fn main() -> ansatz_linalg::Result<()> {
    /// // A length in metres whose scale is a nanometre.
    /// let f = |x: &Vec<f64>| Ok(vec![(1e9 * x[0]).exp() - 2.0]);
    /// let jacobian = |x: &Vec<f64>| DifferenceJacobian::new(f, x.clone())?.typical(1e-9);
    /// let f = WithJacobian::new(f, jacobian);
    /// let root = Newton::new(Direct).solve(&f, &vec![0.0], &NonlinearStopping::default())?;
    /// assert!((1e9 * root.x[0] - 2f64.ln()).abs() < 1e-8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] unless it is positive.
    pub fn typical(self, typical: f64) -> Result<Self> {
        if typical > 0.0 && typical.is_finite() {
            return Ok(Self { typical, ..self });
        }
        Err(Error::invalid("typical size of an unknown", typical, "a positive number"))
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
        y.clone_from(&self.value);
        let length = v.norm2()?;
        if length < f64::MIN_POSITIVE {
            return Ok(y.combine(None, 0.0, &[], &[])?);
        }
        let direction = scaled(v, length.recip())?;
        let relative = direction.weighted_rms(&self.x, &self.x, 1.0, self.typical)?;
        let size = (v.dimension() as f64).powf(0.25);
        let epsilon = self.x.epsilon().sqrt() / (size * relative);
        let mut moved = self.x.clone();
        moved.axpby(1.0, epsilon, &direction)?;
        let value = (self.function)(&moved)?;
        let terms = [value, self.value.clone()];
        Ok(y.combine(None, length / epsilon, &[1.0, -1.0], &terms)?)
    }
}
