//! Equations of second order and pairs of states, with methods for any field.

use ansatz_ode::{
    Dopri5, ErrorNorm, Newtonian, NoGradient, Pid, Rms, Save, SecondOrder, Tsit5, core::State,
    solve,
};

/// A damped, driven oscillator: `q'' = −2γ q' − q + sin t`, whose steady part is `−cos t / 2γ`.
#[test]
fn friction_and_time() {
    const GAMMA: f64 = 0.15;
    let field = SecondOrder::new(|t: f64, q: &f64, v: &f64| t.sin() - 2.0 * GAMMA * v - q);
    let w = (1.0 - GAMMA * GAMMA).sqrt();
    let exact = |t: f64| {
        let (s, c) = (w * t).sin_cos();
        let (a, b) = (0.9, -0.4);
        let decay = (-GAMMA * t).exp();
        let q = decay * (a * c + b * s);
        let v = decay * ((b * w - GAMMA * a) * c - (a * w + GAMMA * b) * s);
        (q - t.cos() / (2.0 * GAMMA), v + t.sin() / (2.0 * GAMMA))
    };
    for span in [(0.5, 9.0), (9.0, 0.5)] {
        let s = solve(field, exact(span.0), span)
            .with(Tsit5)
            .tolerance(1e-11, 1e-11)
            .save(Save::Steps)
            .run()
            .unwrap();
        for (t, y) in s.ts.iter().zip(&s.ys) {
            let (q, v) = exact(*t);
            assert!((y.0 - q).abs() < 1e-8 && (y.1 - v).abs() < 1e-8, "{t}");
        }
    }
}

/// `q'' = −sin q` from (1.2, 0.5) at t = 10 (Taylor series at 30 digits; the position also by
/// Jacobi's elliptic function) and the system of Hénon and Heiles at t = 20 (Taylor series).
#[test]
fn reference_values() {
    let pendulum = Newtonian::new(|_: f64, q: &f64| -q.sin());
    let s = solve(pendulum, (1.2, 0.5), (0.0, 10.0)).with(Dopri5).tolerance(1e-13, 1e-13);
    let (q, p) = s.run().unwrap().y_end;
    assert!((q + 0.753_899_986_153_571_6).abs() < 1e-11, "{q}");
    assert!((p + 0.991_632_164_628_578_7).abs() < 1e-11, "{p}");

    let field = SecondOrder::new(|_: f64, q: &[f64; 2], _: &[f64; 2]| {
        [-q[0] - 2.0 * q[0] * q[1], -q[1] - q[0] * q[0] + q[1] * q[1]]
    });
    let s = solve(field, ([0.0, 0.1], [0.5, 0.0]), (0.0, 20.0)).with(Tsit5);
    let (q, p) = s.tolerance(1e-13, 1e-13).run().unwrap().y_end;
    for (value, reference) in [
        (q[0], 0.414_437_672_537_063_3),
        (q[1], 0.069_070_991_460_216_3),
        (p[0], 0.020_465_770_715_351_84),
        (p[1], -0.242_647_296_552_913_3),
    ] {
        assert!((value - reference).abs() < 1e-10, "{value} {reference}");
    }
}

/// A pair of numbers takes the steps that an array of two takes.
#[test]
fn pairs_are_measured_like_arrays() {
    let pair = SecondOrder::new(|t: f64, q: &f64, v: &f64| t.cos() - 0.1 * v - q.powi(3));
    let array = |t: f64, y: &[f64; 2]| [y[1], t.cos() - 0.1 * y[1] - y[0].powi(3)];
    let pid = Pid::pi(1e-8, 1e-9);
    let a = solve(pair, (1.0, 0.2), (0.0, 8.0)).with(Tsit5).controller(pid);
    let a = a.save(Save::Steps).run().unwrap();
    let b = solve(array, [1.0, 0.2], (0.0, 8.0)).with(Tsit5).controller(pid);
    let b = b.save(Save::Steps).run().unwrap();
    assert_eq!(a.statistics, b.statistics);
    // The squares are added up in another order, and error estimates are small differences: their
    // rounding shows in the lengths of the steps.
    for (a, b) in a.ts.iter().zip(&b.ts) {
        assert!((a - b).abs() < 1e-8, "{a} {b}");
    }
    assert!((a.y_end.0 - b.y_end[0]).abs() < 1e-11);
}

