//! Wrong input that only shows where two crates meet: an error of the right kind, never a panic.

use ansatz::{
    core::{self, Error as CoreError, Jet, Module},
    nn::{Adam, AdamConfig, Error as NnError, Mlp, MlpConfig, Schedule, fit},
    ode::{Error, NoGradient, Result, Solution, Tsit5, solve},
    ops::Error as OpsError,
};
use ansatz_tests::{Bound, History};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, mlp, normal, store};

fn run(
    field: impl Fn(f64, &Tensor) -> core::Result<Tensor> + Send + Sync + 'static,
    y0: &Tensor,
) -> Result<Solution<Tensor>> {
    solve(field, y0.clone(), (0.0, 1.0)).with(Tsit5).tolerance(1e-4, 1e-4).run()
}

#[test]
fn data_in_single_and_weights_in_double_precision() {
    let (model, _) = mlp(70, &[2, 4, 2]);
    let y0 = normal(71, &[3, 2], DType::F32);
    let field = move |_t: f64, y: &Tensor| model.forward(y);
    match run(field.clone(), &y0) {
        Err(Error::Field { t, step: 0, source: CoreError::Ops(OpsError::DType { .. }) }) => {
            assert_eq!(t, 0.0);
        }
        other => panic!("{other:?}"),
    }
    let plain = solve(field, y0, (0.0, 1.0)).with(Tsit5).tolerance(1e-4, 1e-4);
    assert!(matches!(plain.adjoint(NoGradient).run(), Err(Error::Field { .. })));
    // A field that changes the dtype itself.
    let widened = |_t: f64, y: &Tensor| Ok(y.to_dtype(DType::F64)?);
    assert!(matches!(run(widened, &normal(71, &[3, 2], DType::F32)), Err(Error::Core(_))));
}

#[test]
fn fields_of_the_wrong_shape() {
    let y0 = normal(72, &[3, 2], DType::F64);
    for outputs in [1, 3] {
        let (model, _) = mlp(73, &[2, 4, outputs]);
        assert!(matches!(run(move |_, y| model.forward(y), &y0), Err(Error::Core(_))));
    }
    let (model, _) = mlp(74, &[3, 4, 2]);
    match run(move |_, y| model.forward(y), &y0) {
        Err(Error::Field { source: CoreError::Shape { .. }, .. }) => {}
        other => panic!("{other:?}"),
    }
    // A shape that changes on the way: later evaluations are looked at, too.
    let late = |t: f64, y: &Tensor| Ok(if t < 0.3 { y.clone() } else { y.narrow(0, 0, 2)? });
    assert!(run(late, &y0).is_err());
    let late = |t: f64, y: &Vec<f64>| if t < 0.3 { y.clone() } else { vec![0.0; 5] };
    let run = solve(late, vec![1.0; 3], (0.0, 1.0)).with(Tsit5).tolerance(1e-4, 1e-4).run();
    assert!(matches!(run, Err(Error::Core(CoreError::Shape { .. }))), "{run:?}");
}

#[test]
fn data_that_is_not_finite() -> Checked {
    let (model, _) = mlp(75, &[2, 4, 2]);
    let good = normal(76, &[3, 2], DType::F64);
    for bad in [f64::NAN, f64::INFINITY] {
        let poison = Tensor::new(&[[0.0, 0.0], [0.0, bad], [0.0, 0.0]], &Device::Cpu)?;
        let net = model.clone();
        match run(move |_, y| net.forward(y), &(&good + &poison)?) {
            Err(Error::NotFinite { what: "the initial state", step: 0, .. }) => {}
            other => panic!("{other:?}"),
        }
        // In the field only, and only after a while.
        let spoilt = move |t: f64, y: &Tensor| Ok(if t > 0.5 { (y + &poison)? } else { y.clone() });
        assert!(matches!(
            run(spoilt, &good),
            Err(Error::NotFinite { .. } | Error::StepTooSmall { .. })
        ));
    }
    Ok(())
}

