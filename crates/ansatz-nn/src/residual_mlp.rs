//! Dense blocks with skip connections: [`ResidualMlp`].

use ansatz_core::{Module, Result as CoreResult, TensorLike};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::{Activation, Error, Initializer, Linear, Result};

/// The shape of a [`ResidualMlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualMlpConfig {
    /// Length of the input.
    pub inputs: usize,
    /// Length of the output.
    pub outputs: usize,
    /// Width of the blocks.
    pub width: usize,
    /// Number of blocks, of two layers each; may be zero.
    pub blocks: usize,
    /// The function after each of the layers inside the blocks.
    pub activation: Activation,
    /// How the weights start.
    pub weights: Initializer,
    /// How the biases start.
    pub biases: Initializer,
}

/// One input, one output, two blocks of width 32, tanh, Glorot weights and zero biases.
impl Default for ResidualMlpConfig {
    fn default() -> Self {
        Self {
            inputs: 1,
            outputs: 1,
            width: 32,
            blocks: 2,
            activation: Activation::Tanh,
            weights: Initializer::GlorotUniform,
            biases: Initializer::Zeros,
        }
    }
}

/// A network of residual blocks (W. E, B. Yu 2018, *The Deep Ritz Method*, section 2.1): with the
/// activation φ, a block is `h ↦ h + φ(W₂ φ(W₁ h + b₁) + b₂)`, between an affine map from
/// `[…, inputs]` to the width and one from the width to `[…, outputs]`.
///
/// The parameters are those of the layers `input`, `0.first`, `0.second`, `1.first`, …, `output`.
#[derive(Debug, Clone)]
pub struct ResidualMlp {
    input: Linear,
    blocks: Vec<(Linear, Linear)>,
    output: Linear,
    activation: Activation,
}

impl ResidualMlp {
    /// Makes the layers, or finds their parameters in the store behind `vb`.
    ///
    /// # Errors
    /// When a size is zero, an initialiser has a wrong parameter, or the parameters exist already
    /// with another shape.
    pub fn new(config: &ResidualMlpConfig, vb: VarBuilder<'_>) -> Result<Self> {
        for (what, size) in [
            ("inputs of a ResidualMlp", config.inputs),
            ("outputs of a ResidualMlp", config.outputs),
            ("width of a ResidualMlp", config.width),
        ] {
            if size == 0 {
                return Err(Error::invalid(what, size, "a positive number"));
            }
        }
        let width = config.width;
        let layer = |inputs, outputs, vb| {
            Linear::with(inputs, outputs, config.weights, Some(config.biases), vb)
        };
        let blocks = (0..config.blocks)
            .map(|i| {
                let block = vb.pp(i);
                Ok((
                    layer(width, width, block.pp("first"))?,
                    layer(width, width, block.pp("second"))?,
                ))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            input: layer(config.inputs, width, vb.pp("input"))?,
            blocks,
            output: layer(width, config.outputs, vb.pp("output"))?,
            activation: config.activation,
        })
    }
}

impl<T: TensorLike> Module<T> for ResidualMlp {
    fn forward(&self, x: &T) -> CoreResult<T> {
        let activation = Some(self.activation.into());
        let mut h = self.input.forward(x)?;
        for (first, second) in &self.blocks {
            h = h.add(&h.dense_chain(&[first.then(activation), second.then(activation)])?)?;
        }
        self.output.forward(&h)
    }
}
