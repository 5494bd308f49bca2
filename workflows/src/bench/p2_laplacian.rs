//! P2: the Laplacian of a network in 100 dimensions, and a training step on it.
//!
//! u = MLP 100-128-128-128-1 tanh, x[256, 100], f32. `median_s`: values; `grad_median_s`: loss =
//! mean of the squared Laplacians, and its gradient.
use ansatz::core::laplacian;

use super::network::{gradient_norm, mlp, single};
use super::{Measured, Rules, Variant, Work, inputs, timed};
use crate::AnyError;

/// The first 16 Laplacians in f64, from the peers' `reference/p2.json`.
const FIRST: [f64; 16] = [
    -0.17191107734646452,
    -0.17635141047445999,
    -0.18072957910982673,
    -0.18506112850999942,
    -0.189362289846447,
    -0.1936698104971927,
    -0.19806228954003763,
    -0.20261754748098354,
    -0.20708187413872392,
    -0.20980269233994656,
    -0.20618436127400258,
    -0.19085589072818,
    -0.16743465423298473,
    -0.1484827728634578,
    -0.13866572905053084,
    -0.1336107672616809,
];
const LOSS: f64 = 0.014252030424214995;
const GRADIENT_NORM: f64 = 1.5498798484630576;

const BATCH: usize = 256;
const DIMENSION: usize = 100;

/// One way: the forward Laplacian.
pub(super) fn variants() -> Vec<Variant> {
    vec![Variant { workload: "P2", library: "ansatz", method: "forward-laplacian", run }]
}

fn run(rules: &Rules) -> Result<Measured, AnyError> {
    let (parameters, net) = mlp(&[DIMENSION, 128, 128, 128, 1])?;
    let x = single(inputs(BATCH, DIMENSION), &[BATCH, DIMENSION])?;
    let rules = Rules { max_runs: 20, ..*rules };
    let (values, timing) = timed(&rules, || Ok(laplacian(&net, &x)?.detach()))?;
    let values = values.flatten_all()?.to_vec1::<f32>()?;
    let largest = FIRST.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let error =
        values.iter().zip(FIRST).map(|(v, e)| (f64::from(*v) - e).abs()).fold(0.0, f64::max);
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / BATCH as f64;
    let ((loss, gradients), step) = timed(&rules, || {
        let loss = laplacian(&net, &x)?.sqr()?.mean_all()?;
        let gradients = loss.backward()?;
        Ok((f64::from(loss.to_scalar::<f32>()?), gradients))
    })?;
    let norm = gradient_norm(&gradients, &parameters.vars())?;
    Ok(Measured::new(timing, Work::Steps(1), error / largest)
        .with("mean_laplacian", mean)
        .with("grad_median_s", step.median_s)
        .with("grad_min_s", step.min_s)
        .with("loss_error", (loss / LOSS - 1.0).abs())
        .with("grad_norm_error", (norm / GRADIENT_NORM - 1.0).abs()))
}
