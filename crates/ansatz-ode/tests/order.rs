//! Measured order of every method, forwards and backwards, on a non-autonomous problem.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Bosh3, Dopri5, Euler, Explicit, ExplicitRungeKutta, Heun, Method, Midpoint, NoGradient, Pid,
    Rk4, Save, Tsit5, solve,
};

/// y' = 2y/t + t⁴ sin 2t − t² + 4t³ with a closed-form solution (torchode's "sine" problem).
fn field(t: f64, y: &f64) -> f64 {
    2.0 * y / t + t.powi(4) * (2.0 * t).sin() - t * t + 4.0 * t.powi(3)
}

fn exact(t: f64) -> f64 {
    let (s, c) = (2.0 * t).sin_cos();
    -0.5 * t.powi(4) * c + 0.5 * t.powi(3) * s + 0.25 * t * t * c - t.powi(3)
        + 2.0 * t.powi(4)
        + (std::f64::consts::PI - 0.25) * t * t
}

/// y' = t y: y = exp(t²/2).
fn growth(t: f64, y: &f64) -> f64 {
    t * y
}

fn bell(t: f64) -> f64 {
    (t * t / 2.0).exp()
}

/// u' = t u − v, v' = t v + u: a rotation of the solution above by the angle t.
#[allow(clippy::ptr_arg)] // the state is a vector, and fields take the state
fn rotation(t: f64, y: &Vec<f64>) -> Vec<f64> {
    vec![t * y[0] - y[1], t * y[1] + y[0]]
}

/// Slope of log error against log step, by least squares over the last three of the halvings:
/// before that the methods of order 5 are not yet in their asymptotic regime.
fn slope(errors: &[f64]) -> f64 {
    let errors = &errors[errors.len() - 3..];
    let n = errors.len();
    let logs: Vec<f64> = errors.iter().map(|e| e.log2()).collect();
    let mean_x = (n as f64 - 1.0) / 2.0;
    let mean_y = logs.iter().sum::<f64>() / n as f64;
    let (mut sxy, mut sxx) = (0.0, 0.0);
    for (i, l) in logs.iter().enumerate() {
        sxy += (i as f64 - mean_x) * (l - mean_y);
        sxx += (i as f64 - mean_x).powi(2);
    }
    -sxy / sxx
}

fn measured_order<M: ExplicitRungeKutta>(method: M, span: (f64, f64), base: usize) -> f64 {
    let errors: Vec<f64> = (0..5)
        .map(|level| {
            let y0 = bell(span.0);
            let end = solve(growth, y0, span).with(method).steps(base << level).run().unwrap();
            (end.y_end - bell(span.1)).abs()
        })
        .collect();
    slope(&errors)
}

fn measured_order_system<M: ExplicitRungeKutta>(method: M, span: (f64, f64), base: usize) -> f64 {
    let truth = |t: f64| [bell(t) * t.cos(), bell(t) * t.sin()];
    let errors: Vec<f64> = (0..5)
        .map(|level| {
            let y0 = truth(span.0).to_vec();
            let end = solve(rotation, y0, span).with(method).steps(base << level).run().unwrap();
            (0..2).map(|i| (end.y_end[i] - truth(span.1)[i]).abs()).fold(0.0, f64::max)
        })
        .collect();
    slope(&errors)
}

fn check<M: ExplicitRungeKutta>(method: M, base: usize) {
    let order = f64::from(M::TABLEAU.order);
    for span in [(0.3, 2.1), (2.1, 0.3)] {
        let measured = measured_order(method, span, base);
        assert!((measured - order).abs() < 0.2, "{span:?}: {measured} instead of {order}");
    }
    for span in [(0.3, 2.1), (2.1, 0.3)] {
        let measured = measured_order_system(method, span, base);
        assert!((measured - order).abs() < 0.2, "{span:?}: {measured} instead of {order}");
    }
}

#[test]
fn every_method_has_its_order_forwards_and_backwards() {
    check(Euler, 400);
    check(Heun, 60);
    check(Midpoint, 60);
    check(Bosh3, 40);
    check(Rk4, 20);
    check(Dopri5, 12);
    check(Tsit5, 12);
}

