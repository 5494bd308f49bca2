//! Well-known problems against independent reference values.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Adaptive, AdaptiveFamily, Bs5, Dop853, Dopri5, Dopri8, Feagin10, InPlace, NoGradient, Pid,
    RDPK3SpFSAL49, Solves, Statistics, Tsit5, Vern6, Vern7, Vern8, Vern9, solve,
};

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

/// The restricted three-body problem of earth and moon (E. Hairer, S. Nørsett, G. Wanner, *Solving
/// ODEs I*, eq. II.0.1).
fn three_bodies(_: f64, y: &[f64; 4]) -> [f64; 4] {
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

/// The Arenstorf orbit: the distance from the start after one period.
fn arenstorf<M>(method: M, tolerance: f64) -> (f64, Statistics)
where
    M: Adaptive<Family: AdaptiveFamily<Controller = Pid>>,
    M: Solves<fn(f64, &[f64; 4]) -> [f64; 4], [f64; 4]>,
{
    let y0 = [0.994, 0.0, 0.0, -2.001585106379082];
    let s = solve(three_bodies as fn(f64, &[f64; 4]) -> [f64; 4], y0, (0.0, 17.065216560157963))
        .with(method)
        .tolerance(tolerance, tolerance)
        .run()
        .unwrap();
    ((s.y_end[0] - y0[0]).hypot(s.y_end[1] - y0[1]), s.statistics)
}

/// It returns to its start; counts near those of Hairer's code.
#[test]
fn arenstorf_orbit() {
    fn check<M>(method: M, tolerance: f64, allowed: f64, most: usize)
    where
        M: Adaptive<Family: AdaptiveFamily<Controller = Pid>>,
        M: Solves<fn(f64, &[f64; 4]) -> [f64; 4], [f64; 4]>,
    {
        let (gap, statistics) = arenstorf(method, tolerance);
        let name = std::any::type_name::<M>();
        assert!(gap < allowed && statistics.evaluations < most, "{name}: {gap} {statistics:?}");
    }
    let (gap, _) = arenstorf(Dopri5, 1e-12);
    assert!(gap < 1e-5, "{gap}");
    let (_, statistics) = arenstorf(Dopri5, 1e-7);
    // Hairer's DOPRI5 takes 217 accepted and 21 rejected steps at this tolerance.
    let steps = statistics.accepted + statistics.rejected;
    assert!((150..350).contains(&steps), "{statistics:?}");
    check(RDPK3SpFSAL49, 1e-10, 5e-9, 26_000);
    check(Bs5, 1e-12, 5e-10, 10_000);
    check(Vern6, 1e-12, 5e-10, 9_000);
    check(Vern7, 1e-12, 1e-10, 7_000);
    check(Vern8, 1e-12, 1e-10, 5_000);
    check(Vern9, 1e-12, 1e-10, 5_000);
    check(Dopri8, 1e-12, 1e-10, 5_000);
    check(Dop853, 1e-12, 1e-10, 5_000);
    check(Feagin10, 1e-12, 5e-9, 5_000);
}

/// Van der Pol's equation with ε = 1e-3, on the edge of stiffness: the counts of Hairer's code
/// DOP853 (1469 steps, 1348 of them accepted, as in the tests of russell_ode).
#[test]
fn van_der_pol() {
    let field = |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) * 1e3];
    let s = solve(field, [2.0, 0.0], (0.0, 2.0)).with(Dop853).tolerance(1e-9, 1e-9).run().unwrap();
    let reference = [1.763234540203, -8.35688681678e-1];
    assert!(difference(&s.y_end, &reference) < 1e-9, "{:?}", s.y_end);
    let Statistics { accepted, rejected, evaluations, .. } = s.statistics;
    assert!((1300..1400).contains(&accepted) && rejected < 250, "{accepted} {rejected}");
    // Eleven stages in every attempt; the derivative after every accepted one but the last, before
    // the first, and the probe for its length.
    assert_eq!(evaluations, 11 * (accepted + rejected) + (accepted - 1) + 2);
    let s = solve(field, [2.0, 0.0], (0.0, 2.0)).with(Vern9).tolerance(1e-12, 1e-12).run().unwrap();
    assert!(difference(&s.y_end, &reference) < 1e-11, "{:?}", s.y_end);
}

/// The methods of high order on problems with known values, at tight tolerances.
#[test]
fn high_orders() {
    fn check<M>(method: M, tolerance: f64, allowed: f64)
    where
        M: Adaptive<Family: AdaptiveFamily<Controller = Pid>>,
        M: Solves<fn(f64, &[f64; 2]) -> [f64; 2], [f64; 2]>,
        M: Solves<fn(f64, &[f64; 4]) -> [f64; 4], [f64; 4]>,
    {
        let name = std::any::type_name::<M>();
        let run = |field: fn(f64, &[f64; 2]) -> [f64; 2], y0: [f64; 2], span: (f64, f64)| {
            let setup = solve(field, y0, span).with(method.clone());
            setup.tolerance(tolerance, tolerance).run().unwrap().y_end
        };
        let near = |end: [f64; 2], reference: [f64; 2]| {
            assert!(difference(&end, &reference) < allowed, "{name}: {end:?} not {reference:?}");
        };
        // Lotka and Volterra, and back.
        let hares = |_: f64, y: &[f64; 2]| [1.5 * y[0] - y[0] * y[1], -3.0 * y[1] + y[0] * y[1]];
        let end = run(hares, [1.0, 1.0], (0.0, 10.0));
        near(end, [1.026344767575, 9.0969107813616e-1]);
        near(run(hares, end, (10.0, 0.0)), [1.0, 1.0]);
        // DETEST B1 and E2.
        let conflict = |_: f64, y: &[f64; 2]| [2.0 * (y[0] - y[0] * y[1]), y[0] * y[1] - y[1]];
        near(run(conflict, [1.0, 3.0], (0.0, 20.0)), [6.761876008579e-1, 1.860816099640e-1]);
        let oscillator = |_: f64, y: &[f64; 2]| [y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]];
        near(run(oscillator, [2.0, 0.0], (0.0, 20.0)), [2.008149762175, -4.250887527320e-2]);
        // DETEST D5: two bodies, eccentricity 0.9.
        let two_bodies: fn(f64, &[f64; 4]) -> [f64; 4] = |_, y| {
            let cubed = y[0].hypot(y[1]).powi(3);
            [y[2], y[3], -y[0] / cubed, -y[1] / cubed]
        };
        let setup = solve(two_bodies, [0.1, 0.0, 0.0, 19f64.sqrt()], (0.0, 20.0)).with(method);
        let end = setup.tolerance(tolerance, tolerance).run().unwrap().y_end;
        near([end[0], end[1]], [-1.295266250982, 4.003938963800e-1]);
    }
    check(Bs5, 1e-12, 1e-9);
    check(Vern6, 1e-12, 1e-9);
    check(Vern7, 1e-12, 2e-10);
    check(Vern8, 1e-12, 2e-10);
    check(Vern9, 1e-12, 2e-10);
    check(Dopri8, 1e-12, 2e-10);
    check(Dop853, 1e-12, 5e-10);
    check(Feagin10, 1e-12, 5e-9);
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
