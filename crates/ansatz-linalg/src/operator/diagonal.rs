//! Diagonal operators on plain vectors.

use super::check_finite;
use crate::{LinearOperator, Properties, Result, Vector};

/// A diagonal matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagonal {
    entries: Vec<f64>,
}

impl Diagonal {
    /// With these entries.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) when one of them is NaN or infinite.
    pub fn new(entries: Vec<f64>) -> Result<Self> {
        check_finite("diagonal", &entries)?;
        Ok(Self { entries })
    }

    /// The entries.
    pub fn entries(&self) -> &[f64] {
        &self.entries
    }
}

impl LinearOperator<Vec<f64>> for Diagonal {
    fn shape(&self) -> [usize; 2] {
        [self.entries.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.clear();
        y.extend(x.iter().zip(&self.entries).map(|(x, d)| d * x));
        Ok(())
    }

    fn properties(&self) -> Properties {
        let positive_definite = self.entries.iter().all(|d| *d > 0.0);
        Properties { positive_definite, ..Properties::DIAGONAL }
    }
}

/// The identity, for vectors of any kind with this many components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(
    /// Number of components.
    pub usize,
);

impl<V: Vector> LinearOperator<V> for Identity {
    fn shape(&self) -> [usize; 2] {
        [self.0; 2]
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        super::check_length("argument of the identity", self.0, x.dimension())?;
        y.clone_from(x);
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties { positive_definite: true, ..Properties::DIAGONAL }
    }
}
