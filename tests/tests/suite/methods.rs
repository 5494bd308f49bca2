//! Methods and a controller from outside: order, dense output, gradients.

use ansatz::{
    ode::{
        Backsolve, Error, ExplicitRungeKutta, RecursiveCheckpoint, Rms, Save, WithArguments, solve,
    },
    ops::{GradCheck, gradcheck},
};
use ansatz_tests::{CashKarp, PowersOfTwo, Ralston3, ThreeEighths};
use candle_core::{Device, Tensor, Var};

use crate::{Checked, assert_close, flat, through};

/// `y′ = cos t + sin t − y`, which depends on time and has the solution `sin t + 0.7 e^(−t)`.
fn field(t: f64, y: &f64) -> f64 {
    t.cos() + t.sin() - y
}

fn exact(t: f64) -> f64 {
    t.sin() + 0.7 * (-t).exp()
}

/// Slope of log error against log step over two halvings.
fn order(error: impl Fn(usize) -> f64) -> f64 {
    (error(16) / error(64)).log2() / 2.0
}

fn measured<M: ExplicitRungeKutta>(method: M, (t0, t1): (f64, f64)) -> f64 {
    order(|n| {
        let run = solve(field, exact(t0), (t0, t1)).with(method).steps(n).run().unwrap();
        (run.y_end - exact(t1)).abs()
    })
}

/// Largest error between the steps.
fn measured_dense<M: ExplicitRungeKutta>(method: M) -> f64 {
    order(|n| {
        let (_, dense) =
            solve(field, exact(0.0), (0.0, 2.0)).with(method).steps(n).run_dense().unwrap();
        let at = |i: usize| 2.0 * (i as f64 + 0.37) / 400.0;
        (0..400).map(|i| (dense.at(at(i)).unwrap() - exact(at(i))).abs()).fold(0.0, f64::max)
    })
}

#[test]
fn order_forwards_and_backwards() {
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        for (name, got, expected) in [
            ("ThreeEighths", measured(ThreeEighths, span), 4.0),
            ("Ralston3", measured(Ralston3, span), 3.0),
            ("CashKarp", measured(CashKarp, span), 5.0),
        ] {
            assert!((got - expected).abs() < 0.2, "{name} over {span:?}: order {got}");
        }
    }
}

/// A cubic interpolant errs by the fourth power of the step, a quadratic one by the third.
#[test]
fn order_of_the_dense_output() {
    for (name, got, expected) in [
        ("ThreeEighths, Hermite", measured_dense(ThreeEighths), 4.0),
        ("Ralston3, its own", measured_dense(Ralston3), 3.0),
        ("CashKarp, Hermite", measured_dense(CashKarp), 4.0),
    ] {
        assert!((got - expected).abs() < 0.25, "{name}: order {got}");
    }
}

#[test]
fn adaptive_steps_keep_the_tolerance() -> Checked {
    let mut errors = Vec::new();
    for tolerance in [1e-4, 1e-7, 1e-10] {
        let run = solve(field, exact(0.0), (0.0, 10.0))
            .with(CashKarp)
            .tolerance(tolerance, tolerance)
            .run()?;
        let error = (run.y_end - exact(10.0)).abs();
        assert!(error < 10.0 * tolerance, "{error:e} at {tolerance:e}");
        errors.push((error, run.statistics.evaluations));
    }
    // Tighter means better and dearer.
    assert!(errors.windows(2).all(|w| w[1].0 < w[0].0 && w[1].1 > w[0].1), "{errors:?}");
    Ok(())
}

#[test]
fn steps_are_powers_of_two() -> Checked {
    let controller = PowersOfTwo { norm: Rms { rtol: 1e-8, atol: 1e-8 }, first_exponent: 3 };
    let run = solve(field, exact(0.0), (0.0, 10.3))
        .with(CashKarp)
        .controller(controller)
        .save(Save::Steps)
        .run()?;
    assert!((run.y_end - exact(10.3)).abs() < 1e-6);
    assert!(run.statistics.rejected >= 5, "the first step of 8 is far too long");
    let steps: Vec<f64> = run.ts.windows(2).map(|w| w[1] - w[0]).collect();
    for h in &steps[..steps.len() - 1] {
        assert_eq!(h.log2().fract(), 0.0, "a step of {h}");
    }
    assert_eq!(*run.ts.last().unwrap(), 10.3);

    let bad = PowersOfTwo { norm: Rms { rtol: 1e-8, atol: 0.0 }, ..controller };
    let error = solve(field, 1.0, (0.0, 1.0)).with(CashKarp).controller(bad).run();
    assert!(matches!(error, Err(Error::InvalidArgument { .. })));
    Ok(())
}

