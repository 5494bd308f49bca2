//! Algebraic multigrid: [`SmoothedAggregation`].

mod aggregate;
mod coarsest;
mod prolongation;
mod smoother;

use std::borrow::Cow;

use nalgebra_sparse::CsrMatrix;

use crate::{Error, LinearOperator, Properties, Result, Sparse, operator::multiply};
use aggregate::aggregates;
use coarsest::Coarsest;
use prolongation::{Candidates, prolongation};
use smoother::Smoother;

/// How a hierarchy is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregation {
    /// Entries `aᵢⱼ² ≤ strength² aᵢᵢ aⱼⱼ` do not make `i` and `j` neighbours; 0, which takes all
    /// entries, to below 1. 0.02 by default: enough to follow the strong direction of stretched grids;
    /// the 0.08 of P. Vaněk, J. Mandel, M. Brezina (1996) costs iterations on irregular meshes.
    pub strength: f64,
    /// Unknowns from which on a matrix is factorised instead of made coarser; 300 by default.
    pub coarsest: usize,
    /// Most levels; 20 by default.
    pub levels: usize,
    /// Cycles on each coarser level within one: 1 is a V-cycle, 2 a W-cycle; 1 by default.
    pub cycles: usize,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self { strength: 0.02, coarsest: 300, levels: 20, cycles: 1 }
    }
}

impl Aggregation {
    fn validate(&self) -> Result<()> {
        if !(self.strength >= 0.0 && self.strength < 1.0) {
            return Err(Error::invalid("strength", self.strength, "a number from 0 to below 1"));
        }
        let counts =
            [("coarsest", self.coarsest), ("levels", self.levels), ("cycles", self.cycles)];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((what, _)) => Err(Error::invalid(what, 0, "at least 1")),
            None => Ok(()),
        }
    }
}

/// Algebraic multigrid by smoothed aggregation, for symmetric matrices such as come from elliptic
/// equations on any mesh: one cycle from zero, as a preconditioner (P. Vaněk, J. Mandel, M. Brezina,
/// Computing 56, 1996).
///
/// Unknowns that are strongly coupled are put together; constants on these aggregates, made smooth by
/// one step of Jacobi's method, are the coarse space. Before and after the correction from there, one
/// sweep of Gauss–Seidel, forth and back, in blocks of rows side by side (A. Baker et al., SIAM J.
/// Sci. Comput. 33, 2011): symmetric and positive definite where the matrix is. The bits do not depend
/// on the number of threads.
///
/// ```
/// use ansatz_linalg::{Cg, Iterative, LinearSolver, SmoothedAggregation, Sparse};
/// use ansatz_linalg::nalgebra_sparse::CooMatrix;
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let n = 100_000;
/// let mut entries = CooMatrix::new(n, n);
/// for i in 0..n {
///     entries.push(i, i, 2.0 + 1e-6);
///     if i > 0 {
///         entries.push(i, i - 1, -1.0);
///         entries.push(i - 1, i, -1.0);
///     }
/// }
/// let a = Sparse::from_coo(&entries)?;
/// let amg = SmoothedAggregation::new(&a)?;
/// let solution = Iterative::new(Cg).preconditioner(amg).relative(1e-10).solve(&a, &vec![1.0; n])?;
/// assert!(solution.iterations() < 25);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SmoothedAggregation {
    levels: Vec<Level>,
    coarsest: Coarsest,
    cycles: usize,
    /// Vectors of the levels, kept from one application to the next.
    work: std::sync::Mutex<Vec<Work>>,
}

#[derive(Debug)]
struct Level {
    smoother: Smoother,
    prolongation: CsrMatrix<f64>,
    restriction: CsrMatrix<f64>,
}

#[derive(Debug, Default)]
struct Work {
    residual: Vec<f64>,
    right: Vec<f64>,
    x: Vec<f64>,
}

impl SmoothedAggregation {
    /// Of `matrix`, with constants as what the coarse space must represent.
    ///
    /// # Errors
    /// As [`SmoothedAggregation::with`].
    pub fn new(matrix: &Sparse) -> Result<Self> {
        Self::with(matrix, &Aggregation::default(), &[])
    }

