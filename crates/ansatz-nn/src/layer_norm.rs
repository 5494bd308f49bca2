//! Normalisation over the last axis: [`LayerNorm`].

use ansatz_core::{Error as CoreError, Module, Result as CoreResult, TensorLike};
use candle_core::Tensor;
use candle_nn::{Init, VarBuilder};

use crate::{Error, Result};

/// `(x − mean)/√(var + ε) · weight + bias` over the last axis of `[…, features]`, with the biased
/// variance (J. L. Ba, J. R. Kiros, G. E. Hinton 2016, eq. 3).
///
/// Unlike `candle_nn::LayerNorm`, it has a gradient.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    /// A layer with parameters `weight` (ones) and `bias` (zeros), both `[features]`. The usual
    /// ε is 1e-5.
    ///
    /// # Errors
    /// When `features` is zero, `epsilon` is not positive, or the parameters exist already with
    /// another shape.
    pub fn new(features: usize, epsilon: f64, vb: VarBuilder<'_>) -> Result<Self> {
        if features == 0 {
            return Err(Error::invalid("features of a LayerNorm", features, "a positive number"));
        }
        if !(epsilon.is_finite() && epsilon > 0.0) {
            return Err(Error::invalid("epsilon of a LayerNorm", epsilon, "a positive number"));
        }
        let weight = vb.get_with_hints(features, "weight", Init::Const(1.0))?;
        let bias = vb.get_with_hints(features, "bias", Init::Const(0.0))?;
        Ok(Self { weight, bias, epsilon })
    }
}

impl<T: TensorLike> Module<T> for LayerNorm {
    fn forward(&self, x: &T) -> CoreResult<T> {
        // The provided method broadcasts; a last axis of length 1 would be accepted.
        let shape = x.shape()?;
        if shape.dims().last() != self.weight.dims().first() {
            return Err(CoreError::Shape {
                what: "input of a LayerNorm",
                expected: format!("[…, {}]", self.weight.elem_count()),
                got: format!("{:?}", shape.dims()),
            });
        }
        x.layer_norm(Some(&self.weight), Some(&self.bias), self.epsilon)
    }
}
