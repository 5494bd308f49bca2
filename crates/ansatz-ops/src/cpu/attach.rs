//! Kernel results on candle's graph, without a copy: [`attach`].

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Shape, Tensor};

use super::Float;
use crate::{Error, Result, custom_vjp};

/// Makes `values` a CPU tensor of `shape` whose gradient is `vjp`.
///
/// `vjp(output, cotangent)` returns one gradient for each entry of `inputs`, in that order and with
/// that shape; `None` stands for zero, and what it returns for inputs that candle does not track is
/// ignored (so do not compute it). If there are none, the result is a constant.
///
/// For second order (candle's `CANDLE_GRAD_DO_NOT_DETACH`) `vjp` must be made of operations that
/// have gradients themselves, on tensors that it captured as they came, not detached.
pub(crate) fn attach<T: Float>(
    name: &'static str,
    inputs: &[&Tensor],
    values: Vec<T>,
    shape: impl Into<Shape>,
    vjp: impl Fn(&Tensor, &Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Tensor> {
    let shape = shape.into();
    let tracked: Vec<usize> = (0..inputs.len()).filter(|&i| inputs[i].track_op()).collect();
    match tracked.len() {
        0 => Ok(Tensor::from_vec(values, shape, &Device::Cpu)?),
        1..=3 => {
            let (storage, count) = (Mutex::new(Some(T::storage(values))), inputs.len());
            node(Kernel { name, shape, storage, vjp: Box::new(vjp), count, tracked }, inputs)
        }
        _ => {
            // Too many for candle's own operations: packed into one tensor.
            let output = Tensor::from_vec(values, shape, &Device::Cpu)?;
            let value = output.clone();
            custom_vjp(inputs, &output, move |g| vjp(&value, g))
        }
    }
}

fn node(kernel: Kernel, inputs: &[&Tensor]) -> Result<Tensor> {
    Ok(match kernel.tracked[..] {
        [i] => inputs[i].apply_op1(kernel)?,
        [i, j] => inputs[i].apply_op2(inputs[j], kernel)?,
        [i, j, k] => inputs[i].apply_op3(inputs[j], inputs[k], kernel)?,
        _ => return Err(Error::Count { what: "tracked inputs", expected: 3, got: inputs.len() }),
    })
}

/// Output and cotangent to the gradients of the inputs. Boxed, so that the node is compiled once
/// and not for every kernel.
type Rule = Box<dyn Fn(&Tensor, &Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// The node that carries what a kernel computed, and the rule for its gradient.
struct Kernel {
    name: &'static str,
    shape: Shape,
    /// Taken by the forward call.
    storage: Mutex<Option<CpuStorage>>,
    vjp: Rule,
    /// Number of inputs of the kernel.
    count: usize,
    /// Those that are arguments of the node.
    tracked: Vec<usize>,
}

fn evaluated_twice() -> candle_core::Error {
    candle_core::Error::Msg("a kernel's node was evaluated twice".into()).bt()
}

impl Kernel {
    fn forward(&self) -> candle_core::Result<(CpuStorage, Shape)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok((storage.ok_or_else(evaluated_twice)?, self.shape.clone()))
    }

    /// The gradients of the arguments of the node.
    fn pull_back(
        &self,
        arguments: &[&Tensor],
        output: &Tensor,
        cotangent: &Tensor,
    ) -> candle_core::Result<Vec<Option<Tensor>>> {
        let mut gradients = (self.vjp)(output, &cotangent.contiguous()?)?;
        if gradients.len() != self.count {
            let what = "gradients returned by the rule of a kernel, one for each input";
            return Err(Error::Count { what, expected: self.count, got: gradients.len() }.into());
        }
        let picked: Vec<_> = self.tracked.iter().map(|&i| gradients[i].take()).collect();
        for (x, gradient) in arguments.iter().zip(&picked) {
            if let Some(g) = gradient
                && g.shape() != x.shape()
            {
                return Err(Error::Shape {
                    what: self.name,
                    expected: x.shape().clone(),
                    got: g.shape().clone(),
                }
                .into());
            }
        }
        Ok(picked)
    }
}

impl CustomOp1 for Kernel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, g: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(self.pull_back(&[x], y, g)?.swap_remove(0))
    }
}

impl CustomOp2 for Kernel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let mut all = self.pull_back(&[a, b], y, g)?;
        Ok((all[0].take(), all[1].take()))
    }
}

impl CustomOp3 for Kernel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut all = self.pull_back(&[a, b, c], y, g)?;
        Ok((all[0].take(), all[1].take(), all[2].take()))
    }
}
