//! Models: [`Module`], and adapters for closures and candle's own modules.

use candle_core::Tensor;

use crate::Result;

/// A map from `T` to `T`, usually with parameters inside.
///
/// The type parameter stands on the trait, so that `dyn Module<Tensor>` works and one model can
/// implement the trait for every [`TensorLike`](crate::TensorLike) `T`:
///
/// ```
/// use ansatz_core::{Module, Result, TensorLike, candle::Tensor};
///
/// struct Affine { weight: Tensor, bias: Tensor }
///
/// impl<T: TensorLike> Module<T> for Affine {
///     fn forward(&self, x: &T) -> Result<T> {
///         x.dense(&self.weight, Some(&self.bias))
///     }
/// }
/// ```
///
/// Closures `Fn(&T) -> Result<T>` are modules.
pub trait Module<T = Tensor> {
    /// Evaluates the model.
    ///
    /// # Errors
    /// When shapes, dtypes or devices do not fit, or a tensor operation fails.
    fn forward(&self, x: &T) -> Result<T>;
}

impl<T, F: Fn(&T) -> Result<T>> Module<T> for F {
    fn forward(&self, x: &T) -> Result<T> {
        self(x)
    }
}

/// A module of candle (`candle_nn::Linear`, a `Sequential`, …) as a [`Module`] on tensors.
///
/// Beware of candle-nn's `LayerNorm` and `RmsNorm`: they return tensors without a gradient.
#[derive(Debug, Clone)]
pub struct Candle<M>(pub M);

impl<M: candle_core::Module> Module<Tensor> for Candle<M> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.0.forward(x)?)
    }
}
