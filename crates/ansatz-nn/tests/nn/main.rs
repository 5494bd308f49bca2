//! Tests of ansatz-nn through its public API, in one program.
#![allow(clippy::unwrap_used, missing_docs)]

mod adam;
mod checkpoint;
mod fit;
mod initializer;
mod jets;
mod layers;
mod parameters;

use ansatz_core::{
    Key,
    candle::{DType, Device, Tensor},
};
use ansatz_nn::Parameters;

/// An empty f64 store.
fn store(seed: u64) -> Parameters {
    Parameters::new(Key::new(seed), DType::F64, &Device::Cpu).unwrap()
}

/// All elements in f64.
fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// All elements of all parameters, as bits.
fn bits(parameters: &Parameters) -> Vec<u64> {
    parameters.vars().iter().flat_map(|v| flat(v)).map(f64::to_bits).collect()
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= tolerance, "element {i}: {g} is not {e}");
    }
}
