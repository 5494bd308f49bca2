//! Linear systems with a complex coefficient: [`Pair`].

use ansatz_linalg::{
    Sparse,
    faer::{
        self, ColMut, MatRef,
        linalg::solvers::{PartialPivLu, SolveCore},
    },
    nalgebra_sparse::{
        CooMatrix, CsrMatrix,
        na::{Complex, DMatrix, DVectorViewMut, Dyn, LU},
    },
};

use crate::{
    Result,
    implicit::{JacobianStorage, Mass, factor::Factor, joined::Joined},
};

/// Up to this size a plain elimination is faster than one in blocks.
const SMALL: usize = 48;

/// Systems with `(α + iβ) M − h J`.
#[derive(Default)]
pub(crate) struct Pair {
    factor: Option<PairFactor>,
    /// Room for the sparse matrix.
    joined: Option<Box<Joined>>,
    /// Room for a solution.
    complex: Vec<Complex<f64>>,
    real: Vec<f64>,
}

/// A factorisation, by the method that suits the matrix.
enum PairFactor {
    Small(LU<Complex<f64>, Dyn, Dyn>),
    Dense(PartialPivLu<faer::c64>),
    /// Of a real matrix of twice the size, real and imaginary parts in turns: its entries lie as
    /// those of the Jacobian do, but for the mass matrix.
    Sparse(Factor),
}

impl Pair {
    /// Factorises; `false` if the matrix is singular.
    pub(crate) fn factorise(
        &mut self,
        (alpha, beta): (f64, f64),
        h: f64,
        jacobian: &JacobianStorage,
        mass: Option<&Mass>,
        n: usize,
    ) -> Result<bool> {
        self.factor = match jacobian {
            JacobianStorage::Dense(jacobian) => dense((alpha, beta), h, jacobian, mass, n),
            JacobianStorage::Sparse(jacobian) => {
                let twice = doubled(jacobian)?;
                let mut before = match self.factor.take() {
                    Some(PairFactor::Sparse(factor)) => Some(factor),
                    _ => None,
                };
                let known = self.joined.take().filter(|joined| joined.is_of(&twice));
                let joined = if let Some(joined) = known {
                    joined
                } else {
                    before = None;
                    let mass = rotated_mass((alpha, beta), mass, n)?;
                    Box::new(Joined::new(&twice, Some(&mass), 2 * n)?)
                };
                let joined = self.joined.insert(joined);
                match joined.assemble(h, &twice)? {
                    Some(matrix) => Factor::sparse(before, matrix)?.map(PairFactor::Sparse),
                    None => None,
                }
            }
        };
        Ok(self.factor.is_some())
    }

    /// Solves in place for the real and imaginary parts; `false` without a factorisation.
    pub(crate) fn solve(&mut self, re: &mut [f64], im: &mut [f64]) -> Result<bool> {
        let Some(factor) = &self.factor else { return Ok(false) };
        if let PairFactor::Sparse(factor) = factor {
            self.real.clear();
            self.real.extend(re.iter().zip(&*im).flat_map(|(re, im)| [*re, *im]));
            factor.solve(&mut self.real)?;
            for (k, [x, y]) in self.real.as_chunks::<2>().0.iter().enumerate() {
                (re[k], im[k]) = (*x, *y);
            }
            return Ok(true);
        }
        self.complex.clear();
        self.complex.extend(re.iter().zip(&*im).map(|(re, im)| Complex::new(*re, *im)));
        let x = &mut self.complex;
        match factor {
            PairFactor::Small(lu) => {
                let n = x.len();
                lu.solve_mut(&mut DVectorViewMut::from_slice(x, n));
            }
            PairFactor::Dense(lu) => {
                let x = ColMut::from_slice_mut(x).as_mat_mut();
                lu.solve_in_place_with_conj(faer::Conj::No, x);
            }
            PairFactor::Sparse(_) => {}
        }
        for (k, z) in self.complex.iter().enumerate() {
            (re[k], im[k]) = (z.re, z.im);
        }
        Ok(true)
    }
}

/// Of a matrix given column after column; `None` if it is singular.
fn dense(
    (alpha, beta): (f64, f64),
    h: f64,
    jacobian: &[f64],
    mass: Option<&Mass>,
    n: usize,
) -> Option<PairFactor> {
    let mut matrix: Vec<_> = jacobian.iter().map(|j| Complex::new(-h * j, 0.0)).collect();
    let shift = Complex::new(alpha, beta);
    match mass {
        None => matrix.iter_mut().step_by(n + 1).for_each(|w| *w += shift),
        Some(mass) => {
            for (i, j, value) in mass.entries() {
                matrix[i + j * n] += shift * value;
            }
        }
    }
    if n <= SMALL {
        let lu = LU::new(DMatrix::from_vec(n, n, matrix));
        return lu.is_invertible().then_some(PairFactor::Small(lu));
    }
    let lu = MatRef::from_column_major_slice(&matrix, n, n).partial_piv_lu();
    let u = lu.U();
    let regular = |z: faer::c64| z.is_finite() && z != Complex::new(0.0, 0.0);
    (0..n).all(|i| regular(u[(i, i)])).then_some(PairFactor::Dense(lu))
}

/// The Jacobian for real and imaginary parts in turns.
fn doubled(jacobian: &Sparse) -> Result<Sparse> {
    let csr = jacobian.as_csr();
    let n = csr.nrows();
    let (mut offsets, mut columns) = (vec![0], Vec::with_capacity(2 * csr.nnz()));
    let mut values = Vec::with_capacity(2 * csr.nnz());
    for row in csr.row_iter() {
        for part in 0..2 {
            columns.extend(row.col_indices().iter().map(|j| 2 * j + part));
            values.extend_from_slice(row.values());
            offsets.push(columns.len());
        }
    }
    let twice = CsrMatrix::try_from_csr_data(2 * n, 2 * n, offsets, columns, values);
    let twice = twice.map_err(|_| crate::Error::invalid("Jacobian", n, "a valid sparse matrix"))?;
    Ok(Sparse::new(twice)?)
}

/// `[[α, −β], [β, α]]` for each entry of the mass matrix.
fn rotated_mass((alpha, beta): (f64, f64), mass: Option<&Mass>, n: usize) -> Result<Mass> {
    let entries = mass.map_or_else(|| (0..n).map(|i| (i, i, 1.0)).collect(), Mass::entries);
    let mut coo = CooMatrix::new(2 * n, 2 * n);
    for (i, j, value) in entries {
        coo.push(2 * i, 2 * j, alpha * value);
        coo.push(2 * i, 2 * j + 1, -beta * value);
        coo.push(2 * i + 1, 2 * j, beta * value);
        coo.push(2 * i + 1, 2 * j + 1, alpha * value);
    }
    Ok(Mass::Sparse(Sparse::new(CsrMatrix::from(&coo))?))
}
