//! Multistep methods: reference values, counts of work, events, differential-algebraic equations,
//! bad input.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Adams, Bdf, Error, Event, InPlace, NoGradient, Save, Solution, Sparsity, Status, Tolerance,
    WithJacobian, WithMass, WithSparsity, solve,
};

const BDF: Bdf = Bdf { max_order: 5 };
const ADAMS: Adams = Adams { max_order: 12 };

const ROBERTSON: [(f64, [f64; 3]); 3] = [
    (1e-2, [9.996006826883e-1, 3.645047887845e-5, 3.628668328284e-4]),
    (1.0, [9.664597373330e-1, 3.074626578579e-5, 3.350951640121e-2]),
    (100.0, [6.172348823961e-1, 6.153591274640e-6, 3.827589640126e-1]),
];

fn robertson(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [-slow + back, slow - back - fast, fast]
}

fn robertson_jacobian(_: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
}

fn relative(y: &[f64], want: &[f64]) -> f64 {
    y.iter().zip(want).map(|(y, want)| (y / want - 1.0).abs()).fold(0.0, f64::max)
}

/// The saved states are those of the reference.
fn check_robertson(s: &Solution<[f64; 3]>, tolerance: f64) {
    for (y, (t, want)) in s.ys.iter().zip(ROBERTSON) {
        assert!(relative(y, &want) < tolerance, "{t}: {y:?} {:?}", s.statistics);
    }
}

#[test]
fn robertson_at_three_times() {
    let times: Vec<f64> = ROBERTSON.iter().map(|(t, _)| *t).collect();
    let field = WithJacobian::new(robertson, robertson_jacobian);
    let given = solve(field, [1.0, 0.0, 0.0], (0.0, 100.0))
        .with(BDF)
        .tolerance(1e-8, 1e-12)
        .save_at(times.clone())
        .run()
        .unwrap();
    check_robertson(&given, 2e-6);
    let differences = solve(robertson, [1.0, 0.0, 0.0], (0.0, 100.0))
        .with(BDF)
        .tolerance(1e-8, 1e-12)
        .save_at(times)
        .run()
        .unwrap();
    check_robertson(&differences, 2e-6);
    let [a, b] = [given.statistics, differences.statistics];
    assert!(a.accepted.abs_diff(b.accepted) <= 10, "{a:?} {b:?}");
    // Four evaluations for each Jacobian.
    let jacobians = 4 * b.jacobians;
    assert!((b.evaluations - jacobians).abs_diff(a.evaluations) <= 20, "{a:?} {b:?}");
}

/// Work within that of other programs at the same tolerance: SciPy's BDF takes 640 steps, 1790
/// evaluations and 127 factorisations, LSODA 848, 1173 and 123.
#[test]
fn robertson_to_the_end() {
    let field = WithJacobian::new(robertson, robertson_jacobian);
    let s =
        solve(field, [1.0, 0.0, 0.0], (0.0, 4e10)).with(BDF).tolerance(1e-6, 1e-10).run().unwrap();
    let c = s.statistics;
    let want = [5.208345176853003e-8, 2.0833381779469946e-13, 0.99999994791634];
    assert!(relative(&s.y_end, &want) < 5e-3, "{:?}", s.y_end);
    assert!((500..700).contains(&c.accepted), "{c:?}");
    assert!(c.rejected < 30 && c.not_converged == 0, "{c:?}");
    assert!(c.evaluations < 1100 && c.jacobians < 40 && c.factorisations < 200, "{c:?}");
}

/// SciPy's BDF takes 1905 steps, 5695 evaluations and 424 factorisations, LSODA 2067, 3489 and 258.
#[test]
fn van_der_pol() {
    let field = WithJacobian::new(
        |_: f64, y: &[f64; 2]| [y[1], 1000.0 * (1.0 - y[0] * y[0]) * y[1] - y[0]],
        |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [-2000.0 * y[0] * y[1] - 1.0, 1000.0 * (1.0 - y[0] * y[0])]]
        },
    );
    let s = solve(field, [2.0, 0.0], (0.0, 3000.0)).with(BDF).tolerance(1e-6, 1e-10).run().unwrap();
    let c = s.statistics;
    assert!(relative(&s.y_end, &[-1.5106069367441892, 1.178380000752371e-3]) < 1e-4, "{s:?}");
    assert!((1400..1900).contains(&c.accepted) && c.rejected < 400, "{c:?}");
    assert!(c.evaluations < 3800 && c.factorisations < 650 && c.jacobians < 130, "{c:?}");
}

