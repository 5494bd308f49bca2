//! The activation functions a configuration can name: [`Activation`].

use ansatz_core::Pointwise;
use serde::{Deserialize, Serialize};

/// A smooth or piecewise smooth nonlinearity between two layers.
///
/// The serialisable subset of [`Pointwise`] that makes sense between layers; see there for the
/// formulas. Derivatives of the network of order k need an activation with k derivatives: for
/// equations of second order and more, not [`Relu`](Self::Relu).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// [`Pointwise::Tanh`].
    #[default]
    Tanh,
    /// [`Pointwise::Sin`].
    Sin,
    /// [`Pointwise::Sigmoid`].
    Sigmoid,
    /// [`Pointwise::Softplus`].
    Softplus,
    /// [`Pointwise::Silu`].
    Silu,
    /// [`Pointwise::Gelu`].
    Gelu,
    /// [`Pointwise::GeluTanh`].
    GeluTanh,
    /// [`Pointwise::Relu`].
    Relu,
}

impl From<Activation> for Pointwise {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Tanh => Self::Tanh,
            Activation::Sin => Self::Sin,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Softplus => Self::Softplus,
            Activation::Silu => Self::Silu,
            Activation::Gelu => Self::Gelu,
            Activation::GeluTanh => Self::GeluTanh,
            Activation::Relu => Self::Relu,
        }
    }
}
