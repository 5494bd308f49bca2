//! Complex vectors, as real ones of twice the length: real and imaginary part of each component in turn.

use ansatz_core::Complex64;

use super::{Components, Vector};
use crate::{Result, operator::check_length};

macro_rules! complex_vector {
    ($type:ty, [$($generics:tt)*], $slice:expr, $slice_mut:expr) => {
        /// The inner product is the real one, `Re Σ āᵢ bᵢ`.
        impl<$($generics)*> Vector for $type {
            fn inner(&self, other: &Self) -> Result<f64> {
                let (a, b) = ($slice(self), $slice(other));
                check_length("inner product", a.len(), b.len())?;
                Ok(a.iter().zip(b).map(|(a, b)| a.re * b.re + a.im * b.im).sum())
            }

            fn axpby(&mut self, keep: f64, factor: f64, x: &Self) -> Result<()> {
                let (y, x) = ($slice_mut(self), $slice(x));
                check_length("sum of two vectors", y.len(), x.len())?;
                for (y, x) in y.iter_mut().zip(x) {
                    *y = *y * keep + *x * factor;
                }
                Ok(())
            }
        }

        impl<$($generics)*> Components for $type {
            fn components(&self) -> Result<Vec<f64>> {
                Ok($slice(self).iter().flat_map(|z| [z.re, z.im]).collect())
            }

            fn with_components(&self, components: Vec<f64>) -> Result<Self> {
                let mut out = self.clone();
                out.write_from(&components)?;
                Ok(out)
            }

            fn read_into(&self, out: &mut [f64]) -> Result<()> {
                let z = $slice(self);
                check_length("room for the components of a vector", 2 * z.len(), out.len())?;
                for (z, out) in z.iter().zip(out.chunks_exact_mut(2)) {
                    (out[0], out[1]) = (z.re, z.im);
                }
                Ok(())
            }

            fn write_from(&mut self, components: &[f64]) -> Result<()> {
                let z = $slice_mut(self);
                check_length("components of a vector", 2 * z.len(), components.len())?;
                for (z, part) in z.iter_mut().zip(components.chunks_exact(2)) {
                    *z = Complex64::new(part[0], part[1]);
                }
                Ok(())
            }
        }
    };
}

complex_vector!(Complex64, [], std::slice::from_ref, std::slice::from_mut);
complex_vector!(
    [Complex64; N],
    [const N: usize],
    <[Complex64; N]>::as_slice,
    <[Complex64; N]>::as_mut_slice
);
complex_vector!(Vec<Complex64>, [], Vec::as_slice, Vec::as_mut_slice);