    /// Of `matrix`, with `candidates` as what the coarse space must represent: vectors that the matrix
    /// maps nearly to zero, such as the rigid motions in elasticity; without any, constants.
    ///
    /// # Errors
    /// [`Error::Size`] when the matrix is not square or a candidate does not fit it,
    /// [`Error::InvalidArgument`] for settings and candidates that make no sense and for a matrix that
    /// is not symmetric but for rounding,
    /// [`Error::NotPositiveDefinite`] when a diagonal entry is not positive on some level,
    /// [`Error::Factorisation`] when the coarsest matrix cannot be factorised.
    pub fn with(matrix: &Sparse, config: &Aggregation, candidates: &[Vec<f64>]) -> Result<Self> {
        config.validate()?;
        let [n, width] = matrix.shape();
        if n != width {
            let shape = format!("{n} × {width}");
            return Err(Error::size(WHAT, "as many rows as columns", shape));
        }
        check_symmetric(matrix.as_csr(), &diagonal(matrix.as_csr())?)?;
        let mut candidates = Candidates::new(n, candidates)?;
        let mut a = Cow::Borrowed(matrix.as_csr());
        let mut levels = Vec::new();
        while a.nrows() > config.coarsest && levels.len() + 1 < config.levels {
            let diagonal = diagonal(&a)?;
            // Weaker from level to level, since aggregation strengthens what was weak.
            let strength =
                config.strength * 0.5f64.powi(i32::try_from(levels.len()).unwrap_or(i32::MAX));
            let (groups, count) = aggregates(&a, &diagonal, strength);
            let stuck = count == 0 || count * candidates.count() * 10 > a.nrows() * 9;
            if stuck && a.nrows() <= FACTORISED {
                break;
            }
            let (p, coarse) = if stuck {
                // No coarse space: nothing but the sweeps.
                (CsrMatrix::zeros(a.nrows(), 0), candidates)
            } else {
                prolongation(&a, &diagonal, strength, &groups, count, &candidates)?
            };
            let r = p.transpose();
            let mut next = &r * &(&*a * &p);
            hold(&mut next, &r, &diagonal);
            levels.push(Level {
                smoother: Smoother::new(&a, diagonal)?,
                prolongation: p,
                restriction: r,
            });
            a = Cow::Owned(next);
            candidates = coarse;
        }
        let coarsest = Coarsest::new(a.into_owned())?;
        let work = std::sync::Mutex::default();
        Ok(Self { levels, coarsest, cycles: config.cycles, work })
    }

    /// Unknowns of each level, the finest first.
    pub fn sizes(&self) -> Vec<usize> {
        let fine = self.levels.iter().map(|level| level.smoother.dimension());
        fine.chain([self.coarsest.dimension()]).collect()
    }

    /// Entries of the matrices of all levels over those of the finest: what a cycle costs in sweeps.
    pub fn operator_complexity(&self) -> f64 {
        let fine = self.levels.iter().map(|level| level.smoother.entries());
        let all: Vec<usize> = fine.chain([self.coarsest.entries()]).collect();
        all.iter().sum::<usize>() as f64 / all[0].max(1) as f64
    }

    /// `x ← ` one cycle for `b` from zero.
    fn cycle(&self, k: usize, b: &[f64], x: &mut Vec<f64>, work: &mut [Work]) -> Result<()> {
        let (Some(level), Some((own, rest))) = (self.levels.get(k), work.split_first_mut()) else {
            return self.coarsest.solve(b, x);
        };
        level.smoother.forth_from_zero(b, x);
        level.smoother.residual_after(x, &mut own.residual);
        multiply(&level.restriction, &own.residual, &mut own.right, false);
        self.cycle(k + 1, &own.right, &mut own.x, rest)?;
        for _ in 1..self.cycles {
            if k + 1 < self.levels.len() {
                self.improve(k + 1, &own.right, &mut own.x, rest)?;
            }
        }
        multiply(&level.prolongation, &own.x, x, true);
        level.smoother.back(b, x, &mut own.residual);
        Ok(())
    }

