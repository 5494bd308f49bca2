//! The network that turns a residual into a direction.
use ansatz::ops::{Conv, Padding, Pool, avg_pool, conv, upsample_linear};
use candle_core::Tensor;
use candle_nn::{Init, VarBuilder};

use crate::AnyError;

type Result<T> = ansatz::ops::Result<T>;

/// A convolutional network on cubes of any size, shaped like a V: residual blocks on the grid, the
/// same on the grid of half the points, and so on to the coarsest, and back.
///
/// The paper has two levels with weights of their own. Here all levels share theirs (A⁻¹ looks the
/// same on every scale but for a factor, which is learnt too), so a network trained on a small cube
/// has as many levels as a larger one needs. Without biases and with ReLU the network is
/// homogeneous: `f(c r) = c f(r)` for `c > 0`.
#[derive(Debug, Clone)]
pub(super) struct Network {
    lift: Tensor,
    before: [Tensor; 2],
    coarse: Tensor,
    after: [Tensor; 2],
    lower: Tensor,
}

impl Network {
    pub(super) fn new(channels: usize, vb: &VarBuilder<'_>) -> std::result::Result<Self, AnyError> {
        let kernel = |name: &str, inputs: usize, outputs: usize, gain: f64| {
            let stdev = gain / (27.0 * inputs as f64).sqrt();
            let init = Init::Randn { mean: 0.0, stdev };
            vb.get_with_hints((outputs, inputs, 3, 3, 3), name, init)
        };
        // Small second halves: at the start every block is close to the identity.
        Ok(Self {
            lift: kernel("lift", 1, channels, 1.0)?,
            before: [
                kernel("before.0", channels, channels, 1.4)?,
                kernel("before.1", channels, channels, 0.3)?,
            ],
            coarse: vb.get_with_hints((1, channels, 1, 1, 1), "coarse", Init::Const(1.5))?,
            after: [
                kernel("after.0", channels, channels, 1.4)?,
                kernel("after.1", channels, channels, 0.3)?,
            ],
            lower: kernel("lower", channels, 1, 1.0)?,
        })
    }

    /// Directions for residuals `[batch, 1, n, n, n]`.
    pub(super) fn forward(&self, residual: &Tensor) -> Result<Tensor> {
        self.level(&same(residual, &self.lift)?).and_then(|h| same(&h, &self.lower))
    }

    fn level(&self, h: &Tensor) -> Result<Tensor> {
        let n = h.dims()[2];
        let mut h = block(h, &self.before)?;
        if n.is_multiple_of(2) && n > 2 {
            let below = self.level(&avg_pool(&h, &Pool::<3>::new(2), false)?)?;
            let below = upsample_linear(&below, [n; 3], false)?;
            h = (h + below.broadcast_mul(&self.coarse)?)?;
        }
        block(&h, &self.after)
    }
}

/// Convolution that keeps the size, with zeros outside: what the Dirichlet condition says.
fn same(x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    conv(x, kernel, None, &Conv::<3>::default().padded(1, Padding::Zeros))
}

fn block(x: &Tensor, kernels: &[Tensor; 2]) -> Result<Tensor> {
    Ok((x + same(&same(x, &kernels[0])?.relu()?, &kernels[1])?)?)
}
