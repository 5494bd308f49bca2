//! K1: pointwise functions of f32 tensors of 16,384 and 1,000,000 elements.
//!
//! `x[i] = 4 sin(1 + 0.37 i)`. `K1.tanh.16k` is one evaluation; `K1.tanh-grad.16k` evaluation and
//! gradient, seeded with ones; `K1.copy.1m` copies the tensor, for comparison with the speed of
//! memory. Error: largest difference from f64, relative to the largest value.
use ansatz::ops::{Pointwise, pointwise};
use candle_core::{DType, Device, Tensor, Var};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed_repeated};

const SMALL: usize = 16_384;
const LARGE: usize = 1_000_000;

/// The variants of one function: its workloads with both libraries, at both sizes.
macro_rules! variants_of {
    ($name:literal, $function:expr) => {
        [
            variant(concat!("K1.", $name, ".16k"), "ansatz", |r| {
                value(r, $function, SMALL, pointwise)
            }),
            variant(concat!("K1.", $name, ".16k"), "candle", |r| {
                value(r, $function, SMALL, candle)
            }),
            variant(concat!("K1.", $name, ".1m"), "ansatz", |r| {
                value(r, $function, LARGE, pointwise)
            }),
            variant(concat!("K1.", $name, ".1m"), "candle", |r| value(r, $function, LARGE, candle)),
        ]
    };
    (gradient $name:literal, $function:expr) => {
        [
            variant(concat!("K1.", $name, "-grad.16k"), "ansatz", |r| {
                gradient(r, $function, SMALL, pointwise)
            }),
            variant(concat!("K1.", $name, "-grad.16k"), "candle", |r| {
                gradient(r, $function, SMALL, candle)
            }),
            variant(concat!("K1.", $name, "-grad.1m"), "ansatz", |r| {
                gradient(r, $function, LARGE, pointwise)
            }),
            variant(concat!("K1.", $name, "-grad.1m"), "candle", |r| {
                gradient(r, $function, LARGE, candle)
            }),
        ]
    };
}

pub(super) fn variants() -> Vec<Variant> {
    let mut all = Vec::new();
    all.extend(variants_of!("tanh", Pointwise::Tanh));
    all.extend(variants_of!("sin", Pointwise::Sin));
    all.extend(variants_of!("exp", Pointwise::Exp));
    all.extend(variants_of!("gelu", Pointwise::Gelu));
    all.extend(variants_of!(gradient "tanh", Pointwise::Tanh));
    all.extend(variants_of!(gradient "gelu", Pointwise::Gelu));
    all.push(variant("K1.copy.1m", "candle", copy));
    all
}

const fn variant(
    workload: &'static str,
    library: &'static str,
    run: fn(&Rules) -> Result<Measured, AnyError>,
) -> Variant {
    Variant { workload, library, method: "", run }
}

type Apply = fn(Pointwise, &Tensor) -> ansatz::ops::Result<Tensor>;

/// The operations that candle has for it.
fn candle(function: Pointwise, x: &Tensor) -> ansatz::ops::Result<Tensor> {
    Ok(match function {
        Pointwise::Tanh => x.tanh()?,
        Pointwise::Sin => x.sin()?,
        Pointwise::Exp => x.exp()?,
        _ => x.gelu_erf()?,
    })
}

fn input(n: usize) -> Result<Tensor, AnyError> {
    let values = (0..n).map(|i| (4.0 * (1.0 + 0.37 * i as f64).sin()) as f32).collect();
    Ok(Tensor::from_vec(values, n, &Device::Cpu)?)
}

/// Enough calls for a millisecond or more in each run.
fn calls(n: usize) -> usize {
    if n == SMALL { 500 } else { 10 }
}

fn value(rules: &Rules, f: Pointwise, n: usize, apply: Apply) -> Result<Measured, AnyError> {
    let x = input(n)?;
    let (y, timing) = timed_repeated(rules, calls(n), || Ok(apply(f, &x)?))?;
    let exact = exact(f, &x)?;
    // Read once, written once.
    let gb = 8e-9 * n as f64 / timing.median_s;
    Ok(Measured::new(timing, Work::Steps(1), error(&y, &exact)?).with("gb_per_s", gb))
}

fn gradient(rules: &Rules, f: Pointwise, n: usize, apply: Apply) -> Result<Measured, AnyError> {
    let x = Var::from_tensor(&input(n)?)?;
    let (g, timing) = timed_repeated(rules, calls(n), || {
        let mut gradients = apply(f, &x)?.backward()?;
        Ok(gradients.remove(&x).ok_or("no gradient")?)
    })?;
    // Central differences of the exact function: good to nine digits.
    let h = 1e-5;
    let wide = x.to_dtype(DType::F64)?;
    let (low, high) = (exact(f, &(&wide - h)?)?, exact(f, &(&wide + h)?)?);
    let slopes: Vec<f64> = low.iter().zip(&high).map(|(a, b)| (b - a) / (2.0 * h)).collect();
    Ok(Measured::new(timing, Work::Steps(1), error(&g, &slopes)?))
}

fn copy(rules: &Rules) -> Result<Measured, AnyError> {
    let x = input(LARGE)?;
    let (y, timing) = timed_repeated(rules, calls(LARGE), || Ok(x.copy()?))?;
    let exact = x.to_dtype(DType::F64)?.to_vec1()?;
    let gb = 8e-9 * LARGE as f64 / timing.median_s;
    Ok(Measured::new(timing, Work::Steps(1), error(&y, &exact)?).with("gb_per_s", gb))
}

/// In f64, by the system's library where it has the function.
fn exact(function: Pointwise, x: &Tensor) -> Result<Vec<f64>, AnyError> {
    let x = x.detach().to_dtype(DType::F64)?;
    let values = x.to_vec1::<f64>()?;
    Ok(match function {
        Pointwise::Tanh => values.into_iter().map(f64::tanh).collect(),
        Pointwise::Sin => values.into_iter().map(f64::sin).collect(),
        Pointwise::Exp => values.into_iter().map(f64::exp).collect(),
        // Tested against numbers of 60 digits.
        other => pointwise(other, &x)?.to_vec1()?,
    })
}

/// The largest difference, relative to the largest value.
fn error(got: &Tensor, want: &[f64]) -> Result<f64, AnyError> {
    let got = got.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let differences = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    let largest = want.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
    Ok(differences.fold(0.0, f64::max) / largest)
}
