//! Delay equations against closed forms.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ansatz_ode::{
    Bosh3, Dopri5, Error, Event, ExplicitRungeKutta, Lags, Rk4, Save, Status, Tsit5, Vern7,
    solve_delayed,
};

/// y' = −y(t − 1), y = 1 up to 0: by parts a polynomial (R. D. Driver 1977).
fn steps_exact(t: f64) -> f64 {
    let mut sum = 0.0;
    let mut term = 1.0;
    for k in 0..=(t.floor() as i32 + 1) {
        let x = t - f64::from(k) + 1.0;
        if k > 0 {
            term = (1..=k).fold(1.0, |p, j| p * x / f64::from(j));
        }
        sum += if k % 2 == 0 { term } else { -term };
    }
    sum
}

#[test]
fn polynomials_by_parts() {
    assert!((steps_exact(0.5) - 0.5).abs() < 1e-15 && (steps_exact(1.5) + 0.375).abs() < 1e-15);
    let times: Vec<f64> = (1..=40).map(|k| 0.125 * f64::from(k)).collect();
    let field = |_: f64, _: &f64, d: &[f64]| -d[0];
    let s = solve_delayed(field, |_| 1.0, Lags::constant([1.0]), (0.0, 5.0)).with(Vern7);
    let s = s.tolerance(1e-11, 1e-11).save_at(times).run().unwrap();
    for (t, y) in s.ts.iter().zip(&s.ys) {
        assert!((y - steps_exact(*t)).abs() < 1e-10, "{t}: {y} {}", steps_exact(*t));
    }
}

