//! Nonlinear systems whose roots are known, rates of convergence, values of SciPy, and input that
//! must be refused.
// A failing test may panic, and functions have the signature that methods ask for.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

mod common;
#[path = "common/problems.rs"]
mod problems;

use std::cell::Cell;

use ansatz_linalg::{
    Broyden, Chord, Dense, Direct, Error, Forcing, Gmres, Iterative, LinearSolver, Newton,
    NonlinearStopping, Outcome, Residual, Result, Root, RootFinder, TrustRegion, Vector,
    WithJacobian,
};
use common::distance;
use problems::SYSTEMS;

type Plain = Vec<f64>;

const TIGHT: NonlinearStopping =
    NonlinearStopping { relative: 1e-12, absolute: 1e-13, step: 0.0, iterations: 200 };

/// A residual whose Jacobian is the matrix of differences in the middle: nearly exact, with a
/// transpose.
fn with_matrix(
    f: impl Fn(&[f64]) -> Plain + Copy,
) -> WithJacobian<impl Fn(&Plain) -> Result<Plain>, impl Fn(&Plain) -> Result<Dense>, Dense> {
    WithJacobian::new(
        move |x: &Plain| Ok(f(x)),
        move |x: &Plain| {
            let columns: Vec<Plain> = (0..x.len())
                .map(|j| {
                    let h = 1e-5 * x[j].abs().max(1e-2);
                    let moved = |by: f64| {
                        let mut x = x.clone();
                        x[j] += by;
                        f(&x)
                    };
                    let (ahead, behind) = (moved(h), moved(-h));
                    ahead.iter().zip(&behind).map(|(a, b)| (a - b) / (2.0 * h)).collect()
                })
                .collect();
            let rows = columns[0].len();
            Dense::new(ansatz_linalg::faer::Mat::from_fn(rows, x.len(), |i, j| columns[j][i]))
        },
    )
}

/// What is reported is what is.
fn check<V: Vector>(name: &str, f: &dyn Residual<V>, root: &Root<V>) {
    assert_eq!(root.outcome, Outcome::Converged, "{name}");
    let value = f.value(&root.x).unwrap().norm2().unwrap();
    assert_eq!(value, root.residual(), "{name}");
    assert_eq!(value, root.value.norm2().unwrap(), "{name}");
    assert!(value <= root.target, "{name}");
    assert!(root.evaluations > root.iterations(), "{name}");
}

fn finders() -> [Box<dyn RootFinder<Plain>>; 4] {
    [
        Box::new(Newton::new(Direct)),
        Box::new(Chord::new(Direct)),
        Box::new(Broyden::new(Direct)),
        Box::new(TrustRegion::new(Direct)),
    ]
}

#[test]
fn standard_problems() {
    for problem in &SYSTEMS {
        for finder in finders() {
            let f = with_matrix(problem.residuals);
            let root = finder.run(&f, &problem.start.to_vec(), &TIGHT).unwrap();
            let name = format!("{} by {}", problem.name, finder.name());
            if problem.name == "Freudenstein and Roth" {
                // All methods that descend get caught by the minimum that is no root.
                assert_ne!(root.outcome, Outcome::Converged, "{name}");
                assert!(root.residual() > 48.984f64.sqrt());
                if finder.name() == "the dogleg method" {
                    assert!((root.residual().powi(2) - 48.9842).abs() < 1e-4, "{name}");
                    assert!((root.x[0] - 11.4128).abs() < 1e-3, "{name}: {:?}", root.x);
                }
                continue;
            }
            check(&name, &f, &root);
            assert!(root.iterations() < 60, "{name}: {}", root.iterations());
            let known: &[f64] = match problem.name {
                "Rosenbrock" => &[1.0, 1.0],
                "helical valley" => &[1.0, 0.0, 0.0],
                "Powell badly scaled" => &[1.098_159e-5, 9.106_146],
                "Powell singular" => &[0.0; 4],
                _ => continue,
            };
            let near = if problem.name == "Powell singular" { 1e-4 } else { 1e-6 };
            assert!(distance(&root.x, known) < near, "{name}: {:?}", root.x);
        }
    }
}

