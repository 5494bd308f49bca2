//! Vector–Jacobian products of any function of tensors: [`vjp`].

use candle_core::{Tensor, Var, backprop::GradStore};

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
    let mut weighted = Vec::with_capacity(outputs.len());
    for (y, g) in outputs.iter().zip(cotangents) {
        if y.shape() != g.shape() {
            return Err(Error::Shape {
                what: "cotangent",
                expected: y.shape().clone(),
                got: g.shape().clone(),
            });
        }
        weighted.push((y * g.detach())?);
    }
    // candle starts from ones in the shape of the root, so one output needs no sum.
    if let [root] = weighted.as_slice() {
        return Ok(root.backward()?);
    }
    let mut total = weighted[0].sum_all()?;
    for w in &weighted[1..] {
        total = (total + w.sum_all()?.to_dtype(weighted[0].dtype())?)?;
    }
    Ok(total.backward()?)
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
