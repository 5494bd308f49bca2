//! Segments, edges, sparse matrices and scatters against naive loops in f64, closed forms, central
//! differences and candle where candle is right.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod products;
mod random;
mod scatter;
mod softmax;
mod sums;
mod values;

use ansatz_ops::{Result, Segments};
use candle_core::{DType, Device, Tensor};

/// Ids that are neither sorted nor balanced: segment 3 of 7 is empty, segment 0 has most rows.
const IDS: [u32; 12] = [5, 0, 2, 0, 6, 0, 4, 1, 0, 2, 0, 6];
const COUNT: usize = 7;

fn unsorted() -> Segments {
    Segments::new(&Tensor::new(&IDS, &Device::Cpu).unwrap(), COUNT).unwrap()
}

fn sorted() -> Segments {
    let mut ids = IDS;
    ids.sort_unstable();
    Segments::new(&Tensor::new(&ids, &Device::Cpu).unwrap(), COUNT).unwrap()
}

fn ramp(dims: &[usize], dtype: DType) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.4 + 1.7 * i as f64).sin() * 2.0).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// `f` of the values of each segment and feature, in the order of the rows: `[count, features]`.
fn by_segment(x: &Tensor, segments: &Segments, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let width = x.dims()[1..].iter().product::<usize>();
    let values = flat(x);
    let mut out = Vec::new();
    for s in 0..segments.count() {
        for c in 0..width {
            let rows = (0..segments.rows()).filter(|&i| segments.ids()[i] as usize == s);
            out.push(f(&rows.map(|i| values[i * width + c]).collect::<Vec<_>>()));
        }
    }
    out
}

#[track_caller]
fn assert_close(got: &Tensor, want: &[f64], tolerance: f64) {
    let got = flat(got);
    assert_eq!(got.len(), want.len());
    for (i, (x, y)) in got.iter().zip(want).enumerate() {
        let same = x == y || (x.is_nan() && y.is_nan());
        assert!(same || (x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} and {y}");
    }
}

/// The same bits on one, two and three threads.
#[track_caller]
fn assert_thread_independent(f: impl Fn() -> Result<Tensor> + Send + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        flat(&pool.install(&f).unwrap()).iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(3));
}

/// Enough rows for several pieces of work; most in one segment.
fn many(rows: usize, count: usize) -> Segments {
    let ids: Vec<i64> = (0..rows as i64)
        .map(|i| if i % 3 == 0 { 1 } else { (i * i + 17 * i) % count as i64 })
        .collect();
    Segments::new(&Tensor::from_vec(ids, rows, &Device::Cpu).unwrap(), count).unwrap()
}