/// y' = −λ (y − cos t) − sin t, stiff in either direction of time.
#[test]
fn prothero_robinson() {
    for (span, rate) in [((0.0, 20.0), -1e6), ((20.0, 0.0), 1e6)] {
        let (start, end): (f64, f64) = span;
        for tolerance in [1e-4, 1e-6, 1e-8] {
            let field = move |t: f64, y: &f64| rate * (y - t.cos()) - t.sin();
            let (s, dense) = solve(field, start.cos(), span)
                .with(BDF)
                .tolerance(tolerance, tolerance)
                .run_dense()
                .unwrap();
            assert!((s.y_end - end.cos()).abs() < tolerance, "{span:?} {}", s.y_end);
            assert!(s.statistics.accepted < 400, "{:?}", s.statistics);
            for i in 0..=1000 {
                let t = 0.02 * f64::from(i);
                let off = (dense.at(t).unwrap() - t.cos()).abs();
                assert!(off < 5.0 * tolerance, "{span:?} {tolerance} {t}: {off}");
            }
        }
    }
}

/// The error follows the tolerance, and with a highest order of `k` the steps are as many as a
/// method of that order needs.
#[test]
fn errors_follow_the_tolerance() {
    // u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
    let field = |t: f64, y: &[f64; 2]| [t * y[0] - y[1], t * y[1] + y[0]];
    let size = |t: f64| (t * t / 2.0).exp();
    let exact = |t: f64| [size(t) * t.cos(), size(t) * t.sin()];
    for span in [(0.3, 1.8), (1.8, 0.3)] {
        // The largest that all steps' errors, one tolerance each, can grow to.
        let (start, end) = (size(span.0), size(span.1));
        let growth = end + end / start.min(end);
        macro_rules! check {
            ($method:expr, $order:expr, $loose:expr, $tight:expr) => {{
                let run = |tolerance: f64| {
                    let s = solve(field, exact(span.0), span)
                        .with($method)
                        .tolerance(tolerance, tolerance)
                        .save(Save::Steps)
                        .run()
                        .unwrap();
                    let e = exact(span.1);
                    let error = (s.y_end[0] - e[0]).abs().max((s.y_end[1] - e[1]).abs());
                    let steps = s.statistics.accepted as f64;
                    let what = format!("{:?} {span:?}: {error} in {steps}", $method);
                    assert!(error < steps * tolerance * growth, "{what}");
                    // The steps of the start are of lower orders.
                    let late = s.ts.iter().filter(|t| (*t - span.0).abs() > 0.75).count();
                    (error, late as f64)
                };
                let ((e0, n0), (e1, n1)) = (run($loose), run($tight));
                let order = (e0 / e1).ln() / (n1 / n0).ln();
                assert!((order - $order).abs() < 0.2, "{:?} {span:?}: {order}", $method);
                e1
            }};
        }
        check!(Bdf { max_order: 1 }, 1.0, 1e-4, 1e-6);
        check!(Bdf { max_order: 2 }, 2.0, 1e-6, 1e-9);
        check!(Bdf { max_order: 3 }, 3.0, 1e-8, 1e-11);
        check!(Bdf { max_order: 4 }, 4.0, 1e-9, 1e-12);
        check!(Bdf { max_order: 5 }, 5.0, 1e-9, 1e-12);
        // The step is one order better than its error estimate: errors are like the tolerance.
        assert!(check!(Adams { max_order: 1 }, 2.0, 1e-5, 1e-7) < 5.0 * growth * 1e-7);
        assert!(check!(Adams { max_order: 2 }, 3.0, 1e-7, 1e-10) < 5.0 * growth * 1e-10);
        assert!(check!(Adams { max_order: 3 }, 4.0, 1e-8, 1e-11) < 5.0 * growth * 1e-11);
        assert!(check!(Adams { max_order: 4 }, 5.0, 1e-9, 1e-12) < 5.0 * growth * 1e-12);
    }
}

