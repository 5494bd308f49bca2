//! An operator layer in the cosine basis: [`CosineOperator`].

use std::f64::consts::PI;

use ansatz::{
    core::{Error, Module, Pointwise, Result, TensorLike},
    nn::{Initializer, VarBuilder},
};
use candle_core::{DType, Device, Tensor};

/// `u ↦ tanh(C⁺ A C u)` on functions over `[0, 1]`: `C` takes the first cosine coefficients, `A` is
/// trained, `C⁺` sums the series again.
///
/// Functions are `[batch, n]`, the values at the midpoints `(j + ½)/n`. The same weights act on
/// every grid of at least `modes` points, and alike on functions without higher modes.
#[derive(Debug, Clone)]
pub struct CosineOperator {
    mixing: Tensor,
}

impl CosineOperator {
    /// A layer with the parameter `mixing` `[modes, modes]`.
    ///
    /// # Errors
    /// When `modes` is zero or the parameter exists already with another shape.
    pub fn new(modes: usize, vb: VarBuilder<'_>) -> ansatz::nn::Result<Self> {
        let shape = (modes, modes);
        let init = Initializer::GlorotNormal.for_weight(shape)?;
        Ok(Self { mixing: vb.get_with_hints(shape, "mixing", init)? })
    }

    /// The values of the modes at the midpoints of `n` cells, `[n, modes]`.
    fn basis(n: usize, modes: usize, dtype: DType, device: &Device) -> Result<Tensor> {
        let values: Vec<f64> = (0..n * modes)
            .map(|i| {
                let (j, k) = (i / modes, i % modes);
                (PI * k as f64 * (j as f64 + 0.5) / n as f64).cos()
            })
            .collect();
        let host = Tensor::from_vec(values, (n, modes), &Device::Cpu)?.to_dtype(dtype)?;
        Ok(host.to_device(device)?)
    }
}

impl<T: TensorLike> Module<T> for CosineOperator {
    fn forward(&self, u: &T) -> Result<T> {
        let shape = u.shape()?;
        let modes = self.mixing.dim(0)?;
        let n = match shape.dims() {
            [_, n] if *n >= modes => *n,
            other => {
                return Err(Error::Shape {
                    what: "input of a CosineOperator",
                    expected: format!("[batch, n] with n ≥ {modes}"),
                    got: format!("{other:?}"),
                });
            }
        };
        let basis = Self::basis(n, modes, u.dtype()?, &u.device()?)?;
        // The zeroth mode has twice the norm of the others.
        let weights: Vec<f64> =
            (0..modes).map(|k| if k == 0 { 1.0 } else { 2.0 } / n as f64).collect();
        let weights = Tensor::new(weights, &Device::Cpu)?
            .to_dtype(basis.dtype())?
            .to_device(basis.device())?;
        u.matmul_constant(&basis)?
            .mul_constant(&weights)?
            .dense(&self.mixing, None)?
            .matmul_constant(&basis.t()?)?
            .pointwise(Pointwise::Tanh)
    }
}
