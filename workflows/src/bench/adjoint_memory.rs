//! Peak memory of the discrete adjoint at 1,000 and 100,000 steps with the same checkpoints.
//!
//! `y' = y W`, W = `weight(8, 8, 0)`, y(0) = `inputs(2048, 8)`, t in [0, 1], f32, Euler steps, 32
//! checkpoints; gradient of mean y(1)² with respect to W. Each length has a process of its own, so
//! that the peaks are theirs. No peer: the figure is the ratio of the two peaks.
use ansatz::ode::{Euler, RecursiveCheckpoint, solve};
use candle_core::{DType, Device, Tensor, Var};

use super::{Measured, Rules, Variant, Work, inputs, timed, weight};
use crate::AnyError;

/// 2-norm of the gradient through the matrix exponential, in f64; the error against it is Euler's.
const GRADIENT: f64 = 3.686827302608415;

/// Both lengths.
pub(super) fn variants() -> Vec<Variant> {
    let run =
        |workload, run| Variant { workload, library: "ansatz", method: "Euler-checkpoint32", run };
    vec![
        run("adjoint_memory.1000", |r| measure(r, 1_000)),
        run("adjoint_memory.100000", |r| measure(r, 100_000)),
    ]
}

fn measure(rules: &Rules, steps: usize) -> Result<Measured, AnyError> {
    let single = |values: Vec<f64>, shape: (usize, usize)| {
        Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(DType::F32)
    };
    let w = Var::from_tensor(&single(weight(8, 8, 0), (8, 8))?)?;
    let y0 = single(inputs(2048, 8), (2048, 8))?;
    let rules = Rules { min_runs: 1, budget_s: 0.0, ..*rules };
    let (norm, timing) = timed(&rules, || {
        let matrix = w.as_tensor().clone();
        let solution = solve(move |_: f64, y: &Tensor| y.matmul(&matrix), y0.clone(), (0.0, 1.0))
            .with(Euler)
            .steps(steps)
            .adjoint(RecursiveCheckpoint::new(32))
            .run()?;
        let gradients = solution.y_end.sqr()?.mean_all()?.backward()?;
        let g = gradients.get(&w).ok_or("the weights received no gradient")?;
        Ok(f64::from(g.sqr()?.sum_all()?.to_scalar::<f32>()?).sqrt())
    })?;
    Ok(Measured::new(timing, Work::Steps(steps), (norm / GRADIENT - 1.0).abs())
        .with("grad_norm", norm))
}