/// Steps of one length: the first is of order 1, so that the error is of order 2 at most.
#[test]
fn fixed_steps() {
    let exact = |t: f64| 1.0 / (1.0 + t + 0.5 * t * t);
    let field = |t: f64, y: &f64| -y * y * (1.0 + t);
    for span in [(0.0, 1.5), (1.5, 0.0)] {
        for (k, order) in [(1, 1.0), (2, 2.0), (5, 2.0)] {
            let error = |n: usize| {
                let s = solve(field, exact(span.0), span).with(Bdf { max_order: k }).steps(n);
                let s = s.run().unwrap();
                assert_eq!(s.statistics.accepted, n);
                (s.y_end - exact(span.1)).abs()
            };
            let measured = (error(400) / error(800)).log2();
            assert!((measured - order).abs() < 0.2, "bdf {k} {span:?}: {measured}");
        }
        for (k, order) in [(1, 2.0), (2, 3.0), (6, 3.0)] {
            let error = |n: usize| {
                let s = solve(field, exact(span.0), span).with(Adams { max_order: k }).steps(n);
                (s.run().unwrap().y_end - exact(span.1)).abs()
            };
            let measured = (error(400) / error(800)).log2();
            assert!((measured - order).abs() < 0.25, "adams {k} {span:?}: {measured}");
        }
    }
}

/// Eigenvalues −10 ± 100i, which the formulas of high order do not damp: problem B5 of the stiff
/// DETEST set (W. H. Enright, T. E. Hull, B. Lindberg 1975).
#[test]
fn nearly_imaginary_eigenvalues() {
    let field = |_: f64, y: &[f64; 6]| {
        let [a, b, c, d, e, f] = *y;
        [-10.0 * a + 100.0 * b, -100.0 * a - 10.0 * b, -4.0 * c, -d, -0.5 * e, -0.1 * f]
    };
    // SciPy's BDF takes more than 2000 steps at each of these tolerances.
    for (tolerance, steps) in [(1e-4, 500), (1e-6, 1000)] {
        let s = solve(field, [1.0; 6], (0.0, 20.0))
            .with(BDF)
            .tolerance(tolerance, tolerance)
            .run()
            .unwrap();
        assert!(s.statistics.accepted < steps, "{tolerance}: {:?}", s.statistics);
        assert!((s.y_end[5] - (-2f64).exp()).abs() < 20.0 * tolerance, "{:?}", s.y_end);
        assert!(s.y_end[0].abs().max(s.y_end[1].abs()) < 20.0 * tolerance, "{:?}", s.y_end);
    }
    // −1 ± 1000i about a smooth solution.
    let field = |t: f64, y: &[f64; 2]| {
        let (u, v) = (y[0] - t.sin(), y[1] - t.cos());
        [-u + 1000.0 * v + t.cos(), -1000.0 * u - v - t.sin()]
    };
    for tolerance in [1e-4, 1e-6, 1e-8] {
        let s = solve(field, [0.0, 1.0], (0.0, 20.0))
            .with(BDF)
            .tolerance(tolerance, tolerance)
            .run()
            .unwrap();
        assert!(s.statistics.accepted < 450, "{tolerance}: {:?}", s.statistics);
        assert!((s.y_end[0] - 20f64.sin()).abs() < tolerance, "{:?}", s.y_end);
    }
}

/// Linear problems of the stiff DETEST set, with their closed forms.
#[test]
fn stiff_detest() {
    // A1: real eigenvalues.
    let a1 = |_: f64, y: &[f64; 4]| [-0.5 * y[0], -y[1], -100.0 * y[2], -90.0 * y[3]];
    let s = solve(a1, [1.0; 4], (0.0, 20.0)).with(BDF).tolerance(1e-9, 1e-9).run().unwrap();
    assert!((s.y_end[0] - (-10f64).exp()).abs() < 1e-7, "{:?}", s.y_end);
    assert!(s.y_end[2].abs() < 1e-8 && s.y_end[3].abs() < 1e-8, "{:?}", s.y_end);
    // A2-like, C-like: the fast component is driven by the slow one, y₂ → y₁²/(λ − 2).
    let rate = 1e4;
    let c = move |_: f64, y: &[f64; 2]| [-y[0], y[0] * y[0] - rate * y[1]];
    let s = solve(c, [1.0, 1.0], (0.0, 1.0)).with(BDF).tolerance(1e-8, 1e-12).run().unwrap();
    let want = (-2f64).exp() / (rate - 2.0);
    assert!((s.y_end[1] / want - 1.0).abs() < 1e-6, "{:?}", s.y_end);
}

