//! Controlled equations: closed forms, invariances, gradients.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(clippy::result_large_err)] // and need not be small

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::{
    Backsolve, ControlPath, Controlled, DataPath, Direct, Dopri5, Error, Heun, Interpolation,
    NoGradient, RecursiveCheckpoint, Result, Rk4, Save, Tsit5, VectorField, WithArguments, solve,
};
use ansatz_ops::{GradCheck, gradcheck};

const ALL: [Interpolation; 4] = [
    Interpolation::Linear,
    Interpolation::Rectilinear,
    Interpolation::NaturalCubic,
    Interpolation::Hermite,
];
const TIMES: [f64; 5] = [0.0, 0.4, 1.0, 1.3, 2.0];

fn tensor<S: Into<candle_core::Shape>>(values: &[f64], shape: S) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

/// Two series of two channels, with values missing if `holes`.
fn series(holes: bool) -> Tensor {
    let mut x: Vec<f64> =
        (0..20).map(|i| (1.7 * f64::from(i)).sin() + 0.05 * f64::from(i)).collect();
    for i in [2, 5, 11, 18].into_iter().filter(|_| holes) {
        x[i] = f64::NAN;
    }
    tensor(&x, (2, 5, 2))
}

fn rows(t: &Tensor) -> Vec<Vec<f64>> {
    t.to_dtype(DType::F64).unwrap().to_vec2().unwrap()
}

fn assert_near(a: &Tensor, b: &Tensor, tolerance: f64) {
    let (a, b) = (rows(a), rows(b));
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((x - y).abs() <= tolerance * y.abs().max(1.0), "{a:?} {b:?}");
    }
}

/// f(t, y) `[batch, 2, 2]`, nonlinear, with a weight `[2, 4]`; reads the time if `timed`.
fn matrices(t: f64, y: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    let batch = y.dim(0)?;
    (y.matmul(weight)? + 0.3 * t)?.tanh()?.reshape((batch, 2, 2))
}

/// X(t) = (sin w, w²) for w = t or, run at another speed, w = t².
#[derive(Debug, Clone, Copy)]
struct Smooth {
    squared: bool,
}

impl ControlPath for Smooth {
    fn interval(&self) -> (f64, f64) {
        (0.0, 2.0)
    }

    fn batch(&self) -> usize {
        2
    }

    fn channels(&self) -> usize {
        2
    }

    fn value(&self, t: f64) -> Result<Tensor> {
        let w = if self.squared { t * t } else { t };
        Ok(Tensor::new(&[[w.sin(), w * w], [w.sin(), w * w]], &Device::Cpu)?)
    }

    fn derivative(&self, t: f64) -> Result<Tensor> {
        let (w, dw) = if self.squared { (t * t, 2.0 * t) } else { (t, 1.0) };
        let slope = [w.cos() * dw, 2.0 * w * dw];
        Ok(Tensor::new(&[slope, slope], &Device::Cpu)?)
    }
}

#[test]
fn along_a_smooth_path_it_is_an_ordinary_equation() {
    let weight = [[0.4, -0.9, 0.3, 1.1], [0.8, 0.2, -0.7, 0.5]];
    let w = tensor(&weight.concat(), (2, 4));
    let plain = move |t: f64, y: &[f64; 2]| {
        let entry = |j: usize| (y[0] * weight[0][j] + y[1] * weight[1][j] + 0.3 * t).tanh();
        let slope = [t.cos(), 2.0 * t];
        [0, 2].map(|row| entry(row) * slope[0] + entry(row + 1) * slope[1])
    };
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let w = w.clone();
        let field = Controlled::new(Smooth { squared: false }, move |t: f64, y: &Tensor| {
            matrices(t, y, &w)
        });
        let y0 = [[0.5, -0.2], [-1.0, 0.7]];
        let s = solve(field, tensor(&y0.concat(), (2, 2)), span).with(Tsit5);
        let s = s.tolerance(1e-10, 1e-10).run().unwrap();
        for (row, y0) in rows(&s.y_end).iter().zip(y0) {
            let s = solve(plain, y0, span).with(Dopri5).tolerance(1e-11, 1e-11).run().unwrap();
            for (a, b) in row.iter().zip(s.y_end) {
                assert!((a - b).abs() < 1e-8, "{a} {b}");
            }
        }
    }
}

/// The state at `t1`.
fn end<P: ControlPath + Send + Sync + 'static>(
    path: P,
    w: &Tensor,
    y0: &Tensor,
    t1: f64,
) -> Tensor {
    let w = w.clone();
    let knots = path.knots().to_vec();
    let field = Controlled::new(path, move |_: f64, y: &Tensor| matrices(0.0, y, &w));
    let s = solve(field, y0.clone(), (0.0, t1)).with(Tsit5).tolerance(1e-10, 1e-10);
    s.jumps(knots).run().unwrap().y_end
}

