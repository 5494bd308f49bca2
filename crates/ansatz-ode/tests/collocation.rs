//! Collocation methods: measured order, reference values and counters of RADAU5, invariants.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    CollocationMethod, Error, GaussLegendre4, GaussLegendre6, ImplicitMidpoint, InPlace,
    NoGradient, Pid, Predictive, RadauIia5, Rms, Sparsity, Statistics, WithJacobian, WithMass,
    WithSparsity, solve,
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

/// y' = −y² (1 + t), nonlinear in the state: 1/(1 + t + t²/2).
fn rational(t: f64, y: &f64) -> f64 {
    -y * y * (1.0 + t)
}

fn rational_solution(t: f64) -> f64 {
    1.0 / (1.0 + t + 0.5 * t * t)
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

/// The power of the step in errors of steps halved each time.
fn power(errors: [f64; 3]) -> f64 {
    (errors[0] / errors[2]).log2() / 2.0
}

/// Checks that an error halves `order` times with the step, as said by `$error` for a number of
/// steps, in both directions of time.
macro_rules! check {
    ($what:expr, $order:expr, $base:expr, $tolerance:expr, $spans:expr, $error:expr) => {{
        for span in $spans {
            let errors = [1, 2, 4].map(|k| $error(span, k * $base));
            let measured: f64 = power(errors);
            let name = $what;
            assert!(
                (measured - $order).abs() < $tolerance,
                "{name} {span:?} {measured} {errors:?}"
            );
        }
    }};
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

/// A mass matrix that is regular, and a Jacobian that is sparse: the same equations.
#[test]
fn mass_matrices_and_sparse_jacobians_change_nothing() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    let mixed = move |t: f64, y: &[f64; 2]| {
        let f = rotation(t, y);
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let dense = ansatz_linalg::Dense::from_rows(&m).unwrap();
    let full = || Sparsity::banded(2, 1, 1).unwrap();
    for span in [(0.3, 1.8), (1.8, 0.3)] {
        let y0 = rotated(span.0);
        let plain = solve(rotation, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        let mass = WithMass::new(mixed, dense.clone());
        let mass = solve(mass, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &mass) < 1e-13, "{plain:?} {mass:?}");
        let sparse = WithSparsity::new(rotation, full());
        let sparse = solve(sparse, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &sparse) < 1e-13, "{plain:?} {sparse:?}");
        let both = WithMass::new(WithSparsity::new(mixed, full()), dense.clone());
        let both = solve(both, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &both) < 1e-13, "{plain:?} {both:?}");
    }
}

fn robertson(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [-slow + back, slow - back - fast, fast]
}

fn robertson_jacobian(_: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
}

fn van_der_pol(eps: f64, tol: f64, predictive: bool) -> ([f64; 2], Statistics) {
    let field = WithJacobian::new(
        move |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / eps],
        move |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [(-2.0 * y[0] * y[1] - 1.0) / eps, (1.0 - y[0] * y[0]) / eps]]
        },
    );
    let s = solve(field, [2.0, -0.6], (0.0, 2.0)).with(RadauIia5);
    let s = if predictive {
        s.tolerance(tol, tol).run().unwrap()
    } else {
        s.controller(Pid::stiff(tol, tol)).run().unwrap()
    };
    (s.y_end, s.statistics)
}

/// RADAU5 with the tolerance 1e-4, which it replaces by `0.1 (1e-4)^(2/3)`, takes 280 steps (8 of
/// them rejected), 253 factorisations and 668 solutions of both systems.
#[test]
fn van_der_pol_costs_what_it_costs_radau5() {
    let (y, s) = van_der_pol(1e-6, 0.1 * 1e-4f64.powf(2.0 / 3.0), true);
    let (_, pid) = van_der_pol(1e-6, 0.1 * 1e-4f64.powf(2.0 / 3.0), false);
    // What prediction is for.
    assert!(s.rejected < pid.rejected / 3, "{s:?} {pid:?}");
    assert!((y[0] - 1.70616746433).abs() < 2e-5 && (y[1] + 8.9280998787e-1).abs() < 5e-5, "{y:?}");
    // Counted here for each of the two matrices; RADAU5 does not count the solves of the estimate.
    assert!(s.attempted() < 280 && s.factorisations < 2 * 253, "{s:?}");
    assert!(s.linear_solves - s.attempted() < 2 * 668, "{s:?}");
}

