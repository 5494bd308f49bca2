//! K2.combine: `y + Σ cⱼ kⱼ` with seven terms, f32, what a step of a Runge–Kutta method computes.
//!
//! `y` and `kⱼ` are waves, cⱼ = 0.1 j − 0.35. Reported beside the times: bytes read and written
//! over time. Reference: the sum of all elements in f64.
use ansatz::ops::{combine_slices, linear_combination};
use candle_core::Tensor;

use super::{single, wave, wave_of};
use crate::AnyError;
use crate::bench::{Measured, Rules, Timing, Variant, Work, timed_repeated};

pub(super) fn variants() -> Vec<Variant> {
    let variant = |workload, library, method, run| Variant { workload, library, method, run };
    vec![
        variant("K2.combine.512", "ansatz", "", |r| tensors::<512>(r, fused)),
        variant("K2.combine.16384", "ansatz", "", |r| tensors::<16_384>(r, fused)),
        variant("K2.combine.1000000", "ansatz", "", |r| tensors::<1_000_000>(r, fused)),
        variant("K2.combine.512", "ansatz", "slices", slices::<512>),
        variant("K2.combine.16384", "ansatz", "slices", slices::<16_384>),
        variant("K2.combine.1000000", "ansatz", "slices", slices::<1_000_000>),
        variant("K2.combine.512", "candle", "", |r| tensors::<512>(r, composed)),
        variant("K2.combine.16384", "candle", "", |r| tensors::<16_384>(r, composed)),
        variant("K2.combine.1000000", "candle", "", |r| tensors::<1_000_000>(r, composed)),
    ]
}

const TERMS: usize = 7;

fn factor(j: usize) -> f64 {
    0.1 * j as f64 - 0.35
}

/// The right sum of the elements.
fn reference(n: usize) -> f64 {
    let mut sum: f64 = wave(n, 0).iter().sum();
    for j in 0..TERMS {
        sum += factor(j) * wave(n, j + 1).iter().sum::<f64>();
    }
    sum
}

fn calls(n: usize) -> usize {
    (4_000_000 / n).clamp(1, 2000)
}

fn measured(n: usize, timing: Timing, values: &[f32]) -> Measured {
    let sum: f64 = values.iter().map(|&x| f64::from(x)).sum();
    let bytes = 4.0 * (n * (TERMS + 2)) as f64;
    let scale = wave(n, 0).iter().map(|x| x.abs()).sum::<f64>();
    Measured::new(timing, Work::Steps(1), (sum - reference(n)).abs() / scale)
        .with("sum", sum)
        .with("gb_per_s", bytes / timing.median_s / 1e9)
}

type Combine = fn(&Tensor, &[(f64, &Tensor)]) -> Result<Tensor, AnyError>;

fn tensors<const N: usize>(rules: &Rules, combine: Combine) -> Result<Measured, AnyError> {
    let make = |k: usize| wave_of(&[N], k);
    let y = make(0)?;
    let slopes = (1..=TERMS).map(make).collect::<candle_core::Result<Vec<_>>>()?;
    let terms: Vec<(f64, &Tensor)> =
        slopes.iter().enumerate().map(|(j, k)| (factor(j), k)).collect();
    let (sum, timing) = timed_repeated(rules, calls(N), || combine(&y, &terms))?;
    Ok(measured(N, timing, &sum.to_vec1()?))
}

fn fused(y: &Tensor, terms: &[(f64, &Tensor)]) -> Result<Tensor, AnyError> {
    Ok(linear_combination(Some(y), terms)?)
}

fn composed(y: &Tensor, terms: &[(f64, &Tensor)]) -> Result<Tensor, AnyError> {
    let mut sum = y.clone();
    for (c, k) in terms {
        sum = (sum + (*k * *c)?)?;
    }
    Ok(sum)
}

fn slices<const N: usize>(rules: &Rules) -> Result<Measured, AnyError> {
    let y = single(&wave(N, 0));
    let slopes: Vec<Vec<f32>> = (1..=TERMS).map(|k| single(&wave(N, k))).collect();
    let terms: Vec<(f32, &[f32])> =
        slopes.iter().enumerate().map(|(j, k)| (factor(j) as f32, &k[..])).collect();
    let mut out = vec![0.0; N];
    let ((), timing) =
        timed_repeated(rules, calls(N), || Ok(combine_slices(&mut out, Some(&y), &terms)?))?;
    Ok(measured(N, timing, &out))
}
