//! The multilayer perceptron: [`Mlp`].

use ansatz_core::{Module, Result as CoreResult, TensorLike};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::{Activation, Error, Initializer, Linear, Result};

/// The shape of an [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Widths from the input to the output, at least these two: `[2, 64, 64, 1]`.
    pub sizes: Vec<usize>,
    /// The function after every layer but the last.
    pub activation: Activation,
    /// How the weights start.
    pub weights: Initializer,
    /// How the biases start.
    pub biases: Initializer,
}

/// One input, one output, two hidden layers of 32, tanh, Glorot weights and zero biases.
impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            sizes: vec![1, 32, 32, 1],
            activation: Activation::Tanh,
            weights: Initializer::GlorotUniform,
            biases: Initializer::Zeros,
        }
    }
}

impl MlpConfig {
    /// The default with these widths.
    pub fn new(sizes: impl Into<Vec<usize>>) -> Self {
        Self { sizes: sizes.into(), ..Self::default() }
    }

    /// Chooses the activation.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
}

/// Dense layers with an activation between them: `[…, sizes[0]]` to `[…, sizes[last]]`.
///
/// The parameters are `0.weight`, `0.bias`, `1.weight`, and so on.
#[derive(Debug, Clone)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// Makes the layers, or finds their parameters in the store behind `vb`.
    ///
    /// # Errors
    /// When there are fewer than two sizes, one is zero, an initialiser has a wrong parameter, or
    /// the parameters exist already with another shape.
    pub fn new(config: &MlpConfig, vb: VarBuilder<'_>) -> Result<Self> {
        check_sizes("sizes of an Mlp", &config.sizes)?;
        let layers = config
            .sizes
            .windows(2)
            .enumerate()
            .map(|(i, size)| {
                let (weights, biases) = (config.weights, config.biases);
                Linear::with(size[0], size[1], weights, Some(biases), vb.pp(i))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers, activation: config.activation })
    }

    /// The layers, from input to output.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }
}

impl<T: TensorLike> Module<T> for Mlp {
    fn forward(&self, x: &T) -> CoreResult<T> {
        let last = self.layers.len() - 1;
        let activation = |i: usize| (i < last).then(|| self.activation.into());
        let layers = self.layers.iter().enumerate().map(|(i, layer)| layer.then(activation(i)));
        x.dense_chain(&layers.collect::<Vec<_>>())
    }
}

/// At least an input and an output, none of them empty.
pub(crate) fn check_sizes(what: &'static str, sizes: &[usize]) -> Result<()> {
    if sizes.len() >= 2 && sizes.iter().all(|&n| n > 0) {
        return Ok(());
    }
    Err(Error::invalid(what, format!("{sizes:?}"), "at least two sizes, all positive"))
}