fn arenstorf(_: f64, y: &[f64; 4]) -> [f64; 4] {
    const MU: f64 = 0.012277471;
    let d1 = ((y[0] + MU).powi(2) + y[1] * y[1]).powf(1.5);
    let d2 = ((y[0] - (1.0 - MU)).powi(2) + y[1] * y[1]).powf(1.5);
    [
        y[2],
        y[3],
        y[0] + 2.0 * y[3] - (1.0 - MU) * (y[0] + MU) / d1 - MU * (y[0] - (1.0 - MU)) / d2,
        y[1] - 2.0 * y[2] - (1.0 - MU) * y[1] / d1 - MU * y[1] / d2,
    ]
}

/// LSODA takes 1362 steps and 2830 evaluations, and is off by 6e-10.
#[test]
fn arenstorf_orbit() {
    let y0 = [0.994, 0.0, 0.0, -2.001585106379082];
    let s = solve(arenstorf, y0, (0.0, 17.065216560157963))
        .with(ADAMS)
        .tolerance(1e-12, 1e-12)
        .run()
        .unwrap();
    let c = s.statistics;
    assert!((s.y_end[0] - 0.994).abs() < 1e-9 && s.y_end[1].abs() < 1e-9, "{:?}", s.y_end);
    assert!((700..1000).contains(&c.accepted) && c.rejected < 150, "{c:?}");
    // Two evaluations a step, one for an attempt that is rejected; two to start with, and none at
    // the end.
    assert_eq!(c.evaluations, 2 * c.accepted + c.rejected + 1, "{c:?}");
}

