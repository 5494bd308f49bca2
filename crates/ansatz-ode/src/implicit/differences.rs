//! Jacobians by differences of the field.

use ansatz_linalg::Components;

use super::{
    ImplicitField, JacobianStorage, Sparsity,
    linear::{Linear, value},
};
use crate::{Error, Result, Statistics};

impl<Y: Components> Linear<Y> {
    /// The increment by which a component is moved (E. Hairer, G. Wanner, *Solving ODEs II*,
    /// section IV.8): small against the component, but not against rounding.
    fn increment(value: f64, epsilon: f64) -> f64 {
        let delta = (epsilon * value.abs().max(1e-5)).sqrt();
        // So that the difference of the two numbers is what it is divided by.
        (value + delta) - value
    }

    pub(super) fn differences<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        f: &Y,
        statistics: &mut Statistics,
    ) -> Result<()> {
        let n = self.n;
        if !matches!(&self.jacobian, JacobianStorage::Dense(columns) if columns.len() == n * n) {
            self.jacobian = JacobianStorage::Dense(vec![0.0; n * n]);
        }
        let JacobianStorage::Dense(columns) = &mut self.jacobian else { return Ok(()) };
        let epsilon = y.epsilon();
        y.read_into(&mut self.components)?;
        f.read_into(&mut self.base)?;
        for (j, out) in columns.chunks_exact_mut(n).enumerate() {
            let kept = self.components[j];
            let delta = Self::increment(kept, epsilon);
            self.components[j] = kept + delta;
            self.probe.write_from(&self.components)?;
            self.components[j] = kept;
            value(field, t, &self.probe, &mut self.value, statistics)?;
            self.value.read_into(out)?;
            for (out, base) in out.iter_mut().zip(&self.base) {
                *out = (*out - base) / delta;
            }
        }
        Ok(())
    }

    pub(super) fn sparse_differences<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        sparsity: &Sparsity,
        t: f64,
        y: &Y,
        f: &Y,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if sparsity.pattern().as_csr().nrows() != self.n {
            let got = sparsity.pattern().as_csr().nrows();
            let shape = |n: usize| format!("[{n}, {n}]");
            let (what, expected, got) = ("sparsity", shape(self.n), shape(got));
            return Err(Error::Core(ansatz_core::Error::Shape { what, expected, got }));
        }
        let epsilon = y.epsilon();
        y.read_into(&mut self.components)?;
        f.read_into(&mut self.base)?;
        let mut values = vec![0.0; sparsity.entries()];
        let mut moved = self.components.clone();
        for group in sparsity.column_groups() {
            for &j in group {
                moved[j] += Self::increment(moved[j], epsilon);
            }
            self.probe.write_from(&moved)?;
            value(field, t, &self.probe, &mut self.value, statistics)?;
            self.value.read_into(&mut self.column)?;
            for &j in group {
                let delta = moved[j] - self.components[j];
                for &(i, place) in sparsity.column(j) {
                    values[place] = (self.column[i] - self.base[i]) / delta;
                }
                moved[j] = self.components[j];
            }
        }
        self.jacobian = JacobianStorage::Sparse(sparsity.pattern().with_values(values)?);
        Ok(())
    }
}
