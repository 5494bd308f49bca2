//! Diagonals that act on pairs of components: [`ComplexDiagonal`].

use ansatz_linalg::nalgebra_sparse::na::Complex;

use super::{LinearPart, phi::phi};
use crate::{Error, Result};

/// A diagonal of complex numbers for a state of complex numbers, which is stored as real and
/// imaginary parts in turns: `[re₀, im₀, re₁, im₁, …]`, as the coefficients of a Fourier transform
/// are.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexDiagonal {
    entries: Vec<(f64, f64)>,
}

impl ComplexDiagonal {
    /// With these entries, as real and imaginary parts.
    ///
    /// # Errors
    /// When one of them is not finite.
    pub fn new(entries: Vec<(f64, f64)>) -> Result<Self> {
        if let Some(wrong) = entries.iter().find(|(re, im)| !(re + im).is_finite()) {
            return Err(Error::invalid("diagonal", format!("{wrong:?}"), "finite entries"));
        }
        Ok(Self { entries })
    }

    /// The entries.
    pub fn entries(&self) -> &[(f64, f64)] {
        &self.entries
    }
}

/// `out ← out + a x`, of complex numbers.
fn add(a: Complex<f64>, x: &[f64; 2], out: &mut [f64; 2]) {
    out[0] += a.re * x[0] - a.im * x[1];
    out[1] += a.re * x[1] + a.im * x[0];
}

impl LinearPart for ComplexDiagonal {
    /// `φₖ` of every entry.
    type Functions = Vec<Vec<Complex<f64>>>;

    fn dimension(&self) -> Result<usize> {
        Ok(2 * self.entries.len())
    }

    fn functions(&self, t: f64, p: usize) -> Result<Self::Functions> {
        let mut all = vec![Vec::with_capacity(self.entries.len()); p + 1];
        let mut values = vec![Complex::new(0.0, 0.0); p + 1];
        for &(re, im) in &self.entries {
            phi(Complex::new(t * re, t * im), &mut values);
            for (all, value) in all.iter_mut().zip(&values) {
                all.push(*value);
            }
        }
        Ok(all)
    }

    fn combine(
        &self,
        functions: &Self::Functions,
        terms: &[Vec<f64>],
        out: &mut Vec<f64>,
    ) -> Result<()> {
        out.fill(0.0);
        for (phi, term) in functions.iter().zip(terms) {
            let pairs = out.as_chunks_mut::<2>().0.iter_mut().zip(term.as_chunks::<2>().0);
            for ((out, x), phi) in pairs.zip(phi) {
                add(*phi, x, out);
            }
        }
        Ok(())
    }

    fn apply(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()> {
        out.clear();
        out.resize(x.len(), 0.0);
        let pairs = out.as_chunks_mut::<2>().0.iter_mut().zip(x.as_chunks::<2>().0);
        for ((out, x), &(re, im)) in pairs.zip(&self.entries) {
            add(Complex::new(re, im), x, out);
        }
        Ok(())
    }
}
