//! Fields that jump at known times.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(clippy::result_large_err)] // and need not be small

use ansatz_ode::{
    Bosh3, Dopri5, Error, Euler, ExplicitRungeKutta, Heun, Midpoint, Pid, Rk4, Save, Tsit5, solve,
};

const JUMPS: [f64; 3] = [0.3, 1.0, 1.7];

/// y' = r(t) y + cos t with a rate that jumps and is not defined where it does.
fn field(t: f64, y: &[f64; 1]) -> [f64; 1] {
    [rate(t) * y[0] + t.cos()]
}

fn rate(t: f64) -> f64 {
    match t {
        t if JUMPS.contains(&t) => f64::NAN,
        t if t < 0.3 => 1.0,
        t if t < 1.0 => -5.0,
        t if t < 1.7 => 2.0,
        _ => -1.0,
    }
}

/// The solution at `t1` of y' = r y + cos t with constant r from (t0, y0).
fn piece(r: f64, t0: f64, y0: f64, t1: f64) -> f64 {
    let particular = |t: f64| (t.sin() - r * t.cos()) / (1.0 + r * r);
    particular(t1) + (y0 - particular(t0)) * (r * (t1 - t0)).exp()
}

fn exact(t0: f64, y0: f64, t1: f64) -> f64 {
    let mut stops: Vec<f64> = JUMPS.to_vec();
    stops.retain(|s| *s > t0.min(t1) && *s < t0.max(t1));
    if t1 < t0 {
        stops.reverse();
    }
    stops.push(t1);
    let (mut t, mut y) = (t0, y0);
    for stop in stops {
        if t != stop {
            y = piece(rate(0.5 * (t + stop)), t, y, stop);
        }
        t = stop;
    }
    y
}

/// With one side taken for the other at the ends of steps the order would be 1 wherever a stage lies
/// there. (That the order is not higher either is tested on smooth problems.)
#[test]
fn every_method_keeps_its_order_across_jumps() {
    fn order<M: ExplicitRungeKutta>(method: M, span: (f64, f64), steps: usize) {
        let error = |steps: usize| {
            let s = solve(field, [0.7], span).with(method).steps(steps).jumps(JUMPS).run().unwrap();
            (s.y_end[0] - exact(span.0, 0.7, span.1)).abs()
        };
        let measured = (error(steps) / error(2 * steps)).log2();
        let expected = f64::from(M::TABLEAU.order);
        assert!(measured > expected - 0.5, "{expected} {span:?}: {measured}");
    }
    // 20 and 40 steps a unit: the jumps lie on the grid.
    for span in [(0.0f64, 2.0), (2.0, 0.0), (0.3, 1.7), (1.7, 0.3)] {
        let unit = |n: f64| (n * (span.1 - span.0).abs()).round() as usize;
        order(Euler, span, unit(1280.0));
        order(Heun, span, unit(160.0));
        order(Midpoint, span, unit(160.0));
        order(Bosh3, span, unit(80.0));
        order(Rk4, span, unit(40.0));
        order(Dopri5, span, unit(80.0));
        order(Tsit5, span, unit(80.0));
    }
}

/// Steps end at the jumps, and no step is rejected because of one.
#[test]
fn adaptive_steps_end_at_jumps() {
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let run = |jumps: &[f64]| {
            let smooth =
                |t: f64, y: &[f64; 1]| field(if JUMPS.contains(&t) { t + 1e-9 } else { t }, y);
            let pid = Pid { first_step: Some(1e-2), ..Pid::i(1e-9, 1e-9) };
            let s = solve(smooth, [0.7], span).with(Tsit5).controller(pid);
            s.jumps(jumps.to_vec()).save(Save::Steps).run().unwrap()
        };
        let (with, without) = (run(&JUMPS), run(&[]));
        assert!(JUMPS.iter().all(|j| with.ts.contains(j)));
        for (t, y) in with.ts.iter().zip(&with.ys) {
            assert!((y[0] - exact(span.0, 0.7, *t)).abs() < 1e-7, "{t}");
        }
        let (a, b) = (with.statistics, without.statistics);
        assert!(a.rejected <= 3 && b.rejected >= 6, "{} {}", a.rejected, b.rejected);
    }
}

/// At the jumps and inside the steps around them.
#[test]
fn saved_times_may_be_jumps() {
    for span in [(0.3, 1.7), (1.7, 0.3)] {
        let mut times = vec![0.3, 0.3 + 1e-9, 0.9, 1.0, 1.0 + 1e-9, 1.69, 1.7];
        if span.1 < span.0 {
            times.reverse();
        }
        let s = solve(field, [0.7], span).with(Tsit5).tolerance(1e-10, 1e-10);
        let s = s.jumps(JUMPS).save_at(times).run().unwrap();
        for (t, y) in s.ts.iter().zip(&s.ys) {
            assert!((y[0] - exact(span.0, 0.7, *t)).abs() < 1e-8, "{t}");
        }
        let s = solve(field, [0.7], span).with(Dopri5).tolerance(1e-10, 1e-10).jumps(JUMPS);
        let (_, path) = s.run_dense().unwrap();
        for t in [0.3, 0.7, 1.0, 1.3, 1.7] {
            assert!((path.at(t).unwrap()[0] - exact(span.0, 0.7, t)).abs() < 1e-8, "{t}");
        }
    }
}

/// In the order of the solve or the other; outside the interval they do nothing.
#[test]
fn the_order_of_jumps_is_free_but_for_disorder() {
    let run = |jumps: Vec<f64>| {
        solve(field, [0.7], (0.0, 2.0)).with(Rk4).step(0.05).jumps(jumps).run().map(|s| s.y_end)
    };
    let plain = run(JUMPS.to_vec()).unwrap();
    assert_eq!(run(vec![1.7, 1.0, 0.3]).unwrap(), plain);
    assert_eq!(run(vec![7.0, 1.7, 1.0, 0.3, -2.0]).unwrap(), plain);
    for bad in [vec![0.3, 1.0, 0.7], vec![0.3, 0.3], vec![1.0, 0.3, 0.7]] {
        assert!(matches!(run(bad), Err(Error::NonMonotone { .. })));
    }
    assert!(matches!(run(vec![f64::NAN]), Err(Error::InvalidArgument { .. })));
}

/// The margin beside a jump must not be a rounding error of large times, nor jumps too near to
/// have anything between them an error.
#[test]
fn large_times_and_close_jumps() {
    let shifted = |t: f64, y: &[f64; 1]| {
        assert!(t != 1e6 + 1.0, "evaluated at the jump");
        [if t < 1e6 + 1.0 { 1.0 } else { -1.0 } * y[0]]
    };
    let s = solve(shifted, [1.0], (1e6, 1e6 + 2.0)).with(Heun).steps(2000).jumps([1e6 + 1.0]);
    assert!((s.run().unwrap().y_end[0] - 1.0).abs() < 1e-6);
    let near = [1.0, 1.0 + f64::EPSILON, 1.0 + 3.0 * f64::EPSILON];
    let decay = |_: f64, y: &[f64; 1]| [-y[0]];
    let s = solve(decay, [1.0], (0.0, 2.0)).with(Tsit5).tolerance(1e-8, 1e-8).jumps(near);
    assert!((s.run().unwrap().y_end[0] - (-2f64).exp()).abs() < 1e-8);
}