fn pendulum(a: &[Tensor], y: &Tensor) -> candle_core::Result<Tensor> {
    let (q, p) = (y.narrow(0, 0, 1)?, y.narrow(0, 1, 1)?);
    let force = (q.sin()?.broadcast_mul(&a[0])? + p.broadcast_mul(&a[1])?)?.neg()?;
    Tensor::cat(&[&p, &force], 0)
}

fn pendulum_inputs() -> [Tensor; 2] {
    [
        Tensor::new(&[1.2f64, -0.3], &Device::Cpu).unwrap(),
        Tensor::new(&[1.5f64, 0.2], &Device::Cpu).unwrap(),
    ]
}

/// `[ratio, damping]` as two scalars `[1]`.
fn split(a: &Tensor) -> candle_core::Result<Vec<Tensor>> {
    Ok(vec![a.narrow(0, 0, 1)?, a.narrow(0, 1, 1)?])
}

#[test]
fn gradients_with_fixed_steps_equal_finite_differences() {
    fn check<M: ExplicitRungeKutta>(method: M, checkpoints: usize) {
        let f = |v: &[Tensor]| {
            let arguments = split(&v[1])?;
            let field =
                WithArguments::new(|_t: f64, y: &Tensor, a: &[Tensor]| pendulum(a, y), arguments);
            let run = solve(field, v[0].clone(), (0.0, 1.5))
                .with(method)
                .steps(13)
                // Between steps, at a step and at both ends.
                .save_at([0.0, 0.4, 1.5 * 6.0 / 13.0, 1.5])
                .adjoint(RecursiveCheckpoint::new(checkpoints))
                .run()
                .map_err(through)?;
            Ok(Tensor::cat(&[&run.stacked().map_err(through)?.flatten_all()?, &run.y_end], 0)?)
        };
        gradcheck(f, &pendulum_inputs(), &GradCheck::default()).unwrap();
    }
    for checkpoints in [1, 3, 64] {
        check(ThreeEighths, checkpoints);
        check(Ralston3, checkpoints);
    }
    check(CashKarp, 4);
}

#[test]
fn gradients_with_adaptive_steps() -> Checked {
    let solved = |v: &[Tensor], tolerance: f64| {
        let arguments = split(&v[1])?;
        let field =
            WithArguments::new(|_t: f64, y: &Tensor, a: &[Tensor]| pendulum(a, y), arguments);
        let run = solve(field, v[0].clone(), (0.0, 3.0))
            .with(CashKarp)
            .tolerance(tolerance, tolerance)
            .run();
        Ok(run.map_err(through)?.y_end)
    };
    // Step sizes count as constants, so differences agree to the tolerance only.
    let options = GradCheck { step: 1e-4, absolute: 1e-6, relative: 1e-6 };
    gradcheck(|v| solved(v, 1e-11), &pendulum_inputs(), &options)?;
    // The continuous adjoint, by the same foreign method.
    let [y0, a] = pendulum_inputs();
    let (y0, a) = (Var::from_tensor(&y0)?, Var::from_tensor(&a)?);
    let field = || {
        let arguments = split(&a)?;
        candle_core::Result::Ok(WithArguments::new(
            |_t: f64, y: &Tensor, a: &[Tensor]| pendulum(a, y),
            arguments,
        ))
    };
    let setup = || -> Checked<_> {
        let description = solve(field()?, y0.as_tensor().clone(), (0.0, 3.0));
        Ok(description
            .with(CashKarp)
            .controller(PowersOfTwo { norm: Rms { rtol: 1e-10, atol: 1e-10 }, first_exponent: -4 }))
    };
    let discrete = setup()?.run()?.y_end.sqr()?.sum_all()?.backward()?;
    let continuous = setup()?.adjoint(Backsolve).run()?.y_end.sqr()?.sum_all()?.backward()?;
    for v in [&y0, &a] {
        let [d, c] = [&discrete, &continuous].map(|store| flat(store.get(v).unwrap()));
        assert!(d.iter().all(|g| g.abs() > 1e-3), "a gradient to compare: {d:?}");
        assert_close(&c, &d, 1e-7);
    }
    Ok(())
}
