//! Methods that find out whether the problem is stiff: reference values, counts of work, events.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    AutoSwitch, Bs5, Dopri5, Error, Event, ImplicitField, Kvaerno5, Mass, NoGradient, Rodas5P,
    Save, Solution, Sparsity, Status, Tsit5, VectorField, Vern7, WithSparsity, solve,
};

fn relative(y: &[f64], want: &[f64]) -> f64 {
    y.iter().zip(want).map(|(y, want)| (y / want - 1.0).abs()).fold(0.0, f64::max)
}

/// Two slow parts and two jumps: the explicit method would need some millions of steps.
#[test]
fn van_der_pol() {
    let field = |_: f64, y: &[f64; 2]| [y[1], 1000.0 * (1.0 - y[0] * y[0]) * y[1] - y[0]];
    let setup = || solve(field, [2.0, 0.0], (0.0, 3000.0));
    let explicit = setup().with(Tsit5).tolerance(1e-6, 1e-10).max_steps(100_000).run_partial();
    let explicit = explicit.unwrap();
    assert_eq!(explicit.status, Status::StepBudgetExhausted);
    assert!(explicit.t_end < 200.0, "{}", explicit.t_end);
    macro_rules! check {
        ($explicit:expr, $stiff:expr) => {{
            for (tolerance, allowed) in [(1e-4, 1e-3), (1e-6, 1e-5), (1e-8, 1e-6)] {
                let auto = setup().with(AutoSwitch::new($explicit, $stiff));
                let auto = auto.tolerance(tolerance, 1e-4 * tolerance).run().unwrap();
                let stiff = setup().with($stiff).tolerance(tolerance, 1e-4 * tolerance);
                let stiff = stiff.run().unwrap();
                let want = [-1.5106069367441892, 1.178380000752371e-3];
                let off = relative(&auto.y_end, &want);
                assert!(off < allowed, "{tolerance}: {off}");
                let (a, s) = (auto.statistics, stiff.statistics);
                // Stiff along the slow parts, not stiff in the three jumps between.
                assert_eq!(a.switches, 7, "{a:?}");
                assert!(10 * a.accepted < 12 * s.accepted, "{a:?} {s:?}");
                assert!(a.evaluations < s.evaluations, "{a:?} {s:?}");
            }
        }};
    }
    check!(Tsit5, Rodas5P);
    check!(Tsit5, Kvaerno5);
    check!(Vern7, Rodas5P);
}

/// Stiff from the first moments on.
#[test]
fn robertson() {
    let field = |_: f64, y: &[f64; 3]| {
        let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
        [-slow + back, slow - back - fast, fast]
    };
    let setup = || solve(field, [1.0, 0.0, 0.0], (0.0, 4e10));
    let auto = setup().with(AutoSwitch::new(Tsit5, Kvaerno5)).tolerance(1e-8, 1e-12).run().unwrap();
    let want = [5.208345176853003e-8, 2.0833381779469946e-13, 0.99999994791634];
    assert!(relative(&auto.y_end, &want) < 5e-5, "{:?}", auto.y_end);
    let stiff = setup().with(Kvaerno5).tolerance(1e-8, 1e-12).run().unwrap().statistics;
    let auto = auto.statistics;
    assert_eq!(auto.switches, 1);
    assert!(auto.accepted < stiff.accepted + 40, "{auto:?} {stiff:?}");
}

