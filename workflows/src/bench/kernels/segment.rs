//! G1.scatter and K5.softmax: what a graph network does between its dense layers.
//!
//! 100,000 nodes, 1,000,000 directed edges from a linear congruential generator, f32. `G1.scatter`
//! sums 64 features by target: ready messages (`median_s`), and gathered by source first
//! (`gather_scatter_median_s`; fused and `unfused_median_s`). `G1.scatter-grad` is forward and
//! backward of the mean square of the sums. `K5.softmax` is the softmax of 8 heads over the edges
//! into each node, and with its gradient. Sorting the edges, done once for a graph, is `sort_s`.
use std::thread;
use std::time::Instant;

use ansatz::ops::{Edges, Segments, gather_rows, gather_segment_sum, segment_softmax, segment_sum};
use candle_core::{DType, Device, Tensor, Var};

use super::super::{Measured, Rules, Variant, Work, inputs, timed};
use crate::AnyError;

const NODES: usize = 100_000;
const EDGES: usize = 1_000_000;
const FEATURES: usize = 64;
const HEADS: usize = 8;

/// Root mean square and elements 0, 100, 1000 and the last of the sums, in f64.
const SUMS: [f64; 5] = [
    2.2386228164072115,
    0.07485772631700031,
    1.8307717229814005,
    -1.0587112200406337,
    1.0085942988153893,
];
/// Likewise of the gradient of the mean square in the features.
const SUMS_GRADIENT: [f64; 5] = [
    3.2140950400241613e-06,
    3.7880110945735957e-06,
    -4.844000294257486e-07,
    -2.5061701783380973e-06,
    -3.714219968917182e-06,
];
/// Likewise of the softmax, and of its gradient.
const SOFTMAX: [f64; 5] = [
    0.1775225361681595,
    0.028901387261583648,
    0.3410390659955881,
    0.6302128977391491,
    0.10291353129273469,
];
const SOFTMAX_GRADIENT: [f64; 5] = [
    0.04218344842151116,
    -0.016301120935086136,
    0.035830357010645346,
    0.20003544747588067,
    -0.039412202707249475,
];

pub(super) fn variants() -> Vec<Variant> {
    let variant = |workload, library, method, run| Variant { workload, library, method, run };
    vec![
        variant("G1.scatter", "ansatz", "segment_sum", sums),
        variant("G1.scatter", "candle", "index_add", candle_sums),
        variant("G1.scatter-grad", "ansatz", "fused", |r| {
            sums_gradient(r, |x, _, edges| Ok(gather_segment_sum(x, None, edges)?))
        }),
        variant("G1.scatter-grad", "ansatz", "unfused", |r| {
            sums_gradient(r, |x, _, edges| {
                Ok(segment_sum(&gather_rows(x, edges.by_source())?, edges.by_target())?)
            })
        }),
        variant("G1.scatter-grad", "candle", "index_add", |r| {
            sums_gradient(r, |x, ids, _| ids.sum(&ids.gather(x)?))
        }),
        variant("K5.softmax", "ansatz", "", |r| {
            softmax(r, |x, _, segments| Ok(segment_softmax(x, segments)?))
        }),
        variant("K5.softmax", "candle", "index_add", |r| {
            // candle has no maximum of segments: shifted by the maximum of all.
            softmax(r, |x, ids, _| {
                let shift = x.detach().max_keepdim(0)?.max_keepdim(1)?;
                let exp = x.broadcast_sub(&shift)?.exp()?;
                Ok((&exp / ids.sum(&exp)?.index_select(&ids.target, 0)?)?)
            })
        }),
    ]
}

/// Source and target of each edge: draws 2e + 1 and 2e + 2 of s ← a s + c mod 2⁶⁴, s₀ = 42, by
/// their upper bits; a target that equals its source is moved on by one.
fn edge_list() -> (Vec<i64>, Vec<i64>) {
    let mut state = 42u64;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % NODES as u64) as i64
    };
    let pairs = (0..EDGES).map(|_| (draw(), draw()));
    pairs.map(|(s, t)| (s, if s == t { (t + 1) % NODES as i64 } else { t })).unzip()
}

/// The edges for candle's own operations.
struct Ids {
    source: Tensor,
    target: Tensor,
}

impl Ids {
    fn new() -> Result<Self, AnyError> {
        let (source, target) = edge_list();
        let to_u32 =
            |ids: Vec<i64>| Tensor::from_vec(ids, EDGES, &Device::Cpu)?.to_dtype(DType::U32);
        Ok(Self { source: to_u32(source)?, target: to_u32(target)? })
    }

    fn gather(&self, x: &Tensor) -> Result<Tensor, AnyError> {
        Ok(x.index_select(&self.source, 0)?)
    }

    fn sum(&self, messages: &Tensor) -> Result<Tensor, AnyError> {
        let zeros = Tensor::zeros((NODES, messages.dim(1)?), DType::F32, &Device::Cpu)?;
        Ok(zeros.index_add(&self.target, messages, 0)?)
    }

    /// The sorted edges and how long sorting took, in seconds.
    fn sorted(&self) -> Result<(Edges, f64), AnyError> {
        let start = Instant::now();
        let edges = Edges::new(&self.source, &self.target, NODES, NODES)?;
        Ok((edges, start.elapsed().as_secs_f64()))
    }
}

fn features() -> Result<Tensor, AnyError> {
    let values: Vec<f32> = inputs(NODES, FEATURES).into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(values, (NODES, FEATURES), &Device::Cpu)?)
}

