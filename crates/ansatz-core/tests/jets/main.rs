//! Jets, forward Laplacians and the derivatives read from them.
#![allow(clippy::unwrap_used)] // helpers of tests

mod algebra;
mod partials;
mod pointwise;
mod reference;
mod seeding;
mod training;

use ansatz_core::{
    Module, Result, TensorLike,
    candle::{DType, Device, Tensor, Var},
};

/// Generic numbers in (−1, 1), the same on every run.
pub(crate) fn numbers(n: usize, phase: f64) -> Vec<f64> {
    (0..n).map(|i| (1.7 * i as f64 + phase + 0.3 * (i * i) as f64).sin()).collect()
}

/// A tensor of generic numbers.
pub(crate) fn generic(dims: &[usize], phase: f64) -> Tensor {
    Tensor::from_vec(numbers(dims.iter().product(), phase), dims, &Device::Cpu).unwrap()
}

pub(crate) fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts equal shapes and differences below `tolerance · max(1, |expected|)`.
#[track_caller]
pub(crate) fn assert_close(got: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(got.dims(), expected.dims(), "{what}: shapes");
    for (i, (g, e)) in values(got).iter().zip(values(expected)).enumerate() {
        let difference = (g - e).abs();
        assert!(difference <= tolerance * e.abs().max(1.0), "{what}[{i}]: {g:e} vs {e:e}");
    }
}

/// A small network with two hidden layers of different activations.
pub(crate) struct Net {
    weights: [Tensor; 3],
    biases: [Tensor; 3],
}

impl Net {
    fn new(inputs: usize, outputs: usize) -> Self {
        let width = 5;
        Self {
            weights: [
                generic(&[width, inputs], 0.1),
                generic(&[width, width], 0.2),
                generic(&[outputs, width], 0.3),
            ],
            biases: [generic(&[width], 0.4), generic(&[width], 0.5), generic(&[outputs], 0.6)],
        }
    }

    fn parameters(&self) -> Vec<Tensor> {
        self.weights.iter().chain(&self.biases).cloned().collect()
    }

    fn from_parameters(p: &[Tensor]) -> Self {
        let pick = |i: usize| [p[i].clone(), p[i + 1].clone(), p[i + 2].clone()];
        Self { weights: pick(0), biases: pick(3) }
    }

    /// The same network with trainable parameters.
    fn trainable(&self) -> Self {
        let vars: Vec<Tensor> =
            self.parameters().iter().map(|p| Var::from_tensor(p).unwrap().into_inner()).collect();
        Self::from_parameters(&vars)
    }
}

impl<T: TensorLike> Module<T> for Net {
    fn forward(&self, x: &T) -> Result<T> {
        let [w0, w1, w2] = &self.weights;
        let [b0, b1, b2] = &self.biases;
        x.dense(w0, Some(b0))?.tanh()?.dense(w1, Some(b1))?.gelu()?.dense(w2, Some(b2))
    }
}