/// Negative control: with one node wrong, the order on a non-autonomous problem falls to 1 though
/// the method stays right on autonomous ones.
#[test]
fn a_wrong_node_is_found() {
    #[derive(Clone, Copy)]
    struct WrongNode;
    impl Method for WrongNode {
        type Family = Explicit;
    }
    impl ExplicitRungeKutta for WrongNode {
        const TABLEAU: ansatz_ode::Tableau =
            ansatz_ode::Tableau { c: &[0.0, 0.5, 0.4, 1.0], ..Rk4::TABLEAU };
    }
    assert!(measured_order(WrongNode, (0.3, 2.1), 20) < 1.5);
}

/// The interpolation error inside a step falls with the order of the dense output plus one.
fn dense_error<M: ExplicitRungeKutta>(method: M, span: (f64, f64), steps: usize) -> f64 {
    let (_, dense) = solve(field, exact(span.0), span)
        .with(method)
        .steps(steps)
        .adjoint(NoGradient)
        .run_dense()
        .unwrap();
    (0..=200)
        .map(|i| {
            let t = span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
            (dense.at(t).unwrap() - exact(t)).abs()
        })
        .fold(0.0, f64::max)
}

#[test]
fn dense_output_has_its_order() {
    // Local order q+1 of the interpolant, but never above the global order p of the steps.
    fn check<M: ExplicitRungeKutta>(method: M, base: usize, expected: f64) {
        for span in [(1.0, 3.0), (3.0, 1.0)] {
            let errors: Vec<f64> = (0..5).map(|l| dense_error(method, span, base << l)).collect();
            let measured = slope(&errors);
            assert!((measured - expected).abs() < 0.35, "{span:?} {measured} not {expected}");
        }
    }
    check(Bosh3, 40, 3.0);
    check(Rk4, 30, 4.0);
    check(Dopri5, 12, 5.0);
    check(Tsit5, 12, 5.0);
}

#[test]
fn adaptive_solves_follow_the_tolerance() {
    fn check<M>(method: M, factor: f64)
    where
        M: ansatz_ode::Adaptive + ExplicitRungeKutta,
    {
        for span in [(1.0, 3.0), (3.0, 1.0)] {
            for tol in [1e-4, 1e-6, 1e-8] {
                for pid in [Pid::i(tol, tol), Pid::pi(tol, tol), Pid::h312(tol, tol)] {
                    let s = solve(field, exact(span.0), span)
                        .with(method)
                        .controller(pid)
                        .run()
                        .unwrap();
                    let error = (s.y_end - exact(span.1)).abs() / exact(span.1).abs().max(1.0);
                    assert!(error < factor * tol, "{span:?} {tol}: {error}");
                }
            }
        }
    }
    check(Heun, 200.0);
    check(Midpoint, 200.0);
    check(Bosh3, 100.0);
    check(Dopri5, 50.0);
    check(Tsit5, 50.0);
}

#[test]
fn saved_times_agree_with_the_solution_backwards_too() {
    for span in [(1.0, 3.0), (3.0, 1.0)] {
        let times: Vec<f64> =
            (0..=40).map(|i| span.0 + (span.1 - span.0) * f64::from(i) / 40.0).collect();
        let s = solve(field, exact(span.0), span)
            .with(Tsit5)
            .tolerance(1e-10, 1e-10)
            .save_at(times.clone())
            .run()
            .unwrap();
        assert_eq!(s.ts, times);
        for (t, y) in s.ts.iter().zip(&s.ys) {
            assert!((y - exact(*t)).abs() < 1e-7, "{t}: {y} against {}", exact(*t));
        }
    }
}

#[test]
fn steps_are_saved_with_both_ends() {
    let s =
        solve(field, exact(1.0), (1.0, 3.0)).with(Rk4).steps(10).save(Save::Steps).run().unwrap();
    assert_eq!(s.ts.len(), 11);
    assert_eq!((s.ts[0], s.ts[10]), (1.0, 3.0));
    assert_eq!(s.ys[10], s.y_end);
    assert_eq!(s.statistics.accepted, 10);
}
