//! Relaxation by rows: [`Sor`] and [`Ssor`].

use super::{Rows, check_square, pivots};
use crate::{Error, LinearOperator, Properties, Result, Sparse};

/// The parts of `A = L + D + U`, with `D / ω` in place of `D`.
#[derive(Debug, Clone)]
struct Split {
    lower: Rows,
    upper: Rows,
    /// `D / ω`.
    diagonal: Vec<f64>,
    relaxation: f64,
    symmetric: bool,
}

impl Split {
    fn new(matrix: &Sparse, relaxation: f64) -> Result<Self> {
        check_square(matrix)?;
        if !(relaxation > 0.0 && relaxation < 2.0) {
            return Err(Error::invalid("relaxation ω", relaxation, "a number between 0 and 2"));
        }
        Ok(Self {
            lower: Rows::of(matrix, |i, j| i > j)?,
            upper: Rows::of(matrix, |i, j| i < j)?,
            diagonal: pivots(matrix)?.into_iter().map(|d| d / relaxation).collect(),
            relaxation,
            symmetric: matrix.properties().symmetric,
        })
    }
}

/// One sweep of successive over-relaxation from zero, `(D / ω + L)⁻¹`: Gauss–Seidel for ω = 1
/// (D. Young, Trans. Amer. Math. Soc. 76, 1954).
///
/// Not symmetric: for conjugate gradients take [`Ssor`].
#[derive(Debug, Clone)]
pub struct Sor(Split);

impl Sor {
    /// Of `matrix` with the factor `relaxation` ω, between 0 and 2.
    ///
    /// # Errors
    /// [`Error::Size`] when the matrix is not square, [`Error::InvalidArgument`] for `relaxation`,
    /// [`Error::Singular`] when an entry of the diagonal is zero.
    pub fn new(matrix: &Sparse, relaxation: f64) -> Result<Self> {
        Split::new(matrix, relaxation).map(Self)
    }

    /// Gauss–Seidel.
    ///
    /// # Errors
    /// As [`Sor::new`].
    pub fn gauss_seidel(matrix: &Sparse) -> Result<Self> {
        Self::new(matrix, 1.0)
    }
}

impl LinearOperator<Vec<f64>> for Sor {
    fn shape(&self) -> [usize; 2] {
        [self.0.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        self.0.lower.solve_lower(&self.0.diagonal, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.clone_from(x);
        self.0.lower.solve_lower_transposed(&self.0.diagonal, y);
        Ok(())
    }
}

/// A sweep of successive over-relaxation forth and one back,
/// `(2 − ω)/ω (D/ω + U)⁻¹ D (D/ω + L)⁻¹`: symmetric where the matrix is (Y. Saad, *Iterative Methods
/// for Sparse Linear Systems*, 2003, eq. 10.6).
#[derive(Debug, Clone)]
pub struct Ssor(Split);

impl Ssor {
    /// Of `matrix` with the factor `relaxation` ω, between 0 and 2.
    ///
    /// # Errors
    /// As [`Sor::new`].
    pub fn new(matrix: &Sparse, relaxation: f64) -> Result<Self> {
        Split::new(matrix, relaxation).map(Self)
    }

    fn scale(&self, y: &mut [f64]) {
        let factor = 2.0 - self.0.relaxation;
        y.iter_mut().zip(&self.0.diagonal).for_each(|(y, d)| *y *= factor * d);
    }
}

impl LinearOperator<Vec<f64>> for Ssor {
    fn shape(&self) -> [usize; 2] {
        [self.0.diagonal.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clone_from(x);
        self.0.lower.solve_lower(&self.0.diagonal, y);
        self.scale(y);
        self.0.upper.solve_upper(&self.0.diagonal, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.clone_from(x);
        self.0.upper.solve_upper_transposed(&self.0.diagonal, y);
        self.scale(y);
        self.0.lower.solve_lower_transposed(&self.0.diagonal, y);
        Ok(())
    }

    fn properties(&self) -> Properties {
        let symmetric = self.0.symmetric;
        let positive_definite = symmetric && self.0.diagonal.iter().all(|d| *d > 0.0);
        Properties { symmetric, positive_definite, ..Properties::NONE }
    }
}