/// What the path does counts, not when: y at the end does not change with the speed.
#[test]
fn another_speed_changes_nothing() {
    let w = tensor(&[0.4, -0.9, 0.3, 1.1, 0.8, 0.2, -0.7, 0.5], (2, 4));
    let y0 = tensor(&[0.5, -0.2, -1.0, 0.7], (2, 2));
    let slow = end(Smooth { squared: false }, &w, &y0, 1.96);
    let fast = end(Smooth { squared: true }, &w, &y0, 1.4);
    assert_near(&fast, &slow, 1e-8);
    // Lines stay lines when each is run through at a speed of its own.
    let warped = [0.0, 0.1, 5.0, 5.2, 11.0];
    for interpolation in [Interpolation::Linear, Interpolation::NaturalCubic] {
        let a = DataPath::new(interpolation, &TIMES, &series(true)).unwrap();
        let b = DataPath::new(interpolation, &warped, &series(false)).unwrap();
        let c = DataPath::new(interpolation, &TIMES, &series(false)).unwrap();
        let (a, b, c) = (end(a, &w, &y0, 2.0), end(b, &w, &y0, 11.0), end(c, &w, &y0, 2.0));
        let same = (&b - &c).unwrap().abs().unwrap().max_all().unwrap();
        let same = same.to_scalar::<f64>().unwrap() < 1e-8;
        assert_eq!(same, interpolation == Interpolation::Linear);
        assert!(
            (a - c).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap() > 1e-3
        );
    }
}

/// dy = Σ Aᵢ y dXᵢ with Aᵢ = aᵢ + bᵢ J, J the rotation by a right angle: all commute, and
/// y = exp(Σ aᵢ ΔXᵢ) · (rotation by Σ bᵢ ΔXᵢ) y0, whatever the path does in between.
#[test]
fn commuting_matrices_have_a_closed_form() {
    let (a, b) = ([0.3, -0.5], [1.2, 0.7]);
    for interpolation in ALL {
        for backwards in [false, true] {
            for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
                let data = series(true).to_dtype(dtype).unwrap();
                let path = DataPath::new(interpolation, &TIMES, &data).unwrap();
                let skip = path.channels() - 2;
                let columns = move |y: &Tensor| {
                    let turned = Tensor::cat(&[y.narrow(1, 1, 1)?.neg()?, y.narrow(1, 0, 1)?], 1)?;
                    let column = |i: usize| ((y * a[i])? + (&turned * b[i])?)?.unsqueeze(2);
                    let (first, second) = (column(0)?, column(1)?);
                    let time = first.zeros_like()?;
                    let all = [vec![time; skip], vec![first, second]].concat();
                    Tensor::cat(&all, 2)
                };
                let field = Controlled::new(path.clone(), move |_: f64, y: &Tensor| columns(y));
                let (t0, t1) = path.interval();
                let span = if backwards { (t1, t0) } else { (t0, t1) };
                let y0 = tensor(&[0.5, -0.2, -1.0, 0.7], (2, 2)).to_dtype(dtype).unwrap();
                let s = solve(field, y0.clone(), span).with(Tsit5).tolerance(tolerance, tolerance);
                let s = s.jumps(path.knots()).run().unwrap();
                assert_eq!(s.y_end.dtype(), dtype);
                let change = (path.value(span.1).unwrap() - path.value(span.0).unwrap()).unwrap();
                let expected: Vec<f64> = rows(&change)
                    .iter()
                    .zip(rows(&y0))
                    .flat_map(|(dx, y)| {
                        let growth = (a[0] * dx[skip] + a[1] * dx[skip + 1]).exp();
                        let (sin, cos) = (b[0] * dx[skip] + b[1] * dx[skip + 1]).sin_cos();
                        [growth * (cos * y[0] - sin * y[1]), growth * (sin * y[0] + cos * y[1])]
                    })
                    .collect();
                assert_near(&s.y_end, &tensor(&expected, (2, 2)), 20.0 * tolerance);
            }
        }
    }
}

