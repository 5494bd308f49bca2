//! Networks of sines: [`Siren`].

use ansatz_core::{Dense, Module, Pointwise, Result as CoreResult, TensorLike};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::{Initializer, Linear, Result, mlp::check_sizes};

/// The shape of a [`Siren`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SirenConfig {
    /// Widths from the input to the output, at least these two: `[2, 64, 64, 1]`.
    pub sizes: Vec<usize>,
    /// The factor ω₀ of the first layer: the range of frequencies the network starts with. For
    /// inputs scaled to `[−1, 1]`; 30 suits images, smoother fields need less.
    pub first_omega: f64,
    /// The factor ω₀ of the further layers, which speeds up their training.
    pub hidden_omega: f64,
}

/// One input, one output, two hidden layers of 32, both factors 30 as in the paper.
impl Default for SirenConfig {
    fn default() -> Self {
        Self { sizes: vec![1, 32, 32, 1], first_omega: 30.0, hidden_omega: 30.0 }
    }
}

impl SirenConfig {
    /// The default with these widths.
    pub fn new(sizes: impl Into<Vec<usize>>) -> Self {
        Self { sizes: sizes.into(), ..Self::default() }
    }
}

/// A network `x ↦ W_L sin(ω₀(… sin(ω₀(W₁ x + b₁)) …)) + b_L` (V. Sitzmann et al. 2020, section 3),
/// `[…, sizes[0]]` to `[…, sizes[last]]`.
///
/// Weights start as in the paper, so that every layer sees inputs of the same distribution
/// ([`Initializer::SirenFirst`], [`Initializer::Siren`]); biases as in the authors' program
/// ([`Initializer::Torch`]). The parameters are `0.weight`, `0.bias`, `1.weight`, and so on.
#[derive(Debug, Clone)]
pub struct Siren {
    layers: Vec<Linear>,
    first_omega: f64,
    hidden_omega: f64,
}

impl Siren {
    /// Makes the layers, or finds their parameters in the store behind `vb`.
    ///
    /// # Errors
    /// When there are fewer than two sizes, one is zero, a factor is not a positive number, or the
    /// parameters exist already with another shape.
    pub fn new(config: &SirenConfig, vb: VarBuilder<'_>) -> Result<Self> {
        check_sizes("sizes of a Siren", &config.sizes)?;
        let (first_omega, hidden_omega) = (config.first_omega, config.hidden_omega);
        for (what, omega) in
            [("first_omega of a Siren", first_omega), ("hidden_omega of a Siren", hidden_omega)]
        {
            if !(omega.is_finite() && omega > 0.0) {
                return Err(crate::Error::invalid(what, omega, "a positive number"));
            }
        }
        let layers = config
            .sizes
            .windows(2)
            .enumerate()
            .map(|(i, size)| {
                let weights = match i {
                    0 => Initializer::SirenFirst,
                    _ => Initializer::Siren { omega: hidden_omega },
                };
                Linear::with(size[0], size[1], weights, Some(Initializer::Torch), vb.pp(i))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers, first_omega, hidden_omega })
    }
}

impl<T: TensorLike> Module<T> for Siren {
    fn forward(&self, x: &T) -> CoreResult<T> {
        // The factor goes into the parameters: sin(ω₀(W x + b)) = sin((ω₀ W) x + ω₀ b).
        let last = self.layers.len() - 1;
        let scaled = self.layers[..last]
            .iter()
            .enumerate()
            .map(|(i, layer)| {
                let omega = if i == 0 { self.first_omega } else { self.hidden_omega };
                let bias = layer.bias().map(|b| b.affine(omega, 0.0)).transpose()?;
                Ok((layer.weight().affine(omega, 0.0)?, bias))
            })
            .collect::<CoreResult<Vec<_>>>()?;
        let activation = Some(Pointwise::Sin);
        let mut layers: Vec<Dense<'_>> = scaled
            .iter()
            .map(|(weight, bias)| Dense { weight, bias: bias.as_ref(), activation })
            .collect();
        layers.push(self.layers[last].then(None));
        x.dense_chain(&layers)
    }
}
