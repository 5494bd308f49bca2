//! P. Kidger, *On Neural Differential Equations* (thesis, Oxford 2021, arXiv:2202.02435): the part
//! on ordinary and controlled differential equations.
//!
//! Ordinary: a neural ODE learns dynamics from a trajectory; without augmentation it cannot
//! learn x ↦ −x, with it it can; differentiating the solver (discretise-then-optimise) gives the
//! exact gradient of what the solver computes; solving the adjoint equation
//! (optimise-then-discretise) gives it only up to the error of the solver. Controlled: a neural CDE
//! reads irregular series, of which much may be missing; the same two statements on gradients.
mod controlled;
mod spirals;

use ansatz::core::{Key, Module};
use ansatz::nn::{Adam, AdamConfig, Mlp, MlpConfig, Optimizer, Parameters, Schedule};
use ansatz::ode::{Adjoint, Backsolve, NoGradient, Pid, RecursiveCheckpoint, Tsit5, solve};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};
use candle_core::{DType, Device, Tensor};

use super::{Claim, Context, Entry, Verdict};
use crate::AnyError;

/// The entry `neural-de`.
#[derive(Debug)]
pub(super) struct NeuralDe;

impl Entry for NeuralDe {
    fn slug(&self) -> &'static str {
        "neural-de"
    }

    fn title(&self) -> &'static str {
        "On Neural Differential Equations (ordinary and controlled part)"
    }

    fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
        let mut claims = vec![spiral(context)?];
        claims.extend(augmentation(context)?);
        claims.extend(adjoints(context)?);
        claims.extend(controlled::claims(context)?);
        Ok(claims)
    }
}

/// Parameters in f64, so that what is measured is the method and not rounding.
fn parameters(seed: u64) -> Result<Parameters, AnyError> {
    Ok(Parameters::new(Key::new(seed), DType::F64, &Device::Cpu)?)
}

fn network(parameters: &Parameters, sizes: &[usize]) -> Result<Mlp, AnyError> {
    Ok(Mlp::new(&MlpConfig::new(sizes), parameters.builder())?)
}

fn scalar(t: &Tensor) -> Result<f64, AnyError> {
    Ok(t.to_dtype(DType::F64)?.to_scalar::<f64>()?)
}

// ---- learning dynamics --------------------------------------------------------------------------

/// The cubic spiral y' = (y³) A from (2, 0) (the example of R. T. Q. Chen et al. 2018; here the
/// 30 points on [0, 1.5] of C. Rackauckas et al. 2020), learnt by the network 2-50-2 on y³.
fn spiral(context: &Context) -> Result<Claim, AnyError> {
    let cpu = &Device::Cpu;
    let times: Vec<f64> = (0..30).map(|i| 1.5 * f64::from(i) / 29.0).collect();
    let start = Tensor::new(&[[2f64, 0.0]], cpu)?;
    let matrix = Tensor::new(&[[-0.1f64, 2.0], [-2.0, -0.1]], cpu)?;
    let truth = move |_: f64, y: &Tensor| y.powf(3.0)?.matmul(&matrix);
    let trajectory = |field, adjoint_free: bool| -> Result<Tensor, AnyError> {
        trajectory(field, start.clone(), &times, adjoint_free)
    };
    let data = trajectory(boxed(truth), true)?;
    let parameters = parameters(1)?;
    let net = network(&parameters, &[2, 50, 2])?;
    let learnt = {
        let net = net.clone();
        move || {
            let net = net.clone();
            boxed(move |_: f64, y: &Tensor| net.forward(&y.powf(3.0)?))
        }
    };
    let loss = || -> Result<Tensor, AnyError> {
        Ok((trajectory(learnt(), false)? - &data)?.sqr()?.mean_all()?)
    };
    let before = scalar(&loss()?)?;
    let steps = if context.full() { 3_000 } else { 1_000 };
    train(&parameters, steps, 0.05, loss)?;
    let fitted = trajectory(learnt(), true)?;
    let after = scalar(&(&fitted - &data)?.sqr()?.mean_all()?)?;
    let fine: Vec<f64> = (0..=300).map(|i| 1.5 * f64::from(i) / 300.0).collect();
    plot_spiral(context, &data, &self::trajectory(learnt(), start.clone(), &fine, true)?)?;
    Ok(Claim {
        claim: "a neural ODE learns the dynamics of a spiral from one trajectory".into(),
        published: "no figure compared; bar set here: below 1e-3".into(),
        source: "task: cubic spiral of Chen et al. 2018; network and training chosen here".into(),
        measured: format!("mean square error {before:.2e} before, {after:.2e} after {steps} steps"),
        verdict: Verdict::holds_if(after < 1e-3 && after < 1e-3 * before),
    })
}

type Field = Box<dyn Fn(f64, &Tensor) -> ansatz::core::Result<Tensor> + Send + Sync>;

