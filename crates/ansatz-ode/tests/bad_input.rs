//! Bad input gives the error that names it.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(clippy::result_large_err)] // and need not be small

#[cfg(feature = "candle")]
use ansatz_ode::WithArguments;
use ansatz_ode::{Error, FixedStep, Pid, Rk4, Save, Status, Tsit5, solve};

fn decay(_: f64, y: &[f64; 1]) -> [f64; 1] {
    [-y[0]]
}

#[test]
fn tolerances_must_be_positive() {
    for (rtol, atol) in
        [(0.0, 0.0), (-1e-3, 1e-3), (1e-3, -1.0), (f64::NAN, 1e-3), (1e-3, f64::INFINITY)]
    {
        let result = solve(decay, [1.0], (0.0, 1.0)).with(Tsit5).tolerance(rtol, atol).run();
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{rtol} {atol}");
    }
    // One of them may be zero.
    solve(decay, [1.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 0.0).run().unwrap();
}

#[test]
fn controller_settings_are_validated() {
    let bad = [
        Pid { safety: 0.0, ..Pid::i(1e-3, 1e-3) },
        Pid { factor_min: 1.0, ..Pid::i(1e-3, 1e-3) },
        Pid { factor_max: 1.0, ..Pid::i(1e-3, 1e-3) },
        Pid { max_step: 0.0, ..Pid::i(1e-3, 1e-3) },
        Pid { first_step: Some(-1.0), ..Pid::i(1e-3, 1e-3) },
        Pid { integral: 0.0, ..Pid::i(1e-3, 1e-3) },
        Pid { proportional: f64::NAN, ..Pid::i(1e-3, 1e-3) },
    ];
    for pid in bad {
        let result = solve(decay, [1.0], (0.0, 1.0)).with(Tsit5).controller(pid).run();
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{pid:?}");
    }
    for step in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let result = solve(decay, [1.0], (0.0, 1.0)).with(Rk4).controller(FixedStep { step }).run();
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{step}");
    }
    assert!(matches!(
        solve(decay, [1.0], (0.0, 1.0)).with(Rk4).steps(0).run(),
        Err(Error::InvalidArgument { .. })
    ));
}

#[test]
fn save_times_must_run_along_and_inside() {
    let run = |span, times: Vec<f64>| {
        solve(decay, [1.0], span).with(Tsit5).tolerance(1e-6, 1e-6).save_at(times).run()
    };
    assert!(matches!(run((0.0, 1.0), vec![0.5, 0.4]), Err(Error::NonMonotone { index: 1, .. })));
    assert!(matches!(run((0.0, 1.0), vec![0.5, 0.5]), Err(Error::NonMonotone { .. })));
    assert!(matches!(run((1.0, 0.0), vec![0.4, 0.5]), Err(Error::NonMonotone { .. })));
    assert!(matches!(run((0.0, 1.0), vec![0.5, 1.5]), Err(Error::OutsideInterval { .. })));
    assert!(matches!(run((0.0, 1.0), vec![-0.5]), Err(Error::OutsideInterval { .. })));
    assert!(matches!(run((0.0, 1.0), vec![f64::NAN]), Err(Error::InvalidArgument { .. })));
    assert!(matches!(run((0.0, f64::NAN), vec![]), Err(Error::InvalidArgument { .. })));
    assert_eq!(run((0.0, 1.0), vec![]).unwrap().ys.len(), 0);
}