/// `x₀ + x₁² = 2`, `eˣ⁰ + x₁ = e + 1`, whose root is (1, 1).
fn smooth(x: &[f64; 2]) -> Result<[f64; 2]> {
    let e = std::f64::consts::E;
    Ok([x[0] + x[1] * x[1] - 2.0, x[0].exp() + x[1] - e - 1.0])
}

/// The Jacobian of [`smooth`].
struct Slope([f64; 2]);

impl ansatz_linalg::LinearOperator<[f64; 2]> for Slope {
    fn shape(&self) -> [usize; 2] {
        [2, 2]
    }

    fn apply_into(&self, v: &[f64; 2], y: &mut [f64; 2]) -> Result<()> {
        let x = &self.0;
        *y = [v[0] + 2.0 * x[1] * v[1], x[0].exp() * v[0] + v[1]];
        Ok(())
    }
}

/// `log(eₖ₊₁ / eₖ) / log(eₖ / eₖ₋₁)` before rounding takes over.
fn orders(residuals: &[f64]) -> Vec<f64> {
    let good: Vec<f64> = residuals.iter().copied().filter(|r| *r > 1e-13).collect();
    let log = |pair: &[f64]| (pair[1] / pair[0]).ln();
    good.windows(3).map(|t| log(&t[1..]) / log(&t[..2])).collect()
}

#[test]
fn rates_of_convergence() {
    let f = WithJacobian::new(smooth, |x: &[f64; 2]| Ok(Slope(*x)));
    let start = [1.3, 0.8];
    let root = Newton::new(Direct).solve(&f, &start, &TIGHT).unwrap();
    check("Newton", &f, &root);
    assert!((root.x[0] - 1.0).abs() < 1e-12 && (root.x[1] - 1.0).abs() < 1e-12);
    let order = *orders(&root.residuals).last().unwrap();
    assert!((order - 2.0).abs() < 0.2, "{order}");
    assert_eq!((root.jacobians, root.evaluations), (root.iterations(), root.iterations() + 1));

    let chord = Chord { solver: Direct, contraction: 0.9 }.solve(&f, &start, &TIGHT).unwrap();
    check("chord", &f, &chord);
    assert_eq!(chord.jacobians, 1);
    // Errors turn their direction from one step to the next: every second one.
    let second: Vec<f64> = chord.residuals.iter().copied().step_by(2).collect();
    let tail = orders(&second);
    assert!((tail.last().unwrap() - 1.0).abs() < 0.1, "{tail:?}");

    let broyden = Broyden::new(Direct).solve(&f, &start, &TIGHT).unwrap();
    check("Broyden", &f, &broyden);
    assert_eq!((broyden.jacobians, broyden.evaluations), (1, broyden.iterations() + 1));
    let ratios: Vec<f64> = broyden.residuals.windows(2).map(|pair| pair[1] / pair[0]).collect();
    assert!(ratios.last().unwrap() < &1e-2, "{ratios:?}");
    let (n, b, c) = (root.iterations(), broyden.iterations(), chord.iterations());
    assert!(n < b && b < c, "{n} {b} {c}");
    // Secant condition and nothing else: in one dimension it is the secant method, order 1.618.
    let cubic = |x: &f64| Ok(x.powi(3) - 2.0 * x - 5.0);
    let secant = Broyden::multiple(0.1).solve(&cubic, &2.0, &TIGHT).unwrap();
    assert!((secant.x - 2.094_551_481_542_326_5).abs() < 1e-14);
    let (mut x, mut values) = ([2.0, 2.0 - 0.1 * cubic(&2.0).unwrap()], secant.residuals.iter());
    values.next();
    for value in values {
        let f = x.map(|x| cubic(&x).unwrap());
        assert!((f[1].abs() - value).abs() < 1e-12, "{value} {f:?}");
        x = [x[1], x[1] - f[1] * (x[1] - x[0]) / (f[1] - f[0])];
    }
    // A root with a derivative of zero: linear, by halves.
    let double = |x: &f64| Ok((x - 1.0) * (x - 1.0));
    let slow = Newton::new(Direct).solve(&double, &2.0, &TIGHT).unwrap();
    let ratios: Vec<f64> = slow.residuals.windows(2).map(|pair| pair[1] / pair[0]).collect();
    assert!(ratios[..8].iter().all(|r| (r - 0.25).abs() < 0.01), "{ratios:?}");
}