/// A field of either error type behind one type.
fn boxed<F, E>(field: F) -> Field
where
    F: Fn(f64, &Tensor) -> Result<Tensor, E> + Send + Sync + 'static,
    ansatz::core::Error: From<E>,
{
    Box::new(move |t, y| Ok(field(t, y)?))
}

fn trajectory(
    field: Field,
    y0: Tensor,
    times: &[f64],
    values_only: bool,
) -> Result<Tensor, AnyError> {
    let span = (times[0], times[times.len() - 1]);
    let setup = solve(field, y0, span).with(Tsit5).tolerance(1e-6, 1e-6).save_at(times);
    let solution = if values_only { setup.adjoint(NoGradient).run()? } else { setup.run()? };
    Ok(solution.stacked()?)
}

/// Adam with a rate that falls along half a cosine.
fn train(
    parameters: &Parameters,
    steps: u64,
    rate: f64,
    loss: impl Fn() -> Result<Tensor, AnyError>,
) -> Result<(), AnyError> {
    let mut adam = Adam::for_parameters(parameters, AdamConfig::new(rate))?;
    let schedule = Schedule::Cosine { peak: rate, floor: 0.01 * rate, warmup: 0, steps };
    for step in 0..steps {
        adam.set_learning_rate(schedule.at(step));
        adam.backward_step(&loss()?)?;
    }
    Ok(())
}

fn plot_spiral(context: &Context, data: &Tensor, fitted: &Tensor) -> Result<(), AnyError> {
    let points = |t: &Tensor| -> Result<Vec<[f64; 2]>, AnyError> {
        Ok(t.squeeze(1)?.to_vec2::<f64>()?.iter().map(|row| [row[0], row[1]]).collect())
    };
    let panel = Panel::new(
        "A neural ODE fitted to a cubic spiral",
        Axis::linear("y₁", [-2.2, 2.2]),
        Axis::linear("y₂", [-2.2, 2.2]),
    )
    .with(Layer::line(points(fitted)?, OKABE_ITO[0]).label("neural ODE"))
    .with(Layer::points(points(data)?, OKABE_ITO[1]).label("data"));
    let svg = context.plot("neural-de.svg");
    context.plot("neural-de.png");
    let folder = svg.parent().ok_or("the plot has no folder")?;
    Figure::new(560, 520).panel([0.0, 0.0, 1.0, 1.0], panel).save(folder, "neural-de")?;
    Ok(())
}

// ---- augmentation -------------------------------------------------------------------------------

/// Flows on a line keep the order of points, so the best a neural ODE can do for x ↦ −x on
/// {−1, 1} is to send both to 0: mean square error 1 (E. Dupont, A. Doucet, Y. W. Teh 2019).
fn augmentation(context: &Context) -> Result<[Claim; 2], AnyError> {
    let steps = if context.full() { 2_000 } else { 300 };
    let plain = negation_error(1, steps)?;
    let augmented = negation_error(2, steps)?;
    Ok([
        Claim {
            claim: "an unaugmented neural ODE cannot learn x ↦ −x".into(),
            published: "cannot be represented (≥ 1 on {−1, 1} follows from order on a line)".into(),
            source: "Dupont et al. 2019, abstract: functions neural ODEs cannot represent".into(),
            measured: format!("{plain:.6} after {steps} steps"),
            verdict: Verdict::holds_if((1.0 - 1e-6..1.1).contains(&plain)),
        },
        Claim {
            claim: "one augmented dimension suffices".into(),
            published: "more expressive; no figure compared, bar set here: below 1e-4".into(),
            source: "Dupont et al. 2019, abstract".into(),
            measured: format!("{augmented:.1e} after {steps} steps"),
            verdict: Verdict::holds_if(augmented < 1e-4),
        },
    ])
}

