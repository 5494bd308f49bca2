//! Forward sensitivities: jets as states.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::core::{Jet, Result, TensorLike};
use ansatz_ode::{Dopri5, Error, Save, Tsit5, Vern7, solve};

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn tensor(x: &[f64]) -> Tensor {
    Tensor::new(x, &Device::Cpu).unwrap()
}

/// y' = r y (1 − y): all derivatives by r and by the start, of first, second and third order.
#[test]
fn the_logistic_equation() {
    let (r, start) = (1.3f64, 0.2);
    let exact = |r: f64, start: f64, t: f64| 1.0 / (1.0 + (1.0 / start - 1.0) * (-r * t).exp());
    // Directions: (r, start), in which the series runs.
    let directions = [[1.0, 0.0], [0.0, 1.0], [0.6, -0.1]];
    let column = |k: usize| {
        let entries: Vec<f64> = directions.iter().map(|d| d[k]).collect();
        Tensor::from_vec(entries, (3, 1), &Device::Cpu).unwrap()
    };
    let rate = Jet::seed(&tensor(&[r]), &column(0), 3).unwrap();
    let y0 = Jet::seed(&tensor(&[start]), &column(1), 3).unwrap();
    let field = move |_: f64, y: &Jet| -> Result<Jet> {
        let one = y.constant(&tensor(&[1.0]))?;
        rate.mul(y)?.mul(&one.sub(y)?)
    };
    for span in [(0.0, 2.0), (0.0, -1.5)] {
        let s = solve(field.clone(), y0.clone(), span).with(Vern7).tolerance(1e-12, 1e-12);
        let s = s.save(Save::Steps).run().unwrap();
        for (t, y) in s.ts.iter().zip(&s.ys).step_by(3) {
            assert!((values(&y.value().unwrap())[0] - exact(r, start, *t)).abs() < 1e-10);
            for (k, [dr, ds]) in directions.into_iter().enumerate() {
                // The series of the exact solution by differences of high order.
                let h = 0.008;
                let at = |i: i32| {
                    let x = h * f64::from(i);
                    exact(r + x * dr, start + x * ds, *t)
                };
                let first = (3.0 * (at(1) - at(-1)) / 4.0 - 3.0 * (at(2) - at(-2)) / 20.0
                    + (at(3) - at(-3)) / 60.0)
                    / h;
                let second = (1.5 * (at(1) + at(-1)) - 0.15 * (at(2) + at(-2))
                    + (at(3) + at(-3)) / 90.0
                    - 49.0 / 18.0 * at(0))
                    / (h * h);
                let got = |order: usize| values(&y.derivative(order, k).unwrap())[0];
                assert!((got(1) - first).abs() < 1e-7, "{t} {k}: {} {first}", got(1));
                assert!((got(2) - second).abs() < 1e-5, "{t} {k}: {} {second}", got(2));
            }
        }
    }
}

fn slope<T: TensorLike>(w: &Tensor, t: f64, y: &T) -> Result<T> {
    y.dense(w, None)?.tanh()?.scale(1.0 + t)
}

/// The transpose of the reverse mode: ⟨w, S v⟩ = ⟨Sᵀ w, v⟩ at every tolerance, with fixed steps.
#[test]
fn forward_and_reverse_mode_agree() {
    let w = tensor(&[0.3, -1.2, 0.4, 0.8, 0.1, -0.5, -0.7, 0.9, 0.2]).reshape((3, 3)).unwrap();
    let y0 = Var::new(&[[0.5f64, -0.3, 0.8]], &Device::Cpu).unwrap();
    let direction = tensor(&[0.2, -0.7, 1.1]).reshape((1, 1, 3)).unwrap();
    let v = w.clone();
    let jet = Jet::seed(y0.as_tensor(), &direction, 1).unwrap();
    let forward = solve(move |t: f64, y: &Jet| slope(&v, t, y), jet, (0.2, 1.4)).with(Dopri5);
    let forward = forward.steps(7).run().unwrap().y_end;
    let v = w.clone();
    let reverse =
        solve(move |t: f64, y: &Tensor| slope(&v, t, y), y0.as_tensor().clone(), (0.2, 1.4));
    let end = reverse.with(Dopri5).steps(7).run().unwrap().y_end;
    assert_eq!(values(&end), values(&forward.value().unwrap()));
    let weights = tensor(&[1.0, -2.0, 0.5]).reshape((1, 3)).unwrap();
    let loss = (end * &weights).unwrap().sum_all().unwrap();
    let gradient = values(loss.backward().unwrap().get(&y0).unwrap());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let by_reverse = dot(&gradient, &values(&direction));
    let by_forward = dot(&values(&forward.derivative(1, 0).unwrap()), &values(&weights));
    assert!((by_reverse - by_forward).abs() < 1e-13, "{by_reverse} {by_forward}");
}

/// The tolerance holds for the sensitivities too, unless the norm leaves them out.
#[test]
fn sensitivities_in_and_out_of_the_error_control() {
    // y' = −y + p with p moving by 10⁴ in the direction: a sensitivity far larger than the solution.
    let rate = Jet::seed(&tensor(&[1e-3]), &tensor(&[1e4]), 1).unwrap();
    let y0 = Jet::seed(&tensor(&[1e-3]), &tensor(&[0.0]), 1).unwrap();
    let field = move |t: f64, y: &Jet| -> Result<Jet> { rate.scale((5.0 * t).cos())?.sub(y) };
    let setup = || solve(field.clone(), y0.clone(), (0.0, 3.0)).with(Tsit5);
    let within = setup().tolerance(1e-6, 1e-6).run().unwrap();
    let norm = |e: &Jet, a: &Jet, b: &Jet| -> ansatz_ode::Result<f64> {
        Ok(ansatz_ops::weighted_rms(&e.value()?, &a.value()?, &b.value()?, 1e-6, 1e-6)?)
    };
    let without = setup().controller(ansatz_ode::Pid::i(1e-6, 1e-6).norm(norm)).run().unwrap();
    assert!(without.statistics.accepted < within.statistics.accepted);
}

#[test]
fn a_field_of_another_order() {
    let y0 = Jet::seed(&tensor(&[1.0]), &tensor(&[1.0]), 2).unwrap();
    let wrong = Jet::seed(&tensor(&[1.0]), &tensor(&[1.0]), 1).unwrap();
    let s = solve(move |_: f64, _: &Jet| wrong.clone(), y0, (0.0, 1.0)).with(Tsit5).steps(2).run();
    assert!(matches!(s, Err(Error::Core(_) | Error::Field { .. })), "{s:?}");
}
