//! A network as the right-hand side of a differential equation, trained through the adjoint.

use ansatz::{
    core::{self, Key, Module},
    nn::{Adam, AdamConfig, Mlp, MlpConfig, Parameters, Schedule, fit},
    ode::{Backsolve, RecursiveCheckpoint, Tsit5, solve},
    ops::{GradCheck, gradcheck},
};
use ansatz_tests::{CashKarp, History, ThreeEighths};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, assert_close, bits, flat, mlp_of, normal, store, through, values};

const TIMES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

/// Points on a spiral, `[times, batch, 2]`, and where they start.
pub(crate) fn spiral(dtype: DType) -> (Tensor, Tensor) {
    let y0 = Key::new(100).normal_tensor((6, 2), 0.0, 1.0, dtype, &Device::Cpu).unwrap();
    let rows: Vec<Tensor> = TIMES
        .iter()
        .map(|&t| {
            let (s, c) = (2.0 * t).sin_cos();
            let decay = (-0.3 * t).exp();
            let turn =
                Tensor::new(&[[c * decay, -s * decay], [s * decay, c * decay]], &Device::Cpu)
                    .unwrap()
                    .to_dtype(dtype)
                    .unwrap();
            y0.matmul(&turn).unwrap()
        })
        .collect();
    (y0, Tensor::stack(&rows, 0).unwrap())
}

/// The mean squared distance of the solution of `y′ = model(y)` from the data.
pub(crate) fn loss(model: &Mlp, y0: &Tensor, data: &Tensor) -> core::Result<Tensor> {
    let model = model.clone();
    let field = move |_t: f64, y: &Tensor| model.forward(y);
    let solution =
        solve(field, y0.clone(), (0.0, 1.0)).with(Tsit5).tolerance(1e-4, 1e-5).save_at(TIMES);
    Ok((solution.run()?.stacked()? - data)?.sqr()?.mean_all()?)
}

/// A model, its parameters, and its optimiser.
pub(crate) struct Trainee {
    pub(crate) parameters: Parameters,
    pub(crate) model: Mlp,
    pub(crate) adam: Adam,
}

pub(crate) const SCHEDULE: Schedule =
    Schedule::Cosine { peak: 0.03, floor: 1e-3, warmup: 3, steps: 24 };

impl Trainee {
    pub(crate) fn new(seed: u64, dtype: DType) -> Self {
        let parameters = store(seed, dtype);
        let model = Mlp::new(&MlpConfig::new([2, 16, 2]), parameters.builder()).unwrap();
        let adam = Adam::for_parameters(&parameters, AdamConfig::default()).unwrap();
        Self { parameters, model, adam }
    }

    pub(crate) fn train(&mut self, steps: std::ops::Range<u64>, history: &History) -> Vec<f64> {
        let (y0, data) = spiral(self.parameters.dtype());
        let model = &self.model;
        fit(&mut self.adam, &SCHEDULE, steps, |_| loss(model, &y0, &data), history).unwrap()
    }

    pub(crate) fn bits(&self) -> Vec<u64> {
        bits(&self.parameters.flatten().unwrap())
    }
}

#[test]
fn a_neural_differential_equation_learns_the_same_way_twice() {
    for dtype in [DType::F64, DType::F32] {
        let [first, second] = [(), ()].map(|()| {
            let (mut trainee, history) = (Trainee::new(7, dtype), History::default());
            let losses = trainee.train(0..24, &history);
            let reported: Vec<(u64, f64)> = (1..).zip(losses.iter().copied()).collect();
            assert_eq!(history.losses(), reported);
            (losses, trainee.bits())
        });
        assert_eq!(first, second);
        let losses = first.0;
        assert!(losses[23] < 0.3 * losses[0], "{dtype:?}: {losses:?}");
    }
}

/// The gradient with respect to every weight, through the solve, against finite differences.
#[test]
fn gradients_of_the_weights() -> Checked {
    let sizes = [2, 4, 2];
    let parameters = store(8, DType::F64);
    Mlp::new(&MlpConfig::new(sizes), parameters.builder())?;
    let names = parameters.names();
    let y0 = normal(9, &[3, 2], DType::F64);
    let run = |weights: &[Tensor]| {
        let model = mlp_of(&sizes, &names, weights)?;
        let field = move |t: f64, y: &Tensor| -> core::Result<Tensor> {
            Ok(model.forward(y)?.affine(1.0, t.sin())?)
        };
        let run = solve(field, y0.clone(), (0.0, 1.0)).with(ThreeEighths).steps(5).save_at(TIMES);
        run.run().and_then(|solution| solution.stacked()).map_err(through)
    };
    let report = gradcheck(run, &values(&parameters), &GradCheck::default())?;
    assert_eq!(report.elements, parameters.count());
    Ok(())
}

/// Both adjoints, a method of ansatz and one of ours, f32 and f64: one gradient.
#[test]
fn all_ways_give_one_gradient() -> Checked {
    for (dtype, tolerance, agreement) in [(DType::F64, 1e-9, 1e-6), (DType::F32, 1e-5, 1e-3)] {
        let parameters = store(10, dtype);
        let model = Mlp::new(&MlpConfig::new([2, 8, 2]), parameters.builder())?;
        let (y0, data) = spiral(dtype);
        let start = || {
            let model = model.clone();
            let field = move |_t: f64, y: &Tensor| model.forward(y);
            solve(field, y0.clone(), (0.0, 1.0)).save_at(TIMES)
        };
        let solutions = [
            start().with(Tsit5).tolerance(tolerance, tolerance).run()?,
            start().with(CashKarp).tolerance(tolerance, tolerance).run()?,
            start().with(CashKarp).tolerance(tolerance, tolerance).adjoint(Backsolve).run()?,
            start()
                .with(ThreeEighths)
                .step(if dtype == DType::F64 { 0.005 } else { 0.05 })
                .adjoint(RecursiveCheckpoint::new(5))
                .run()?,
        ];
        let mut gradients = Vec::new();
        for solution in &solutions {
            let store = (solution.stacked()? - &data)?.sqr()?.mean_all()?.backward()?;
            let all: Vec<f64> = parameters
                .vars()
                .iter()
                .flat_map(|v| flat(store.get(v).expect("a gradient for every parameter")))
                .collect();
            gradients.push(all);
        }
        assert!(gradients[0].iter().any(|g| g.abs() > 0.01));
        for other in &gradients[1..] {
            assert_close(other, &gradients[0], agreement);
        }
    }
    Ok(())
}
