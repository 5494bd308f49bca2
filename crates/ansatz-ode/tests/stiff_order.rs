//! Measured order of every implicit method and of its dense output, forwards and backwards, on
//! problems that depend on time.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    DiagonallyImplicit, Dirk, DirkTableau, ImplicitEuler, Kvaerno3, Kvaerno4, Kvaerno5, Method,
    NoGradient, Rodas3, Rodas4, Rodas4P, Rodas5P, Ros3, Ros3P, Rosenbrock23, TrBdf2, Trapezoidal,
    WithMass, solve,
};

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

/// y' = 2y/t + t⁴ sin 2t − t² + 4t³, nonlinear in time.
fn sine(t: f64, y: &f64) -> f64 {
    2.0 * y / t + t.powi(4) * (2.0 * t).sin() - t * t + 4.0 * t.powi(3)
}

fn sine_solution(t: f64) -> f64 {
    let (s, c) = (2.0 * t).sin_cos();
    -0.5 * t.powi(4) * c + 0.5 * t.powi(3) * s + 0.25 * t * t * c - t.powi(3)
        + 2.0 * t.powi(4)
        + (std::f64::consts::PI - 0.25) * t * t
}

/// y' = −y² (1 + t), nonlinear in the state: 1/(c + t + t²/2).
fn rational(t: f64, y: &f64) -> f64 {
    -y * y * (1.0 + t)
}

fn rational_solution(t: f64) -> f64 {
    1.0 / (1.0 + t + 0.5 * t * t)
}

