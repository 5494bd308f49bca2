//! The largest modulus of the eigenvalues of a Jacobian: [`SpectralRadius`].

use ansatz_linalg::LinearOperator as _;

use crate::{JacobianStorage, Result};

/// Power iteration that goes on where it ended with the Jacobian before: unlike norms of the matrix
/// it does not depend on the units of the components.
#[derive(Debug, Clone)]
pub(super) struct SpectralRadius {
    vector: Vec<f64>,
    image: Vec<f64>,
    known: bool,
}

/// Multiplications at first, and with each further Jacobian.
const FIRST: usize = 24;
const FURTHER: usize = 6;

/// Multiplications at the end whose growth counts: its geometric mean, since vectors turn where
/// eigenvalues are complex.
const COUNTED: usize = 4;

/// How much of all directions is added each time, so that none is lost.
const ADDED: f64 = 1e-3;

impl SpectralRadius {
    pub(super) fn new(n: usize) -> Self {
        Self { vector: vec![0.0; n], image: vec![0.0; n], known: false }
    }

    /// An estimate of the spectral radius.
    pub(super) fn of(&mut self, jacobian: &JacobianStorage) -> Result<f64> {
        let (count, added) = if self.known { (FURTHER, ADDED) } else { (FIRST, 1.0) };
        for (i, x) in self.vector.iter_mut().enumerate() {
            // Irregular numbers between 1/2 and 1, of either sign.
            let irregular = 0.75 + 0.25 * (1.0 + i as f64 * 2.39996).sin();
            let start = if self.known { *x } else { 0.0 };
            *x = start + added * if i % 2 == 0 { irregular } else { -irregular };
        }
        self.known = true;
        let mut growth = 1.0;
        for i in 0..count {
            multiply(jacobian, &self.vector, &mut self.image)?;
            let size = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
            let (before, after) = (size(&self.vector), size(&self.image));
            if after == 0.0 || !after.is_finite() {
                // Nilpotent, or not a number.
                self.known = false;
                return Ok(after);
            }
            if i >= count - COUNTED {
                growth *= after / before;
            }
            for (x, image) in self.vector.iter_mut().zip(&self.image) {
                *x = image / after;
            }
        }
        Ok(growth.powf(1.0 / COUNTED as f64))
    }
}

fn multiply(jacobian: &JacobianStorage, x: &Vec<f64>, out: &mut Vec<f64>) -> Result<()> {
    match jacobian {
        JacobianStorage::Dense(columns) => {
            out.fill(0.0);
            for (column, x) in columns.chunks_exact(x.len()).zip(x) {
                for (out, entry) in out.iter_mut().zip(column) {
                    *out += entry * x;
                }
            }
            Ok(())
        }
        JacobianStorage::Sparse(matrix) => Ok(matrix.apply_into(x, out)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(rows: &[[f64; 3]; 3]) -> JacobianStorage {
        JacobianStorage::Dense((0..9).map(|i| rows[i % 3][i / 3]).collect())
    }

    #[test]
    fn units_and_turning_do_not_matter() {
        let mut radius = SpectralRadius::new(3);
        // Eigenvalues −100, −2, −1, in units that make the entries up to 10⁸.
        let found = radius.of(&dense(&[[-100.0, 0.0, 0.0], [1e8, -2.0, 0.0], [3.0, 1e6, -1.0]]));
        assert!((found.unwrap() / 100.0 - 1.0).abs() < 0.02);
        // −1 ± 50i, and −3.
        let mut radius = SpectralRadius::new(3);
        let found = radius.of(&dense(&[[-1.0, 5.0, 0.0], [-500.0, -1.0, 0.0], [0.0, 0.0, -3.0]]));
        assert!((found.unwrap() / 50.0 - 1.0).abs() < 0.2);
        // Another eigenvector, orthogonal to the one before, takes over.
        let mut radius = SpectralRadius::new(3);
        let before = radius.of(&dense(&[[-9.0, 0.0, 0.0], [0.0; 3], [0.0; 3]])).unwrap();
        let after = radius.of(&dense(&[[0.0; 3], [0.0, -700.0, 0.0], [0.0, 0.0, 1.0]])).unwrap();
        assert!((before - 9.0).abs() < 1e-6 && (after / 700.0 - 1.0).abs() < 0.02);
        assert_eq!(radius.of(&dense(&[[0.0; 3]; 3])).unwrap(), 0.0);
    }

    #[test]
    fn sparse_matrices() {
        let mut coo = ansatz_linalg::nalgebra_sparse::CooMatrix::new(3, 3);
        for (i, j, value) in [(0, 0, -40.0), (1, 2, 1.0), (2, 2, 3.0), (0, 1, 7.0)] {
            coo.push(i, j, value);
        }
        let sparse = ansatz_linalg::Sparse::from_coo(&coo).unwrap();
        let found = SpectralRadius::new(3).of(&JacobianStorage::Sparse(sparse)).unwrap();
        assert!((found / 40.0 - 1.0).abs() < 0.02, "{found}");
    }
}
