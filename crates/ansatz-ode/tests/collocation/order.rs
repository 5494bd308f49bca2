//! Measured order of steps, dense output and algebraic components.

use ansatz_ode::{
    CollocationMethod, GaussLegendre4, GaussLegendre6, ImplicitMidpoint, NoGradient, Predictive,
    RadauIia5, WithMass, solve,
};

use super::{distance, power, rational, rational_solution, rotated, rotation};

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

macro_rules! check_step {
    ($method:ident, $order:expr, $base:expr) => {{
        let error = |span: (f64, f64), steps: usize| {
            let s = solve(rotation, rotated(span.0), span).with($method).steps(steps);
            distance(&s.run().unwrap().y_end, &rotated(span.1))
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
        let error = |span: (f64, f64), steps: usize| {
            let s = solve(rational, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base / 2, 0.2, [(0.0, 2.0), (2.0, 0.0)], error);
    }};
}

#[test]
fn steps_have_their_order() {
    check_step!(ImplicitMidpoint, 2.0, 40);
    check_step!(GaussLegendre4, 4.0, 16);
    check_step!(GaussLegendre6, 6.0, 6);
    check_step!(RadauIia5, 5.0, 8);
}

macro_rules! check_dense {
    ($method:ident, $order:expr, $base:expr) => {{
        let error = |span: (f64, f64), steps: usize| {
            let (_, dense) = solve(sine, sine_solution(span.0), span)
                .with($method)
                .steps(steps)
                .adjoint(NoGradient)
                .run_dense()
                .unwrap();
            let at = |i: i32| span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
            let off = |t: f64| (dense.at(t).unwrap() - sine_solution(t)).abs();
            (0..=200).map(|i| off(at(i))).fold(0.0, f64::max)
        };
        check!(stringify!($method), $order, $base, 0.2, [(1.0, 3.0), (3.0, 1.0)], error);
    }};
}

#[test]
fn dense_output_is_the_collocation_polynomial() {
    check_dense!(ImplicitMidpoint, 2.0, 60);
    check_dense!(GaussLegendre4, 3.0, 30);
    check_dense!(GaussLegendre6, 4.0, 16);
    check_dense!(RadauIia5, 4.0, 16);
}

/// y = 1/(1 + t + t²/2), z = y²: y' = −z (1 + t), 0 = z − y².
#[test]
fn order_on_a_differential_algebraic_equation() {
    let dae = |t: f64, y: &[f64; 2]| [-y[1] * (1.0 + t), y[1] - y[0] * y[0]];
    let error = |span: (f64, f64), steps: usize| {
        let start = rational_solution(span.0);
        let field = WithMass::new(dae, [1.0, 0.0]);
        let s = solve(field, [start, start * start], span).with(RadauIia5).steps(steps);
        let y = rational_solution(span.1);
        distance(&s.run().unwrap().y_end, &[y, y * y])
    };
    check!("RadauIia5", 5.0, 4, 0.2, [(0.0, 1.0), (1.0, 0.0)], error);
}

/// The error estimate vanishes for polynomials of degree 3, and no further.
#[test]
fn error_estimate_has_its_order() {
    let tableau = RadauIia5::TABLEAU;
    for k in 1..=4 {
        let slope = if k == 1 { 1.0 / tableau.real.unwrap() } else { 0.0 };
        let power = |(e, c): (&f64, &f64)| e * c.powi(k);
        let sum: f64 = slope + tableau.error.iter().zip(tableau.c).map(power).sum::<f64>();
        assert_eq!(sum.abs() < 1e-14, k < 4, "{k} {sum}");
    }
}

/// y' = −λ (y − cos t) − sin t: the smooth solution cos t, however stiff. Steps are off by a multiple of
/// `h³/λ`: the stage order is 3.
#[test]
fn stiff_and_smooth() {
    let error = |lambda: f64, steps: usize| {
        let field = move |t: f64, y: &f64| -lambda * (y - t.cos()) - t.sin();
        let s = solve(field, 1.0, (0.0, 1.0)).with(RadauIia5).steps(steps).run().unwrap();
        (s.y_end - 1f64.cos()).abs()
    };
    let errors = [10, 20, 40].map(|steps| error(1e5, steps));
    assert!((power(errors) - 3.0).abs() < 0.2, "{errors:?}");
    for (lambda, digits) in [(1e6, 1e-2), (1e9, 0.1)] {
        let ratio = error(lambda, 10) * lambda / (errors[0] * 1e5);
        assert!((ratio - 1.0).abs() < digits, "{lambda} {ratio}");
    }
}

/// A first step far too long for what decays at once: the estimate of the second evaluation lets it
/// pass, since what it does not resolve is gone after it.
#[test]
fn doubtful_estimates_are_filtered_twice() {
    let mut control = Predictive::new(1e-3, 1e-3);
    control.base.first_step = Some(0.1);
    let s = solve(|_: f64, y: &f64| -1e9 * y, 1.0, (0.0, 1.0)).with(RadauIia5).controller(control);
    let s = s.run().unwrap();
    assert_eq!(s.statistics.rejected, 0, "{:?}", s.statistics);
    assert!(s.y_end.abs() < 1e-3, "{}", s.y_end);
}