#[test]
fn nan_names_time_and_step() {
    let initial = solve(decay, [f64::NAN], (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run();
    assert!(matches!(initial, Err(Error::NotFinite { what: "the initial state", step: 0, .. })));

    let breaks = |t: f64, y: &[f64; 1]| [if t > 0.5 { f64::NAN } else { -y[0] }];
    let adaptive = solve(breaks, [1.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run();
    assert!(
        matches!(adaptive, Err(Error::NotFinite { t, .. }) if (0.45..=0.5 + 1e-9).contains(&t)),
        "{adaptive:?}"
    );
    let fixed = solve(breaks, [1.0], (0.0, 1.0)).with(Rk4).steps(10).run();
    assert!(matches!(fixed, Err(Error::NotFinite { step: 5, .. })), "{fixed:?}");

    let always = |_: f64, _: &[f64; 1]| [f64::NAN];
    let start = solve(always, [1.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run();
    assert!(matches!(start, Err(Error::NotFinite { what: "the vector field", step: 0, .. })));
}

#[test]
fn blow_up_is_reported_with_its_time() {
    // y' = y², y(0) = 1 leaves for infinity at t = 1.
    let field = |_: f64, y: &f64| y * y;
    let result = solve(field, 1.0, (0.0, 2.0)).with(Tsit5).tolerance(1e-8, 1e-8).run();
    match result {
        Err(Error::StepTooSmall { t, .. } | Error::NotFinite { t, .. }) => {
            assert!((t - 1.0).abs() < 1e-3, "{t}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exhausted_budget_returns_what_there_is() {
    let s = solve(decay, [1.0], (0.0, 10.0))
        .with(Rk4)
        .steps(100)
        .max_steps(30)
        .save_at(vec![0.5, 2.0, 3.0, 7.0])
        .run_partial()
        .unwrap();
    assert_eq!(s.status, Status::StepBudgetExhausted);
    assert_eq!(s.ts, [0.5, 2.0, 3.0]);
    assert!((s.t_end - 3.0).abs() < 1e-12);
    assert!((s.y_end[0] - (-3f64).exp()).abs() < 1e-5);
    assert!(matches!(s.finished(), Err(Error::StepBudgetExhausted { steps: 30, .. })));

    let end =
        solve(decay, [1.0], (0.0, 10.0)).with(Rk4).steps(100).max_steps(30).run_partial().unwrap();
    assert_eq!((end.ts.len(), end.ts[0]), (1, end.t_end));
}

#[test]
fn empty_states_and_wrong_sizes() {
    let none = solve(|_: f64, y: &Vec<f64>| y.clone(), vec![], (0.0, 1.0)).with(Rk4).steps(3).run();
    assert!(matches!(none, Err(Error::EmptyState)));
    let longer = |_: f64, _: &Vec<f64>| vec![0.0; 3];
    let result = solve(longer, vec![1.0; 2], (0.0, 1.0)).with(Rk4).steps(3).run();
    assert!(
        matches!(result, Err(Error::Core(ansatz_ode::core::Error::Shape { .. }))),
        "{result:?}"
    );
}

#[test]
fn a_failing_field_is_named() {
    let field = |t: f64, y: &f64| {
        if t > 0.32 {
            Err(ansatz_ode::core::Error::invalid("rate", -1.0, "a positive number"))
        } else {
            Ok(-y)
        }
    };
    let result = solve(field, 1.0, (0.0, 1.0)).with(Rk4).steps(10).run();
    assert!(matches!(result, Err(Error::Field { step: 3, .. })), "{result:?}");
}

#[test]
fn zero_length_returns_the_start() {
    let s = solve(decay, [2.0], (1.0, 1.0))
        .with(Tsit5)
        .tolerance(1e-6, 1e-6)
        .save_at(vec![1.0])
        .run()
        .unwrap();
    assert_eq!((s.ys[0], s.y_end, s.statistics.evaluations), ([2.0], [2.0], 0));
    solve(decay, [2.0], (1.0, 1.0)).with(Rk4).steps(3).save(Save::Steps).run().unwrap();
}

#[cfg(feature = "candle")]
mod tensors {
    use super::*;
    use ansatz_ode::core::candle::{DType, Device, Tensor};
    use ansatz_ode::{Backsolve, RecursiveCheckpoint};

    #[test]
    fn shape_and_dtype_mismatches() {
        let y0 = Tensor::ones((2, 3), DType::F64, &Device::Cpu).unwrap();
        let other = Tensor::ones((3, 2), DType::F64, &Device::Cpu).unwrap();
        let run = |value: Tensor| {
            solve(move |_: f64, _: &Tensor| value.clone(), y0.clone(), (0.0, 1.0))
                .with(Tsit5)
                .tolerance(1e-6, 1e-6)
                .run()
        };
        assert!(matches!(run(other), Err(Error::Core(_))));
        assert!(matches!(run(y0.to_dtype(DType::F32).unwrap()), Err(Error::Core(_))));
    }

    #[test]
    fn empty_batches() {
        let y0 = Tensor::zeros((0, 3), DType::F32, &Device::Cpu).unwrap();
        let result = solve(|_: f64, y: &Tensor| y.neg(), y0, (0.0, 1.0)).with(Rk4).steps(4).run();
        assert!(matches!(result, Err(Error::EmptyState)));
    }

    #[test]
    fn nan_in_tensors() {
        let y0 = Tensor::new(&[1f32, f32::NAN], &Device::Cpu).unwrap();
        let result = solve(|_: f64, y: &Tensor| y.neg(), y0, (0.0, 1.0)).with(Rk4).steps(4).run();
        assert!(matches!(result, Err(Error::NotFinite { what: "the initial state", .. })));
        let y0 = Tensor::new(&[1f32, -1.0], &Device::Cpu).unwrap();
        let result = solve(|_: f64, y: &Tensor| y.sqrt(), y0, (0.0, 1.0))
            .with(Tsit5)
            .tolerance(1e-3, 1e-3)
            .run();
        assert!(matches!(result, Err(Error::NotFinite { what: "the vector field", step: 0, .. })));
    }

    #[test]
    fn zero_checkpoints() {
        let w = ansatz_ode::core::candle::Var::new(1f64, &Device::Cpu).unwrap();
        let y0 = Tensor::new(1f64, &Device::Cpu).unwrap();
        let field = WithArguments::new(
            |_: f64, y: &Tensor, a: &[Tensor]| y * &a[0],
            vec![w.as_tensor().clone()],
        );
        let result = solve(field, y0, (0.0, 1.0))
            .with(Rk4)
            .steps(4)
            .adjoint(RecursiveCheckpoint::new(0))
            .run();
        assert!(matches!(result, Err(Error::Core(_))));
        // A field that fails only while the solve is replayed: the error comes out of `backward`
        // as the variant that it is.
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let v = w.as_tensor().clone();
        let y0 = Tensor::new(1f64, &Device::Cpu).unwrap();
        let field = move |_: f64, y: &Tensor| {
            // One evaluation to find the variables, four stages for each of four steps.
            if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 17 {
                return Err(ansatz_ode::core::Error::invalid("rate", "-1", "a positive number"));
            }
            Ok((y * &v)?)
        };
        let s = solve(field, y0, (0.0, 1.0)).with(Rk4).steps(4).run().unwrap();
        let error = s.y_end.backward().map(|_| ()).map_err(ansatz_ode::Error::from);
        assert!(matches!(error, Err(Error::Field { step: 3, .. })), "{error:?}");
        // An adjoint that cannot finish within the budget says so when it is needed.
        let v = w.as_tensor().clone();
        let y0 = Tensor::new(1f64, &Device::Cpu).unwrap();
        let s = solve(move |_: f64, y: &Tensor| y * &v, y0, (0.0, 1.0))
            .with(Rk4)
            .steps(4)
            .adjoint(Backsolve)
            .run()
            .unwrap();
        s.y_end.backward().unwrap();
    }
}
