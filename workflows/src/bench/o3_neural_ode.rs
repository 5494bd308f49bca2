//! O3: loss and gradient of a neural ODE.
//!
//! f32, `dy/dt = MLP 2-64-64-2 tanh (y)`, batch 256 as one state, t in [0, 1], rtol 1e-4, atol
//! 1e-6, loss = mean of `(y(1) − target)²`; gradient with respect to all weights. `O3.spiral` adds
//! `A y`, A = [[−0.1, 6], [−6, −0.1]], and runs to t = 5.
use ansatz::core::{Dense, Pointwise, TensorLike};
use ansatz::ode::{
    Adjoint, Backsolve, Direct, Dopri5, Pid, RecursiveCheckpoint, Rk4, Tsit5, solve,
};
use candle_core::{Device, Tensor, Var};

use super::{Measured, Rules, Variant, Work, bias, inputs, targets, timed, weight};
use crate::AnyError;

/// Loss and 2-norm of the gradient in f64 at tolerance 1e-12, and for RK4 with fixed steps.
struct Reference {
    loss: f64,
    gradient: f64,
    rk4_steps: usize,
    rk4_loss: f64,
    rk4_gradient: f64,
}

const SHORT: Reference = Reference {
    loss: 1.5418194939104573,
    gradient: 6.163608914859927,
    rk4_steps: 20,
    rk4_loss: 1.5418194886638774,
    rk4_gradient: 6.163608788590101,
};
const SPIRAL: Reference = Reference {
    loss: 1.794190285541808,
    gradient: 24.278512316678146,
    rk4_steps: 100,
    rk4_loss: 1.7932669432196024,
    rk4_gradient: 24.26151613813038,
};

/// Adaptive with two methods and three adjoints, and fixed steps, which must match to rounding.
pub(super) fn variants() -> Vec<Variant> {
    fn both(
        method: &'static str,
        runs: [fn(&Rules) -> Result<Measured, AnyError>; 2],
    ) -> [Variant; 2] {
        let variant = |workload, run| Variant { workload, library: "ansatz", method, run };
        [variant("O3", runs[0]), variant("O3.spiral", runs[1])]
    }
    let mut all: Vec<Variant> = [
        both("Tsit5-checkpoint", [|r| tsit5(r, false), |r| tsit5(r, true)]),
        both("Tsit5-direct", [|r| tsit5_direct(r, false), |r| tsit5_direct(r, true)]),
        both("Dopri5-checkpoint", [|r| dopri5(r, false), |r| dopri5(r, true)]),
        both("Dopri5-direct", [|r| dopri5_direct(r, false), |r| dopri5_direct(r, true)]),
        both("Tsit5-backsolve", [|r| backsolve(r, false), |r| backsolve(r, true)]),
        both("Rk4-fixed", [|r| rk4(r, false), |r| rk4(r, true)]),
    ]
    .concat();
    all.sort_by_key(|v| v.workload);
    all
}

/// The network with its variables, `w0, b0, w1, b1, w2, b2`.
#[derive(Clone)]
struct Field {
    parameters: Vec<Tensor>,
    /// `Aᵀ` of the spiral.
    linear: Option<Tensor>,
}

impl Field {
    fn new(spiral: bool) -> Result<Self, AnyError> {
        let sizes = [2, 64, 64, 2];
        let mut parameters = Vec::new();
        for layer in 0..3 {
            let (fan_in, fan_out) = (sizes[layer], sizes[layer + 1]);
            parameters.push(variable(weight(fan_out, fan_in, layer), &[fan_out, fan_in])?);
            parameters.push(variable(bias(fan_out, layer), &[fan_out])?);
        }
        let linear = if spiral {
            Some(Tensor::new(&[[-0.1f32, -6.0], [6.0, -0.1]], &Device::Cpu)?)
        } else {
            None
        };
        Ok(Self { parameters, linear })
    }

    fn slope(&self, y: &Tensor) -> ansatz::core::Result<Tensor> {
        let p = &self.parameters;
        let layer = |l: usize, activation| Dense {
            weight: &p[2 * l],
            bias: Some(&p[2 * l + 1]),
            activation,
        };
        let tanh = Some(Pointwise::Tanh);
        let output = y.dense_chain(&[layer(0, tanh), layer(1, tanh), layer(2, None)])?;
        Ok(match &self.linear {
            Some(a) => (output + TensorLike::matmul(y, a)?)?,
            None => output,
        })
    }
}