/// The steps of the explicit method, bit by bit, where the problem is not stiff.
#[test]
fn no_switch_without_stiffness() {
    let predators = |_: f64, y: &[f64; 2]| [1.5 * y[0] - y[0] * y[1], -3.0 * y[1] + y[0] * y[1]];
    let orbit = |_: f64, y: &[f64; 4]| {
        const MU: f64 = 0.012277471;
        let d1 = ((y[0] + MU).powi(2) + y[1] * y[1]).powf(1.5);
        let d2 = ((y[0] - (1.0 - MU)).powi(2) + y[1] * y[1]).powf(1.5);
        [
            y[2],
            y[3],
            y[0] + 2.0 * y[3] - (1.0 - MU) * (y[0] + MU) / d1 - MU * (y[0] - (1.0 - MU)) / d2,
            y[1] - 2.0 * y[2] - (1.0 - MU) * y[1] / d1 - MU * y[1] / d2,
        ]
    };
    let y0 = [0.994, 0.0, 0.0, -2.001585106379082];
    macro_rules! check {
        ($explicit:expr, $field:expr, $y0:expr, $end:expr, $tolerance:expr) => {{
            for span in [(0.0, $end), ($end, 0.0)] {
                let setup =
                    || solve($field, $y0, span).save_at(vec![0.7 * span.0 + 0.3 * span.1, span.1]);
                let alone = setup().with($explicit).tolerance($tolerance, $tolerance);
                let alone = alone.run().unwrap();
                let auto = setup().with(AutoSwitch::new($explicit, Rodas5P));
                let auto = auto.tolerance($tolerance, $tolerance).run().unwrap();
                assert_eq!(auto.statistics, alone.statistics);
                assert_eq!((auto.y_end, &auto.ys), (alone.y_end, &alone.ys));
            }
        }};
    }
    for tolerance in [1e-3, 1e-6, 1e-10] {
        check!(Tsit5, predators, [1.0, 1.0], 20.0, tolerance);
        check!(Dopri5, predators, [1.0, 1.0], 20.0, tolerance);
        check!(Bs5, predators, [1.0, 1.0], 20.0, tolerance);
        check!(Vern7, predators, [1.0, 1.0], 20.0, tolerance);
    }
    for tolerance in [1e-6, 1e-10] {
        check!(Tsit5, orbit, y0, 17.065216560157963, tolerance);
        check!(Vern7, orbit, y0, 17.065216560157963, tolerance);
    }
    let end = solve(orbit, y0, (0.0, 17.065216560157963)).with(AutoSwitch::new(Vern7, Rodas5P));
    let end = end.tolerance(1e-12, 1e-12).run().unwrap().y_end;
    assert!((end[0] - 0.994).abs() < 1e-8 && end[1].abs() < 1e-8, "{end:?}");
    // One of one length has nothing to measure by.
    let steps = solve(predators, [1.0, 1.0], (0.0, 5.0)).with(AutoSwitch::default()).steps(200);
    let alone = solve(predators, [1.0, 1.0], (0.0, 5.0)).with(Tsit5).steps(200).run().unwrap();
    assert_eq!(steps.run().unwrap().y_end, alone.y_end);
}

/// `y → cos t` at a rate of 1 at either end and of 10⁴ between, and `z` slowly to 0, in the direction
/// of the solve.
fn stiff_between(span: (f64, f64)) -> impl Fn(f64, &[f64; 2]) -> [f64; 2] + Copy {
    let direction = (span.1 - span.0).signum();
    move |t, y| {
        let rate = direction * (1.0 + 1e4 * (-((t - 10.0) / 5.0).powi(8)).exp());
        [-rate * (y[0] - t.cos()) - t.sin(), y[0] - t.cos() - 0.2 * direction * y[1]]
    }
}