/// Two lags and a system, y = (e^(−t), sin t) by construction; steps that divide the lags.
fn error_of<M: ExplicitRungeKutta>(method: M, steps: usize) -> f64 {
    let exact = |t: f64| [(-t).exp(), t.sin()];
    let lags = [0.8f64, 1.2];
    let field = move |t: f64, y: &[f64; 2], d: &[[f64; 2]]| {
        let (sine, cosine) = lags[1].sin_cos();
        // sin t from sin(t − τ), and cos t.
        let again = d[1][1] * cosine + (t - lags[1]).cos() * sine;
        let slope = (t - lags[1]).cos() * cosine - d[1][1] * sine;
        [-d[0][0] * (-lags[0]).exp() + 0.3 * (y[1] - again), slope]
    };
    let s = solve_delayed(field, exact, Lags::constant(lags), (0.0, 4.0)).with(method);
    let end = s.steps(steps).run().unwrap().y_end;
    end.iter().zip(exact(4.0)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_order_is_that_of_the_method() {
    let order = (error_of(Bosh3, 40) / error_of(Bosh3, 320)).log(8.0);
    assert!((order - 3.0).abs() < 0.2, "{order}");
    let order = (error_of(Rk4, 20) / error_of(Rk4, 160)).log(8.0);
    assert!((order - 4.0).abs() < 0.2, "{order}");
    let order = (error_of(Tsit5, 10) / error_of(Tsit5, 40)).log(4.0);
    assert!((order - 5.0).abs() < 0.2, "{order}");
}

/// A lag that depends on the state: y = e^t solves y' = y(t − τ) e^τ.
#[test]
fn lags_of_the_state() {
    let lag = |t: f64, y: f64| 0.3 + 0.2 * (t + y).sin();
    let field = move |t: f64, y: &f64, d: &[f64]| d[0] * lag(t, *y).exp();
    let lags = Lags::of_state(1, move |t, y: &f64, out: &mut [f64]| out[0] = lag(t, *y));
    for tolerance in [1e-6, 1e-10] {
        let s = solve_delayed(field, f64::exp, lags.clone(), (0.0, 2.0)).with(Dopri5);
        let s = s.tolerance(tolerance, tolerance).run().unwrap();
        let error = (s.y_end / 2f64.exp() - 1.0).abs();
        assert!(error < 30.0 * tolerance, "{error:e}");
    }
}

/// A lag far below what the solution needs: steps are as short, and the result is right.
#[test]
fn short_lags() {
    let calls = AtomicUsize::new(0);
    let field = |_: f64, _: &f64, d: &[f64]| {
        calls.fetch_add(1, Relaxed);
        -d[0] * (-0.01f64).exp()
    };
    // y = e^(−t): y(t − τ) = y e^τ.
    let s = solve_delayed(field, |t: f64| (-t).exp(), Lags::constant([0.01]), (0.0, 1.0));
    let s = s.with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap();
    assert!((s.y_end - (-1f64).exp()).abs() < 1e-5, "{}", s.y_end);
    assert!(s.statistics.rejected == 0 && s.statistics.accepted < 120, "{:?}", s.statistics);
    let s = solve_delayed(
        |_: f64, _: &f64, d: &[f64]| -d[0],
        |_| 1.0,
        Lags::constant([0.1]),
        (0.0, 1.0),
    );
    assert!(s.with(Rk4).step(0.25).run().unwrap().statistics.accepted >= 10);
}

/// Events, steps and partial solutions are those of any solve.
#[test]
fn events_and_steps() {
    let field = |_: f64, _: &f64, d: &[f64]| -d[0];
    let s = solve_delayed(field, |_| 1.0, Lags::constant([1.0]), (0.0, 5.0)).with(Tsit5);
    let s = s.tolerance(1e-10, 1e-10).save(Save::Steps);
    let s = s.event(Event::new(|_, y: &f64| Ok(*y)).stop_after(1)).run().unwrap();
    assert_eq!(s.status, Status::Stopped { event: 0 });
    assert!((s.t_end - 1.0).abs() < 1e-9, "{}", s.t_end);
    assert_eq!(s.ts.len(), s.statistics.accepted + 1);
}

#[cfg(feature = "stiff")]
#[test]
fn stiff_delay_equations() {
    // Relaxation towards a delayed target: y = cos t exactly.
    let field = |t: f64, y: &f64, d: &[f64]| {
        let target = d[0] * 0.5f64.cos() - (t - 0.5).sin() * 0.5f64.sin();
        -1e5 * (y - target) - t.sin()
    };
    let s = solve_delayed(field, f64::cos, Lags::constant([0.5]), (0.0, 6.0));
    let s = s.with(ansatz_ode::Kvaerno5).tolerance(1e-7, 1e-7).run().unwrap();
    assert!((s.y_end - 6f64.cos()).abs() < 1e-5, "{}", s.y_end);
    assert!(s.statistics.accepted < 500, "{:?}", s.statistics);
}

#[test]
fn what_makes_no_sense() {
    let field = |_: f64, _: &f64, d: &[f64]| -d[0];
    for lag in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let s =
            solve_delayed(field, |_| 1.0, Lags::constant([lag]), (0.0, 1.0)).with(Tsit5).steps(3);
        let s = s.run();
        assert!(matches!(s, Err(Error::InvalidArgument { what: "lag", .. })), "{s:?}");
    }
    let back =
        solve_delayed(field, |_| 1.0, Lags::constant([1.0]), (1.0, 0.0)).with(Tsit5).steps(3);
    assert!(matches!(back.run(), Err(Error::InvalidArgument { what: "t1", .. })));
    let empty =
        solve_delayed(field, |_| 1.0, Lags::constant([1.0]), (1.0, 1.0)).with(Tsit5).steps(3);
    assert_eq!(empty.run().unwrap().y_end, 1.0);
    // A lag that vanishes at t = 0.5.
    let lags = Lags::of_state(1, |t, _: &f64, out: &mut [f64]| out[0] = 0.5 - t);
    let s = solve_delayed(field, |_| 1.0, lags, (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6);
    let s = s.run_partial().unwrap();
    assert!(
        s.status != Status::Finished && (s.t_end - 0.5).abs() < 0.3,
        "{:?} {}",
        s.status,
        s.t_end
    );
}
