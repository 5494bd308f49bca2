//! Local estimates of error and stiffness: those of the solver, and their gradients.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{Device, Tensor, Var};
use ansatz_ode::{Dopri5, Error, LocalEstimates, Rk4, Save, Tsit5, solve};
use ansatz_ops::{GradCheck, gradcheck};

fn scalar(x: &Tensor) -> f64 {
    x.to_scalar().unwrap()
}

/// For y' = λ y the estimate is a polynomial in z = h λ, and the stiffness |λ|.
#[test]
fn linear_problems() {
    let y = Tensor::new(&[2f64, -1.0], &Device::Cpu).unwrap();
    let field = |_: f64, y: &Tensor| y * -5.0;
    let ratio = |h: f64| {
        let one = LocalEstimates::of_step(&field, Dopri5, 0.3, h, &y).unwrap();
        assert!((scalar(one.stiffness.as_ref().unwrap()) - 5.0).abs() < 1e-9);
        scalar(&one.error_norm().unwrap())
    };
    // Of order 5: the difference of solutions of orders 5 and 4.
    let order = (ratio(0.02) / ratio(0.01)).log2();
    assert!((order - 5.0).abs() < 0.1, "{order}");
    assert!((ratio(0.01) - ratio(-0.01)).abs() < 0.2 * ratio(0.01));
}

/// The solver accepts a step when the same estimate is within tolerance.
#[test]
fn the_estimates_are_those_of_the_solver() {
    let field = |t: f64, y: &Tensor| (y.sqr()? * t.cos())?.neg();
    let y0 = Tensor::new(&[1f64, 0.5], &Device::Cpu).unwrap();
    let tolerance = 1e-6;
    let s = solve(field, y0, (0.0, 3.0)).with(Tsit5).tolerance(0.0, tolerance).save(Save::Steps);
    let s = s.run().unwrap();
    let all = LocalEstimates::of_steps(&field, Tsit5, &s).unwrap();
    assert_eq!(all.len(), s.statistics.accepted);
    let norms: Vec<f64> = all.iter().map(|e| scalar(&e.error_norm().unwrap())).collect();
    assert!(norms.iter().all(|e| *e <= tolerance), "{norms:?}");
    assert!(norms.iter().any(|e| *e > 0.05 * tolerance), "{norms:?}");
    let not_all = solve(field, s.ys[0].clone(), (0.0, 3.0)).with(Tsit5).tolerance(0.0, tolerance);
    let not_all = LocalEstimates::of_steps(&field, Tsit5, &not_all.run().unwrap());
    assert!(not_all.is_err());
}

#[test]
fn gradients_through_the_solve_and_the_estimates() {
    let w = Var::new(&[[0.3f64, -1.2], [0.8, 0.1]], &Device::Cpu).unwrap();
    let y0 = Var::new(&[[0.5f64, -0.3]], &Device::Cpu).unwrap();
    let loss = |inputs: &[Tensor]| -> ansatz_ops::Result<Tensor> {
        let w = inputs[1].clone();
        let field = move |t: f64, y: &Tensor| y.matmul(&w)?.tanh()? * (3.0 + t);
        let s = solve(field.clone(), inputs[0].clone(), (0.0, 1.0)).with(Tsit5).steps(4);
        let s = s.save(Save::Steps).run()?;
        let mut sum = s.y_end.sum_all()?;
        for step in LocalEstimates::of_steps(&field, Tsit5, &s)? {
            sum = (sum + (step.error_norm()? * (100.0 * step.h))?)?;
            sum = (sum + (step.stiffness.unwrap() * 0.1)?)?;
        }
        Ok(sum)
    };
    let inputs = [y0.as_tensor().clone(), w.as_tensor().clone()];
    gradcheck(loss, &inputs, &GradCheck::default()).unwrap();
}

#[test]
fn what_makes_no_sense() {
    let y = Tensor::new(&[2f64], &Device::Cpu).unwrap();
    let field = |_: f64, y: &Tensor| y.neg();
    assert!(LocalEstimates::of_step(&field, Rk4, 0.0, 0.1, &y).is_err());
    for h in [0.0, f64::NAN, f64::INFINITY] {
        let found = LocalEstimates::of_step(&field, Tsit5, 0.0, h, &y);
        assert!(matches!(found, Err(Error::InvalidArgument { .. })), "{found:?}");
    }
}