/// The root mean square over all components, whatever the sizes of the halves.
#[test]
fn halves_are_weighted_by_their_dimensions() {
    let e = (vec![0.3, -0.2, 0.1, 0.7], [0.5]);
    let a = (vec![1.0, -2.0, 0.0, 0.5], [3.0]);
    let b = (vec![-1.5, 1.0, 0.2, 0.1], [-4.0]);
    let flat = |x: &(Vec<f64>, [f64; 1])| [&x.0[..], &x.1[..]].concat();
    let (rtol, atol) = (0.3, 0.05);
    let norm = Rms { rtol, atol }.norm(&e, &a, &b).unwrap();
    let expected = flat(&e).weighted_rms(&flat(&a), &flat(&b), rtol, atol).unwrap();
    assert!((norm - expected).abs() < 1e-15, "{norm} {expected}");
    assert_eq!(e.dimension(), 5);

    // Nested, and with nothing in one half.
    let nested = ((e.clone(), 0.0), (Vec::<f64>::new(), 2.0));
    assert_eq!(nested.dimension(), 7);
    let zero = ((a.clone(), 0.0), (vec![], 0.0));
    let expected = (flat(&e).iter().chain(&[2.0]).map(|x| x * x).sum::<f64>() / 7.0).sqrt();
    assert!((nested.weighted_rms(&zero, &zero, 0.0, 1.0).unwrap() - expected).abs() < 1e-15);

    // Infinite and NaN parts are seen; squares do not overflow.
    for bad in [f64::NAN, f64::INFINITY] {
        for e in [(bad, 1.0), (1.0, bad)] {
            assert!(!e.all_finite().unwrap());
            assert!(!e.weighted_rms(&(0.0, 0.0), &(0.0, 0.0), 0.0, 1.0).unwrap().is_finite());
        }
    }
    let large = (1e200, 1e200).weighted_rms(&(0.0, 0.0), &(0.0, 0.0), 0.0, 1.0).unwrap();
    assert!((large / 1e200 - 1.0).abs() < 1e-15);
}

/// Sums of pairs are those of their halves; sizes are checked in both.
#[test]
fn pairs_add_up_by_halves() {
    let pair = |x: f64| (vec![x, -x], [2.0 * x]);
    let (base, terms) = (pair(1.0), [pair(3.0), pair(f64::NAN), pair(-2.0)]);
    let mut sum = pair(f64::NAN);
    sum.combine(Some(&base), 0.5, &[2.0, 0.0, 1.0], &terms).unwrap();
    assert_eq!(sum, pair(3.0));
    sum.combine(None, 0.5, &[2.0, 0.0, 1.0], &terms).unwrap();
    assert_eq!(sum, pair(2.0));
    sum.combine_iter(None, 1.0, &[1.0, -1.0], [&base, &terms[2]].into_iter()).unwrap();
    assert_eq!(sum, pair(3.0));
    sum.combine(None, 1.0, &[], &[]).unwrap();
    assert_eq!(sum, pair(0.0));
    sum.combine(Some(&base), 1.0, &[], &[]).unwrap();
    assert_eq!(sum, base);

    let good = (vec![0.0; 2], vec![0.0; 3]);
    good.check_like("a test", &good.clone()).unwrap();
    for other in [(vec![0.0; 3], vec![0.0; 3]), (vec![0.0; 2], vec![0.0; 2])] {
        assert!(good.check_like("a test", &other).is_err());
        assert!(good.weighted_rms(&other, &good, 1.0, 1.0).is_err());
        assert!(good.weighted_rms(&good, &other, 1.0, 1.0).is_err());
        let terms = std::slice::from_ref(&other);
        assert!(good.clone().combine(Some(&good), 1.0, &[1.0], terms).is_err());
    }
}

/// Dense output and adjoints by default: values only.
#[test]
fn the_default_adjoint_of_pairs_keeps_values() {
    let spring = Newtonian::new(|_: f64, q: &f64| -q);
    let (_, dense) = solve(spring, (1.0, 0.0), (0.0, 3.0))
        .with(Tsit5)
        .tolerance(1e-10, 1e-10)
        .run_dense()
        .unwrap();
    let same: NoGradient = solve(spring, (1.0, 0.0), (0.0, 3.0)).adjoint;
    assert_eq!(same, NoGradient);
    assert!((dense.at(1.7).unwrap().0 - 1.7f64.cos()).abs() < 1e-8);
}
