//! Exponential integrators: measured order, what they solve exactly, partial differential equations
//! against independent solutions.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::f64::consts::PI;

use ansatz_linalg::{Dense, Diagonal, Sparse, nalgebra_sparse::CooMatrix};
use ansatz_ode::{
    ComplexDiagonal, Error, EtdRk2, EtdRk4, EtdRk4B, Exponential, ExponentialMethod,
    ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockTableau,
    ExponentialTableau, Exprb32, Exprb43, InPlace, Krylov, Method, NoGradient, Pexprb43, RadauIia5,
    SemiLinear, Sparsity, WithJacobian, WithMass, WithSparsity, solve,
};

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

fn growth(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0], t * y[1]]
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

fn largest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Checks that an error halves `order` times with the step, in both directions of time.
macro_rules! check {
    ($what:expr, $order:expr, $base:expr, $tolerance:expr, $spans:expr, $error:expr) => {{
        for span in $spans {
            let errors = [1, 2, 4].map(|k| $error(span, k * $base));
            let measured: f64 = (errors[0] / errors[2]).log2() / 2.0;
            let name = $what;
            assert!(
                (measured - $order).abs() < $tolerance,
                "{name} {span:?} {measured} {errors:?}"
            );
        }
    }};
}

fn turn() -> Dense {
    Dense::from_rows(&[[0.0, -1.0], [1.0, 0.0]]).unwrap()
}

macro_rules! check_etd {
    ($method:expr, $order:expr, $base:expr) => {{
        macro_rules! with_linear {
            ($linear:expr) => {{
                let error = |span: (f64, f64), steps: usize| {
                    let field = SemiLinear::new($linear, growth);
                    let s = solve(field, rotated(span.0), span).with($method).steps(steps);
                    distance(&s.run().unwrap().y_end, &rotated(span.1))
                };
                let name = concat!(stringify!($method), " ", stringify!($linear));
                check!(name, $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
            }};
        }
        with_linear!(turn());
        with_linear!(Krylov::new(turn()));
        with_linear!(ComplexDiagonal::new(vec![(0.0, 1.0)]).unwrap());
        let error = |span: (f64, f64), steps: usize| {
            let rest = |t: f64, y: &f64| rational(t, y) + 2.0 * y;
            let field = SemiLinear::new(Diagonal::new(vec![-2.0]).unwrap(), rest);
            let s = solve(field, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.0, 2.0), (2.0, 0.0)], error);
    }};
}

#[test]
fn exponential_time_differencing_has_its_order() {
    check_etd!(EtdRk2, 2.0, 80);
    check_etd!(EtdRk4, 4.0, 20);
    check_etd!(EtdRk4B, 4.0, 20);
}

macro_rules! check_rosenbrock {
    ($method:expr, $order:expr, $base:expr) => {{
        let error = |span: (f64, f64), steps: usize| {
            let s = solve(rotation, rotated(span.0), span).with($method).steps(steps);
            distance(&s.run().unwrap().y_end, &rotated(span.1))
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
        let error = |span: (f64, f64), steps: usize| {
            let exact = WithJacobian::new(rational, |t: f64, y: &f64| [[-2.0 * y * (1.0 + t)]]);
            let s = solve(exact, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.0, 2.0), (2.0, 0.0)], error);
    }};
}

#[test]
fn exponential_rosenbrock_methods_have_their_order() {
    check_rosenbrock!(Exprb32, 3.0, 20);
    check_rosenbrock!(Exprb43, 4.0, 20);
    check_rosenbrock!(Pexprb43, 4.0, 20);
}

