//! Derivatives of a model with respect to its inputs, read from jets.
//!
//! Points are `[batch, d]`, model outputs `[batch, m]`. Every result stays attached to candle's
//! graph: a loss built from it trains by `backward`. Whoever needs several derivatives of one
//! evaluation in a special combination reads them from a [`Jet`] directly.

mod polarisation;

use candle_core::{Device, Tensor};

use crate::{Error, ForwardLaplacian, Jet, Module, Result, jet::factorial, stacked};
use polarisation::Plan;

/// The value `[batch, m]` and the Jacobian `[batch, m, d]` of `model` at `x`.
///
/// # Errors
/// When `x` has no axis, or the model fails.
pub fn value_and_gradient<M: Module<Jet>>(model: &M, x: &Tensor) -> Result<(Tensor, Tensor)> {
    let d = coordinates(x)?;
    let axes = Tensor::eye(d, x.dtype(), x.device())?;
    let y = model.forward(&Jet::seed(x, &axes, 1)?)?;
    Ok((y.value()?, first_axis_last(&y.coefficients(1)?)?))
}

/// The Jacobian `∂uₐ/∂xᵢ`, `[batch, m, d]`, of `model` at `x`.
///
/// # Errors
/// When `x` has no axis, or the model fails.
///
/// # Example
/// ```
/// use ansatz_core::{Jet, TensorLike, candle::{Device, Tensor}, gradient};
///
/// # fn main() -> ansatz_core::Result<()> {
/// let x = Tensor::new(&[[2f64, 3.0]], &Device::Cpu)?;
/// let product = |x: &Jet| x.narrow(1, 0, 1)?.mul(&x.narrow(1, 1, 1)?);
/// assert_eq!(gradient(&product, &x)?.to_vec3::<f64>()?, [[[3.0, 2.0]]]);
/// # Ok(())
/// # }
/// ```
pub fn gradient<M: Module<Jet>>(model: &M, x: &Tensor) -> Result<Tensor> {
    Ok(value_and_gradient(model, x)?.1)
}

/// The derivatives `dᵏ/dtᵏ u(x + t v)` at `t = 0` for `k = 0 … order`, `[order + 1, batch, m]`.
///
/// `v` has the shape of `x` or broadcasts to it.
///
/// # Errors
/// When the shapes do not broadcast, or the model fails.
pub fn directional_derivatives<M: Module<Jet>>(
    model: &M,
    x: &Tensor,
    v: &Tensor,
    order: usize,
) -> Result<Tensor> {
    let y = model.forward(&Jet::seed(x, &v.unsqueeze(0)?, order)?)?;
    let factors: Vec<f64> = (0..=order).map(factorial).collect();
    let mut dims = vec![1; y.stack.rank()];
    dims[0] = order + 1;
    let factors = constant(factors, &dims, &y.stack)?;
    Ok(y.stack.broadcast_mul(&factors)?)
}

/// The Hessians `∂²uₐ/∂xᵢ∂xⱼ`, `[batch, m, d, d]`, exactly symmetric.
///
/// Second-order jets along the `d` axes and the `d (d − 1)/2` sums of two axes give all pairs by
/// `vᵀ H w = ½ (q(v + w) − q(v) − q(w))` with `q(v) = vᵀ H v`.
///
/// # Errors
/// When `x` has no axis, or the model fails.
pub fn hessian<M: Module<Jet>>(model: &M, x: &Tensor) -> Result<Tensor> {
    let d = coordinates(x)?;
    let count = d * (d + 1) / 2;
    let mut directions = vec![0.0; count * d];
    // Row n of the combination: the n-th entry of the upper triangle from the coefficients q/2.
    let mut combination = vec![0.0; count * count];
    let mut mirror = vec![0u32; d * d];
    for i in 0..d {
        directions[i * d + i] = 1.0;
        combination[i * count + i] = 2.0;
        mirror[i * d + i] = i as u32;
    }
    let mut n = d;
    for i in 0..d {
        for j in i + 1..d {
            directions[n * d + i] = 1.0;
            directions[n * d + j] = 1.0;
            combination[n * count + n] = 1.0;
            combination[n * count + i] = -1.0;
            combination[n * count + j] = -1.0;
            mirror[i * d + j] = n as u32;
            mirror[j * d + i] = n as u32;
            n += 1;
        }
    }
    let directions = constant(directions, &[count, d], x)?;
    let y = model.forward(&Jet::seed(x, &directions, 2)?)?;
    let shape = y.shape();
    let second = y.coefficients(2)?.reshape((count, shape.elem_count()))?;
    let triangle = constant(combination, &[count, count], x)?.matmul(&second)?;
    let mirror = Tensor::from_vec(mirror, d * d, x.device())?;
    let full =
        triangle.index_select(&mirror, 0)?.reshape(stacked::with_rows(d * d, shape.dims()))?;
    let dims = [shape.dims(), &[d, d]].concat();
    Ok(first_axis_last(&full)?.reshape(dims)?)
}

