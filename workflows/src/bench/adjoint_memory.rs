//! Time and peak memory of each adjoint at 1,000 and 100,000 steps.
//!
//! `y' = y W`, W = `weight(8, 8, 0)`, y(0) = `inputs(256, 8)`, t in [0, 1], f32, Euler steps; gradient of
//! mean y(1)² with respect to W. Each line has a process of its own, so that the peaks are theirs. No
//! peer: the figures are the growth of the peak with the steps, and the adjoints beside each other.
use ansatz::ode::{
    Adjoint, Backsolve, DefaultAdjoint, Direct, Euler, FixedStep, Interpolating, Method,
    RecursiveCheckpoint, Reversible, ReversibleAdjoint, Solves, VectorField, solve,
};
use candle_core::{DType, Device, Tensor, Var};

use super::{Measured, Rules, Variant, Work, inputs, timed, weight};
use crate::AnyError;

/// 2-norm of the gradient through the matrix exponential, in f64; the error against it is Euler's and
/// that of f32.
const GRADIENT: f64 = 3.722113650008621;

const LENGTHS: [&str; 2] = ["adjoint_memory.1000", "adjoint_memory.100000"];

/// Every adjoint at both lengths.
pub(super) fn variants() -> Vec<Variant> {
    macro_rules! each {
        ($($name:literal: $method:expr, $adjoint:expr;)*) => {
            vec![$(
                Variant {
                    workload: LENGTHS[0],
                    library: "ansatz",
                    method: $name,
                    run: |r| measure(r, field, 1_000, $method, $adjoint),
                },
                Variant {
                    workload: LENGTHS[1],
                    library: "ansatz",
                    method: $name,
                    run: |r| measure(r, field, 100_000, $method, $adjoint),
                },
            )*]
        };
    }
    each!(
        "checkpoint32": Euler, RecursiveCheckpoint::new(32);
        "direct": Euler, Direct;
        "interpolating64": Euler, Interpolating::new(64);
        "backsolve": Euler, Backsolve;
        "reversible": Reversible::new(Euler), ReversibleAdjoint;
    )
}

fn field(matrix: Tensor) -> impl VectorField<Tensor> + Send + Sync + 'static {
    move |_: f64, y: &Tensor| y.matmul(&matrix)
}

fn measure<F, M, A>(
    rules: &Rules,
    field: impl Fn(Tensor) -> F,
    steps: usize,
    method: M,
    adjoint: A,
) -> Result<Measured, AnyError>
where
    Tensor: DefaultAdjoint,
    F: VectorField<Tensor>,
    M: Method + Solves<F, Tensor>,
    A: Adjoint<F, Tensor, M, FixedStep> + Clone,
{
    let single = |values: Vec<f64>, shape: (usize, usize)| {
        Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(DType::F32)
    };
    let w = Var::from_tensor(&single(weight(8, 8, 0), (8, 8))?)?;
    let y0 = single(inputs(256, 8), (256, 8))?;
    let rules = Rules { min_runs: 1, budget_s: 0.0, ..*rules };
    let (norm, timing) = timed(&rules, || {
        let solution = solve(field(w.as_tensor().clone()), y0.clone(), (0.0, 1.0))
            .with(method.clone())
            .steps(steps)
            .adjoint(adjoint.clone())
            .run()?;
        let gradients = solution.y_end.sqr()?.mean_all()?.backward()?;
        let g = gradients.get(&w).ok_or("the weights received no gradient")?;
        Ok(f64::from(g.sqr()?.sum_all()?.to_scalar::<f32>()?).sqrt())
    })?;
    Ok(Measured::new(timing, Work::Steps(steps), (norm / GRADIENT - 1.0).abs())
        .with("grad_norm", norm))
}