/// The companions of the error estimates, as methods.
#[test]
fn embedded_methods_have_their_order() {
    #[derive(Debug, Clone, Copy)]
    struct Exprb32Companion;
    impl Method for Exprb32Companion {
        type Family = ExponentialRosenbrock;
    }
    impl ExponentialRosenbrockMethod for Exprb32Companion {
        const TABLEAU: ExponentialRosenbrockTableau =
            ExponentialRosenbrockTableau { step: &[], ..Exprb32::TABLEAU };
    }
    #[derive(Debug, Clone, Copy)]
    struct Exprb43Companion;
    impl Method for Exprb43Companion {
        type Family = ExponentialRosenbrock;
    }
    impl ExponentialRosenbrockMethod for Exprb43Companion {
        const TABLEAU: ExponentialRosenbrockTableau =
            ExponentialRosenbrockTableau { step: &[&[], &[], &[16.0, -2.0]], ..Exprb43::TABLEAU };
    }
    #[derive(Debug, Clone, Copy)]
    struct EtdRk2Companion;
    impl Method for EtdRk2Companion {
        type Family = Exponential;
    }
    impl ExponentialMethod for EtdRk2Companion {
        const TABLEAU: ExponentialTableau = ExponentialTableau {
            step: ansatz_ode::ExponentialStage { weights: &[&[1.0]], ..EtdRk2::TABLEAU.step },
            ..EtdRk2::TABLEAU
        };
    }
    check_rosenbrock!(Exprb32Companion, 2.0, 40);
    check_rosenbrock!(Exprb43Companion, 3.0, 20);
    check_etd!(EtdRk2Companion, 1.0, 200);
    // And the estimates are what lies between.
    assert_eq!(Exprb32::TABLEAU.error, Exprb32::TABLEAU.step);
    for tableau in [Exprb43::TABLEAU, Pexprb43::TABLEAU] {
        assert_eq!(tableau.error[3], tableau.step[3]);
        assert!(tableau.error[..3].iter().all(|weights| weights.is_empty()));
    }
    assert_eq!(EtdRk2::TABLEAU.error[1], EtdRk2::TABLEAU.step.weights[1]);
    assert!(EtdRk2::TABLEAU.error[0].is_empty());
}

#[test]
fn dense_output_is_a_cubic() {
    let error = |span: (f64, f64), steps: usize| {
        let field = SemiLinear::new(turn(), growth);
        let s = solve(field, rotated(span.0), span).with(EtdRk4B).steps(steps);
        let (_, dense) = s.adjoint(NoGradient).run_dense().unwrap();
        let s = solve(rotation, rotated(span.0), span).with(Exprb43).steps(steps);
        let (_, other) = s.adjoint(NoGradient).run_dense().unwrap();
        let at = |i: i32| span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
        let off = |t: f64| {
            let exact = rotated(t);
            distance(&dense.at(t).unwrap(), &exact) + distance(&other.at(t).unwrap(), &exact)
        };
        (0..=200).map(|i| off(at(i))).fold(0.0, f64::max)
    };
    check!("cubic", 4.0, 20, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
}

/// What is linear is exact, in one step, however long and stiff.
#[test]
fn linear_problems_are_exact() {
    let rows = [[-300.0, 4.0, 0.5], [2.0, -1.0, 3.0], [0.0, -2.0, -0.5]];
    let dense = Dense::from_rows(&rows).unwrap();
    let y0 = [1.0, -2.0, 0.5];
    let h = 2.5;
    // y' = L y + b + c t from 0: e^{hL} y + h φ₁ b + h² φ₂ c.
    let (b, c) = ([1.0, 0.0, -1.0], [0.0, 2.0, 0.3]);
    let scaled: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().map(|x| h * x).collect()).collect();
    let phi = ansatz_linalg::phi_functions(&Dense::from_rows(&scaled).unwrap(), 2).unwrap();
    let want: Vec<f64> = (0..3)
        .map(|i| {
            let row = |k: usize, x: &[f64; 3]| -> f64 {
                (0..3).map(|j| phi[k].as_faer()[(i, j)] * x[j]).sum()
            };
            row(0, &y0) + h * row(1, &b) + h * h * row(2, &c)
        })
        .collect();
    let forcing = move |t: f64, _: &[f64; 3]| [b[0] + c[0] * t, b[1] + c[1] * t, b[2] + c[2] * t];
    let field = SemiLinear::new(dense.clone(), forcing);
    macro_rules! exact {
        ($bound:expr; $($method:ident, $field:expr);*) => {$({
            let end = solve($field, y0, (0.0, h)).with($method).steps(1).run().unwrap().y_end;
            assert!(largest(&end, &want) < $bound, "{} {end:?} {want:?}", stringify!($method));
        })*};
    }
    let given = || {
        let value = move |t: f64, y: &[f64; 3]| {
            let f = forcing(t, y);
            let product = |i: usize| (0..3).map(|j| rows[i][j] * y[j]).sum::<f64>();
            [0, 1, 2].map(|i| f[i] + product(i))
        };
        WithJacobian::new(value, move |_: f64, _: &[f64; 3]| rows)
    };
    exact!(1e-12; EtdRk2, field.clone(); EtdRk4, field.clone(); EtdRk4B, field.clone());
    exact!(1e-8; EtdRk4B, SemiLinear::new(Krylov::new(dense), forcing));
    // The derivative by time is a difference.
    exact!(1e-7; Exprb32, given(); Exprb43, given(); Pexprb43, given());
}