#[test]
fn stiff_in_one_part() {
    for span in [(0.0, 20.0), (20.0, 0.0)] {
        let start: f64 = span.0;
        let exact = |t: f64| [t.cos(), (-0.2 * (t - start).abs()).exp()];
        let largest = |s: &Solution<[f64; 2]>| {
            let pairs = s.ts.iter().zip(&s.ys);
            let off = pairs.flat_map(|(t, y)| (0..2).map(|i| (y[i] - exact(*t)[i]).abs()));
            off.fold(0.0, f64::max)
        };
        let times: Vec<f64> = (1..400).map(|i| (start - 0.05 * f64::from(i)).abs()).collect();
        for tolerance in [1e-4, 1e-6, 1e-8] {
            let setup = || solve(stiff_between(span), exact(span.0), span);
            let auto = || setup().with(AutoSwitch::default()).tolerance(tolerance, tolerance);
            let steps = auto().save(Save::Steps).run().unwrap();
            assert!(largest(&steps) < 10.0 * tolerance, "{span:?} {tolerance}");
            assert_eq!(steps.statistics.switches, 2, "{span:?} {tolerance}");
            let explicit = setup().with(Tsit5).tolerance(tolerance, tolerance).run().unwrap();
            let [a, e] = [steps.statistics, explicit.statistics];
            assert!(5 * a.accepted < e.accepted, "{a:?} {e:?}");

            // Between the steps the solution is that of the method at work, which is less accurate.
            let read = auto().adjoint(NoGradient).save_at(times.clone());
            let (read, dense) = read.run_dense().unwrap();
            assert_eq!(read.statistics.switches, 2, "{span:?} {tolerance}");
            let stiff = setup().with(Rodas5P).tolerance(tolerance, tolerance);
            let stiff = largest(&stiff.save_at(times.clone()).run().unwrap());
            assert!(largest(&read) < 2.0 * stiff, "{span:?} {tolerance} {stiff}");
            for (t, y) in read.ts.iter().zip(&read.ys) {
                let kept = dense.at(*t).unwrap();
                assert!((0..2).all(|i| (kept[i] - y[i]).abs() < 1e-13), "{t}: {kept:?} {y:?}");
            }
        }
    }
}

/// Crossings are found in the steps of both methods, and a change of the state does not make a solve
/// forget which one suits.
#[test]
fn events_on_both_sides_of_a_switch() {
    for span in [(0.0, 20.0), (20.0, 0.0)] {
        let y0 = [f64::cos(span.0), 1.0];
        for changes in [false, true] {
            let mut zero = Event::new(|_: f64, y: &[f64; 2]| Ok(y[0]));
            if changes {
                zero = zero.change(|_, y: &[f64; 2]| Ok([y[0], 1.0]));
            }
            let s = solve(stiff_between(span), y0, span).with(AutoSwitch::default());
            let s = s.tolerance(1e-9, 1e-9).event(zero).run().unwrap();
            assert_eq!(s.crossings.len(), 6);
            for (i, crossing) in s.crossings.iter().enumerate() {
                let i = if span.0 > 0.0 { 5 - i } else { i };
                let want = std::f64::consts::PI * (i as f64 + 0.5);
                assert!((crossing.t - want).abs() < 1e-7, "{span:?} {}: {want}", crossing.t);
            }
            assert_eq!(s.statistics.switches, 2, "{span:?} {changes}");
            assert!((s.y_end[0] - f64::cos(span.1)).abs() < 1e-7, "{:?}", s.y_end);
        }
    }
}

/// A step that is looked into counts once.
#[test]
fn events_that_do_not_happen_change_nothing() {
    let setup = || {
        let s = solve(stiff_between((0.0, 20.0)), [1.0, 1.0], (0.0, 20.0));
        s.with(AutoSwitch::default()).tolerance(1e-6, 1e-6)
    };
    let never = Event::new(|_: f64, _: &[f64; 2]| Ok(1.0));
    let (with, without) = (setup().event(never).run().unwrap(), setup().run().unwrap());
    assert_eq!(with.statistics.accepted, without.statistics.accepted);
    assert_eq!(with.y_end, without.y_end);
}

/// Too few steps between the jumps to decide by themselves.
#[test]
fn restarts_do_not_hide_stiffness() {
    let field = |t: f64, y: &f64| -1e5 * (y - t.cos()) - t.sin();
    let jumps: Vec<f64> = (1..500).map(|i| 2e-4 * f64::from(i)).collect();
    let s = solve(field, 1.0, (0.0, 0.1)).with(AutoSwitch::default()).tolerance(1e-6, 1e-6);
    let s = s.jumps(jumps).run().unwrap();
    assert_eq!(s.statistics.switches, 1);
    assert!(s.statistics.accepted < 1200, "{:?}", s.statistics);
    assert!((s.y_end - 0.1f64.cos()).abs() < 1e-5, "{}", s.y_end);
}

