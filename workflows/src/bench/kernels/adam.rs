//! K8.adam: one step of AdamW on fixed gradients, f32, decay 0.01, rate 1e-3.
//!
//! `mlp`: the parameters of an MLP 2-64-64-2; `wide`: four matrices 1024×1024. Parameters and
//! gradients are waves. Reference: the sum of the first parameter after ten steps from zero
//! moments, in f64.
use ansatz::nn::{Adam, AdamConfig, Optimizer};
use candle_core::{Var, backprop::GradStore};
use candle_nn::{AdamW, ParamsAdamW};

use super::{wave, wave_of};
use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed_repeated};

pub(super) fn variants() -> Vec<Variant> {
    let variant = |workload, library, run| Variant { workload, library, method: "", run };
    vec![
        variant("K8.adam.mlp", "ansatz", |r| measure(r, &MLP, ours)),
        variant("K8.adam.wide", "ansatz", |r| measure(r, &WIDE, ours)),
        variant("K8.adam.mlp", "candle", |r| measure(r, &MLP, candles)),
        variant("K8.adam.wide", "candle", |r| measure(r, &WIDE, candles)),
    ]
}

const MLP: [[usize; 2]; 6] = [[64, 2], [1, 64], [64, 64], [1, 64], [2, 64], [1, 2]];
const WIDE: [[usize; 2]; 4] = [[1024, 1024]; 4];

const RATE: f64 = 1e-3;
const DECAY: f64 = 0.01;

fn ours(
    vars: Vec<Var>,
) -> candle_core::Result<Box<dyn FnMut(&GradStore) -> candle_core::Result<()>>> {
    let mut adam = Adam::new(vars, AdamConfig::new(RATE).decoupled_decay(DECAY))?;
    Ok(Box::new(move |g| adam.step(g)))
}

fn candles(
    vars: Vec<Var>,
) -> candle_core::Result<Box<dyn FnMut(&GradStore) -> candle_core::Result<()>>> {
    let config = ParamsAdamW { lr: RATE, weight_decay: DECAY, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(vars, config)?;
    Ok(Box::new(move |g| candle_nn::Optimizer::step(&mut adam, g)))
}

type Make =
    fn(Vec<Var>) -> candle_core::Result<Box<dyn FnMut(&GradStore) -> candle_core::Result<()>>>;

/// The sum of the first parameter after ten steps.
fn reference(n: usize) -> f64 {
    let (mut x, g) = (wave(n, 0), wave(n, 1));
    let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
    for t in 1..=10 {
        for i in 0..n {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            let step =
                m[i] / (1.0 - 0.9f64.powi(t)) / ((v[i] / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
            x[i] = x[i] * (1.0 - RATE * DECAY) - RATE * step;
        }
    }
    x.iter().sum()
}

fn measure(rules: &Rules, shapes: &[[usize; 2]], make: Make) -> Result<Measured, AnyError> {
    let vars = shapes
        .iter()
        .enumerate()
        .map(|(i, shape)| Var::from_tensor(&wave_of(shape, 2 * i)?))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let mut gradients = GradStore::default();
    for (i, (var, shape)) in vars.iter().zip(shapes).enumerate() {
        gradients.insert(var, wave_of(shape, 2 * i + 1)?);
    }
    let mut step = make(vars.clone())?;
    for _ in 0..10 {
        step(&gradients)?;
    }
    let first = &shapes[0];
    let sum =
        f64::from(vars[0].to_dtype(candle_core::DType::F64)?.sum_all()?.to_scalar::<f64>()? as f32);
    let n = first[0] * first[1];
    let scale = wave(n, 0).iter().map(|x| x.abs()).sum::<f64>();
    let elements: usize = shapes.iter().map(|s| s[0] * s[1]).sum();
    let calls = (4_000_000 / elements).clamp(1, 500);
    let ((), timing) = timed_repeated(rules, calls, || Ok(step(&gradients)?))?;
    let bytes = 28.0 * elements as f64; // θ, m, v read and written, g read
    Ok(Measured::new(timing, Work::Steps(1), (sum - reference(n)).abs() / scale)
        .with("sum", sum)
        .with("gb_per_s", bytes / timing.median_s / 1e9))
}