/// The equation of Kuramoto and Sivashinsky, `uₜ = −u uₓ − uₓₓ − uₓₓₓₓ` on `[0, 32π]`, by 64 Fourier
/// modes, from `cos(x/16) (1 + sin(x/16))` (A. Kassam, L. Trefethen 2005), at 30, by DOP853 of SciPy at
/// a tolerance of 1e-13.
#[test]
fn kuramoto_sivashinsky() {
    let want = KS_REFERENCE;
    let n = 64;
    let modes = n / 2 + 1;
    let table: Vec<(f64, f64)> =
        (0..n).map(|k| (2.0 * PI * k as f64 / n as f64).sin_cos()).map(|(s, c)| (c, s)).collect();
    let forward = {
        let table = table.clone();
        move |u: &[f64], c: &mut [f64]| {
            for k in 0..modes {
                let (mut re, mut im) = (0.0, 0.0);
                for (j, u) in u.iter().enumerate() {
                    let (cos, sin) = table[j * k % n];
                    re += u * cos;
                    im -= u * sin;
                }
                (c[2 * k], c[2 * k + 1]) = (re, im);
            }
        }
    };
    let backward = move |c: &[f64], u: &mut [f64]| {
        for (j, u) in u.iter_mut().enumerate() {
            let mut sum = c[0] + c[2 * (modes - 1)] * table[j * (modes - 1) % n].0;
            for k in 1..modes - 1 {
                let (cos, sin) = table[j * k % n];
                sum += 2.0 * (c[2 * k] * cos - c[2 * k + 1] * sin);
            }
            *u = sum / n as f64;
        }
    };
    let q = |k: usize| k as f64 / 16.0;
    let linear: Vec<(f64, f64)> = (0..modes).map(|k| (q(k).powi(2) - q(k).powi(4), 0.0)).collect();
    let linear = ComplexDiagonal::new(linear).unwrap();
    let nonlinear = InPlace({
        let (forward, backward) = (forward.clone(), backward.clone());
        move |_: f64, c: &Vec<f64>, dc: &mut Vec<f64>| {
            let mut u = vec![0.0; n];
            backward(c, &mut u);
            u.iter_mut().for_each(|u| *u *= *u);
            forward(&u, dc);
            for k in 0..modes {
                // −½ i q times the square, and nothing for the mode that has no sine.
                let factor = if k + 1 == modes { 0.0 } else { 0.5 * q(k) };
                (dc[2 * k], dc[2 * k + 1]) = (factor * dc[2 * k + 1], -factor * dc[2 * k]);
            }
        }
    });
    let x = |j: usize| 32.0 * PI * j as f64 / n as f64;
    let u0: Vec<f64> = (0..n).map(|j| (x(j) / 16.0).cos() * (1.0 + (x(j) / 16.0).sin())).collect();
    let mut c0 = vec![0.0; 2 * modes];
    forward(&u0, &mut c0);
    let at_end = |c: &[f64]| {
        let mut u = vec![0.0; n];
        backward(c, &mut u);
        u.into_iter().skip(3).step_by(8).collect::<Vec<f64>>()
    };
    let run = |steps: usize| {
        let field = || SemiLinear::new(linear.clone(), nonlinear.clone());
        let a = solve(field(), c0.clone(), (0.0, 30.0)).with(EtdRk4).steps(steps).run().unwrap();
        let b = solve(field(), c0.clone(), (0.0, 30.0)).with(EtdRk4B).steps(steps).run().unwrap();
        [largest(&at_end(&a.y_end), &want), largest(&at_end(&b.y_end), &want)]
    };
    let (coarse, fine) = (run(150), run(600));
    for (coarse, fine) in coarse.iter().zip(fine) {
        let order = (coarse / fine).log2() / 2.0;
        assert!(fine < 1e-6 && (order - 4.0).abs() < 0.2, "{coarse} {fine} {order}");
    }
    let field = SemiLinear::new(linear, nonlinear);
    let s = solve(field, c0, (0.0, 30.0)).with(EtdRk2).tolerance(1e-6, 1e-6).run().unwrap();
    assert!(largest(&at_end(&s.y_end), &want) < 1e-2, "{:?}", s.statistics);
}