/// `−Δu = 6 eᵘ` inside of the unit square, times h².
fn bratu(n: usize) -> impl Fn(&Plain) -> Result<Plain> + Copy {
    let h = 1.0 / (n + 1) as f64;
    move |u: &Plain| {
        let at = |i: usize, j: usize| {
            let inside = (1..=n).contains(&i) && (1..=n).contains(&j);
            if inside { u[(i - 1) * n + j - 1] } else { 0.0 }
        };
        let row = |k: usize| {
            let (i, j) = (k / n + 1, k % n + 1);
            4.0 * at(i, j)
                - at(i - 1, j)
                - at(i + 1, j)
                - at(i, j - 1)
                - at(i, j + 1)
                - h * h * 6.0 * at(i, j).exp()
        };
        Ok((0..n * n).map(row).collect())
    }
}

#[test]
fn newton_krylov_for_bratu() {
    let n = 31;
    let calls = Cell::new(0);
    let f = |u: &Plain| {
        calls.set(calls.get() + 1);
        bratu(n)(u)
    };
    let stopping = NonlinearStopping { relative: 1e-11, ..TIGHT };
    let krylov = Iterative::new(Gmres { restart: 100 }).relative(1e-6);
    let root = Newton::new(&krylov).solve(&f, &vec![0.0; n * n], &stopping).unwrap();
    let inexact = calls.replace(0);
    check("Bratu", &f, &root);
    // SciPy 1.17.1: newton_krylov(F, zeros, method="gmres", f_tol=1e-13), 706 evaluations.
    assert!((root.x[15 * n + 15] - 0.796_949_861_362_380_4).abs() < 1e-9);
    assert!((root.x[3 * n + 7] - 0.263_109_571_408_689_1).abs() < 1e-9);
    assert!((root.x.iter().sum::<f64>() - 360.578_061_529_412_6).abs() < 1e-6);
    assert!(root.iterations() <= 12, "{}", root.iterations());
    // Solving each system to the end costs more.
    let exact = Newton { solver: &krylov, forcing: Forcing::Constant(0.0) };
    calls.set(0);
    let exactly = exact.solve(&f, &vec![0.0; n * n], &stopping).unwrap();
    let exact = calls.get();
    assert!(exactly.iterations() < root.iterations());
    assert!(4 * inexact < 3 * exact, "{inexact} {exact}");
    // The others come to the same.
    let chord = Chord::new(Iterative::new(Gmres { restart: 100 }).relative(1e-4));
    for finder in [&chord as &dyn RootFinder<Plain>, &Broyden::new(&krylov)] {
        let other = finder.solve(&f, &vec![0.0; n * n], &stopping).unwrap();
        check(finder.name(), &f, &other);
        assert!(distance(&other.x, &root.x) < 1e-8, "{}", finder.name());
    }
    // A constant forcing term is the rate of convergence.
    let constant = Newton { solver: krylov, forcing: Forcing::Constant(0.1) };
    let linear = constant.solve(&f, &vec![0.0; n * n], &stopping).unwrap();
    let ratios: Vec<f64> = linear.residuals.windows(2).map(|pair| pair[1] / pair[0]).collect();
    assert!(ratios[1..].iter().all(|r| *r < 0.12 && *r > 1e-3), "{ratios:?}");
}

