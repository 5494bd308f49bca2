//! A sparse iteration matrix: [`Joined`].

use ansatz_linalg::{
    Sparse,
    nalgebra_sparse::{CooMatrix, CsrMatrix},
};

use super::Mass;
use crate::Result;

/// A sparse matrix with the entries of the Jacobian and of the mass matrix.
pub(crate) struct Joined {
    matrix: Sparse,
    /// Where the entries of either are among the values.
    of_jacobian: Vec<usize>,
    of_mass: Vec<(usize, f64)>,
}

impl Joined {
    /// Room for the entries of both.
    pub(crate) fn new(jacobian: &Sparse, mass: Option<&Mass>, n: usize) -> Result<Self> {
        let of_mass = mass.map_or_else(|| (0..n).map(|i| (i, i, 1.0)).collect(), Mass::entries);
        let mut coo = CooMatrix::new(n, n);
        for (i, j, _) in jacobian.as_csr().triplet_iter() {
            coo.push(i, j, 1.0);
        }
        for &(i, j, _) in &of_mass {
            coo.push(i, j, 1.0);
        }
        let csr = CsrMatrix::from(&coo);
        let place = |i: usize, j: usize| {
            let within = csr.row(i).col_indices().binary_search(&j).unwrap_or_default();
            csr.row_offsets()[i] + within
        };
        Ok(Self {
            of_jacobian: jacobian.as_csr().triplet_iter().map(|(i, j, _)| place(i, j)).collect(),
            of_mass: of_mass.into_iter().map(|(i, j, v)| (place(i, j), v)).collect(),
            matrix: Sparse::new(csr.clone())?,
        })
    }

    /// Whether the Jacobian was one with as many entries.
    pub(crate) fn is_of(&self, jacobian: &Sparse) -> bool {
        self.of_jacobian.len() == jacobian.as_csr().nnz()
    }

    /// `M − γh J`; `None` if it is not finite.
    pub(crate) fn assemble(&mut self, gamma_h: f64, jacobian: &Sparse) -> Result<Option<&Sparse>> {
        let mut values = vec![0.0; self.matrix.as_csr().nnz()];
        for (&place, value) in self.of_jacobian.iter().zip(jacobian.as_csr().values()) {
            values[place] -= gamma_h * value;
        }
        for &(place, value) in &self.of_mass {
            values[place] += value;
        }
        if values.iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        self.matrix = self.matrix.with_values(values)?;
        Ok(Some(&self.matrix))
    }
}