#[test]
fn van_der_pol_at_a_strict_tolerance() {
    let (y, s) = van_der_pol(1e-6, 1e-8, true);
    assert!(s.not_converged == 0, "{s:?}");
    assert!((y[0] - 1.70616746433).abs() < 1e-9 && (y[1] + 8.9280998787e-1).abs() < 1e-9, "{y:?}");
}

#[test]
fn robertson_at_many_times() {
    // Without the algebraic form, and with it.
    let times = vec![1e-2, 1.0, 100.0, 4e5, 4e10];
    let want = [9.996006826883e-1, 9.664597373330e-1, 6.172348823961e-1, 4.938275e-3, 5.208345e-8];
    let plain =
        solve(WithJacobian::new(robertson, robertson_jacobian), [1.0, 0.0, 0.0], (0.0, 4e10))
            .with(RadauIia5)
            .tolerance(1e-8, 1e-14)
            .save_at(times.clone())
            .run()
            .unwrap();
    let field = |_: f64, y: &[f64; 3]| {
        let f = robertson(0.0, y);
        [f[0], f[1], y[0] + y[1] + y[2] - 1.0]
    };
    let dae = solve(WithMass::new(field, [1.0, 1.0, 0.0]), [1.0, 0.0, 0.0], (0.0, 4e10))
        .with(RadauIia5)
        .tolerance(1e-8, 1e-14)
        .save_at(times)
        .run()
        .unwrap();
    for (i, want) in want.iter().enumerate() {
        for s in [&plain, &dae] {
            assert!((s.ys[i][0] / want - 1.0).abs() < 1e-6, "{} {:?}", s.ts[i], s.ys[i]);
        }
    }
}

/// RADAU5 at `rtol` 1e-2, `atol` 1e-8 takes 17 steps to 0.3, where y is (.98867401384998,
/// 3.44772047e-5, 1.129150895e-2).
#[test]
fn robertson_costs_what_it_costs_radau5() {
    let (rtol, atol) = (0.1 * 1e-2f64.powf(2.0 / 3.0), 1e-6 * 0.1 * 1e-2f64.powf(2.0 / 3.0));
    let mut control = Predictive::new(rtol, atol);
    control.base.first_step = Some(1e-6);
    let s = solve(WithJacobian::new(robertson, robertson_jacobian), [1.0, 0.0, 0.0], (0.0, 0.3))
        .with(RadauIia5)
        .controller(control)
        .run()
        .unwrap();
    assert!((s.y_end[0] - 0.988674).abs() < 1e-5, "{:?}", s.y_end);
    assert!((s.y_end[1] / 3.44772e-5 - 1.0).abs() < 1e-3, "{:?}", s.y_end);
    assert!(s.statistics.attempted() <= 17, "{:?}", s.statistics);
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

/// A sparse Jacobian of a system with more components than plain elimination serves: the same
/// solution from dense, sparse, and (with few components) small systems.
#[test]
fn diffusion_by_every_kind_of_factorisation() {
    for n in [10usize, 80] {
        let field = move |t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
            let scale = ((n + 1) as f64).powi(2);
            for i in 0..n {
                let left = if i == 0 { t.sin() } else { u[i - 1] };
                let right = if i + 1 == n { 0.0 } else { u[i + 1] };
                du[i] = scale * (left - 2.0 * u[i] + right) + u[i] * (1.0 - u[i]);
            }
        };
        let y0 = vec![0.5; n];
        let dense = solve(InPlace(field), y0.clone(), (0.0, 1.0)).with(RadauIia5);
        let dense = dense.tolerance(1e-7, 1e-9).run().unwrap();
        let sparse = WithSparsity::new(InPlace(field), Sparsity::banded(n, 1, 1).unwrap());
        let sparse = solve(sparse, y0, (0.0, 1.0)).with(RadauIia5).tolerance(1e-7, 1e-9);
        let sparse = sparse.run().unwrap();
        let (a, b) = (dense.statistics, sparse.statistics);
        assert_eq!((a.accepted, a.factorisations), (b.accepted, b.factorisations));
        assert!(b.evaluations <= a.evaluations);
        for (a, b) in dense.y_end.iter().zip(&sparse.y_end) {
            assert!((a - b).abs() < 1e-9, "{n}: {a} {b}");
        }
    }
}

