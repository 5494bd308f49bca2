//! P1: a training step on the residual of Burgers' equation.
//!
//! u = MLP 2-32-32-32-32-1 tanh of (x, t); r = u_t + u u_x − (0.01/π) u_xx at 10,000 points
//! x = 2 R2₀ − 1, t = R2₁; loss = mean r²; one step = loss, gradient, Adam with rate 0. f32.
use ansatz::core::{Jet, Module};
use ansatz::nn::{Adam, AdamConfig, Mlp, Optimizer};
use candle_core::{Device, Tensor};

use super::network::{gradient_norm, mlp, single};
use super::{Measured, Rules, Variant, Work, r2, timed};
use crate::AnyError;

/// In f64, from the peers' `reference/p1.json`.
const LOSS: f64 = 0.16373456668369435;
const GRADIENT_NORM: f64 = 2.9218854109607175;

const POINTS: usize = 10_000;
const VISCOSITY: f64 = 0.01 / std::f64::consts::PI;

/// One way: second-order jets along both axes.
pub(super) fn variants() -> Vec<Variant> {
    vec![Variant { workload: "P1", library: "ansatz", method: "jet", run }]
}

fn residual(net: &Mlp, points: &Tensor, axes: &Tensor) -> ansatz::core::Result<Tensor> {
    let u = net.forward(&Jet::seed(points, axes, 2)?)?;
    let (u_x, u_t, u_xx) = (u.derivative(1, 0)?, u.derivative(1, 1)?, u.derivative(2, 0)?);
    Ok(((u_t + (u.value()? * u_x)?)? - (u_xx * VISCOSITY)?)?)
}

fn run(rules: &Rules) -> Result<Measured, AnyError> {
    let (parameters, net) = mlp(&[2, 32, 32, 32, 32, 1])?;
    let points = r2(POINTS, 0).into_iter().flat_map(|[x, t]| [2.0 * x - 1.0, t]).collect();
    let points = single(points, &[POINTS, 2])?;
    let axes = Tensor::eye(2, candle_core::DType::F32, &Device::Cpu)?;
    let variables = parameters.vars();
    let mut optimiser = Adam::for_parameters(&parameters, AdamConfig::new(0.0))?;
    let ((loss, gradients), timing) = timed(rules, || {
        let loss = residual(&net, &points, &axes)?.sqr()?.mean_all()?;
        let gradients = loss.backward()?;
        optimiser.step(&gradients)?;
        Ok((f64::from(loss.to_scalar::<f32>()?), gradients))
    })?;
    let norm = gradient_norm(&gradients, &variables)?;
    let brief = Rules { budget_s: 3.0, ..*rules };
    let (_, residual_timing) = timed(&brief, || Ok(residual(&net, &points, &axes)?))?;
    Ok(Measured::new(timing, Work::Steps(1), (loss / LOSS - 1.0).abs())
        .with("loss", loss)
        .with("grad_norm", norm)
        .with("grad_norm_error", (norm / GRADIENT_NORM - 1.0).abs())
        .with("residual_median_s", residual_timing.median_s))
}
