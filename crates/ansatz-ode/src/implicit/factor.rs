//! A factorised iteration matrix: [`Factor`].

use ansatz_linalg::{
    Factorised, Sparse, SparseLu,
    faer::{
        ColMut, MatRef,
        linalg::solvers::{PartialPivLu, SolveCore},
    },
    nalgebra_sparse::na::{DMatrix, DVectorViewMut, Dyn, LU},
};

use crate::Result;

/// Up to this size a plain elimination is faster than one in blocks.
const SMALL: usize = 48;

/// An LU factorisation, by the method that suits the matrix.
pub(crate) enum Factor {
    Small(LU<f64, Dyn, Dyn>),
    Dense(PartialPivLu<f64>),
    Sparse(Box<SparseLu>),
}

impl Factor {
    /// Of a dense matrix given column after column; `None` if it is singular.
    pub(crate) fn dense(n: usize, columns: &[f64]) -> Option<Self> {
        if n <= SMALL {
            let lu = LU::new(DMatrix::from_column_slice(n, n, columns));
            return lu.is_invertible().then_some(Self::Small(lu));
        }
        let lu = MatRef::from_column_major_slice(columns, n, n).partial_piv_lu();
        let u = lu.U();
        let regular = (0..n).all(|i| u[(i, i)] != 0.0 && u[(i, i)].is_finite());
        regular.then_some(Self::Dense(lu))
    }

    /// Of a sparse matrix, with the ordering of `self` if that was of one with entries at the same
    /// places; `None` if it is singular.
    pub(crate) fn sparse(before: Option<Self>, matrix: &Sparse) -> Result<Option<Self>> {
        let factorised = match before {
            Some(Self::Sparse(mut lu)) => lu.refactorise_unchecked(matrix).map(|()| lu),
            // Newton's method notices when a matrix is as good as singular.
            _ => SparseLu::unchecked(matrix).map(Box::new),
        };
        match factorised {
            Ok(lu) => Ok(Some(Self::Sparse(lu))),
            Err(ansatz_linalg::Error::Singular { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    /// Solves in place.
    pub(crate) fn solve(&self, x: &mut [f64]) -> Result<()> {
        match self {
            Self::Small(lu) => {
                let n = x.len();
                lu.solve_mut(&mut DVectorViewMut::from_slice(x, n));
            }
            Self::Dense(lu) => {
                let x = ColMut::from_slice_mut(x).as_mat_mut();
                lu.solve_in_place_with_conj(ansatz_linalg::faer::Conj::No, x);
            }
            Self::Sparse(lu) => lu.solve_in_place(x)?,
        }
        Ok(())
    }

    /// The same with the transposed matrix.
    #[cfg(feature = "candle")]
    pub(crate) fn solve_transposed(&self, x: &mut [f64]) -> Result<()> {
        match self {
            Self::Small(lu) => {
                // A = P⁻¹ L U, so that Aᵀ = Uᵀ Lᵀ P.
                let (n, packed) = (x.len(), lu.lu_internal());
                let mut x = DVectorViewMut::from_slice(x, n);
                packed.tr_solve_upper_triangular_mut(&mut x);
                lu.l().tr_solve_lower_triangular_mut(&mut x);
                lu.p().inv_permute_rows(&mut x);
            }
            Self::Dense(lu) => {
                let x = ColMut::from_slice_mut(x).as_mat_mut();
                lu.solve_transpose_in_place_with_conj(ansatz_linalg::faer::Conj::No, x);
            }
            Self::Sparse(lu) => lu.solve_transposed_in_place(x)?,
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "candle"))]
mod tests {
    use ansatz_linalg::nalgebra_sparse::CooMatrix;

    use super::*;

    /// Rows have to be exchanged.
    fn entry(i: usize, j: usize) -> f64 {
        let x = (1.0 + 0.37 * i as f64 + 0.73 * j as f64 + 0.29 * (i * j) as f64).sin();
        if i == j { 0.1 * x } else { x }
    }

    #[test]
    fn transposed_solves() {
        for n in [3, SMALL, SMALL + 1, 70] {
            let columns: Vec<f64> = (0..n * n).map(|k| entry(k % n, k / n)).collect();
            let mut coo = CooMatrix::new(n, n);
            (0..n * n).for_each(|k| coo.push(k % n, k / n, columns[k]));
            let sparse = Sparse::from_coo(&coo).unwrap();
            let factors = [Factor::dense(n, &columns), Factor::sparse(None, &sparse).unwrap()];
            for factor in factors.map(Option::unwrap) {
                let want: Vec<f64> = (0..n).map(|i| (0.9 * i as f64).cos()).collect();
                let row = |j: usize| (0..n).map(|i| columns[i + j * n] * want[i]).sum::<f64>();
                let mut x: Vec<f64> = (0..n).map(row).collect();
                factor.solve_transposed(&mut x).unwrap();
                let off = x.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-9, "{n}: {off}");
            }
        }
    }
}
