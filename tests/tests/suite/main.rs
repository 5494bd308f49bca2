//! What the crates do together, and what a crate outside the project can build on them.
#![allow(clippy::unwrap_used)] // in helpers of tests

mod bad_input;
mod bound;
mod checkpoint;
mod conformance;
mod determinism;
mod jets;
mod methods;
mod modules;
mod operator;
mod states;
mod training;

use std::{collections::HashMap, error::Error};

use ansatz::{
    core::{self, Key},
    nn::{Mlp, MlpConfig, Parameters, VarBuilder},
    ops,
};
use candle_core::{DType, Device, Tensor};

/// Any error fails a test.
pub(crate) type Checked<T = ()> = Result<T, Box<dyn Error>>;

/// All numbers of a tensor, in f64.
pub(crate) fn flat(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// The exact numbers of a tensor, for comparison to the bit.
pub(crate) fn bits(t: &Tensor) -> Vec<u64> {
    flat(t).into_iter().map(f64::to_bits).collect()
}

#[track_caller]
pub(crate) fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        let difference = (g - e).abs();
        assert!(
            difference <= tolerance * e.abs().max(1.0),
            "element {i}: {g:e}, expected {e:e}, difference {difference:e}"
        );
    }
}

pub(crate) fn normal(seed: u64, dims: &[usize], dtype: DType) -> Tensor {
    Key::new(seed).normal_tensor(dims, 0.0, 1.0, dtype, &Device::Cpu).unwrap()
}

pub(crate) fn store(seed: u64, dtype: DType) -> Parameters {
    Parameters::new(Key::new(seed), dtype, &Device::Cpu).unwrap()
}

/// A small tanh network and its parameters, in f64.
pub(crate) fn mlp(seed: u64, sizes: &[usize]) -> (Mlp, Parameters) {
    let store = store(seed, DType::F64);
    (Mlp::new(&MlpConfig::new(sizes), store.builder()).unwrap(), store)
}

/// The network whose parameters, in the order of their names, are these tensors: a function of its
/// weights, for gradient checks.
pub(crate) fn mlp_of(sizes: &[usize], names: &[String], weights: &[Tensor]) -> ops::Result<Mlp> {
    let map: HashMap<String, Tensor> = names.iter().cloned().zip(weights.iter().cloned()).collect();
    let vb = VarBuilder::from_tensors(map, weights[0].dtype(), weights[0].device());
    Mlp::new(&MlpConfig::new(sizes), vb).map_err(ops::Error::custom)
}

/// The present values of the parameters, in the order of their names.
pub(crate) fn values(store: &Parameters) -> Vec<Tensor> {
    store.vars().iter().map(|v| v.as_tensor().detach()).collect()
}

/// An error of a solve on the way through a gradient check: there is no direct conversion.
pub(crate) fn through(error: ansatz::ode::Error) -> ops::Error {
    core::Error::from(error).into()
}