#[test]
fn lotka_volterra_and_detest() {
    let field = |_: f64, y: &[f64; 2]| [1.5 * y[0] - y[0] * y[1], -3.0 * y[1] + y[0] * y[1]];
    let reference = [1.026344767575, 9.0969107813616e-1];
    let s =
        solve(field, [1.0, 1.0], (0.0, 10.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&s.y_end, &reference) < 2e-9, "{:?}", s.y_end);
    let back =
        solve(field, s.y_end, (10.0, 0.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&back.y_end, &[1.0, 1.0]) < 1e-7, "{:?}", back.y_end);
    let s = solve(field, [1.0, 1.0], (0.0, 10.0)).with(BDF).tolerance(1e-10, 1e-10).run().unwrap();
    assert!(relative(&s.y_end, &reference) < 1e-6, "{:?}", s.y_end);

    let b1 = |_: f64, y: &[f64; 2]| [2.0 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])];
    let s = solve(b1, [1.0, 3.0], (0.0, 20.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&s.y_end, &[6.761876008579e-1, 1.860816099640e-1]) < 1e-7, "{:?}", s.y_end);
    // D5, an orbit of eccentricity 0.9.
    let d5 = |_: f64, y: &[f64; 4]| {
        let r = (y[0] * y[0] + y[1] * y[1]).powf(1.5);
        [y[2], y[3], -y[0] / r, -y[1] / r]
    };
    let y0 = [0.1, 0.0, 0.0, 19f64.sqrt()];
    let s = solve(d5, y0, (0.0, 20.0)).with(ADAMS).tolerance(1e-12, 1e-12).run().unwrap();
    assert!(relative(&s.y_end[..2], &[-1.295266250982, 4.003938963800e-1]) < 1e-8, "{:?}", s.y_end);
    let e2 = |_: f64, y: &[f64; 2]| [y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]];
    let s = solve(e2, [2.0, 0.0], (0.0, 20.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!((s.y_end[0] - 2.008149762175).abs() < 1e-8, "{:?}", s.y_end);
    assert!(s.statistics.evaluations < 2200, "{:?}", s.statistics);
    let a3 = |t: f64, y: &f64| y * t.cos();
    let s = solve(a3, 1.0, (0.0, 20.0)).with(ADAMS).tolerance(1e-12, 1e-12).run().unwrap();
    assert!((s.y_end - 2.491650271851).abs() < 1e-9, "{}", s.y_end);
}

/// The same solution at given times, at every step and as a function, which is continuous.
#[test]
fn dense_output() {
    let field = |t: f64, y: &f64| y * t.cos();
    let scale = 1.0 / 2f64.sin().exp();
    macro_rules! check {
        ($method:expr) => {{
            let (s, dense) = solve(field, 1.0, (2.0, -3.0))
                .with($method)
                .tolerance(1e-9, 1e-9)
                .adjoint(NoGradient)
                .save(Save::Steps)
                .run_dense()
                .unwrap();
            assert_eq!(dense.interval(), (2.0, -3.0));
            for i in 0..=1000 {
                let t = 2.0 - 0.005 * f64::from(i);
                let y = dense.at(t).unwrap();
                assert!((y - scale * t.sin().exp()).abs() < 1e-6, "{t}: {y}");
            }
            for (t, y) in s.ts.iter().zip(&s.ys) {
                assert!((dense.at(*t).unwrap() - y).abs() < 1e-14, "{t}");
                let after = dense.at((t - 1e-12).max(-3.0)).unwrap();
                assert!((after - y).abs() < 1e-11, "{t}: {after} {y}");
            }
        }};
    }
    check!(BDF);
    check!(ADAMS);
}

/// A ball that bounces, whose times are known.
#[test]
fn bouncing_ball() {
    macro_rules! check {
        ($method:expr) => {{
            let ball = |_: f64, y: &[f64; 2]| [y[1], -9.81];
            let floor = Event::new(|_: f64, y: &[f64; 2]| Ok(y[0]))
                .falling()
                .change(|_, y: &[f64; 2]| Ok([0.0, -0.8 * y[1]]));
            let s = solve(ball, [1.0, 0.0], (0.0, 3.0))
                .with($method)
                .tolerance(1e-10, 1e-10)
                .event(floor)
                .run()
                .unwrap();
            let fall = (2.0f64 / 9.81).sqrt();
            let mut t = fall;
            assert!(s.crossings.len() >= 5, "{:?}", s.crossings);
            for (i, crossing) in s.crossings.iter().enumerate() {
                assert!((crossing.t - t).abs() < 1e-8, "{i}: {} {t}", crossing.t);
                t += 2.0 * fall * 0.8f64.powi(i as i32 + 1);
            }
        }};
    }
    check!(BDF);
    check!(ADAMS);
}

/// Recorded crossings are where they should be, and cost little: the steps before them are not
/// forgotten.
#[test]
fn recorded_crossings() {
    macro_rules! check {
        ($method:expr, $field:expr) => {{
            for span in [(0.0, 20.0), (20.0, 0.0)] {
                let start = [f64::cos(span.0), -f64::sin(span.0)];
                let setup = || solve($field, start, span).with($method).tolerance(1e-11, 1e-11);
                let without = setup().run().unwrap().statistics;
                let zero = Event::new(|_: f64, y: &[f64; 2]| Ok(y[0]));
                let s = setup().event(zero).run().unwrap();
                assert_eq!(s.crossings.len(), 6, "{:?}", s.crossings);
                for (i, crossing) in s.crossings.iter().enumerate() {
                    let i = if span.0 > 0.0 { 5 - i } else { i };
                    let want = std::f64::consts::PI * (i as f64 + 0.5);
                    assert!((crossing.t - want).abs() < 1e-9, "{i}: {} {want}", crossing.t);
                }
                let with = s.statistics;
                assert!(with.accepted < without.accepted + 60, "{with:?} {without:?}");
                assert!(with.rejected < without.rejected + 15, "{with:?} {without:?}");
                let off = (s.y_end[0] - f64::cos(span.1)).abs();
                assert!(off < 1e-8, "{off}");
            }
        }};
    }
    let oscillator = |_: f64, y: &[f64; 2]| [y[1], -y[0]];
    check!(BDF, oscillator);
    check!(ADAMS, oscillator);
}

#[test]
fn differential_algebraic_robertson() {
    let field = |_: f64, y: &[f64; 3]| {
        let f = robertson(0.0, y);
        [f[0], f[1], y[0] + y[1] + y[2] - 1.0]
    };
    let dae = WithMass::new(field, [1.0, 1.0, 0.0]);
    let times: Vec<f64> = ROBERTSON.iter().map(|(t, _)| *t).collect();
    let s = solve(dae.clone(), [1.0, 0.0, 0.0], (0.0, 100.0))
        .with(BDF)
        .tolerance(1e-8, 1e-12)
        .save_at(times)
        .run()
        .unwrap();
    check_robertson(&s, 2e-6);
    for y in &s.ys {
        assert!((y[0] + y[1] + y[2] - 1.0).abs() < 1e-8);
    }
    let wrong = solve(dae, [1.0, 0.0, 0.5], (0.0, 1.0)).with(BDF).tolerance(1e-6, 1e-8).run();
    assert!(matches!(wrong, Err(Error::Inconsistent { .. })), "{wrong:?}");
    let index2 = |_: f64, y: &[f64; 2]| [y[1], y[0]];
    let result = solve(WithMass::new(index2, [1.0, 0.0]), [0.0, 0.0], (0.0, 1.0))
        .with(BDF)
        .tolerance(1e-6, 1e-6)
        .run();
    assert!(matches!(result, Err(Error::IndexTooHigh { .. })), "{result:?}");
}

/// y = 1/(1 + t + t²/2), z = y²: y' = −z (1 + t), 0 = z − y².
#[test]
fn algebraic_variables_in_both_directions() {
    let dae = |t: f64, y: &[f64; 2]| [-y[1] * (1.0 + t), y[1] - y[0] * y[0]];
    let exact = |t: f64| 1.0 / (1.0 + t + 0.5 * t * t);
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let y0 = exact(span.0);
        let s = solve(WithMass::new(dae, [1.0, 0.0]), [y0, y0 * y0], span)
            .with(BDF)
            .tolerance(1e-9, 1e-9)
            .run()
            .unwrap();
        let y = exact(span.1);
        assert!(relative(&s.y_end, &[y, y * y]) < 1e-6, "{:?} {:?}", s.y_end, s.statistics);
        assert!(s.statistics.accepted < 300, "{:?}", s.statistics);
    }
}

