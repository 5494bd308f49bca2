//! Training: a regression, reproducibility, what stops it.

use std::sync::Mutex;

use ansatz_core::{
    Key, Module, ProgressEvent, Result, Silent,
    candle::{DType, Device, Tensor},
};
use ansatz_nn::{
    Adam, AdamConfig, Checkpoint, Clip, Error, Mlp, MlpConfig, Parameters, Schedule, fit,
};

use crate::{bits, store};

const STEPS: u64 = 300;
const SCHEDULE: Schedule = Schedule::Cosine { peak: 0.02, floor: 0.0, warmup: 20, steps: STEPS };

/// A network for sin on [−π, π], its optimiser and its loss on fresh points in every step.
struct Regression {
    parameters: Parameters,
    net: Mlp,
    adam: Adam,
}

impl Regression {
    fn new(dtype: DType) -> Self {
        let parameters = Parameters::new(Key::new(1), dtype, &Device::Cpu).unwrap();
        let net = Mlp::new(&MlpConfig::new([1, 16, 16, 1]), parameters.builder()).unwrap();
        let config = AdamConfig::default().decoupled_decay(1e-4).clip(Clip::Norm(1.0));
        let adam = Adam::for_parameters(&parameters, config).unwrap();
        Self { parameters, net, adam }
    }

    fn loss(&self) -> impl Fn(u64) -> Result<Tensor> + use<> {
        let (net, dtype) = (self.net.clone(), self.parameters.dtype());
        move |step| {
            let key = Key::new(2).fold_in(step);
            let x = key.uniform_tensor((64, 1), -3.2, 3.2, dtype, &Device::Cpu)?;
            Ok((net.forward(&x)? - x.sin()?)?.sqr()?.mean_all()?)
        }
    }

    fn train(&mut self, steps: std::ops::Range<u64>) -> Vec<f64> {
        let loss = self.loss();
        fit(&mut self.adam, &SCHEDULE, steps, loss, &Silent).unwrap()
    }
}

#[test]
fn learns_the_sine_with_the_same_digits_twice() {
    // The best straight line has 0.196.
    for dtype in [DType::F64, DType::F32] {
        let run = || {
            let mut problem = Regression::new(dtype);
            let history = problem.train(0..STEPS);
            (history, bits(&problem.parameters))
        };
        let (first, second) = (run(), run());
        assert_eq!(first, second);
        let history = first.0;
        assert_eq!(history.len() as u64, STEPS);
        assert!(history[0] > 0.1 && history[STEPS as usize - 1] < 4e-3, "{:?}", history.last());
    }
}

#[test]
fn a_checkpoint_continues_to_the_bit() {
    let mut whole = Regression::new(DType::F32);
    let history = whole.train(0..60);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.safetensors");
    let mut first = Regression::new(DType::F32);
    let mut pieces = first.train(0..25);
    let checkpoint = Checkpoint::new(&first.parameters).unwrap().step(25);
    checkpoint.optimizer(&first.adam).unwrap().save(&path).unwrap();

    let mut second = Regression::new(DType::F32);
    let checkpoint = Checkpoint::load(&path).unwrap();
    checkpoint.restore_with(&second.parameters, &mut second.adam).unwrap();
    pieces.extend(second.train(checkpoint.steps_done()..60));
    assert_eq!(pieces, history);
    assert_eq!(bits(&second.parameters), bits(&whole.parameters));

    // Parameters alone are not enough.
    let mut third = Regression::new(DType::F32);
    checkpoint.restore(&third.parameters).unwrap();
    assert_ne!(third.train(25..60), history[25..]);
}

#[test]
fn a_loss_that_is_not_finite_stops() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut good = Regression::new(DType::F64);
        good.train(0..7);
        let mut problem = Regression::new(DType::F64);
        let loss = problem.loss();
        let poisoned = |step| Ok((loss(step)? * if step == 7 { bad } else { 1.0 })?);
        match fit(&mut problem.adam, &SCHEDULE, 0..20, poisoned, &Silent) {
            Err(Error::NonFiniteLoss { step: 7, value }) => assert!(!value.is_finite()),
            other => panic!("{other:?}"),
        }
        assert_eq!(bits(&problem.parameters), bits(&good.parameters));
    }
}

/// The gradient of `√x` at 0: the loss is fine, its gradient is not.
#[test]
fn a_gradient_that_is_not_finite_stops() {
    let parameters = store(0);
    let x = parameters.builder().get(2, "x").unwrap();
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::default()).unwrap();
    let loss = |_| Ok(x.sqrt()?.sum_all()?);
    match fit(&mut adam, &0.1.into(), 0..2, loss, &Silent) {
        Err(Error::NonFiniteGradient { index: 0, name }) => assert_eq!(name, "x"),
        other => panic!("{other:?}"),
    }
    assert_eq!(bits(&parameters), [0, 0]);
}

#[test]
fn progress_and_errors() {
    let parameters = store(0);
    let x = parameters.builder().get(2, "x").unwrap();
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::default()).unwrap();
    let loss = |_| Ok((x.sqr()?.sum_all()? + 3.0)?);

    let seen = Mutex::new(Vec::new());
    let progress = |e: &ProgressEvent| {
        seen.lock().unwrap().push((e.label.to_owned(), e.step, e.total, e.loss));
    };
    let history = fit(&mut adam, &0.1.into(), 5..7, loss, &progress).unwrap();
    assert_eq!(history, [3.0, 3.0]);
    let event = |step| ("train".to_owned(), step, Some(7), Some(3.0));
    assert_eq!(seen.into_inner().unwrap(), [event(6), event(7)]);

    // Nothing to do, also when asked to go back.
    #[allow(clippy::reversed_empty_ranges)]
    for none in [3..3, 4..3] {
        assert!(fit(&mut adam, &0.1.into(), none, loss, &Silent).unwrap().is_empty());
    }
    let vector = |_| Ok(x.sqr()?);
    let result = fit(&mut adam, &0.1.into(), 0..1, vector, &Silent);
    assert!(matches!(result, Err(Error::Core(_))), "{result:?}");
    let result = fit(&mut adam, &(-0.1).into(), 0..1, loss, &Silent);
    assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    // The caller's error comes back as it is.
    let failing = |_| Err(Error::NoGradient.into());
    let result = fit(&mut adam, &0.1.into(), 0..1, failing, &Silent);
    assert!(matches!(result, Err(Error::NoGradient)), "{result:?}");
    // One element in any shape is a loss.
    let shaped = |_| Ok(x.sqr()?.sum_all()?.reshape((1, 1))?);
    assert_eq!(fit(&mut adam, &0.1.into(), 0..1, shaped, &Silent).unwrap(), [0.0]);
}
