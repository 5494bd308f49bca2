//! [`TensorDiagonal`].

use candle_core::Tensor;

use crate::{Components, Error, LinearOperator, Properties, Result};

/// A diagonal matrix whose entries are a tensor, on vectors that are tensors with as many numbers;
/// its inverse preconditions on any device (Jacobi's preconditioner).
#[derive(Debug, Clone)]
pub struct TensorDiagonal {
    entries: Tensor,
}

impl TensorDiagonal {
    /// With these entries, of any shape.
    pub fn new(entries: Tensor) -> Self {
        Self { entries }
    }

    /// The entries.
    pub fn as_tensor(&self) -> &Tensor {
        &self.entries
    }

    /// The diagonal matrix of the inverse entries, which are read from the device once to be checked.
    ///
    /// # Errors
    /// [`Error::Singular`] when an entry is zero.
    pub fn inverse(&self) -> Result<Self> {
        if let Some(pivot) = self.entries.components()?.iter().position(|d| *d == 0.0) {
            return Err(Error::Singular { what: "diagonal", pivot, value: 0.0 });
        }
        Ok(Self { entries: self.entries.recip()? })
    }
}

impl LinearOperator<Tensor> for TensorDiagonal {
    fn shape(&self) -> [usize; 2] {
        [self.entries.elem_count(); 2]
    }

    fn apply_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_input(x)?;
        *y = (x * self.entries.reshape(x.shape())?)?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties::DIAGONAL
    }
}
