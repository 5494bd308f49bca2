//! The affine map of a dense layer: [`Linear`].

use ansatz_core::{Dense, Module, Pointwise, Result as CoreResult, TensorLike};
use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::{Initializer, Result};

/// `y = x Wᵀ + b` over the last axis: `[…, inputs]` to `[…, outputs]`.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer with a bias, both started like PyTorch's ([`Initializer::Torch`]).
    ///
    /// # Errors
    /// When a size is zero, or the parameters exist already with another shape.
    pub fn new(inputs: usize, outputs: usize, vb: VarBuilder<'_>) -> Result<Self> {
        Self::with(inputs, outputs, Initializer::Torch, Some(Initializer::Torch), vb)
    }

    /// A layer with parameters `weight` `[outputs, inputs]` and, if an initialiser is given for
    /// it, `bias` `[outputs]`.
    ///
    /// # Errors
    /// When a size is zero, an initialiser has a wrong parameter, or the parameters exist already
    /// with another shape.
    pub fn with(
        inputs: usize,
        outputs: usize,
        weight: Initializer,
        bias: Option<Initializer>,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let shape = (outputs, inputs);
        let weight_init = weight.for_weight(shape)?;
        let bias_init = bias.map(|b| b.for_weight(shape)).transpose()?;
        let weight = vb.get_with_hints(shape, "weight", weight_init)?;
        let bias = bias_init.map(|init| vb.get_with_hints(outputs, "bias", init)).transpose()?;
        Ok(Self { weight, bias })
    }

    /// The weight `[outputs, inputs]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The bias `[outputs]`, if there is one.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// This layer followed by a function, as a part of [`TensorLike::dense_chain`].
    pub fn then(&self, activation: Option<Pointwise>) -> Dense<'_> {
        Dense { weight: &self.weight, bias: self.bias.as_ref(), activation }
    }
}

impl<T: TensorLike> Module<T> for Linear {
    fn forward(&self, x: &T) -> CoreResult<T> {
        x.dense(&self.weight, self.bias.as_ref())
    }
}