/// `3 sin(0.37 e + 0.73 h)`
fn logits() -> Result<Tensor, AnyError> {
    let value = |i: usize| 3.0 * (0.37 * (i / HEADS) as f64 + 0.73 * (i % HEADS) as f64).sin();
    let values: Vec<f32> = (0..EDGES * HEADS).map(|i| value(i) as f32).collect();
    Ok(Tensor::from_vec(values, (EDGES, HEADS), &Device::Cpu)?)
}

/// The largest difference to the reference, relative to the largest number there.
fn error(got: &Tensor, reference: &[f64; 5]) -> Result<f64, AnyError> {
    let flat = got.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let rms = (flat.iter().map(|v| v * v).sum::<f64>() / flat.len() as f64).sqrt();
    let got = [rms, flat[0], flat[100], flat[1000], flat[flat.len() - 1]];
    let scale = reference.iter().fold(0.0, |m: f64, r| m.max(r.abs()));
    let worst = got.iter().zip(reference).map(|(g, r)| (g - r).abs()).fold(0.0, f64::max);
    Ok(worst / scale)
}

/// Bytes that are read when every edge's message is read once, per nanosecond.
fn gb_per_s(width: usize, seconds: f64) -> f64 {
    (EDGES * width * 4) as f64 / seconds / 1e9
}

/// What the machine reads in order with all threads: the bound for ready messages.
fn memory_gb_per_s(x: &[f32]) -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let total: f32 = thread::scope(|scope| {
            let parts = x.chunks(x.len().div_ceil(threads));
            let sum = |part: &[f32]| -> f32 {
                let mut lanes = [0f32; 64];
                for chunk in part.chunks_exact(64) {
                    lanes.iter_mut().zip(chunk).for_each(|(l, v)| *l += v);
                }
                lanes.iter().sum()
            };
            let workers: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
            workers.into_iter().filter_map(|w| w.join().ok()).sum()
        });
        std::hint::black_box(total);
        best = best.min(start.elapsed().as_secs_f64());
    }
    size_of_val(x) as f64 / best / 1e9
}

fn sums(rules: &Rules) -> Result<Measured, AnyError> {
    let (ids, x) = (Ids::new()?, features()?);
    let (edges, sort_s) = ids.sorted()?;
    let messages = gather_rows(&x, edges.by_source())?;
    let (y, timing) = timed(rules, || Ok(segment_sum(&messages, edges.by_target())?))?;
    let (z, fused) = timed(rules, || Ok(gather_segment_sum(&x, None, &edges)?))?;
    let (_, unfused) =
        timed(rules, || Ok(segment_sum(&gather_rows(&x, edges.by_source())?, edges.by_target())?))?;
    let memory = memory_gb_per_s(&messages.flatten_all()?.to_vec1()?);
    let worst = error(&y, &SUMS)?.max(error(&z, &SUMS)?);
    Ok(Measured::new(timing, Work::Steps(EDGES), worst)
        .with("gather_scatter_median_s", fused.median_s)
        .with("gather_scatter_min_s", fused.min_s)
        .with("unfused_median_s", unfused.median_s)
        .with("sort_s", sort_s)
        .with("gb_read_per_s", gb_per_s(FEATURES, timing.median_s))
        .with("fused_gb_read_per_s", gb_per_s(FEATURES, fused.median_s))
        .with("memory_gb_per_s", memory))
}

fn candle_sums(rules: &Rules) -> Result<Measured, AnyError> {
    let (ids, x) = (Ids::new()?, features()?);
    let messages = ids.gather(&x)?;
    let (y, timing) = timed(rules, || ids.sum(&messages))?;
    let (_, both) = timed(rules, || ids.sum(&ids.gather(&x)?))?;
    Ok(Measured::new(timing, Work::Steps(EDGES), error(&y, &SUMS)?)
        .with("gather_scatter_median_s", both.median_s)
        .with("gb_read_per_s", gb_per_s(FEATURES, timing.median_s)))
}

fn sums_gradient(
    rules: &Rules,
    forward: impl Fn(&Tensor, &Ids, &Edges) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let (ids, x) = (Ids::new()?, Var::from_tensor(&features()?)?);
    let (edges, _) = ids.sorted()?;
    let (gradient, timing) = timed(rules, || {
        let loss = forward(&x, &ids, &edges)?.sqr()?.mean_all()?;
        Ok(loss.backward()?.remove(&x).ok_or("no gradient")?)
    })?;
    Ok(Measured::new(timing, Work::Steps(EDGES), error(&gradient, &SUMS_GRADIENT)?))
}

fn softmax(
    rules: &Rules,
    forward: impl Fn(&Tensor, &Ids, &Segments) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let (ids, x) = (Ids::new()?, Var::from_tensor(&logits()?)?);
    let segments = Segments::new(&ids.target, NODES)?;
    let constant = x.detach();
    let (y, timing) = timed(rules, || forward(&constant, &ids, &segments))?;
    let (gradient, both) = timed(rules, || {
        let loss = forward(&x, &ids, &segments)?.sqr()?.sum_all()?;
        Ok(loss.backward()?.remove(&x).ok_or("no gradient")?)
    })?;
    Ok(Measured::new(timing, Work::Steps(EDGES), error(&y, &SOFTMAX)?)
        .with("grad_median_s", both.median_s)
        .with("grad_error", error(&gradient, &SOFTMAX_GRADIENT)?)
        .with("gb_read_per_s", gb_per_s(HEADS, timing.median_s)))
}