/// Heat on a line, with a sparse Jacobian: the lowest mode remains.
#[test]
fn sparse_jacobians() {
    let n = 100;
    let scale = ((n + 1) as f64).powi(2);
    let field = move |_: f64, y: &Vec<f64>| -> Vec<f64> {
        let at = |i: usize| if i == 0 || i > n { 0.0 } else { y[i - 1] };
        (1..=n).map(|i| scale * (at(i - 1) - 2.0 * at(i) + at(i + 1))).collect()
    };
    let mode = |k: f64, i: usize| (k * std::f64::consts::PI * i as f64 / (n + 1) as f64).sin();
    let y0: Vec<f64> = (1..=n).map(|i| mode(1.0, i) + 0.3 * mode(9.0, i)).collect();
    let sparsity = Sparsity::detect(&field, 0.0, &y0).unwrap();
    let s = solve(WithSparsity::new(field, sparsity), y0, (0.0, 0.1)).with(AutoSwitch::default());
    let s = s.tolerance(1e-6, 1e-6).run().unwrap();
    let rate = 4.0 * scale * mode(0.5, 1).powi(2);
    for (i, y) in s.y_end.iter().enumerate() {
        assert!((y - mode(1.0, i + 1) * (-0.1 * rate).exp()).abs() < 1e-5, "{i}: {y}");
    }
    assert_eq!(s.statistics.switches, 1);
    assert!(s.statistics.accepted < 200, "{:?}", s.statistics);
}

/// `M y′ = −y` by a type of the user's that would solve `y′ = −y` explicitly.
struct Weighted(Mass);

impl VectorField<[f64; 2]> for Weighted {
    fn eval_into(&self, _: f64, y: &[f64; 2], dy: &mut [f64; 2]) -> ansatz_ode::core::Result<()> {
        *dy = [-y[0], -y[1]];
        Ok(())
    }
}

impl ImplicitField<[f64; 2]> for Weighted {
    fn value_into(&self, t: f64, y: &[f64; 2], out: &mut [f64; 2]) -> ansatz_ode::core::Result<()> {
        self.eval_into(t, y, out)
    }

    fn mass(&self) -> Option<&Mass> {
        Some(&self.0)
    }
}

#[test]
fn mass_matrices_are_refused() {
    let field = Weighted(Mass::from([2.0, 1.0]));
    let s = solve(field, [1.0, 1.0], (0.0, 1.0)).with(AutoSwitch::default()).tolerance(1e-6, 1e-6);
    let result = s.run();
    assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
}

#[cfg(feature = "candle")]
#[test]
fn tensors() {
    use ansatz_ode::core::candle::{DType, Device, Result, Tensor};
    for (dtype, tolerance) in [(DType::F64, 1e-7), (DType::F32, 1e-4)] {
        let of = |x: &[f64]| Tensor::new(x, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let rates = of(&[1.0, 1e4]);
        let field = move |t: f64, y: &Tensor| -> Result<Tensor> {
            ((y - t.cos())?.neg()? * &rates)? - t.sin()
        };
        let s = solve(field, of(&[1.0, 1.0]), (0.0, 5.0)).with(AutoSwitch::default());
        let s = s.tolerance(tolerance, tolerance).adjoint(NoGradient).run().unwrap();
        let end: Vec<f64> = s.y_end.to_dtype(DType::F64).unwrap().to_vec1().unwrap();
        assert!(end.iter().all(|y| (y - 5f64.cos()).abs() < 100.0 * tolerance), "{end:?}");
        assert_eq!((s.statistics.switches, s.y_end.dtype()), (1, dtype), "{:?}", s.statistics);
    }
}
