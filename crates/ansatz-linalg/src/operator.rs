//! Linear maps that need not be matrices: [`LinearOperator`].

mod block;
mod combination;
mod dense;
mod diagonal;
mod difference;
pub(crate) mod diffusion;
mod kronecker;
mod low_rank;
mod properties;
mod sparse;
mod stencil;
#[cfg(feature = "candle")]
mod tensor;
#[cfg(feature = "candle")]
mod tensor_diagonal;
mod tridiagonal;

pub use block::Blocks;
pub use combination::{Assumed, Product, Scaled, Sum, Transposed};
pub(crate) use dense::matrix_of;
pub use dense::{Dense, to_dense};
pub use diagonal::{Diagonal, Identity};
pub use difference::DifferenceJacobian;
pub use diffusion::{Boundary, Diffusion, End, Field, Wall};
pub use kronecker::{KroneckerProduct, KroneckerSum};
pub use low_rank::LowRank;
pub use properties::Properties;
pub use sparse::Sparse;
pub(crate) use sparse::multiply;
pub use stencil::{Edge, Stencil};
#[cfg(feature = "candle")]
pub use tensor::{Jacobian, TensorMatrix, TensorSparse};
#[cfg(feature = "candle")]
pub use tensor_diagonal::TensorDiagonal;
pub use tridiagonal::Tridiagonal;

use crate::{Error, Result, Vector};

/// A linear map of vectors `V`.
///
/// ```
/// use ansatz_linalg::{LinearOperator, Result};
///
/// /// `y₀ = x₀`, `yᵢ = xᵢ − xᵢ₋₁`.
/// struct Differences(usize);
///
/// impl LinearOperator<Vec<f64>> for Differences {
///     fn shape(&self) -> [usize; 2] {
///         [self.0, self.0]
///     }
///
///     fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
///         self.check_input(x)?;
///         y.clear();
///         y.push(x[0]);
///         y.extend(x.windows(2).map(|pair| pair[1] - pair[0]));
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// assert_eq!(Differences(3).apply(&vec![1.0, 4.0, 9.0])?, [1.0, 3.0, 5.0]);
/// # Ok(())
/// # }
/// ```
pub trait LinearOperator<V: Vector> {
    /// `[rows, columns]`: the numbers of components of results and of arguments.
    fn shape(&self) -> [usize; 2];

    /// `y ← A x`, whatever `y` held and however long it was.
    ///
    /// # Errors
    /// [`Error::Size`] when `x` does not have as many components as there are columns.
    fn apply_into(&self, x: &V, y: &mut V) -> Result<()>;

    /// `y ← Aᵀ x`.
    ///
    /// # Errors
    /// [`Error::NoTranspose`] unless the operator has one; [`Error::Size`] when `x` does not have
    /// as many components as there are rows.
    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        if self.properties().symmetric {
            return self.apply_into(x, y);
        }
        Err(Error::NoTranspose { operator: std::any::type_name::<Self>() })
    }

    /// What is known of the operator beyond its shape; nothing unless said.
    fn properties(&self) -> Properties {
        Properties::default()
    }

    /// `A x`.
    ///
    /// # Errors
    /// As [`LinearOperator::apply_into`].
    fn apply(&self, x: &V) -> Result<V> {
        let mut y = x.clone();
        self.apply_into(x, &mut y)?;
        Ok(y)
    }

    /// `Aᵀ x`.
    ///
    /// # Errors
    /// As [`LinearOperator::apply_transposed_into`].
    fn apply_transposed(&self, x: &V) -> Result<V> {
        let mut y = x.clone();
        self.apply_transposed_into(x, &mut y)?;
        Ok(y)
    }

    /// Errors unless `x` has as many components as there are columns.
    ///
    /// # Errors
    /// [`Error::Size`] with both numbers.
    fn check_input(&self, x: &V) -> Result<()> {
        check_length("argument of a linear operator", self.shape()[1], x.dimension())
    }

    /// Errors unless `x` has as many components as there are rows.
    ///
    /// # Errors
    /// [`Error::Size`] with both numbers.
    fn check_transposed_input(&self, x: &V) -> Result<()> {
        check_length("argument of a transposed operator", self.shape()[0], x.dimension())
    }
}

pub(crate) fn check_length(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::size(what, format!("{expected} components"), got))
}

/// Errors unless an array with these axes could be in memory.
pub(crate) fn check_size(what: &'static str, axes: &[usize]) -> Result<()> {
    match axes.iter().try_fold(1_usize, |size, n| size.checked_mul(*n)) {
        Some(size) if isize::try_from(size).is_ok() => Ok(()),
        _ => Err(Error::invalid(what, format!("{axes:?}"), "a product below 2^63")),
    }
}

/// Errors at the first number that is not finite.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index }),
        None => Ok(()),
    }
}

/// What points to an operator is one.
macro_rules! pointer {
    ($pointer:ty) => {
        impl<V: Vector, A: LinearOperator<V> + ?Sized> LinearOperator<V> for $pointer {
            fn shape(&self) -> [usize; 2] {
                (**self).shape()
            }

            fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
                (**self).apply_into(x, y)
            }

            fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
                (**self).apply_transposed_into(x, y)
            }

            fn properties(&self) -> Properties {
                (**self).properties()
            }
        }
    };
}

pointer!(&A);
pointer!(Box<A>);
pointer!(std::sync::Arc<A>);