fn variable(values: Vec<f64>, shape: &[usize]) -> Result<Tensor, AnyError> {
    Ok(Var::from_tensor(&single(values, shape)?)?.into_inner())
}

fn single(values: Vec<f64>, shape: &[usize]) -> Result<Tensor, AnyError> {
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

type BoxedField = Box<dyn Fn(f64, &Tensor) -> ansatz::core::Result<Tensor> + Send + Sync>;

/// Times loss and gradient; `run` solves to the end and returns the state there and the counts.
fn measure(
    rules: &Rules,
    spiral: bool,
    expected: (f64, f64),
    run: impl Fn(BoxedField, Tensor, f64) -> Result<(Tensor, usize), AnyError>,
) -> Result<Measured, AnyError> {
    let field = Field::new(spiral)?;
    let y0 = single(inputs(256, 2), &[256, 2])?;
    let target = single(targets(256, 2), &[256, 2])?;
    let end = if spiral { 5.0 } else { 1.0 };
    let forward = || -> Result<(Tensor, usize), AnyError> {
        let net = field.clone();
        let (y, nfev) = run(Box::new(move |_, y| net.slope(y)), y0.clone(), end)?;
        Ok(((y - &target)?.sqr()?.mean_all()?, nfev))
    };
    let ((loss, norm, nfev), timing) = timed(rules, || {
        let (loss, nfev) = forward()?;
        let gradients = loss.backward()?;
        let mut squares = 0.0;
        for p in &field.parameters {
            let g = gradients.get(p).ok_or("a weight received no gradient")?;
            squares += f64::from(g.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        Ok((f64::from(loss.to_scalar::<f32>()?), squares.sqrt(), nfev))
    })?;
    let (_, forward_timing) = timed(&Rules { budget_s: 2.0, ..*rules }, forward)?;
    Ok(Measured::new(timing, Work::Nfev(nfev), (loss / expected.0 - 1.0).abs())
        .with("loss", loss)
        .with("grad_norm", norm)
        .with("grad_norm_error", (norm / expected.1 - 1.0).abs())
        .with("forward_median_s", forward_timing.median_s))
}

const fn reference(spiral: bool) -> Reference {
    if spiral { SPIRAL } else { SHORT }
}

fn adaptive<M, A>(rules: &Rules, spiral: bool, method: M, adjoint: A) -> Result<Measured, AnyError>
where
    M: ansatz::ode::Adaptive + ansatz::ode::ExplicitRungeKutta,
    A: Adjoint<BoxedField, Tensor, M, Pid> + Clone,
{
    let Reference { loss, gradient, .. } = reference(spiral);
    measure(rules, spiral, (loss, gradient), |field, y0, end| {
        let solution = solve(field, y0, (0.0, end))
            .with(method)
            .tolerance(1e-4, 1e-6)
            .adjoint(adjoint.clone())
            .run()?;
        Ok((solution.y_end, solution.statistics.evaluations))
    })
}

fn tsit5(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    adaptive(rules, spiral, Tsit5, RecursiveCheckpoint::default())
}

fn dopri5(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    adaptive(rules, spiral, Dopri5, RecursiveCheckpoint::default())
}

fn tsit5_direct(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    adaptive(rules, spiral, Tsit5, Direct)
}

fn dopri5_direct(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    adaptive(rules, spiral, Dopri5, Direct)
}

fn backsolve(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    adaptive(rules, spiral, Tsit5, Backsolve)
}

fn rk4(rules: &Rules, spiral: bool) -> Result<Measured, AnyError> {
    let Reference { rk4_steps, rk4_loss, rk4_gradient, .. } = reference(spiral);
    measure(rules, spiral, (rk4_loss, rk4_gradient), |field, y0, end| {
        let solution = solve(field, y0, (0.0, end)).with(Rk4).steps(rk4_steps).run()?;
        Ok((solution.y_end, solution.statistics.evaluations))
    })
}
