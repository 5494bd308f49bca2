//! Pairs of tensors.

use ansatz_ode::{
    BlanesMoanNystrom4, Error, Newtonian, NoGradient, Rk4, Tsit5, VelocityVerlet,
    core::{
        State,
        candle::{DType, Device, Result, Tensor, Var},
    },
    solve,
};

fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// A batch of pendulums takes the steps of its rows, to rounding.
#[test]
fn tensors_take_the_steps_of_numbers() {
    let angles = [0.1, 0.9, -1.4];
    let pendulum = Newtonian::new(|_: f64, q: &Tensor| -> Result<Tensor> { q.sin()?.neg() });
    for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 2e-5)] {
        let q0 = Tensor::new(&angles, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let p0 = q0.zeros_like().unwrap();
        let s = solve(pendulum, (q0.clone(), p0.clone()), (0.0, 5.0));
        let s = s.with(BlanesMoanNystrom4).steps(40).save_at(vec![1.7, 5.0]).run().unwrap();
        for (i, angle) in angles.into_iter().enumerate() {
            let alone = Newtonian::new(|_: f64, q: &f64| -q.sin());
            let alone = solve(alone, (angle, 0.0), (0.0, 5.0)).with(BlanesMoanNystrom4).steps(40);
            let alone = alone.save_at(vec![1.7, 5.0]).run().unwrap();
            for (batch, (q, p)) in s.ys.iter().zip(alone.ys) {
                assert!((values(&batch.0)[i] - q).abs() < tolerance);
                assert!((values(&batch.1)[i] - p).abs() < tolerance);
            }
        }
        assert_eq!(s.y_end.0.dtype(), dtype);
    }
}

/// Values only: nothing of the solution is attached to the graph, whatever the field captured.
#[test]
fn pairs_of_tensors_are_detached() {
    let k = Var::new(2.0f64, &Device::Cpu).unwrap();
    let rate = k.as_tensor().clone();
    let spring = Newtonian::new(move |_: f64, q: &Tensor| q.broadcast_mul(&rate)?.neg());
    let q0 = Var::new(&[1.0f64, 2.0], &Device::Cpu).unwrap();
    let y0 = (q0.as_tensor().clone(), q0.zeros_like().unwrap());
    let s =
        solve(spring.clone(), y0.clone(), (0.0, 1.0)).with(VelocityVerlet).steps(20).run().unwrap();
    assert!(!s.y_end.0.track_op() && !s.y_end.1.track_op());
    let _: NoGradient = solve(spring.clone(), y0.clone(), (0.0, 1.0)).adjoint;
    let t = solve(spring.clone(), y0, (0.0, 1.0)).with(Tsit5).tolerance(1e-9, 1e-9).run().unwrap();
    assert!(!t.y_end.0.track_op());
    for (q, exact) in values(&t.y_end.0).iter().zip([1.0, 2.0]) {
        assert!((q - exact * 2f64.sqrt().cos()).abs() < 1e-7);
    }
}

/// Shapes and dtypes of halves and values are compared.
#[test]
fn mixed_tensors_are_refused() {
    let zeros = |dims: &[usize], dtype| Tensor::zeros(dims, dtype, &Device::Cpu).unwrap();
    let field = Newtonian::new(|_: f64, q: &Tensor| q.neg());
    let q = zeros(&[2, 3], DType::F64);
    for p in [zeros(&[3, 2], DType::F64), zeros(&[2, 3], DType::F32)] {
        let y0 = (q.clone(), p);
        let run = solve(field, y0.clone(), (0.0, 1.0)).with(VelocityVerlet).steps(2).run();
        assert!(matches!(run, Err(Error::Core(_))), "{run:?}");
        let run = solve(field, y0.clone(), (0.0, 1.0)).with(Rk4).steps(2).run();
        assert!(matches!(run, Err(Error::Core(_))), "{run:?}");
        assert!((q.clone(), q.clone()).check_like("a test", &y0).is_err());
    }
    let none = zeros(&[0, 3], DType::F64);
    let run = solve(field, (none.clone(), none), (0.0, 1.0)).with(Rk4).steps(2).run();
    assert!(matches!(run, Err(Error::EmptyState)));
}