/// A NaN in the data stops training before it reaches the parameters.
#[test]
fn training_data_that_is_not_finite() -> Checked {
    let parameters = store(77, DType::F64);
    let model = Mlp::new(&MlpConfig::new([2, 4, 2]), parameters.builder())?;
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::default())?;
    let y0 = normal(78, &[3, 2], DType::F64);
    let schedule = Schedule::Constant { rate: 0.1 };
    let at = |step: u64| if step == 2 { f64::NAN } else { 0.5 };
    let mut snapshots = Vec::new();
    let result = fit(
        &mut adam,
        &schedule,
        0..5,
        |step| {
            snapshots.push(parameters.flatten()?.to_vec1::<f64>()?);
            let net = model.clone();
            let end = run(move |_, y| net.forward(y), &y0)?.y_end;
            Ok(end.affine(1.0, -at(step))?.sqr()?.mean_all()?)
        },
        &History::default(),
    );
    assert!(matches!(result, Err(NnError::NonFiniteLoss { step: 2, .. })));
    assert_eq!(parameters.flatten()?.to_vec1::<f64>()?, snapshots[2]);
    assert_ne!(snapshots[1], snapshots[2]);

    // An error of the solve comes out of the training as what it is.
    let spoilt = y0.affine(f64::NAN, 0.0)?;
    let result = fit(
        &mut adam,
        &schedule,
        0..1,
        |_| {
            let net = model.clone();
            Ok(run(move |_, y| net.forward(y), &spoilt)?.y_end)
        },
        &History::default(),
    );
    let Err(NnError::Core(CoreError::Custom(inner))) = result else { panic!("{result:?}") };
    assert!(matches!(inner.downcast_ref(), Some(Error::NotFinite { .. })));
    Ok(())
}

#[test]
fn values_of_different_kinds() -> Checked {
    let (model, _) = mlp(79, &[2, 4, 2]);
    let x = normal(80, &[3, 2], DType::F64);
    let wide = Jet::seed(&x, &normal(81, &[2, 2], DType::F64), 1)?;
    let deep = Jet::seed(&x, &normal(81, &[2, 2], DType::F64), 2)?;
    let sum = |a: &Jet, b: &Jet| {
        use ansatz::core::TensorLike;
        model.forward(a)?.add(&model.forward(b)?)
    };
    assert!(matches!(sum(&wide, &deep), Err(CoreError::Shape { .. })));
    // Points of the wrong width, and of another dtype, on every kind of value.
    let narrow = normal(82, &[3, 1], DType::F64);
    let single = normal(83, &[3, 2], DType::F32);
    assert!(matches!(Module::<Tensor>::forward(&model, &narrow), Err(CoreError::Shape { .. })));
    assert!(Module::<Tensor>::forward(&model, &single).is_err());
    for x in [&narrow, &single] {
        let unit = x.ones_like()?.unsqueeze(0)?;
        assert!(model.forward(&Jet::seed(x, &unit, 1)?).is_err());
        assert!(model.forward(&Bound::around(x, 0.1)?).is_err());
        assert!(core::gradient(&model, x).is_err());
        assert!(core::laplacian(&model, x).is_err());
    }
    assert!(matches!(Bound::around(&x, -1.0), Err(CoreError::InvalidArgument { .. })));
    Ok(())
}

/// Empty batches: an error where they make no sense, nothing where they do.
#[test]
fn empty_batches() -> Checked {
    let (model, _) = mlp(84, &[2, 4, 2]);
    let empty = Tensor::zeros((0, 2), DType::F64, &Device::Cpu)?;
    let net = model.clone();
    assert!(matches!(run(move |_, y| net.forward(y), &empty), Err(Error::EmptyState)));
    let y: Tensor = model.forward(&empty)?;
    assert_eq!(y.dims(), [0, 2]);
    assert_eq!(core::gradient(&model, &empty)?.dims(), [0, 2, 2]);
    assert_eq!(core::laplacian(&model, &empty)?.dims(), [0, 2]);
    Ok(())
}
