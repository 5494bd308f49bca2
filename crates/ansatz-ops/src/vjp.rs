//! Vector–Jacobian products of any function of tensors: [`vjp`].

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, Layout, MetalStorage, Shape, Tensor, Var,
    backend::{BackendDevice, BackendStorage},
    backprop::GradStore,
};

use crate::{Error, Result};

/// Evaluates `f` at `inputs` and returns its outputs with a [`Pullback`] that maps cotangents of
/// the outputs to gradients of the inputs, and of every variable that `f` captured.
///
/// The inputs are detached first: the tape holds this one evaluation and nothing before it. That
/// is the building block of adjoints that replay a long computation piece by piece.
///
/// # Errors
/// Whatever `f` returns, or candle.
///
/// # Example
/// ```
/// use ansatz_ops::vjp;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1f64, 2.0], &Device::Cpu)?;
/// let (y, pullback) = vjp(|v| Ok(vec![v[0].sqr()?]), &[x])?;
/// let g = pullback.apply(&[Tensor::new(&[1f64, 10.0], &Device::Cpu)?])?;
/// assert_eq!(y[0].to_vec1::<f64>()?, [1.0, 4.0]);
/// assert_eq!(g.inputs[0].to_vec1::<f64>()?, [2.0, 40.0]);
/// # Ok(())
/// # }
/// ```
pub fn vjp<F>(f: F, inputs: &[Tensor]) -> Result<(Vec<Tensor>, Pullback)>
where
    F: FnOnce(&[Tensor]) -> Result<Vec<Tensor>>,
{
    let leaves: Vec<Tensor> = inputs
        .iter()
        .map(|x| Ok(Var::from_tensor(&x.detach())?.into_inner()))
        .collect::<Result<_>>()?;
    let outputs = f(&leaves)?;
    let values = outputs.iter().map(Tensor::detach).collect();
    Ok((values, Pullback { leaves, outputs }))
}

/// The linear map from cotangents of the outputs of [`vjp`] to gradients.
pub struct Pullback {
    leaves: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

/// What a [`Pullback`] returns.
pub struct Gradients {
    /// One gradient for each input, zero where the output does not depend on it.
    pub inputs: Vec<Tensor>,
    /// Gradients of the variables that the function captured, by tensor.
    pub captured: GradStore,
}

impl Pullback {
    /// Applies the transposed Jacobian to `cotangents`, one for each output and of its shape.
    ///
    /// # Errors
    /// When the number or the shape of the cotangents is wrong, or candle fails.
    pub fn apply(&self, cotangents: &[Tensor]) -> Result<Gradients> {
        let captured = backward_from(&self.outputs, cotangents)?;
        let inputs = self
            .leaves
            .iter()
            .map(|leaf| match captured.get(leaf) {
                Some(g) => Ok(g.detach()),
                None => Ok(leaf.zeros_like()?.detach()),
            })
            .collect::<Result<_>>()?;
        Ok(Gradients { inputs, captured })
    }

    /// The variables that the function captured (not its inputs), in the order of the graph.
    pub fn captured_variables(&self) -> Vec<Tensor> {
        let mut found = variables(&self.outputs);
        found.retain(|v| self.leaves.iter().all(|leaf| leaf.id() != v.id()));
        found
    }
}

/// Runs candle's backward pass from several outputs at once, each weighted by its cotangent.
///
/// # Errors
/// When the number or the shape of the cotangents is wrong, or candle fails.
pub fn backward_from(outputs: &[Tensor], cotangents: &[Tensor]) -> Result<GradStore> {
    if outputs.len() != cotangents.len() || outputs.is_empty() {
        return Err(Error::Count {
            what: "cotangents, one for each of at least one output",
            expected: outputs.len().max(1),
            got: cotangents.len(),
        });
    }
    let mut root: Option<Tensor> = None;
    for (y, g) in outputs.iter().zip(cotangents) {
        if y.shape() != g.shape() {
            return Err(Error::Shape {
                what: "cotangent",
                expected: y.shape().clone(),
                got: g.shape().clone(),
            });
        }
        let seed = y.apply_op1(Seed(g.detach()))?;
        root = Some(match root {
            Some(sum) => (sum + seed.to_dtype(outputs[0].dtype())?)?,
            None => seed,
        });
    }
    // There is at least one output.
    let root = root.map_or_else(|| outputs[0].sum_all(), Ok)?;
    Ok(root.backward()?)
}

/// A scalar whose gradient with respect to its argument is the given cotangent: what the sum of
/// their products would be, without computing it.
struct Seed(Tensor);

impl CustomOp1 for Seed {
    fn name(&self) -> &'static str {
        "cotangent"
    }

    fn cpu_fwd(&self, x: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        Ok((x.device().zeros_impl(&Shape::from(()), x.dtype())?, Shape::from(())))
    }

    fn cuda_fwd(&self, x: &CudaStorage, _: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        Ok((x.device().zeros_impl(&Shape::from(()), x.dtype())?, Shape::from(())))
    }

    fn metal_fwd(
        &self,
        x: &MetalStorage,
        _: &Layout,
    ) -> candle_core::Result<(MetalStorage, Shape)> {
        Ok((x.device().zeros_impl(&Shape::from(()), x.dtype())?, Shape::from(())))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> candle_core::Result<Option<Tensor>> {
        // The cotangent of the root is 1: backward starts here.
        Ok(Some(self.0.clone()))
    }
}

/// The variables that the graphs of `outputs` reach, each once, in a deterministic order.
pub fn variables(outputs: &[Tensor]) -> Vec<Tensor> {
    let mut found: Vec<Tensor> = Vec::new();
    for y in outputs {
        // `sorted_nodes` is in topological order of this graph, hence the same on every run.
        for node in y.sorted_nodes() {
            if node.is_variable() && found.iter().all(|v| v.id() != node.id()) {
                found.push(node.clone());
            }
        }
    }
    found
}
