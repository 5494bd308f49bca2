//! Backward differentiation: reference values and counts of work on stiff problems.

use ansatz_ode::{InPlace, Sparsity, WithJacobian, WithSparsity, solve};

use crate::{BDF, ROBERTSON, check_robertson, relative, robertson};

fn robertson_jacobian(_: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
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
