//! The pointwise functions: accuracy, special values, gradients, threads, strides.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod accuracy;
mod gradients;
mod special_values;
mod tensors;

use ansatz_ops::{
    Pointwise,
    candle::{Device, Tensor},
    pointwise,
};

/// Every function with a kernel of its own.
const ALL: [Pointwise; 15] = [
    Pointwise::Tanh,
    Pointwise::Sin,
    Pointwise::Cos,
    Pointwise::Exp,
    Pointwise::Ln,
    Pointwise::Sqrt,
    Pointwise::Recip,
    Pointwise::Sigmoid,
    Pointwise::Softplus,
    Pointwise::Silu,
    Pointwise::Gelu,
    Pointwise::GeluTanh,
    Pointwise::Erf,
    Pointwise::Relu,
    Pointwise::Abs,
];

fn single(function: Pointwise, x: &[f32]) -> Vec<f32> {
    let x = Tensor::from_slice(x, x.len(), &Device::Cpu).unwrap();
    pointwise(function, &x).unwrap().to_vec1().unwrap()
}

fn double(function: Pointwise, x: &[f64]) -> Vec<f64> {
    let x = Tensor::from_slice(x, x.len(), &Device::Cpu).unwrap();
    pointwise(function, &x).unwrap().to_vec1().unwrap()
}
