//! [`Jacobi`].

use super::{check_square, pivots};
use crate::{LinearOperator, Properties, Result, Sparse};

/// Division by the diagonal.
#[derive(Debug, Clone, PartialEq)]
pub struct Jacobi {
    inverse: Vec<f64>,
}

impl Jacobi {
    /// Of `matrix`.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when it is not square,
    /// [`Error::Singular`](crate::Error::Singular) when an entry of its diagonal is zero.
    pub fn new(matrix: &Sparse) -> Result<Self> {
        check_square(matrix)?;
        Ok(Self { inverse: pivots(matrix)?.into_iter().map(f64::recip).collect() })
    }
}

impl LinearOperator<Vec<f64>> for Jacobi {
    fn shape(&self) -> [usize; 2] {
        [self.inverse.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clear();
        y.extend(x.iter().zip(&self.inverse).map(|(x, d)| d * x));
        Ok(())
    }

    fn properties(&self) -> Properties {
        let positive_definite = self.inverse.iter().all(|d| *d > 0.0);
        Properties { positive_definite, ..Properties::DIAGONAL }
    }
}
