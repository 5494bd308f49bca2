//! Dense layers with their activations in one operation: [`dense`], [`dense_chain`],
//! [`dense_stack`].

mod activation;
mod chain;
mod tasks;

use std::sync::LazyLock;

use candle_core::Tensor;

use crate::{
    Error, Pointwise, Result,
    cpu::{attach, by_float, values},
    matmul,
    pointwise::Real,
    product::check_kind,
};
use chain::{Chain, Layer, Wanted};
use tasks::Plan;

/// A dense layer: `activation(x Wᵀ + b)`.
#[derive(Debug, Clone, Copy)]
pub struct Dense<'a> {
    /// `[outputs, inputs]`.
    pub weight: &'a Tensor,
    /// `[outputs]`.
    pub bias: Option<&'a Tensor>,
    /// Applied to every element of the result.
    pub activation: Option<Pointwise>,
}

/// What the rows of a stack `[rows, …]` are.
#[derive(Debug, Clone, PartialEq)]
pub enum Stack {
    /// The value alone, one row (and no axis for it).
    Value,
    /// A truncated Taylor series along several directions: the value, then the coefficients of
    /// order 1 in all directions, of order 2, and so on; `1 + order · directions` rows.
    Series {
        /// The highest order.
        order: usize,
        /// The number of directions.
        directions: usize,
    },
    /// The value, the derivatives along each coordinate, and `Σᵢ wᵢ ∂ᵢᵢ`; `2 + weights` rows.
    Laplacian {
        /// `wᵢ` for each coordinate; all 1 for the Laplacian itself.
        weights: Vec<f64>,
    },
}

impl Stack {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Value => 1,
            Self::Series { order, directions } => 1 + order * directions,
            Self::Laplacian { weights } => 2 + weights.len(),
        }
    }
}

/// The highest order of a series with a kernel.
const MOST_ORDER: usize = 4;

/// `activation(x Wᵀ + b)` as one operation with one backward pass: `x` `[…, in]`, `weight`
/// `[out, in]`, `bias` `[out]`, the result `[…, out]`. See [`dense_chain`].
///
/// # Errors
/// As [`dense_chain`].
///
/// # Example
/// ```
/// use ansatz_ops::{Pointwise, dense};
/// use candle_core::{Device, Tensor, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[1f64, 2.0]], &Device::Cpu)?;
/// let weight = Var::new(&[[0.5f64, 0.0], [0.0, -1.0]], &Device::Cpu)?;
/// let y = dense(&x, &weight, None, Some(Pointwise::Tanh))?;
/// let expected = [0.5f64.tanh(), (-2f64).tanh()];
/// for (y, e) in y.to_vec2::<f64>()?[0].iter().zip(expected) {
///     assert!((y - e).abs() < 1e-15);
/// }
/// assert!(y.sum_all()?.backward()?.get(&weight).is_some());
/// # Ok(())
/// # }
/// ```
pub fn dense(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    activation: Option<Pointwise>,
) -> Result<Tensor> {
    dense_chain(x, &[Dense { weight, bias, activation }])
}

/// Several dense layers, one after the other, as one operation with one backward pass.
///
/// On the CPU a block of points goes through all layers while it is in the cache. The backward pass
/// keeps the intermediate values of small batches and computes those of large ones again, block by
/// block, so that the memory of a training step hardly grows with the batch. Batches are cut into
/// tasks by their shapes alone: the result has the same bits for any number of threads.
///
/// The gradient is first order. Under candle's `CANDLE_GRAD_DO_NOT_DETACH`, on other devices and
/// in half precision the layers are composed of single operations, with gradients of any order.
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit, [`Error::Count`] when there is no layer,
/// [`Error::DType`] or [`Error::Device`] when they differ, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::{Dense, Pointwise, dense_chain};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let (w0, w1) = (
///     Tensor::new(&[[1f64], [2.0]], &Device::Cpu)?,
///     Tensor::new(&[[1f64, -1.0]], &Device::Cpu)?,
/// );
/// let layers = [
///     Dense { weight: &w0, bias: None, activation: Some(Pointwise::Sin) },
///     Dense { weight: &w1, bias: None, activation: None },
/// ];
/// let y = dense_chain(&Tensor::new(&[[0.3f64]], &Device::Cpu)?, &layers)?;
/// assert!((y.to_vec2::<f64>()?[0][0] - (0.3f64.sin() - 0.6f64.sin())).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn dense_chain(x: &Tensor, layers: &[Dense<'_>]) -> Result<Tensor> {
    let Some(y) = dense_stack(x, &Stack::Value, layers)? else { return composed(x, layers) };
    Ok(y)
}

