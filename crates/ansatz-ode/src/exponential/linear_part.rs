//! The linear part of a problem: [`LinearPart`].

use ansatz_linalg::{
    Dense, Diagonal, LinearOperator as _, faer::Mat, nalgebra_sparse::na::Complex, phi_functions,
};

use super::phi::phi;
use crate::Result;

/// A constant matrix `L` whose φ-functions `φ₀(z) = e^z`, `φₖ(z) = (φₖ₋₁(z) − 1/(k−1)!)/z` can be
/// applied to vectors. Vectors are the components of states, in the order of storage.
///
/// Diagonals ([`Diagonal`], [`ComplexDiagonal`](crate::ComplexDiagonal)) cost a few operations a
/// component; a [`Dense`] matrix some matrix products whenever the step length changes, and
/// matrix–vector products for each stage; [`Krylov`](crate::Krylov) takes any other operator.
pub trait LinearPart {
    /// What is found once for all vectors.
    type Functions;

    /// Number of rows and columns.
    ///
    /// # Errors
    /// When it is not square.
    fn dimension(&self) -> Result<usize>;

    /// Finds `φ₀(tL), …, φ_p(tL)`.
    ///
    /// # Errors
    /// When they overflow.
    fn functions(&self, t: f64, p: usize) -> Result<Self::Functions>;

    /// `out ← Σ φₖ(tL) termsₖ`; there are at most `p + 1` terms.
    ///
    /// # Errors
    /// When a result is not found to its tolerance.
    fn combine(
        &self,
        functions: &Self::Functions,
        terms: &[Vec<f64>],
        out: &mut Vec<f64>,
    ) -> Result<()>;

    /// `out ← L x`.
    ///
    /// # Errors
    /// When the sizes differ.
    #[allow(clippy::ptr_arg)] // as operators of vectors take it
    fn apply(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()>;
}

impl LinearPart for Diagonal {
    /// `φₖ` of every entry.
    type Functions = Vec<Vec<f64>>;

    fn dimension(&self) -> Result<usize> {
        Ok(self.entries().len())
    }

    fn functions(&self, t: f64, p: usize) -> Result<Vec<Vec<f64>>> {
        let mut all = vec![Vec::with_capacity(self.entries().len()); p + 1];
        let mut values = vec![Complex::new(0.0, 0.0); p + 1];
        for entry in self.entries() {
            phi(Complex::new(t * entry, 0.0), &mut values);
            for (all, value) in all.iter_mut().zip(&values) {
                all.push(value.re);
            }
        }
        Ok(all)
    }

    fn combine(
        &self,
        functions: &Vec<Vec<f64>>,
        terms: &[Vec<f64>],
        out: &mut Vec<f64>,
    ) -> Result<()> {
        out.fill(0.0);
        for (phi, term) in functions.iter().zip(terms) {
            for ((out, phi), x) in out.iter_mut().zip(phi).zip(term) {
                *out += phi * x;
            }
        }
        Ok(())
    }

    fn apply(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()> {
        Ok(self.apply_into(x, out)?)
    }
}

impl LinearPart for Dense {
    type Functions = Vec<Dense>;

    fn dimension(&self) -> Result<usize> {
        square(self.shape())
    }

    fn functions(&self, t: f64, p: usize) -> Result<Vec<Dense>> {
        let matrix = self.as_faer();
        let scaled = Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| t * matrix[(i, j)]);
        Ok(phi_functions(&Dense::new(scaled)?, p)?)
    }

    fn combine(
        &self,
        functions: &Vec<Dense>,
        terms: &[Vec<f64>],
        out: &mut Vec<f64>,
    ) -> Result<()> {
        out.fill(0.0);
        for (phi, term) in functions.iter().zip(terms) {
            let phi = phi.as_faer();
            for (j, x) in term.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                for (out, phi) in out.iter_mut().zip(phi.col(j).iter()) {
                    *out += phi * x;
                }
            }
        }
        Ok(())
    }

    fn apply(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()> {
        Ok(self.apply_into(x, out)?)
    }
}

/// Rows of a square matrix.
pub(super) fn square(shape: [usize; 2]) -> Result<usize> {
    if shape[0] == shape[1] {
        return Ok(shape[0]);
    }
    Err(crate::Error::Core(ansatz_core::Error::Shape {
        what: "linear part",
        expected: "a square matrix".to_owned(),
        got: format!("{shape:?}"),
    }))
}