const KS_REFERENCE: [f64; 8] = [
    0.4315283292337,
    1.018542056432,
    -0.4739954585271,
    -0.5507995362775,
    -0.2250102538925,
    -0.1102450610642,
    -0.09402771964738,
    0.1595392863488,
];

/// Second differences between ends that are zero, times `scale`.
fn laplacian(n: usize, scale: f64) -> Vec<(usize, usize, f64)> {
    let row = |i: usize| {
        let left = (i > 0).then(|| (i, i - 1, scale));
        let right = (i + 1 < n).then(|| (i, i + 1, scale));
        [Some((i, i, -2.0 * scale)), left, right].into_iter().flatten()
    };
    (0..n).flat_map(row).collect()
}

/// The equation of Allen and Cahn, `uₜ = ε uₓₓ + u − u³ + 0.1 sin t`, as a dense and as a sparse problem.
#[test]
fn allen_cahn() {
    let n = 80;
    let dx = 2.0 / (n + 1) as f64;
    let entries = laplacian(n, 0.01 / (dx * dx));
    let mut coo = CooMatrix::new(n, n);
    let mut rows = vec![vec![0.0; n]; n];
    for (i, j, value) in entries {
        coo.push(i, j, value);
        rows[i][j] = value;
    }
    let dense = Dense::from_rows(&rows).unwrap();
    let sparse = Sparse::from_coo(&coo).unwrap();
    let reaction = InPlace(move |t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
        for (du, u) in du.iter_mut().zip(u) {
            *du = u - u * u * u + 0.1 * t.sin();
        }
    });
    let x = |i: usize| -1.0 + (i + 1) as f64 * dx;
    // It is zero at both ends, as are its second derivatives.
    let u0: Vec<f64> =
        (0..n).map(|i| 0.6 * (PI * x(i)).sin() - 0.3 * (2.0 * PI * x(i)).sin()).collect();
    let field = SemiLinear::new(dense.clone(), reaction);
    let banded = || Sparsity::banded(n, 1, 1).unwrap();
    let reference = |u0: &Vec<f64>| {
        let field = WithSparsity::new(field.clone(), banded());
        let s = solve(field, u0.clone(), (0.0, 3.0)).with(RadauIia5).tolerance(1e-12, 1e-12);
        s.run().unwrap().y_end
    };
    // The order, which is reduced where the first state does not fit the ends (M. Hochbruck,
    // A. Ostermann, SIAM J. Numer. Anal. 43, 2005, 1069–1090).
    let does_not_fit: Vec<f64> =
        (0..n).map(|i| 0.53 * x(i) + 0.47 * (-1.5 * PI * x(i)).sin()).collect();
    for (u0, order) in [(&u0, 4.0), (&does_not_fit, 2.3)] {
        let want = reference(u0);
        let errors = [15, 30, 60].map(|steps| {
            let s = solve(field.clone(), u0.clone(), (0.0, 3.0)).with(EtdRk4B).steps(steps);
            largest(&s.run().unwrap().y_end, &want)
        });
        let measured: f64 = (errors[0] / errors[2]).log2() / 2.0;
        assert!((measured - order).abs() < 0.2, "{measured} {errors:?}");
    }
    let reference = reference(&u0);
    macro_rules! check_one {
        ($field:expr, $method:ident, $steps:expr, $bound:expr) => {{
            let s =
                solve($field, u0.clone(), (0.0, 3.0)).with($method).steps($steps).run().unwrap();
            let error = largest(&s.y_end, &reference);
            assert!(error < $bound, "{} {error:e}", stringify!($method));
        }};
    }
    check_one!(field.clone(), EtdRk2, 60, 1e-3);
    check_one!(field.clone(), EtdRk4, 60, 1e-7);
    check_one!(field.clone(), EtdRk4B, 60, 1e-7);
    check_one!(SemiLinear::new(Krylov::new(sparse), reaction), EtdRk4B, 60, 1e-7);
    // By the Jacobian: sparse, and not at all.
    for tolerance in [1e-4, 1e-6] {
        let s = solve(WithSparsity::new(field.clone(), banded()), u0.clone(), (0.0, 3.0));
        let s = s.with(Exprb43).tolerance(tolerance, tolerance).run().unwrap();
        assert!(largest(&s.y_end, &reference) < 10.0 * tolerance, "{:?}", s.statistics);
        let s = solve(field.clone(), u0.clone(), (0.0, 3.0)).with(Exprb32);
        let s = s.tolerance(tolerance, tolerance).run().unwrap();
        assert!(largest(&s.y_end, &reference) < 20.0 * tolerance, "{:?}", s.statistics);
        assert_eq!(s.statistics.jacobians, 0);
    }
}

