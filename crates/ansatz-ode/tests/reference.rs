//! Well-known problems against independent reference values.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{Dopri5, InPlace, NoGradient, Pid, Tsit5, solve};

/// Relative difference, largest component.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(1e-3)).fold(0.0, f64::max)
}

/// u' = 1.5u − uv, v' = −3v + uv at t = 10 (DOP853 at 1e-13).
#[test]
fn lotka_volterra() {
    let field = |_: f64, y: &[f64; 2]| [1.5 * y[0] - y[0] * y[1], -3.0 * y[1] + y[0] * y[1]];
    let reference = [1.026344767575, 9.0969107813616e-1];
    let s =
        solve(field, [1.0, 1.0], (0.0, 10.0)).with(Tsit5).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(difference(&s.y_end, &reference) < 1e-9, "{:?}", s.y_end);
    let s =
        solve(field, [1.0, 1.0], (0.0, 10.0)).with(Dopri5).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(difference(&s.y_end, &reference) < 1e-9, "{:?}", s.y_end);
    // And back to where it came from.
    let back =
        solve(field, s.y_end, (10.0, 0.0)).with(Tsit5).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(difference(&back.y_end, &[1.0, 1.0]) < 1e-7, "{:?}", back.y_end);
}

/// The Arenstorf orbit returns to its start after one period; counts near those of Hairer's code.
#[test]
fn arenstorf_orbit() {
    const MU: f64 = 0.012277471;
    let field = |_: f64, y: &[f64; 4]| {
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
    let s = solve(field, y0, (0.0, 17.065216560157963))
        .with(Dopri5)
        .tolerance(1e-12, 1e-12)
        .run()
        .unwrap();
    assert!((s.y_end[0] - 0.994).abs() < 1e-6 && s.y_end[1].abs() < 1e-5, "{:?}", s.y_end);
    let s = solve(field, y0, (0.0, 17.065216560157963))
        .with(Dopri5)
        .tolerance(1e-7, 1e-7)
        .run()
        .unwrap();
    // Hairer's DOPRI5 takes 217 accepted and 21 rejected steps at this tolerance.
    let steps = s.statistics.accepted + s.statistics.rejected;
    assert!((150..350).contains(&steps), "{:?}", s.statistics);
}

/// DETEST problems (T. E. Hull et al. 1972) at t = 20 (DOP853 at 1e-13).
#[test]
fn detest() {
    // B1, conflicting populations.
    let s = solve(
        |_: f64, y: &[f64; 2]| [2.0 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])],
        [1.0, 3.0],
        (0.0, 20.0),
    )
    .with(Tsit5)
    .tolerance(1e-11, 1e-11)
    .run()
    .unwrap();
    assert!(difference(&s.y_end, &[6.761876008579e-1, 1.860816099640e-1]) < 1e-7, "{:?}", s.y_end);
    // E2, van der Pol with ε = 1; into a buffer.
    let field = InPlace(|_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        dy[0] = y[1];
        dy[1] = (1.0 - y[0] * y[0]) * y[1] - y[0];
    });
    let s = solve(field, vec![2.0, 0.0], (0.0, 20.0))
        .with(Tsit5)
        .tolerance(1e-11, 1e-11)
        .run()
        .unwrap();
    assert!(difference(&s.y_end, &[2.008149762175, -4.250887527320e-2]) < 1e-7, "{:?}", s.y_end);
    // A3, non-autonomous: y' = y cos t.
    let s = solve(|t: f64, y: &f64| y * t.cos(), 1.0, (0.0, 20.0))
        .with(Tsit5)
        .tolerance(1e-12, 1e-12)
        .run()
        .unwrap();
    assert!((s.y_end - 2.491650271851).abs() < 1e-9, "{}", s.y_end);
}

/// Counters are part of the behaviour: a change here is a change of the algorithm.
#[test]
fn counters() {
    let lorenz = |_: f64, y: &[f64; 3]| {
        [10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3.0 * y[2]]
    };
    let count = |pid: Pid| {
        let s = solve(lorenz, [1.0; 3], (0.0, 5.0)).with(Tsit5).controller(pid).run().unwrap();
        (s.statistics.accepted, s.statistics.rejected, s.statistics.evaluations)
    };
    let (accepted, rejected, evaluations) = count(Pid::i(1e-8, 1e-8));
    // Seven stages, the first one known from the step before; two more to start.
    assert_eq!(evaluations, 6 * (accepted + rejected) + 2);
    assert!((350..450).contains(&accepted) && rejected < 20, "{accepted} {rejected}");
}

/// The dense output of one solve serves any number of times.
#[test]
fn dense_output_at_any_time() {
    let (s, dense) = solve(|t: f64, y: &f64| y * t.cos(), 1.0, (2.0, -3.0))
        .with(Dopri5)
        .tolerance(1e-9, 1e-9)
        .adjoint(NoGradient)
        .run_dense()
        .unwrap();
    assert_eq!(dense.interval(), (2.0, -3.0));
    assert_eq!(dense.at(-3.0).unwrap(), s.y_end);
    let scale = 1.0 / 2f64.sin().exp();
    for i in 0..=500 {
        let t = 2.0 - 0.01 * f64::from(i);
        let y = dense.at(t).unwrap();
        assert!((y - scale * t.sin().exp()).abs() < 1e-7, "{t}: {y}");
    }
    for t in [2.1, -3.1, f64::NAN] {
        assert!(matches!(dense.at(t), Err(ansatz_ode::Error::OutsideInterval { .. })));
    }
}