#[test]
fn regular_mass_matrix() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    // (cos t, sin 2t), multiplied by the matrix.
    let field = move |t: f64, y: &[f64; 2]| {
        let f = [-t.sin() - (y[0] - t.cos()), 2.0 * (2.0 * t).cos() - (y[1] - (2.0 * t).sin())];
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let dense = ansatz_linalg::Dense::from_rows(&m).unwrap();
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let exact = |t: f64| [t.cos(), (2.0 * t).sin()];
        let s = solve(WithMass::new(field, dense.clone()), exact(span.0), span)
            .with(BDF)
            .tolerance(1e-9, 1e-9)
            .run()
            .unwrap();
        let e = exact(span.1);
        let off = (s.y_end[0] - e[0]).abs().max((s.y_end[1] - e[1]).abs());
        assert!(off < 1e-6, "{off}");
    }
}

/// Few Jacobians and few factorisations of a large matrix.
#[test]
fn brusselator_on_a_line() {
    let n = 60;
    let field = move |_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        let scale = 0.02 * ((n + 1) as f64).powi(2);
        let at = |i: isize, c: usize| {
            if i < 0 || i >= n as isize { [1.0, 3.0][c] } else { y[2 * i as usize + c] }
        };
        for i in 0..n {
            let (u, v) = (y[2 * i], y[2 * i + 1]);
            let i = i as isize;
            let lap = |c: usize| at(i - 1, c) - 2.0 * at(i, c) + at(i + 1, c);
            dy[2 * i as usize] = 1.0 + u * u * v - 4.0 * u + scale * lap(0);
            dy[2 * i as usize + 1] = 3.0 * u - u * u * v + scale * lap(1);
        }
    };
    let y0: Vec<f64> = (0..2 * n)
        .map(|k| {
            let x = (k / 2 + 1) as f64 / (n + 1) as f64;
            if k % 2 == 0 { 1.0 + (2.0 * std::f64::consts::PI * x).sin() } else { 3.0 }
        })
        .collect();
    let sparsity = Sparsity::detect(&InPlace(field), 0.0, &y0).unwrap();
    let run = |tolerance: f64| {
        solve(WithSparsity::new(InPlace(field), sparsity.clone()), y0.clone(), (0.0, 10.0))
            .with(BDF)
            .tolerance(tolerance, tolerance)
            .run()
            .unwrap()
    };
    let (s, fine) = (run(1e-6), run(1e-9));
    let off = s.y_end.iter().zip(&fine.y_end).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let c = s.statistics;
    assert!(off < 1e-4, "{off}");
    assert!((150..250).contains(&c.accepted) && c.rejected < 30, "{c:?}");
    assert!(c.evaluations < 480 && c.jacobians < 12 && c.factorisations < 60, "{c:?}");
}