/// Slope of log error against log step, by least squares.
fn slope(errors: &[f64]) -> f64 {
    let n = errors.len() as f64;
    let mean = errors.iter().map(|e| e.log2()).sum::<f64>() / n;
    let (mut sxy, mut sxx) = (0.0, 0.0);
    for (i, e) in errors.iter().enumerate() {
        let x = i as f64 - (n - 1.0) / 2.0;
        sxy += x * (e.log2() - mean);
        sxx += x * x;
    }
    -sxy / sxx
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

macro_rules! check_order {
    ($method:ident, $order:expr, $base:expr) => {{
        for span in [(0.3, 1.8), (1.8, 0.3)] {
            let error = |level: u32| {
                let s = solve(rotation, rotated(span.0), span).with($method);
                distance(&s.steps($base << level).run().unwrap().y_end, &rotated(span.1))
            };
            let errors: Vec<f64> = (1..4).map(error).collect();
            let measured = slope(&errors[1..]);
            let name = stringify!($method);
            assert!((measured - $order).abs() < 0.2, "{name} {span:?}: {measured} {errors:?}");

            let error = |level: u32| {
                let s = solve(rational, rational_solution(span.0), span).with($method);
                let end = s.steps(($base << level) / 2).run().unwrap().y_end;
                (end - rational_solution(span.1)).abs()
            };
            // Where the error is above that of differences in place of derivatives.
            let above = |e: &f64| *e > 1e-9;
            let errors: Vec<f64> = (0..5).map(error).take_while(above).collect();
            // Coarse steps are not yet in the range of the order.
            let measured =
                errors.windows(2).map(|e| (e[0] / e[1]).log2()).fold(f64::NEG_INFINITY, f64::max);
            assert!(measured > $order - 0.4, "{name} {span:?}: {measured} {errors:?}");
        }
    }};
}

#[test]
fn every_method_has_its_order() {
    check_order!(ImplicitEuler, 1.0, 200);
    check_order!(Trapezoidal, 2.0, 40);
    check_order!(TrBdf2, 2.0, 40);
    check_order!(Kvaerno3, 3.0, 30);
    check_order!(Kvaerno4, 4.0, 15);
    check_order!(Kvaerno5, 5.0, 10);
    check_order!(Rosenbrock23, 2.0, 60);
    check_order!(Ros3, 3.0, 60);
    check_order!(Ros3P, 3.0, 60);
    check_order!(Rodas3, 3.0, 60);
    check_order!(Rodas4, 4.0, 6);
    check_order!(Rodas4P, 4.0, 5);
    // Differences in place of derivatives leave errors of 1e-10.
    check_order!(Rodas5P, 5.0, 4);
}

macro_rules! check_dense {
    ($method:ident, $order:expr, $base:expr) => {{
        for span in [(1.0, 3.0), (3.0, 1.0)] {
            let error = |level: u32| {
                let (_, dense) = solve(sine, sine_solution(span.0), span)
                    .with($method)
                    .steps($base << level)
                    .adjoint(NoGradient)
                    .run_dense()
                    .unwrap();
                let at = |i: i32| span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
                let off = |t: f64| (dense.at(t).unwrap() - sine_solution(t)).abs();
                (0..=200).map(|i| off(at(i))).fold(0.0, f64::max)
            };
            let errors: Vec<f64> = (1..4).map(error).collect();
            let measured = slope(&errors[1..]);
            let name = stringify!($method);
            assert!((measured - $order).abs() < 0.4, "{name} {span:?}: {measured} {errors:?}");
        }
    }};
}

#[test]
fn dense_output_has_its_order() {
    // One more than the order of the interpolant, but never more than that of the steps.
    check_dense!(ImplicitEuler, 1.0, 100);
    check_dense!(Trapezoidal, 2.0, 60);
    check_dense!(TrBdf2, 2.0, 60);
    check_dense!(Kvaerno3, 3.0, 40);
    check_dense!(Kvaerno4, 4.0, 20);
    check_dense!(Kvaerno5, 5.0, 16);
    check_dense!(Rosenbrock23, 2.0, 60);
    check_dense!(Ros3, 3.0, 60);
    check_dense!(Ros3P, 3.0, 60);
    check_dense!(Rodas3, 3.0, 60);
    check_dense!(Rodas4, 4.0, 30);
    check_dense!(Rodas4P, 4.0, 30);
    check_dense!(Rodas5P, 5.0, 16);
}

/// A method without polynomials of its own has Hermite's cubic.
#[derive(Debug, Clone, Copy)]
struct WithoutPolynomials;

impl Method for WithoutPolynomials {
    type Family = Dirk;
}

impl DiagonallyImplicit for WithoutPolynomials {
    const TABLEAU: DirkTableau = DirkTableau { dense: &[], ..Kvaerno5::TABLEAU };
}

#[test]
fn cubic_where_nothing_else_is_there() {
    check_dense!(WithoutPolynomials, 4.0, 16);
}

/// An algebraic equation beside the differential one.
#[test]
fn order_on_a_differential_algebraic_equation() {
    // y = 1/(1 + t + t²/2), z = y²: y' = −z (1 + t), 0 = z − y².
    let dae = |t: f64, y: &[f64; 2]| [-y[1] * (1.0 + t), y[1] - y[0] * y[0]];
    macro_rules! check {
        ($method:ident, $order:expr, $base:expr) => {{
            for span in [(0.0, 1.0), (1.0, 0.0)] {
                let start = rational_solution(span.0);
                let error = |level: u32| {
                    let field = WithMass::new(dae, [1.0, 0.0]);
                    let s = solve(field, [start, start * start], span).with($method);
                    let end = s.steps($base << level).run().unwrap().y_end;
                    let y = rational_solution(span.1);
                    (end[0] - y).abs().max((end[1] - y * y).abs())
                };
                let errors: Vec<f64> = (1..4).map(error).collect();
                let measured = slope(&errors[1..]);
                let name = stringify!($method);
                assert!(measured > $order - 0.25, "{name} {span:?}: {measured} {errors:?}");
            }
        }};
    }
    check!(ImplicitEuler, 1.0, 100);
    check!(TrBdf2, 2.0, 40);
    check!(Kvaerno3, 3.0, 20);
    check!(Kvaerno4, 4.0, 10);
    check!(Kvaerno5, 5.0, 6);
    check!(Rodas3, 3.0, 40);
    check!(Rodas4, 4.0, 20);
    check!(Rodas4P, 4.0, 20);
    check!(Rodas5P, 5.0, 10);
}