/// The van der Pol oscillator, moderately stiff.
#[test]
fn van_der_pol() {
    let eps = 1e-3;
    let field = WithJacobian::new(
        move |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / eps],
        move |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [(-2.0 * y[0] * y[1] - 1.0) / eps, (1.0 - y[0] * y[0]) / eps]]
        },
    );
    macro_rules! check_all {
        ($($method:ident),*) => {$({
            let s = solve(field, [2.0, 0.0], (0.0, 2.0)).with($method).tolerance(1e-7, 1e-7);
            let s = s.run().unwrap();
            let want = [1.763234540203e0, -8.35688681678e-1];
            assert!(distance(&s.y_end, &want) < 1e-5, "{:?}", s.y_end);
        })*};
    }
    check_all!(Exprb32, Exprb43, Pexprb43);
}

#[test]
fn what_does_not_fit_is_refused() {
    let field = SemiLinear::new(Diagonal::new(vec![1.0; 3]).unwrap(), growth);
    let s = solve(field, [1.0, 0.0], (0.0, 1.0)).with(EtdRk4).steps(2).run();
    assert!(matches!(s, Err(Error::Core(_))), "{s:?}");
    let wide = Dense::from_rows(&[[1.0, 2.0]]).unwrap();
    let s = solve(SemiLinear::new(wide, growth), [1.0, 0.0], (0.0, 1.0)).with(EtdRk4).steps(2);
    assert!(matches!(s.run(), Err(Error::Core(_))));
    assert!(ComplexDiagonal::new(vec![(1.0, f64::NAN)]).is_err());
    let field = WithMass::new(rotation, [1.0, 2.0]);
    let s = solve(field, [1.0, 0.0], (0.0, 1.0)).with(Exprb43).steps(2).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "mass matrix", .. })), "{s:?}");
}
