//! QR factorisation of a sparse matrix: least squares.

use faer::{
    linalg::solvers::SolveLstsq,
    sparse::linalg::solvers::{Qr, SymbolicQr},
};

use super::{Pattern, columns, failed};
use crate::{Error, LinearOperator, Result, Sparse};

/// `A Q = H R` of a sparse matrix with at least as many rows as columns, columns ordered for little
/// fill-in, `H` a product of reflections.
///
/// The order of the columns and the places of the fill-in depend only on where the entries are.
/// [`SparseQr::refactorise`] uses them again for other values at the same places.
#[derive(Debug, Clone)]
pub struct SparseQr {
    symbolic: SymbolicQr<usize>,
    factors: Qr<usize, f64>,
    pattern: Pattern,
}

const WHAT: &str = "matrix of a sparse QR factorisation";
const TASK: &str = "sparse QR factorisation";

impl SparseQr {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`] when it has fewer rows than columns, [`Error::Singular`] when its columns are
    /// dependent but for rounding, whatever their lengths: its condition number, with columns of
    /// length one, is estimated from the solutions for three random right-hand sides (T. Gudmundsson,
    /// C. Kenney, A. Laub, *Small-sample statistical estimates for matrix norms*, 1995).
    /// [`Error::Factorisation`] when memory runs out.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        let [rows, columns] = matrix.shape();
        if rows < columns {
            let expected = "at least as many rows as columns";
            return Err(Error::size(WHAT, expected, format!("{rows} × {columns}")));
        }
        let symbolic = SymbolicQr::try_new(matrix.to_faer().symbolic())
            .map_err(|error| failed(TASK, &error))?;
        let factors = numeric(&symbolic, matrix)?;
        Ok(Self { symbolic, factors, pattern: Pattern::of(matrix) })
    }

    /// Of a matrix with other values at the same places.
    ///
    /// # Errors
    /// As [`SparseQr::new`], and [`Error::Size`] when the entries are at other places.
    pub fn refactorise(&mut self, matrix: &Sparse) -> Result<()> {
        self.pattern.check(matrix)?;
        self.factors = numeric(&self.symbolic, matrix)?;
        Ok(())
    }

    /// The `x` with the least `‖A x − b‖₂`.
    ///
    /// # Errors
    /// [`Error::Size`] when `b` does not have as many numbers as there are rows.
    pub fn solve_least_squares(&self, b: &[f64]) -> Result<Vec<f64>> {
        let [rows, n] = self.pattern.shape;
        crate::operator::check_length("right-hand side of a least-squares problem", rows, b.len())?;
        let mut x = b.to_vec();
        self.factors.solve_lstsq_in_place(columns("right-hand side", rows, &mut x)?);
        x.truncate(n);
        Ok(x)
    }
}

fn numeric(symbolic: &SymbolicQr<usize>, matrix: &Sparse) -> Result<Qr<usize, f64>> {
    let factors = Qr::try_new_with_symbolic(symbolic.clone(), matrix.to_faer().as_ref())
        .map_err(|error| failed(TASK, &error))?;
    check_rank(&factors, matrix)?;
    Ok(factors)
}

const PROBES: usize = 3;

/// The library does not show `R`, and without exchanges of columns its diagonal would not show every
/// dependency. What can be had is `A⁺ b`: for normal `b` its mean square is `‖A⁺‖²`. That three
/// probes all miss a direction by a factor of a thousand has a probability of 10⁻⁹.
fn check_rank(factors: &Qr<usize, f64>, matrix: &Sparse) -> Result<()> {
    let [rows, n] = matrix.shape();
    if n == 0 {
        return Ok(());
    }
    let mut lengths = vec![0.0_f64; n];
    for (_, j, a) in matrix.as_csr().triplet_iter() {
        lengths[j] = a.hypot(lengths[j]);
    }
    let mut probes = ansatz_core::Key::new(0x51).normal(PROBES * rows);
    factors.solve_lstsq_in_place(columns("probe", rows, &mut probes)?);
    // The size of every unknown, in units of its column.
    let size = |j: usize| -> f64 {
        let root = (0..PROBES).fold(0.0_f64, |sum, k| sum.hypot(probes[k * rows + j]));
        root / (PROBES as f64).sqrt() * lengths[j]
    };
    // NaN, from a pivot of zero, counts as infinite.
    let size = |j| if lengths[j] > 0.0 && size(j).is_finite() { size(j) } else { f64::INFINITY };
    let (worst, largest) =
        (0..n).map(|j| (j, size(j))).fold((0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    let value = 1.0 / ((n as f64).sqrt() * largest);
    if value <= super::rounding(n) {
        return Err(Error::Singular { what: WHAT, pivot: worst, value });
    }
    Ok(())
}