/// y = (X¹, ∫ X¹ dX², ∫∫ X¹ dX² dX¹ …) are iterated integrals, which the order of events enters. On
/// lines they are polynomials, exact for Rk4 with one step each.
#[test]
fn iterated_integrals() {
    let points = [[0.0, 0.0], [1.0, 0.5], [0.2, 2.0], [-1.0, 1.0], [0.5, -0.3]];
    let data = tensor(&points.concat(), (1, 5, 2));
    // Level two by Chen's identity: for a line with increment d, S¹² = d₁ d₂ / 2.
    let (mut s1, mut s12) = (0.0, 0.0);
    for p in points.windows(2) {
        let d = [p[1][0] - p[0][0], p[1][1] - p[0][1]];
        s12 += s1 * d[1] + 0.5 * d[0] * d[1];
        s1 += d[0];
    }
    for (interpolation, exact) in [(Interpolation::Linear, true), (Interpolation::Hermite, false)] {
        let path = DataPath::new(interpolation, &TIMES, &data).unwrap();
        let field = Controlled::new(path.clone(), |_: f64, y: &Tensor| {
            let (zero, one) = (y.narrow(1, 0, 1)?.zeros_like()?, y.narrow(1, 0, 1)?.ones_like()?);
            let first = Tensor::cat(&[&one, &zero], 1)?;
            let second = Tensor::cat(&[&zero, &y.narrow(1, 0, 1)?], 1)?;
            Tensor::stack(&[first, second], 1)
        });
        let y0 = Tensor::zeros((1, 2), DType::F64, &Device::Cpu).unwrap();
        let s = solve(field, y0, path.interval()).with(Rk4).step(10.0).jumps(path.knots());
        let s = s.run().unwrap();
        assert_eq!(s.statistics.accepted, 4);
        let y = rows(&s.y_end);
        assert!((y[0][0] - s1).abs() < 1e-12);
        assert_eq!((y[0][1] - s12).abs() < 1e-12, exact, "{} {s12}", y[0][1]);
    }
}

fn loss(s: &ansatz_ode::Solution<Tensor>) -> ansatz_ops::Result<Tensor> {
    let mut total = s.y_end.sqr()?;
    for (i, y) in s.ys.iter().enumerate() {
        total = (total + (y * (1.0 + 0.3 * i as f64))?.sin()?)?;
    }
    Ok(total)
}

/// Data, weights and initial state against central differences, with steps held fixed.
#[test]
fn gradients_are_those_of_the_discrete_solution() {
    let weight = tensor(&[0.4, -0.9, 0.3, 1.1, 0.8, 0.2, -0.7, 0.5], (2, 4));
    let y0 = tensor(&[0.5, -0.2, -1.0, 0.7], (2, 2));
    let holes = (series(true) - series(false)).unwrap();
    // The time channel of a rectilinear path acts as one of two.
    for interpolation in ALL {
        for (backwards, direct) in [(false, false), (false, true), (true, false), (true, true)] {
            let run = |x: &[Tensor]| -> ansatz_ops::Result<Tensor> {
                let data = (&x[0] + &holes)?;
                let timed = interpolation == Interpolation::Rectilinear;
                let data = if timed { data.narrow(2, 0, 1)? } else { data };
                let path = DataPath::new(interpolation, &TIMES, &data)?;
                let (t0, t1) = path.interval();
                let y0 = (path.value(t0)? + &x[2])?;
                let knots = path.knots().to_vec();
                let inner = |t: f64, y: &Tensor, a: &[Tensor]| matrices(t, y, &a[0]);
                let field = Controlled::new(path, WithArguments::new(inner, vec![x[1].clone()]));
                let (span, save) = if backwards {
                    ((t1, t0), vec![2.0, 1.3, 1.1, 0.4])
                } else {
                    ((t0, t1), vec![0.0, 0.4, 0.7, 1.0, 1.5])
                };
                let s = solve(field, y0, span).with(Heun).step(0.3).jumps(knots).save_at(save);
                let s = if direct {
                    s.adjoint(Direct).run()?
                } else {
                    s.adjoint(RecursiveCheckpoint::new(2)).run()?
                };
                loss(&s)
            };
            let inputs = [series(false), weight.clone(), y0.clone()];
            gradcheck(run, &inputs, &GradCheck::default()).unwrap();
        }
    }
}

