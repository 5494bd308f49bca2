//! A gradient of one's own, attached to candle's graph: [`custom_vjp`].

use std::sync::{Mutex, PoisonError};

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, DType, Layout, MetalStorage, Shape, Storage, Tensor,
    backend::{BackendDevice, BackendStorage},
};

use crate::{Error, Result};

/// Returns `output`, attached to candle's graph so that `backward` calls `vjp` for its gradient.
///
/// `output` may come from anywhere (a solver loop, another library, candle operations whose tape
/// is not wanted): its own graph is dropped. `vjp` receives the cotangent of `output` (same shape,
/// contiguous) and returns one gradient for each entry of `inputs`, in that order and with that
/// shape; `None` stands for zero. Only floating-point inputs that candle tracks are attached (what
/// `vjp` returns for the others is ignored); if there are none, the detached output is returned
/// and `vjp` is never called.
///
/// candle's own custom operations take at most three inputs. Here the inputs are flattened into
/// one tensor, which the operation takes as its single argument, so any number works, on every
/// device whose storage candle knows. Inputs of different dtypes are packed in the narrowest one
/// that holds them all.
///
/// The gradient is first order: what `vjp` computes is not itself tracked.
///
/// # Errors
/// [`Error::Device`] when inputs and output live on different devices, or candle fails. During
/// `backward`: the error of `vjp`, [`Error::Count`] or [`Error::Shape`] when it returns the wrong
/// number or shapes of gradients. candle passes these on; converting its error into
/// [`Error`] (`?` does) gives them back.
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
    attach(inputs, output, Box::new(vjp))
}

/// Cotangent to the gradients of the inputs. Boxed, so that the node is compiled once and not for
/// every rule.
type Rule = Box<dyn Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

fn attach(inputs: &[&Tensor], output: &Tensor, vjp: Rule) -> Result<Tensor> {
    let output = output.detach();
    let tracked: Vec<usize> = (0..inputs.len())
        .filter(|&i| inputs[i].track_op() && inputs[i].dtype().is_float())
        .collect();
    let Some(dtype) = tracked.iter().map(|&i| inputs[i].dtype()).reduce(common_dtype) else {
        return Ok(output);
    };
    for input in inputs {
        if !input.device().same_device(output.device()) {
            return Err(Error::Device {
                what: "custom_vjp: inputs and output",
                expected: output.device().location(),
                got: input.device().location(),
            });
        }
    }
    let flat: Vec<Tensor> = tracked
        .iter()
        .map(|&i| inputs[i].flatten_all()?.to_dtype(dtype))
        .collect::<candle_core::Result<_>>()?;
    let packed = if flat.len() == 1 { flat[0].clone() } else { Tensor::cat(&flat, 0)? };
    let shapes = tracked.iter().map(|&i| inputs[i].shape().clone()).collect();
    let output = Mutex::new(Some(output));
    let op = Attached { output, vjp, inputs: inputs.len(), tracked, shapes, dtype };
    Ok(packed.apply_op1(op)?)
}

/// The narrowest floating-point type that holds both.
fn common_dtype(a: DType, b: DType) -> DType {
    match a.size_in_bytes().cmp(&b.size_in_bytes()) {
        std::cmp::Ordering::Less => b,
        std::cmp::Ordering::Greater => a,
        std::cmp::Ordering::Equal if a == b => a,
        std::cmp::Ordering::Equal => DType::F32, // f16 and bf16: neither holds the other
    }
}

/// The node that carries the precomputed output and the caller's rule.
struct Attached {
    /// Taken by the forward call, so that a long trajectory is not kept twice.
    output: Mutex<Option<Tensor>>,
    vjp: Rule,
    inputs: usize,
    tracked: Vec<usize>,
    shapes: Vec<Shape>,
    dtype: DType,
}

impl Attached {
    /// The output's storage, copied compactly: candle's nodes own their storage.
    fn copied<S: BackendStorage<Device: BackendDevice<Storage = S>>>(
        &self,
        on_device: impl Fn(&Storage) -> Option<&S>,
    ) -> candle_core::Result<(S, Shape)> {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(output) = output else {
            candle_core::bail!("custom_vjp: the node was evaluated twice");
        };
        let (storage, layout) = output.storage_and_layout();
        let Some(source) = on_device(&storage) else {
            candle_core::bail!("custom_vjp: the output lives on another device than the inputs");
        };
        let mut copy = source.device().zeros_impl(layout.shape(), source.dtype())?;
        source.copy_strided_src(&mut copy, 0, layout)?;
        Ok((copy, layout.shape().clone()))
    }
}

impl CustomOp1 for Attached {
    fn name(&self) -> &'static str {
        "custom_vjp"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.copied(|storage| match storage {
            Storage::Cpu(s) => Some(s),
            _ => None,
        })
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        self.copied(|storage| match storage {
            Storage::Cuda(s) => Some(s),
            _ => None,
        })
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
    ) -> candle_core::Result<(MetalStorage, Shape)> {
        self.copied(|storage| match storage {
            Storage::Metal(s) => Some(s),
            _ => None,
        })
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        cotangent: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let gradients = (self.vjp)(&cotangent.contiguous()?)?;
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