#[test]
fn a_jacobian_kept_by_the_caller() {
    // Stages of implicit Euler for y' = −y³, with one Jacobian for several steps.
    let (h, mut y) = (0.1, vec![1.0]);
    let jacobian = Dense::from_rows(&[[1.0 + 3.0 * h]]).unwrap();
    let inverse = Direct.inverse(Box::new(&jacobian), &y).unwrap();
    let chord = Chord::new(Direct);
    for _ in 0..5 {
        let old = y[0];
        let f = |y: &Plain| Ok(vec![y[0] - old + h * y[0].powi(3)]);
        let stopping = NonlinearStopping { relative: 1e-10, ..TIGHT };
        let root = chord.run_with_inverse(&f, &*inverse, &y, &stopping).unwrap();
        check("kept", &f, &root);
        assert_eq!(root.jacobians, 0);
        y = root.x;
    }
    assert!((y[0] - 0.709).abs() < 0.03, "{y:?}");
    // It is told when it is time for another.
    let stiff = |y: &Plain| Ok(vec![y[0] - 1.0 + 50.0 * y[0].powi(3)]);
    let root = chord.run_with_inverse(&stiff, &*inverse, &y, &TIGHT).unwrap();
    assert_eq!(root.outcome, Outcome::Stagnation);
    assert!(matches!(root.into_converged("x"), Err(Error::NotConverged { .. })));
}

#[test]
fn direct_solver() {
    let a = common::dense(6, 6, 0.3);
    let b = common::wave(6, 0.2);
    let solution = Direct.solve(&a, &b).unwrap();
    assert!(common::residual(&a, &b, &solution.x) < 1e-13);
    assert!((common::residual(&a, &b, &solution.x) - solution.residual()).abs() < 1e-14);
    let transposed = Direct.solve_transposed(&a, &b).unwrap();
    let back = ansatz_linalg::LinearOperator::apply_transposed(&a, &transposed.x).unwrap();
    assert!(distance(&back, &b) < 1e-13);
    let inverse = Direct.inverse(Box::new(&a), &b).unwrap();
    assert!(distance(&inverse.apply(&b).unwrap(), &solution.x) < 1e-13);
    assert!(distance(&inverse.apply_transposed(&b).unwrap(), &transposed.x) < 1e-13);
    // By default an inverse is a solve.
    let gmres = Iterative::new(Gmres::default()).relative(1e-13);
    let inverse = gmres.inverse(Box::new(&a), &b).unwrap();
    assert!(distance(&inverse.apply(&b).unwrap(), &solution.x) < 1e-10);
    assert!(distance(&inverse.apply_transposed(&b).unwrap(), &transposed.x) < 1e-10);
    // To a tolerance of the moment, never beyond the solver's own.
    let rough = gmres.solve_within(&a, &b, 0.5).unwrap();
    assert!(rough.residual() <= 0.5 * b.norm2().unwrap() && rough.iterations() < 6);
    let missed = gmres.iterations(2).solve_within(&a, &b, 1e-9).unwrap();
    assert_eq!((missed.outcome, missed.iterations()), (Outcome::Budget, 2));

    let singular = Dense::from_rows(&[[1.0, 2.0], [2.0, 4.0]]).unwrap();
    assert!(matches!(Direct.solve(&singular, &vec![1.0; 2]), Err(Error::Singular { .. })));
    assert!(matches!(Direct.solve(&singular, &vec![1.0; 3]), Err(Error::Size { .. })));
    assert!(matches!(
        Direct.solve(&common::dense(3, 2, 0.1), &vec![1.0; 2]),
        Err(Error::Size { .. })
    ));
}