    /// Another cycle for what is left.
    fn improve(&self, k: usize, b: &[f64], x: &mut [f64], work: &mut [Work]) -> Result<()> {
        let mut left = Vec::new();
        self.levels[k].smoother.residual(b, x, &mut left);
        let mut more = Vec::new();
        self.cycle(k, &left, &mut more, work)?;
        x.iter_mut().zip(&more).for_each(|(x, more)| *x += more);
        Ok(())
    }
}

const WHAT: &str = "matrix of algebraic multigrid";

/// Where aggregates do not make a matrix smaller, it is factorised up to this many unknowns; a larger
/// one is only swept over.
const FACTORISED: usize = 20_000;
/// Parts of the diagonal that rounding may leave of a zero, and of a difference.
const ROUNDING: f64 = 1e-13;
const ASYMMETRY: f64 = 1e-12;

/// Errors unless each entry is that across the diagonal, but for rounding.
fn check_symmetric(a: &CsrMatrix<f64>, diagonal: &[f64]) -> Result<()> {
    let (offsets, columns, values) = a.csr_data();
    // Rows are gone through in their order, so that each row's entries are met in theirs.
    let mut next = offsets[..a.nrows()].to_vec();
    for i in 0..a.nrows() {
        for at in offsets[i]..offsets[i + 1] {
            let (j, value) = (columns[at], values[at]);
            let across = next[j] < offsets[j + 1] && columns[next[j]] == i;
            let other = if across { values[next[j]] } else { 0.0 };
            next[j] += usize::from(across);
            let size = value.abs().max((diagonal[i] * diagonal[j]).sqrt());
            if (value - other).abs() > ASYMMETRY * size {
                let entries = format!("{value:e} at ({i}, {j}) and {other:e} at ({j}, {i})");
                return Err(Error::invalid(WHAT, entries, "a symmetric matrix"));
            }
        }
    }
    Ok(())
}

/// Gives a coarse unknown that stands for nothing a diagonal: for a candidate that depends on the
/// others in its aggregate, or for a part of the system that is singular by itself.
fn hold(coarse: &mut CsrMatrix<f64>, restriction: &CsrMatrix<f64>, fine: &[f64]) {
    for (i, mut row) in coarse.row_iter_mut().enumerate() {
        let weights = restriction.row(i);
        let squares = weights.col_indices().iter().zip(weights.values());
        let size: f64 = squares.map(|(j, p)| p * p * fine[*j]).sum();
        let (columns, values) = row.cols_and_values_mut();
        let Ok(at) = columns.binary_search(&i) else { continue };
        if values[at].abs() <= ROUNDING * size {
            values[at] = if size > 0.0 { size } else { 1.0 };
        }
    }
}

/// The diagonal, which must be positive.
fn diagonal(a: &CsrMatrix<f64>) -> Result<Vec<f64>> {
    let entry = |(i, row): (usize, nalgebra_sparse::csr::CsrRow<'_, f64>)| {
        let at = row.col_indices().binary_search(&i);
        let value = at.map_or(0.0, |at| row.values()[at]);
        if value > 0.0 {
            Ok(value)
        } else {
            Err(Error::NotPositiveDefinite { what: WHAT, pivot: i })
        }
    };
    a.row_iter().enumerate().map(entry).collect()
}

impl LinearOperator<Vec<f64>> for SmoothedAggregation {
    fn shape(&self) -> [usize; 2] {
        let n = self.levels.first().map_or(self.coarsest.dimension(), |l| l.smoother.dimension());
        [n, n]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        let new = || (0..self.levels.len()).map(|_| Work::default()).collect();
        // Whoever comes while the vectors are in use makes new ones.
        let kept = self.work.lock().ok().map(|mut work| std::mem::take(&mut *work));
        let mut work: Vec<Work> = kept.filter(|work| !work.is_empty()).unwrap_or_else(new);
        let result = self.cycle(0, x, y, &mut work);
        if let Ok(mut place) = self.work.lock() {
            *place = work;
        }
        result
    }

    fn properties(&self) -> Properties {
        Properties::SPD
    }
}