/// The Laplacian `Σᵢ ∂²uₐ/∂xᵢ²`, `[batch, m]`, by one forward pass of [`ForwardLaplacian`].
///
/// # Errors
/// When `x` has no axis, or the model fails.
pub fn laplacian<M: Module<ForwardLaplacian>>(model: &M, x: &Tensor) -> Result<Tensor> {
    model.forward(&ForwardLaplacian::seed(x)?)?.laplacian()
}

/// One partial derivative of `model` at `x`, `[batch, m]`; see [`mixed_partials`].
///
/// # Errors
/// When an axis is not a coordinate of `x`, or the model fails.
pub fn mixed_partial<M: Module<Jet>>(model: &M, x: &Tensor, axes: &[usize]) -> Result<Tensor> {
    let mut all = mixed_partials(model, x, &[axes])?;
    // One request, one result.
    Ok(all.remove(0))
}

/// Several partial derivatives of `model` at `x` from one evaluation, each `[batch, m]`.
///
/// A derivative is the list of its axes: `[0, 0, 1]` is `∂³u/∂x₀²∂x₁`, `[]` the value. The order
/// of the axes does not matter.
///
/// Mixed derivatives come from univariate series by polarisation (A. Griewank, J. Utke,
/// A. Walther, *Evaluating higher derivative tensors by forward propagation of univariate Taylor
/// series*, 2000, for the principle). With multiplicities `α` of the axes, `K = |α|`, and `u_K(v)`
/// the coefficient of order `K` along `v`, the central difference of order `α` of the homogeneous
/// polynomial `v ↦ u_K(v)` is exact:
///
/// `∂^α u = 2^(−K) Σ_{0≤β≤α} (−1)^|β| Π C(αᵢ, βᵢ) u_K(α − 2β)`.
///
/// Parallel directions are merged, which leaves at most `½ Π (αᵢ + 1)`, and one for a pure
/// derivative; directions common to several requests are propagated once. The differences lose
/// digits only as far as the directional derivatives exceed the mixed one in size. Tested to
/// order 4.
///
/// # Errors
/// When an axis is not a coordinate of `x`, or the model fails.
///
/// # Example
/// ```
/// use ansatz_core::{Jet, TensorLike, candle::{Device, Tensor}, mixed_partials};
///
/// # fn main() -> ansatz_core::Result<()> {
/// // u = x² y³
/// let u = |p: &Jet| p.narrow(1, 0, 1)?.powi(2)?.mul(&p.narrow(1, 1, 1)?.powi(3)?);
/// let point = Tensor::new(&[[2f64, 1.0]], &Device::Cpu)?;
/// let partials = mixed_partials(&u, &point, &[&[0], &[0, 1], &[0, 0, 1, 1]])?;
/// for (partial, expected) in partials.iter().zip([4.0, 12.0, 12.0]) {
///     assert!((partial.to_vec2::<f64>()?[0][0] - expected).abs() < 1e-13);
/// }
/// # Ok(())
/// # }
/// ```
pub fn mixed_partials<M: Module<Jet>>(
    model: &M,
    x: &Tensor,
    partials: &[&[usize]],
) -> Result<Vec<Tensor>> {
    let d = coordinates(x)?;
    let plan = Plan::new(partials, d)?;
    let directions = constant(plan.directions(), &[plan.len(), d], x)?;
    let y = model.forward(&Jet::seed(x, &directions, plan.order())?)?;
    let shape = y.shape();
    let rows = y.stack.dim(0)?;
    // One product combines the coefficients for all requests.
    let combination = constant(plan.combination(), &[partials.len(), rows], &y.stack)?;
    let combined = combination.matmul(&y.stack.reshape((rows, shape.elem_count()))?)?;
    stacked::rows(&combined.reshape(stacked::with_rows(partials.len(), shape.dims()))?)
}

/// The length of the last axis of the points.
fn coordinates(x: &Tensor) -> Result<usize> {
    x.dims().last().copied().ok_or_else(|| Error::Shape {
        what: "points at which to differentiate",
        expected: "[batch, d]".into(),
        got: "[]".into(),
    })
}

/// Numbers as a tensor of the dtype and device of `like`.
fn constant(values: Vec<f64>, dims: &[usize], like: &Tensor) -> Result<Tensor> {
    // Converted before the move: Metal knows no f64.
    let host = Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(like.dtype())?;
    Ok(host.to_device(like.device())?)
}

/// `[n, *shape]` as `[*shape, n]`.
fn first_axis_last(t: &Tensor) -> Result<Tensor> {
    let axes: Vec<usize> = (1..t.rank()).chain([0]).collect();
    Ok(t.permute(axes)?.contiguous()?)
}
