//! A gradient of one's own, attached to candle's graph: [`custom_vjp`].

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, DType, Layout, MetalStorage, Shape, Storage, Tensor,
    backend::BackendStorage,
};

use crate::{Error, Result};

/// Returns `output`, attached to candle's graph so that `backward` calls `vjp` for its gradient.
///
/// `output` may come from anywhere (a solver loop, another library, candle operations whose tape
/// is not wanted): its own graph is dropped. `vjp` receives the cotangent of `output` (same shape)
/// and returns one gradient for each entry of `inputs`, in that order and with that shape; `None`
/// stands for zero. Only inputs that candle tracks are attached; if there are none, the detached
/// output is returned and `vjp` is never called.
///
/// candle's own custom operations take at most three inputs. Here the inputs are flattened into
/// one tensor, which the operation takes as its single argument, so any number works, on every
/// device whose storage candle knows. Inputs of different dtypes are packed in the widest of them.
///
/// The gradient is first order: what `vjp` computes is not itself tracked.
///
/// # Errors
/// When inputs and output live on different devices, or candle fails. During `backward`: when
/// `vjp` fails or returns the wrong number or shapes of gradients.
///
/// # Example
/// ```
/// use ansatz_ops::custom_vjp;
/// use candle_core::{Device, Tensor, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // x³ computed outside the tape, with its derivative written by hand.
/// let x = Var::new(&[2f64, 3.0], &Device::Cpu)?;
/// let value = x.detach();
/// let cube = custom_vjp(&[&x], &value.powf(3.0)?, move |g| {
///     Ok(vec![Some((g * (value.sqr()? * 3.0)?)?)])
/// })?;
/// let grads = cube.sum_all()?.backward()?;
/// assert_eq!(grads.get(&x).unwrap().to_vec1::<f64>()?, [12.0, 27.0]);
/// # Ok(())
/// # }
/// ```
pub fn custom_vjp<F>(inputs: &[&Tensor], output: &Tensor, vjp: F) -> Result<Tensor>
where
    F: Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
{
    let output = output.detach().contiguous()?;
    let tracked: Vec<usize> = (0..inputs.len()).filter(|&i| inputs[i].track_op()).collect();
    let Some(&first) = tracked.first() else { return Ok(output) };
    for input in inputs {
        if !input.device().same_device(output.device()) {
            return Err(Error::Device {
                what: "custom_vjp: inputs and output",
                expected: output.device().location(),
                got: input.device().location(),
            });
        }
    }
    let mut dtype = inputs[first].dtype();
    for &i in &tracked {
        if inputs[i].dtype().size_in_bytes() > dtype.size_in_bytes() {
            dtype = inputs[i].dtype();
        }
    }
    let flat: Vec<Tensor> = tracked
        .iter()
        .map(|&i| inputs[i].flatten_all()?.to_dtype(dtype))
        .collect::<candle_core::Result<_>>()?;
    let packed = if flat.len() == 1 { flat[0].clone() } else { Tensor::cat(&flat, 0)? };
    let shapes = tracked.iter().map(|&i| inputs[i].shape().clone()).collect();
    let op = Attached { output, vjp, inputs: inputs.len(), tracked, shapes, dtype };
    Ok(packed.apply_op1(op)?)
}

/// The node that carries the precomputed output and the caller's rule.
struct Attached<F> {
    output: Tensor,
    vjp: F,
    inputs: usize,
    tracked: Vec<usize>,
    shapes: Vec<Shape>,
    dtype: DType,
}

impl<F> CustomOp1 for Attached<F>
where
    F: Fn(&Tensor) -> Result<Vec<Option<Tensor>>>,
{
    fn name(&self) -> &'static str {
        "custom_vjp"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (storage, layout) = self.output.storage_and_layout();
        match &*storage {
            Storage::Cpu(s) => Ok((s.try_clone(layout)?, layout.shape().clone())),
            _ => Err(other_device()),
        }
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        let (storage, layout) = self.output.storage_and_layout();
        match &*storage {
            Storage::Cuda(s) => Ok((s.try_clone(layout)?, layout.shape().clone())),
            _ => Err(other_device()),
        }
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
    ) -> candle_core::Result<(MetalStorage, Shape)> {
        let (storage, layout) = self.output.storage_and_layout();
        match &*storage {
            Storage::Metal(s) => Ok((s.try_clone(layout)?, layout.shape().clone())),
            _ => Err(other_device()),
        }
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        cotangent: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let gradients = (self.vjp)(cotangent)?;
        if gradients.len() != self.inputs {
            return Err(Error::Count {
                what: "custom_vjp: gradients returned by the rule, one for each input",
                expected: self.inputs,
                got: gradients.len(),
            }
            .into());
        }
        let device = cotangent.device();
        let mut flat = Vec::with_capacity(self.tracked.len());
        for (&i, shape) in self.tracked.iter().zip(&self.shapes) {
            flat.push(match &gradients[i] {
                Some(g) if g.shape() == shape => g.detach().flatten_all()?.to_dtype(self.dtype)?,
                Some(g) => {
                    return Err(Error::Shape {
                        what: "custom_vjp: gradient of an input",
                        expected: shape.clone(),
                        got: g.shape().clone(),
                    }
                    .into());
                }
                None => Tensor::zeros(shape.elem_count(), self.dtype, device)?,
            });
        }
        Ok(Some(if flat.len() == 1 { flat.remove(0) } else { Tensor::cat(&flat, 0)? }))
    }
}

fn other_device() -> candle_core::Error {
    candle_core::Error::Msg("custom_vjp: the output lives on another device than the inputs".into())
}