/// Gradients of the data, a captured weight and the initial state by one adjoint.
fn gradients<A>(adjoint: A, interpolation: Interpolation, tolerance: f64, back: bool) -> Vec<f64>
where
    A: ansatz_ode::Adjoint<Controlled<DataPath, Captured>, Tensor, Tsit5, ansatz_ode::Pid>,
{
    let data = Var::from_tensor(&series(false)).unwrap();
    let weight = tensor(&[0.4, -0.9, 0.3, 1.1, 0.8, 0.2, -0.7, 0.5], (2, 4));
    let weight = Var::from_tensor(&weight).unwrap();
    let y0 = Var::from_tensor(&tensor(&[0.5, -0.2, -1.0, 0.7], (2, 2))).unwrap();
    let holes = (series(true) - series(false)).unwrap();
    let path = (data.as_tensor() + holes).unwrap();
    let path = DataPath::new(interpolation, &TIMES, &path).unwrap();
    let knots = path.knots().to_vec();
    let field = Controlled::new(path, Captured(weight.as_tensor().clone()));
    // Saved at knots too, from which Backsolve starts afresh.
    let (span, times) = if back {
        ((2.0, 0.0), vec![2.0, 1.3, 0.9, 0.4])
    } else {
        ((0.0, 2.0), vec![0.4, 0.9, 1.3, 2.0])
    };
    let s = solve(field, y0.as_tensor().clone(), span).with(Tsit5).tolerance(tolerance, tolerance);
    let s = s.jumps(knots).save(Save::Times(times)).adjoint(adjoint).run().unwrap();
    let store = loss(&s).unwrap().sum_all().unwrap().backward().unwrap();
    [&data, &weight, &y0]
        .iter()
        .flat_map(|v| store.get(v).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap())
        .collect()
}

struct Captured(Tensor);

impl VectorField<Tensor> for Captured {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> ansatz_ode::core::Result<()> {
        *dy = matrices(t, y, &self.0)?;
        Ok(())
    }
}

#[test]
fn adjoints_agree() {
    for interpolation in
        [Interpolation::Linear, Interpolation::NaturalCubic, Interpolation::Hermite]
    {
        for back in [false, true] {
            for (tolerance, allowed) in [(1e-5, 2e-3), (1e-9, 1e-6)] {
                let a = gradients(RecursiveCheckpoint::default(), interpolation, tolerance, back);
                let b = gradients(Direct, interpolation, tolerance, back);
                let c = gradients(Backsolve, interpolation, tolerance, back);
                for ((a, b), c) in a.iter().zip(b).zip(c) {
                    assert!((a - b).abs() < 1e-12 * a.abs().max(1.0), "{a} {b}");
                    assert!((a - c).abs() < allowed * a.abs().max(1.0), "{tolerance} {a} {c}");
                }
            }
        }
    }
}

/// Untracked data cost nothing; tracked ones are arguments, before those of the field.
#[test]
fn a_path_is_an_argument_only_where_it_is_tracked() {
    let rate = tensor(&[0.1], 1);
    let field = |_: f64, y: &Tensor, a: &[Tensor]| y.unsqueeze(2)?.broadcast_mul(&a[0]);
    let path = DataPath::linear(&TIMES, &series(false)).unwrap();
    let controlled = Controlled::new(path, WithArguments::new(field, vec![rate.clone()]));
    assert_eq!(controlled.arguments().len(), 1);
    let data = Var::from_tensor(&series(false)).unwrap();
    let path = DataPath::linear(&TIMES, &data).unwrap();
    let controlled = Controlled::new(path, WithArguments::new(field, vec![rate.clone()]));
    assert_eq!(controlled.arguments().len(), 2);
    assert_eq!(controlled.arguments()[1].id(), rate.id());
    assert!(controlled.path().tensors()[0].track_op());
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let path = || DataPath::linear(&TIMES, &series(false)).unwrap();
    let run = |y0: Tensor, entries: usize| {
        let field = Controlled::new(path(), move |_: f64, y: &Tensor| {
            let hidden = y.elem_count() / 2;
            Tensor::zeros((2, hidden, entries), y.dtype(), y.device())
        });
        solve(field, y0, (0.0, 2.0)).with(Rk4).steps(4).adjoint(NoGradient).run()
    };
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F64, &Device::Cpu).unwrap();
    run(zeros(&[2, 3]), 2).unwrap();
    for (y0, entries) in [(zeros(&[2, 3]), 3), (zeros(&[3, 3]), 2), (zeros(&[2, 3, 1]), 2)] {
        let found = run(y0, entries);
        let named = match &found {
            Err(Error::Field { source, .. }) => {
                matches!(source, ansatz_ode::core::Error::Shape { .. })
            }
            _ => false,
        };
        assert!(named, "{found:?}");
    }
    // Beyond the data there is no path.
    let field = Controlled::new(path(), |_: f64, y: &Tensor| Tensor::stack(&[y, y], 2));
    let beyond = solve(field, zeros(&[2, 3]), (0.0, 3.0)).with(Rk4).steps(4).run();
    assert!(matches!(beyond, Err(Error::Field { .. })), "{beyond:?}");
}