#[test]
fn ends_that_are_no_roots() {
    let no_root = |x: &f64| Ok(x * x + 1.0);
    let flat = |_: &Plain| Ok(vec![1.0, 1.0]);
    let sqrt = |x: &f64| Ok(x.sqrt() - 2.0);
    for finder in finders() {
        let name = finder.name();
        let singular = with_matrix(|_| vec![1.0, 1.0]);
        let root = finder.run(&singular, &vec![0.0; 2], &TIGHT).unwrap();
        assert!(matches!(root.outcome, Outcome::Breakdown(_)), "{name}: {:?}", root.outcome);
        assert_eq!((root.iterations(), root.x), (0, vec![0.0; 2]));
        let failed = finder.solve(&singular, &vec![0.0; 2], &TIGHT);
        assert!(matches!(failed, Err(Error::NotConverged { .. })));
        // At a root nothing is done.
        let zero = |x: &Plain| Ok(x.clone());
        let root = finder.solve(&zero, &vec![0.0; 2], &TIGHT).unwrap();
        assert_eq!((root.iterations(), root.evaluations, root.jacobians), (0, 1, 0));
        // Budgets.
        let none = NonlinearStopping { iterations: 0, ..TIGHT };
        let hard = with_matrix(SYSTEMS[0].residuals);
        let root = finder.run(&hard, &vec![-1.2, 1.0], &none).unwrap();
        assert_eq!((root.outcome, root.iterations()), (Outcome::Budget, 0), "{name}");
        let two = NonlinearStopping { iterations: 2, ..TIGHT };
        let root = finder.run(&hard, &vec![-1.2, 1.0], &two).unwrap();
        assert_eq!((root.outcome, root.iterations()), (Outcome::Budget, 2), "{name}");
        // Refused.
        let guess = vec![1.0; 2];
        let invalid = |stopping: NonlinearStopping| {
            let refused = finder.run(&zero, &guess, &stopping);
            assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{name}");
        };
        let zeros = NonlinearStopping { relative: 0.0, absolute: 0.0, step: 0.0, iterations: 9 };
        invalid(zeros);
        invalid(NonlinearStopping { relative: -1.0, ..TIGHT });
        invalid(NonlinearStopping { absolute: f64::NAN, ..TIGHT });
        invalid(NonlinearStopping { step: f64::INFINITY, ..TIGHT });
        let nan = finder.run(&zero, &vec![1.0, f64::NAN], &TIGHT);
        assert!(matches!(nan, Err(Error::InvalidArgument { .. })), "{name}");
        let undefined = |x: &Plain| Ok(x.iter().map(|x| (x - 2.0).sqrt()).collect());
        let nan = finder.run(&undefined, &guess, &TIGHT);
        assert!(matches!(nan, Err(Error::InvalidArgument { .. })), "{name}");
        let longer = |_: &Plain| Ok(vec![1.0; 3]);
        let size = finder.run(&longer, &guess, &TIGHT);
        assert!(matches!(size, Err(Error::Size { .. })), "{name}");
        // Errors of the function come out as they went in.
        let broken = |_: &Plain| -> Result<Plain> { Err(Error::invalid("mine", 1, "another")) };
        let error = finder.run(&broken, &guess, &TIGHT).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { what: "mine", .. }), "{name}");
        // A bad root that a whole step would miss into NaN.
        let log = with_matrix(|x| vec![x[0].ln() + 3.0, x[1] - 1.0]);
        let root = finder.solve(&log, &vec![3.0, 0.0], &TIGHT).unwrap();
        check(name, &log, &root);
        assert!((root.x[0] - (-3f64).exp()).abs() < 1e-12, "{name}");
        // A step that is small is enough, if asked for.
        let step =
            NonlinearStopping { relative: 1e-300, absolute: 0.0, step: 1e-3, iterations: 90 };
        let root = finder.run(&log, &vec![0.06, 0.0], &step).unwrap();
        assert_eq!(root.outcome, Outcome::Converged, "{name}");
        assert!(root.residual() > root.target && root.residual() < 1e-3, "{name}");
    }
    let newton = Newton::new(Direct);
    let root = newton.run(&no_root, &2.0, &TIGHT).unwrap();
    assert_ne!(root.outcome, Outcome::Converged);
    assert!(root.x.abs() < 0.1 && root.residual() >= 1.0, "{root:?}");
    assert!((newton.solve(&sqrt, &30.0, &TIGHT).unwrap().x - 4.0).abs() < 1e-10);
    // Differences have no transpose.
    let failed = TrustRegion::new(Direct).run(&flat, &vec![0.0; 2], &TIGHT);
    assert!(matches!(failed, Err(Error::NoTranspose { .. })));
    // A linear solver that gives up.
    let weak = Newton::new(Iterative::new(Gmres { restart: 1 }).relative(1e-10).iterations(1));
    let turn = |x: &[f64; 2]| Ok([x[1] - 1.0, -x[0]]);
    let root = weak.run(&turn, &[0.0, 0.0], &TIGHT).unwrap();
    assert_eq!(root.outcome, Outcome::Breakdown("the linear solver did not converge"));
    let jump = |x: &Plain| Ok(vec![if x[0] == 1.0 { 1.0 } else { f64::NAN }]);
    let root = newton.run(&jump, &vec![1.0], &TIGHT).unwrap();
    assert_eq!(root.outcome, Outcome::Breakdown("the Jacobian is not finite"));
    let krylov = Newton::new(Iterative::new(Gmres::default()));
    let root = krylov.run(&jump, &vec![1.0], &TIGHT).unwrap();
    assert!(matches!(root.outcome, Outcome::Breakdown(_)), "{:?}", root.outcome);
    // Settings.
    for forcing in [
        Forcing::Constant(1.0),
        Forcing::Constant(f64::NAN),
        Forcing::EisenstatWalker { gamma: 0.0, most: 0.9 },
        Forcing::EisenstatWalker { gamma: 0.9, most: 1.0 },
    ] {
        let refused = Newton { solver: Direct, forcing }.run(&sqrt, &1.0, &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{forcing:?}");
    }
    for contraction in [0.0, 1.0, f64::NAN] {
        let refused = Chord { solver: Direct, contraction }.run(&sqrt, &1.0, &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{contraction}");
    }
    for broyden in [
        Broyden { memory: 0, ..Broyden::new(Direct) },
        Broyden::multiple(0.0),
        Broyden::multiple(f64::NAN),
    ] {
        let refused = broyden.run(&sqrt, &1.0, &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{broyden:?}");
    }
}

#[test]
fn singular_on_the_way() {
    // The Jacobian is singular at the start; the gradient of |F|² is not zero.
    let f = with_matrix(|x| vec![x[0] * x[0] + x[1] - 1.0, x[0] - x[1]]);
    let start = vec![-0.5, 0.3];
    let newton = Newton::new(Direct).run(&f, &start, &TIGHT).unwrap();
    assert_eq!(newton.outcome, Outcome::Breakdown("the Jacobian is singular"));
    let root = TrustRegion::new(Direct).solve(&f, &start, &TIGHT).unwrap();
    check("dogleg", &f, &root);
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    assert!((root.x[0] - golden).abs() < 1e-10 || (root.x[0] + golden + 1.0).abs() < 1e-10);
}

#[test]
fn broyden_with_little_memory() {
    let f = with_matrix(SYSTEMS[6].residuals);
    let few = Broyden { memory: 2, ..Broyden::new(Direct) };
    let root = few.solve(&f, &vec![-1.0; 12], &TIGHT).unwrap();
    check("Broyden", &f, &root);
    // Two corrections, and one step without: then anew.
    assert_eq!(root.jacobians, root.iterations().div_ceil(3));
    let plain = Broyden::multiple(0.2).solve(&f, &vec![-1.0; 12], &TIGHT).unwrap();
    check("Broyden", &f, &plain);
    assert_eq!(plain.jacobians, 0);
}

/// Values whose squares are no numbers are neither roots nor solved.
#[test]
fn values_too_large_or_small_to_be_measured() {
    for size in [1e200, 1e-200] {
        let line =
            |x: &Vec<f64>| -> ansatz_linalg::Result<Vec<f64>> { Ok(vec![size * (x[0] - 1.0)]) };
        let stopping = ansatz_linalg::NonlinearStopping::default();
        let failed =
            ansatz_linalg::Newton::new(ansatz_linalg::Direct).run(&line, &vec![0.5], &stopping);
        assert!(matches!(failed, Err(ansatz_linalg::Error::InvalidArgument { .. })), "{size:e}");
        let bowl = |x: &Vec<f64>| -> ansatz_linalg::Result<(f64, Vec<f64>)> {
            Ok((0.5 * size * (x[0] - 1.0).powi(2), vec![size * (x[0] - 1.0)]))
        };
        let failed = ansatz_linalg::Lbfgs::default().run(&bowl, &vec![0.5], &stopping);
        assert!(matches!(failed, Err(ansatz_linalg::Error::InvalidArgument { .. })), "{size:e}");
    }
}