/// Mean square error of a neural ODE in `dimension` dimensions, x in the first one, trained to
/// map −1 to 1 and 1 to −1.
fn negation_error(dimension: usize, steps: u64) -> Result<f64, AnyError> {
    let cpu = &Device::Cpu;
    let x = Tensor::new(&[[-1f64], [1.0]], cpu)?;
    let y0 = x.pad_with_zeros(1, 0, dimension - 1)?;
    let parameters = parameters(2)?;
    let net = network(&parameters, &[dimension, 16, 16, dimension])?;
    let loss = || -> Result<Tensor, AnyError> {
        let net = net.clone();
        let field = boxed(move |_: f64, y: &Tensor| net.forward(y));
        let solution =
            solve(field, y0.clone(), (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run()?;
        Ok((solution.y_end.narrow(1, 0, 1)? + &x)?.sqr()?.mean_all()?)
    };
    train(&parameters, steps, 0.02, loss)?;
    scalar(&loss()?)
}

// ---- adjoints -----------------------------------------------------------------------------------

/// Gradients by both adjoints of the mean square of y(1) of a neural ODE 2-16-16-2.
fn adjoints(context: &Context) -> Result<[Claim; 2], AnyError> {
    let tolerances: &[f64] =
        if context.full() { &[1e-3, 1e-5, 1e-7, 1e-9, 1e-11] } else { &[1e-3, 1e-5, 1e-7] };
    let parameters = parameters(3)?;
    let net = network(&parameters, &[2, 16, 16, 2])?;
    let y0 = Key::new(4).normal_tensor((8, 2), 0.0, 1.5, DType::F64, &Device::Cpu)?;

    // The solver's own steps, held fixed while the weights are shifted: what is compared is the
    // gradient of the discrete solution.
    let discrete = |steps: usize| -> Result<Tensor, AnyError> {
        let net = net.clone();
        let field =
            move |_: f64, y: &Tensor| Ok::<_, ansatz::core::Error>((net.forward(y)? * 3.0)?);
        Ok(solve(field, y0.clone(), (0.0, 1.0))
            .with(Tsit5)
            .steps(steps)
            .run()?
            .y_end
            .sqr()?
            .mean_all()?)
    };
    let gradient = flat_gradient(&parameters, &discrete(6)?)?;
    let weights = parameters.flatten()?.detach().to_vec1::<f64>()?;
    let mut worst = 0f64;
    let size = gradient.iter().fold(0f64, |m, g| m.max(g.abs()));
    for index in (0..weights.len()).step_by(if context.full() { 1 } else { 5 }) {
        let at = |shift: f64| -> Result<f64, AnyError> {
            let mut shifted = weights.clone();
            shifted[index] += shift;
            parameters.set_from_flat(&Tensor::new(shifted, &Device::Cpu)?)?;
            scalar(&discrete(6)?)
        };
        let h = 1e-5;
        let difference = (at(h)? - at(-h)?) / (2.0 * h);
        worst = worst.max((difference - gradient[index]).abs() / size);
    }
    parameters.set_from_flat(&Tensor::new(weights, &Device::Cpu)?)?;

    let mut gaps = Vec::new();
    for &tolerance in tolerances {
        let a =
            adaptive_gradient(&parameters, &net, &y0, tolerance, RecursiveCheckpoint::default())?;
        let b = adaptive_gradient(&parameters, &net, &y0, tolerance, Backsolve)?;
        let gap = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        gaps.push(gap / a.iter().map(|a| a * a).sum::<f64>().sqrt());
    }
    let listed: Vec<String> =
        tolerances.iter().zip(&gaps).map(|(t, g)| format!("{g:.0e} at {t:.0e}")).collect();
    let within = tolerances.iter().zip(&gaps).all(|(t, gap)| *gap < 100.0 * t);
    let falling = gaps.windows(2).all(|pair| pair[1] < 0.2 * pair[0]);
    Ok([
        Claim {
            claim: "discretise-then-optimise gives the exact gradient of the discrete solution"
                .into(),
            published: "no figure compared; exact by construction, bar set here: 1e-8".into(),
            source: "discretise-then-optimise, as the thesis calls it".into(),
            measured: format!("{worst:.0e} relative to central differences"),
            verdict: Verdict::holds_if(worst < 1e-8),
        },
        Claim {
            claim: "optimise-then-discretise agrees to solver tolerance, and only to that".into(),
            published: "no figure compared; bar set here: 100 × tolerance, and falling".into(),
            source: "optimise-then-discretise, as the thesis calls it".into(),
            measured: format!("relative gap {}", listed.join(", ")),
            verdict: Verdict::holds_if(within && falling && gaps[0] > 1e-9),
        },
    ])
}

fn adaptive_gradient<A>(
    parameters: &Parameters,
    net: &Mlp,
    y0: &Tensor,
    tolerance: f64,
    adjoint: A,
) -> Result<Vec<f64>, AnyError>
where
    A: Adjoint<Field, Tensor, Tsit5, Pid>,
{
    let net = net.clone();
    let field =
        boxed(move |_: f64, y: &Tensor| Ok::<_, ansatz::core::Error>((net.forward(y)? * 3.0)?));
    let solution = solve(field, y0.clone(), (0.0, 1.0))
        .with(Tsit5)
        .tolerance(tolerance, tolerance)
        .adjoint(adjoint)
        .run()?;
    flat_gradient(parameters, &solution.y_end.sqr()?.mean_all()?)
}

/// All gradients in one vector, in the order of the parameters.
pub(super) fn flat_gradient(parameters: &Parameters, loss: &Tensor) -> Result<Vec<f64>, AnyError> {
    let store = loss.backward()?;
    let mut flat = Vec::new();
    for variable in parameters.vars() {
        let g = store.get(&variable).ok_or("a weight received no gradient")?;
        flat.extend(g.flatten_all()?.to_vec1::<f64>()?);
    }
    Ok(flat)
}
