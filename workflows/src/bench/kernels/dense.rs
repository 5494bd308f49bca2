//! K2: dense layer with tanh, forwards and backwards.
//!
//! y = tanh(x Wᵀ + b), x[256, 64] (inputs), W, b layer 0 of width 64, f32; gradients of ⟨c, y⟩ in
//! x, W and b, c[256, 64] (targets). One run is 100 calls; times are of one. Error: of the 2-norm
//! of all gradients, relative to that in f64. `K2.product.1024` is one product of two square matrices
//! (inputs and targets), for comparison with the speed of the processor; its error is the largest
//! difference from f64, relative to the largest value.
use ansatz::ops::{Pointwise, backward_from, dense, matmul};
use candle_core::{DType, Tensor, Var};

use super::super::network::{gradient_norm, single};
use super::super::{
    Measured, Rules, Variant, Work, bias, inputs, targets, timed, timed_repeated, weight,
};
use crate::AnyError;

const BATCH: usize = 256;
const WIDTH: usize = 64;
const CALLS: usize = 100;

/// Ours, and candle's operations one by one.
pub(super) fn variants() -> Vec<Variant> {
    vec![
        Variant { workload: "K2", library: "ansatz", method: "", run: |r| run(r, fused) },
        Variant { workload: "K2", library: "candle", method: "", run: |r| run(r, composed) },
        Variant {
            workload: "K2.product.1024",
            library: "ansatz",
            method: "",
            run: |r| product(r, |a, b| Ok(matmul(a, b)?)),
        },
        Variant {
            workload: "K2.product.1024",
            library: "candle",
            method: "",
            run: |r| product(r, |a, b| Ok(a.matmul(b)?)),
        },
    ]
}

type Layer = fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor, AnyError>;

fn fused(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor, AnyError> {
    Ok(dense(x, weight, Some(bias), Some(Pointwise::Tanh))?)
}

fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor, AnyError> {
    Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?.tanh()?)
}

fn run(rules: &Rules, layer: Layer) -> Result<Measured, AnyError> {
    let variables = [
        Var::from_tensor(&single(inputs(BATCH, WIDTH), &[BATCH, WIDTH])?)?,
        Var::from_tensor(&single(weight(WIDTH, WIDTH, 0), &[WIDTH, WIDTH])?)?,
        Var::from_tensor(&single(bias(WIDTH, 0), &[WIDTH])?)?,
    ];
    let cotangent = single(targets(BATCH, WIDTH), &[BATCH, WIDTH])?;
    let step = |variables: &[Var], cotangent: &Tensor, layer: Layer| {
        let [x, w, b] = variables else { return Err(AnyError::from("three variables")) };
        let y = layer(x, w, b)?;
        Ok(backward_from(&[y], std::slice::from_ref(cotangent))?)
    };
    let double = variables
        .iter()
        .map(|v| Var::from_tensor(&v.to_dtype(DType::F64)?))
        .collect::<Result<Vec<_>, _>>()?;
    let reference = step(&double, &cotangent.to_dtype(DType::F64)?, composed)?;
    let reference = gradient_norm(&reference, &double)?;
    let (gradients, timing) = timed_repeated(rules, CALLS, || step(&variables, &cotangent, layer))?;
    let norm = gradient_norm(&gradients, &variables)?;
    let error = (norm / reference - 1.0).abs();
    Ok(Measured::new(timing, Work::Steps(1), error).with("grad_norm", norm))
}

fn product(
    rules: &Rules,
    multiply: fn(&Tensor, &Tensor) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    const N: usize = 1024;
    let a = single(inputs(N, N), &[N, N])?;
    let b = single(targets(N, N), &[N, N])?;
    let exact = a.to_dtype(DType::F64)?.matmul(&b.to_dtype(DType::F64)?)?;
    let (c, timing) = timed(rules, || multiply(&a, &b))?;
    let largest = |x: &Tensor| x.abs()?.max_all()?.to_scalar::<f64>();
    let error = largest(&(c.to_dtype(DType::F64)? - &exact)?)? / largest(&exact)?;
    let gflop = 2e-9 * (N * N * N) as f64 / timing.median_s;
    Ok(Measured::new(timing, Work::Steps(1), error).with("gflop_per_s", gflop))
}