#[test]
fn what_cannot_be_solved() {
    let decay = |_: f64, y: &f64| -y;
    for max_order in [0, 6] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(Bdf { max_order }).tolerance(1e-6, 1e-6);
        assert!(matches!(result.run(), Err(Error::InvalidArgument { .. })));
    }
    for max_order in [0, 13] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(Adams { max_order }).tolerance(1e-6, 1e-6);
        assert!(matches!(result.run(), Err(Error::InvalidArgument { .. })));
    }
    for wrong in [
        Tolerance { max_step: 0.0, ..Tolerance::new(1e-6, 1e-6) },
        Tolerance { min_step: -1.0, ..Tolerance::new(1e-6, 1e-6) },
        Tolerance { first_step: Some(f64::NAN), ..Tolerance::new(1e-6, 1e-6) },
        Tolerance::new(-1e-6, 1e-6),
    ] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(BDF).controller(wrong).run();
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    }
    macro_rules! check {
        ($method:expr) => {{
            let s = solve(decay, 1.0, (0.0, 1.0)).with($method).tolerance(1e-9, 1e-9).max_steps(7);
            let s = s.run_partial().unwrap();
            assert_eq!(s.status, Status::StepBudgetExhausted);
            assert_eq!(s.statistics.attempted(), 7);
            assert!((s.y_end - (-s.t_end).exp()).abs() < 1e-7 && s.t_end < 1.0);

            // y' = y²: 1/(1 − t).
            let s = solve(|_: f64, y: &f64| y * y, 1.0, (0.0, 2.0)).with($method);
            let s = s.tolerance(1e-6, 1e-6).run_partial().unwrap();
            assert!(s.status != Status::Finished, "{s:?}");
            assert!((s.t_end - 1.0).abs() < 1e-2 && s.y_end > 100.0, "{s:?}");

            let broken = |t: f64, _: &f64| if t > 0.5 { f64::NAN } else { 1.0 };
            let s = solve(broken, 0.0, (0.0, 1.0)).with($method);
            let s = s.tolerance(1e-6, 1e-6).run_partial().unwrap();
            assert!(s.status != Status::Finished, "{s:?}");
            assert!((s.t_end - 0.5).abs() < 1e-6 && (s.y_end - 0.5).abs() < 1e-6, "{s:?}");
            let result = solve(|_: f64, _: &f64| f64::NAN, 0.0, (0.0, 1.0)).with($method);
            let result = result.tolerance(1e-6, 1e-6).run();
            assert!(matches!(result, Err(Error::NotFinite { .. })), "{result:?}");
        }};
    }
    check!(BDF);
    check!(ADAMS);
}

/// Steps are no longer than allowed, and a jump starts again from order 1.
#[test]
fn limits_and_jumps() {
    let control = Tolerance { max_step: 0.01, ..Tolerance::new(1e-6, 1e-6) };
    let s = solve(|_: f64, y: &f64| -y, 1.0, (0.0, 1.0)).with(BDF).controller(control).run();
    assert!(s.unwrap().statistics.accepted >= 100);
    macro_rules! check {
        ($method:expr) => {{
            // y' = −y + [t ≥ 1].
            let field = |t: f64, y: &f64| f64::from(u8::from(t > 1.0)) - y;
            let late = |t: f64, y: &f64| if t >= 1.0 { 1.0 - y } else { -y };
            let s = solve(late, 1.0, (0.0, 2.0)).with($method).tolerance(1e-9, 1e-9);
            let s = s.jumps(vec![1.0]).run().unwrap();
            let want = 1.0 + ((-1f64).exp() - 1.0) * (-1f64).exp();
            assert!((s.y_end - want).abs() < 1e-7, "{} {want}", s.y_end);
            let across = solve(field, 1.0, (0.0, 2.0)).with($method).tolerance(1e-9, 1e-9);
            let across = across.run().unwrap();
            assert!((across.y_end - want).abs() < 1e-6, "{} {want}", across.y_end);
            assert!(s.statistics.rejected < across.statistics.rejected);
        }};
    }
    check!(BDF);
    check!(ADAMS);
}