fn kepler(_: f64, y: &[f64; 4]) -> [f64; 4] {
    let r3 = y[0].hypot(y[1]).powi(3);
    [y[2], y[3], -y[0] / r3, -y[1] / r3]
}

/// Quadratic invariants are kept to rounding, and energies for a long time, by Gauss' methods only.
#[test]
fn invariants_of_symplectic_methods() {
    let e: f64 = 0.3;
    let y0 = [1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
    let momentum = |y: &[f64; 4]| y[0] * y[3] - y[1] * y[2];
    let energy = |y: &[f64; 4]| 0.5 * (y[2] * y[2] + y[3] * y[3]) - 1.0 / y[0].hypot(y[1]);
    macro_rules! drifts {
        ($method:ident) => {{
            let s = solve(kepler, y0, (0.0, 1000.0)).with($method).steps(10_000);
            let s = s.save(ansatz_ode::Save::Every(10)).run().unwrap();
            let worst = |of: &dyn Fn(&[f64; 4]) -> f64, part: &[[f64; 4]]| {
                part.iter().map(|y| (of(y) - of(&y0)).abs()).fold(0.0, f64::max)
            };
            let half = s.ys.len() / 2;
            let (first, last) = s.ys.split_at(half);
            (worst(&momentum, &s.ys), worst(&energy, first), worst(&energy, last))
        }};
    }
    for (momentum, first, last) in
        [drifts!(ImplicitMidpoint), drifts!(GaussLegendre4), drifts!(GaussLegendre6)]
    {
        assert!(momentum < 1e-13, "{momentum}");
        assert!(last < 1.05 * first + 1e-13, "{first} {last}");
    }
    let (momentum, first, last) = drifts!(RadauIia5);
    assert!(momentum > 1e-9 && last > 1.5 * first, "{momentum} {first} {last}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let s = solve(rational, 1.0, (0.0, 1.0)).with(RadauIia5).tolerance(-1.0, 1e-6).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "rtol", .. })), "{s:?}");
    let mut control = Predictive::new(1e-6, 1e-6);
    control.base.safety = 2.0;
    let s = solve(rational, 1.0, (0.0, 1.0)).with(RadauIia5).controller(control).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "safety", .. })), "{s:?}");
    let wrong = WithMass::new(rational, [1.0, 1.0]);
    let s = solve(wrong, 1.0, (0.0, 1.0)).with(RadauIia5).tolerance(1e-6, 1e-6).run();
    assert!(matches!(s, Err(Error::Core(_))), "{s:?}");
    // A solution that blows up.
    let s = solve(|_: f64, y: &f64| y * y, 1.0, (0.0, 2.0)).with(RadauIia5).tolerance(1e-6, 1e-6);
    let s = s.max_steps(5000).run_partial().unwrap();
    assert!(s.t_end < 1.0 + 1e-6 && s.finished().is_err());
    let custom = Predictive::new(1e-6, 1e-6).norm(Rms { rtol: 1e-6, atol: 1e-6 });
    assert_eq!(custom, Predictive::new(1e-6, 1e-6));
}