/// [`dense_chain`] for a stack of tensors that belong together, such as the coefficients of a
/// Taylor series: a linear map acts on all rows, a bias on row 0, an activation by the rule of
/// `stack`. `x` is `[rows, …, inputs]` (without the first axis for [`Stack::Value`]).
///
/// `None` where there is no kernel, to be composed by the caller: on other devices, in half
/// precision, for series beyond the fourth order, for empty tensors, and under candle's
/// `CANDLE_GRAD_DO_NOT_DETACH`.
///
/// Series are composed with the Taylor coefficients of the activation at the value, common to all
/// directions, by the formula of Faà di Bruno; the backward pass is the transposed rule with the
/// series of the derivative (B. Christianson 1992). The rule for the Laplacian is that of R. Li et
/// al. (2023).
///
/// # Errors
/// As [`dense_chain`], and when the first axis does not have as many rows as `stack`.
pub fn dense_stack(x: &Tensor, stack: &Stack, layers: &[Dense<'_>]) -> Result<Option<Tensor>> {
    check(x, stack, layers)?;
    let empty = x.elem_count() == 0 || layers.iter().any(|l| l.weight.elem_count() == 0);
    let high = matches!(stack, Stack::Series { order, .. } if *order > MOST_ORDER);
    if empty || high || *HIGHER_ORDER {
        return Ok(None);
    }
    by_float!(x, T => Ok(Some(run::<T>(x, stack, layers)?)), _ => Ok(None))
}

/// Whether candle keeps the graphs of gradients.
static HIGHER_ORDER: LazyLock<bool> = LazyLock::new(|| {
    std::env::var("CANDLE_GRAD_DO_NOT_DETACH").is_ok_and(|v| !v.is_empty() && v != "0")
});

fn check(x: &Tensor, stack: &Stack, layers: &[Dense<'_>]) -> Result<()> {
    if layers.is_empty() {
        return Err(Error::Count { what: "layers of a dense chain", expected: 1, got: 0 });
    }
    let shape = |what, expected: &[usize], got: &Tensor| {
        Err(Error::Shape { what, expected: expected.into(), got: got.shape().clone() })
    };
    let Some(&(mut width)) = x.dims().last() else {
        return shape("input of a dense layer, one axis at least", &[1], x);
    };
    if *stack != Stack::Value && (x.rank() < 2 || x.dims()[0] != stack.rows()) {
        let mut expected = x.dims().to_vec();
        match expected.as_mut_slice() {
            [first, _, ..] => *first = stack.rows(),
            _ => expected.insert(0, stack.rows()),
        }
        return shape("input of dense layers, a stack of rows", &expected, x);
    }
    for (l, layer) in layers.iter().enumerate() {
        let [outputs, inputs] = layer.weight.dims() else {
            return shape("weight of a dense layer, [out, in]", &[1, width], layer.weight);
        };
        if *inputs != width {
            if l == 0 {
                let expected = [&x.dims()[..x.rank() - 1], &[*inputs]].concat();
                return shape(
                    "input of a dense layer, as long as its weight is wide",
                    &expected,
                    x,
                );
            }
            let what = "weight of a dense layer, as wide as the layer before is long";
            return shape(what, &[*outputs, width], layer.weight);
        }
        check_kind("weight of a dense layer", x, layer.weight)?;
        if let Some(bias) = layer.bias {
            if bias.dims() != [*outputs] {
                return shape("bias of a dense layer", &[*outputs], bias);
            }
            check_kind("bias of a dense layer", x, bias)?;
        }
        width = *outputs;
    }
    Ok(())
}

/// A layer without graph.
#[derive(Debug, Clone)]
struct Held {
    weight: Tensor,
    bias: Option<Tensor>,
    activation: Option<Pointwise>,
}

/// Calls `use_it` with the layers seen as slices.
fn with_chain<T: Real, R>(
    held: &[Held],
    stack: &Stack,
    use_it: impl FnOnce(&Chain<'_, T>) -> R,
) -> Result<R> {
    let weights = held.iter().map(|h| values::<T>(&h.weight)).collect::<Result<Vec<_>>>()?;
    let biases = held
        .iter()
        .map(|h| h.bias.as_ref().map(values::<T>).transpose())
        .collect::<Result<Vec<_>>>()?;
    let mut layers = Vec::with_capacity(held.len());
    for ((h, weight), bias) in held.iter().zip(&weights).zip(&biases) {
        let (outputs, inputs) = h.weight.dims2()?;
        layers.push(Layer::new((weight, outputs, inputs), bias.as_deref(), h.activation));
    }
    Ok(use_it(&Chain { stack, layers }))
}

fn run<T: Real>(x: &Tensor, stack: &Stack, layers: &[Dense<'_>]) -> Result<Tensor> {
    let constant = |t: &Tensor| t.detach().contiguous();
    let held = layers
        .iter()
        .map(|l| {
            let (weight, bias) = (constant(l.weight)?, l.bias.map(constant).transpose()?);
            Ok(Held { weight, bias, activation: l.activation })
        })
        .collect::<Result<Vec<_>>>()?;
    let parameters: Vec<&Tensor> = layers
        .iter()
        .flat_map(|l| std::iter::once(l.weight).chain(l.bias))
        .filter(|p| p.track_op())
        .collect();
    let mut wanted = Wanted { x: x.track_op(), ..Wanted::default() };
    let mut place = |t: Option<&Tensor>| {
        let start = wanted.parameters;
        let t = t.filter(|t| t.track_op())?;
        wanted.parameters += t.elem_count();
        Some(start)
    };
    for layer in layers {
        let (weight, bias) = (place(Some(layer.weight)), place(layer.bias));
        wanted.weights.push(weight);
        wanted.biases.push(bias);
    }
    let source = constant(x)?;
    let width = layers[layers.len() - 1].weight.dim(0)?;
    let mut dims = x.dims().to_vec();
    dims.pop();
    let points = dims.iter().product::<usize>() / stack.rows();
    dims.push(width);
    let (output, tapes) = with_chain::<T, _>(&held, stack, |chain| {
        let x = values::<T>(&source)?;
        let plan = Plan::new(chain, points);
        let keep = (wanted.x || !parameters.is_empty()) && plan.keeps(chain);
        Ok::<_, Error>(plan.forward(chain, &x, keep))
    })??;

    let (stack, x_shape) = (stack.clone(), x.shape().clone());
    // candle takes three arguments; more parameters become one.
    let packed = if parameters.len() + usize::from(wanted.x) > 3 {
        let flat =
            parameters.iter().map(|p| p.flatten_all()).collect::<candle_core::Result<Vec<_>>>()?;
        Some(Tensor::cat(&flat, 0)?)
    } else {
        None
    };
    let mut inputs = vec![x];
    match &packed {
        Some(packed) => inputs.push(packed),
        None => inputs.extend(&parameters),
    }
    let shapes: Vec<_> = inputs[1..].iter().map(|p| p.shape().clone()).collect();
    attach("dense layers", &inputs, output, dims, move |y, g| {
        let (dx, sums) = with_chain::<T, _>(&held, &stack, |chain| {
            let (x, y, g) = (values::<T>(&source)?, values::<T>(y)?, values::<T>(g)?);
            let plan = Plan::new(chain, points);
            Ok::<_, Error>(plan.backward(chain, (&x, &y, tapes.as_ref()), &g, &wanted))
        })??;
        let tensor = |values: Vec<T>, shape: &candle_core::Shape| {
            Tensor::from_vec(values, shape, &candle_core::Device::Cpu)
        };
        let mut gradients = Vec::with_capacity(1 + shapes.len());
        gradients.push(if wanted.x { Some(tensor(dx, &x_shape)?) } else { None });
        if let [shape] = &shapes[..] {
            gradients.push(Some(tensor(sums, shape)?));
        } else {
            let mut rest = &sums[..];
            for shape in &shapes {
                let (part, tail) = rest.split_at(shape.elem_count());
                gradients.push(Some(tensor(part.to_vec(), shape)?));
                rest = tail;
            }
        }
        Ok(gradients)
    })
}

/// Layer by layer, with gradients of any order.
fn composed(x: &Tensor, layers: &[Dense<'_>]) -> Result<Tensor> {
    let mut h = x.clone();
    for layer in layers {
        let (outputs, inputs) = layer.weight.dims2()?;
        let mut dims = h.dims().to_vec();
        dims.pop();
        let points: usize = dims.iter().product();
        dims.push(outputs);
        h = matmul(&h.reshape((points, inputs))?, &layer.weight.t()?)?.reshape(dims)?;
        if let Some(bias) = layer.bias {
            h = h.broadcast_add(bias)?;
        }
        if let Some(f) = layer.activation {
            h = f.apply(&h)?;
        }
    }
    Ok(h)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradCheck, gradcheck};
    use candle_core::Device;

    fn wave(dims: &[usize], phase: f64) -> Tensor {
        let n: usize = dims.iter().product();
        let v: Vec<f64> = (0..n).map(|i| 0.7 * (phase + 1.3 * i as f64).sin()).collect();
        Tensor::from_vec(v, dims, &Device::Cpu).unwrap()
    }

    /// The path of other devices, run on the CPU.
    #[test]
    fn the_composition_agrees() {
        let inputs =
            [wave(&[2, 3, 5], 0.1), wave(&[7, 5], 0.2), wave(&[7], 0.3), wave(&[2, 7], 0.4)];
        let layers = |v: &[Tensor]| -> Result<[Tensor; 2]> {
            let layers = [
                Dense { weight: &v[1], bias: Some(&v[2]), activation: Some(Pointwise::Gelu) },
                Dense { weight: &v[3], bias: None, activation: None },
            ];
            Ok([composed(&v[0], &layers)?, dense_chain(&v[0], &layers)?])
        };
        let [theirs, ours] = layers(&inputs).unwrap();
        let difference = (theirs - ours).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f64>().unwrap() < 1e-14);
        gradcheck(|v| Ok(layers(v)?[0].clone()), &inputs, &GradCheck::default()).unwrap();
    }
}
