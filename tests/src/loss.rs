//! The loss of operator learning: [`relative_l2`].

use ansatz::core::{Result, TensorLike};
use candle_core::Tensor;

/// `‖prediction − target‖₂ / ‖target‖₂` over all elements, a scalar.
///
/// # Errors
/// When the shapes do not broadcast.
pub fn relative_l2<T: TensorLike>(prediction: &T, target: &Tensor) -> Result<T> {
    let difference = prediction.add_constant(&target.neg()?)?;
    let norm = target.sqr()?.sum_all()?.sqrt()?;
    difference.sqr()?.sum_all()?.sqrt()?.mul_constant(&norm.recip()?)
}
