//! Random Fourier features of the input: [`FourierFeatures`].

use std::f64::consts::TAU;

use ansatz_core::{Module, Result as CoreResult, TensorLike};
use candle_core::Tensor;
use candle_nn::{Init, VarBuilder};

use crate::{Error, Result};

/// `x ↦ [cos(2πBx), sin(2πBx)]`, `[…, inputs]` to `[…, 2·features]`, with a fixed random matrix B
/// (M. Tancik et al. 2020, eq. 5). In front of an [`Mlp`](crate::Mlp) it lets the network learn
/// functions that oscillate fast; the entries of B have standard deviation σ, about the largest
/// frequency to be learned.
///
/// B is the parameter `frequencies` `[features, inputs]`: it is seeded by its path, counted and
/// saved with the others, but cut off from candle's graph. It receives no gradient, and optimisers
/// pass over it.
#[derive(Debug, Clone)]
pub struct FourierFeatures {
    frequencies: Tensor,
}

impl FourierFeatures {
    /// Draws B, or finds it in the store behind `vb`.
    ///
    /// # Errors
    /// When a size is zero, `sigma` is not a positive number, or B exists already with another
    /// shape.
    pub fn new(inputs: usize, features: usize, sigma: f64, vb: VarBuilder<'_>) -> Result<Self> {
        if inputs == 0 || features == 0 {
            return Err(Error::invalid(
                "inputs and features of FourierFeatures",
                format!("{inputs} and {features}"),
                "positive numbers",
            ));
        }
        if !(sigma.is_finite() && sigma > 0.0) {
            return Err(Error::invalid("sigma of FourierFeatures", sigma, "a positive number"));
        }
        let init = Init::Randn { mean: 0.0, stdev: sigma };
        // Detached, yet on the same storage: values loaded into the store arrive here.
        let frequencies = vb.get_with_hints((features, inputs), "frequencies", init)?.detach();
        Ok(Self { frequencies })
    }

    /// The matrix B, `[features, inputs]`, in cycles per unit of the input.
    pub fn frequencies(&self) -> &Tensor {
        &self.frequencies
    }
}

impl<T: TensorLike> Module<T> for FourierFeatures {
    fn forward(&self, x: &T) -> CoreResult<T> {
        let phase = x.dense(&self.frequencies, None)?.scale(TAU)?;
        let last = phase.shape()?.rank() - 1;
        T::cat(&[&phase.cos()?, &phase.sin()?], last)
    }
}
