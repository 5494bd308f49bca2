//! Minima that are published: standard problems, certified regressions of NIST, counts of SciPy; and
//! input that must be refused.
// A failing test may panic, and functions have the signature that methods ask for.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

mod common;
#[path = "common/problems.rs"]
mod problems;
#[path = "common/regressions.rs"]
mod regressions;

use std::cell::RefCell;

use ansatz_linalg::{
    DampedLsmr, DampedQr, Dense, Error, GaussNewton, Lbfgs, LevenbergMarquardt, LinearOperator,
    Minimum, NonlinearStopping, Outcome, Residual, Result, Stopping, Vector, WithJacobian,
    faer::Mat,
};
use common::distance;
use problems::{Problem, SQUARES, SYSTEMS};
use regressions::REGRESSIONS;

type Plain = Vec<f64>;

const TIGHT: NonlinearStopping =
    NonlinearStopping { relative: 1e-10, absolute: 1e-12, step: 0.0, iterations: 1000 };

/// A matrix of differences in the middle: ten digits.
fn slope(f: impl Fn(&[f64]) -> Plain, x: &Plain) -> Mat<f64> {
    let columns: Vec<Plain> = (0..x.len())
        .map(|j| {
            let h = 1e-5 * x[j].abs().max(1e-3);
            let moved = |by: f64| {
                let mut x = x.clone();
                x[j] += by;
                f(&x)
            };
            let values = [-2.0, -1.0, 1.0, 2.0].map(|k| moved(k * h));
            (0..values[0].len())
                .map(|i| {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|k: usize| values[k][i]);
                    (a - 8.0 * b + 8.0 * c - d) / (12.0 * h)
                })
                .collect()
        })
        .collect();
    Mat::from_fn(columns[0].len(), x.len(), |i, j| columns[j][i])
}

fn with_matrix(
    f: impl Fn(&[f64]) -> Plain + Copy,
) -> WithJacobian<impl Fn(&Plain) -> Result<Plain>, impl Fn(&Plain) -> Result<Dense>, Dense> {
    WithJacobian::new(move |x: &Plain| Ok(f(x)), move |x: &Plain| Dense::new(slope(f, x)))
}

/// `½ |r|²` and its gradient.
fn half_square(problem: &Problem) -> impl Fn(&Plain) -> Result<(f64, Plain)> {
    let residuals = problem.residuals;
    move |x: &Plain| {
        let (r, j) = (residuals(x), Dense::new(slope(residuals, x))?);
        Ok((0.5 * r.inner(&r)?, j.apply_transposed(&r)?))
    }
}

/// What is reported is what is, and the minimum is one of those published.
fn check(name: &str, problem: &Problem, found: &Minimum<Plain>) {
    let name = format!("{} by {name}", problem.name);
    assert_eq!(found.outcome, Outcome::Converged, "{name}");
    let (value, gradient) = half_square(problem)(&found.x).unwrap();
    assert!((value - found.objective()).abs() <= 1e-14 * value, "{name}");
    let gradient = gradient.norm2().unwrap();
    assert!((gradient - found.gradient()).abs() <= 1e-9 * found.gradients[0], "{name}");
    assert!(found.gradient() <= found.target, "{name}");
    assert_eq!(found.objectives.len(), found.iterations() + 1);
    assert!(found.evaluations > found.iterations(), "{name}");
    let falls = found.objectives.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-14));
    assert!(falls, "{name}: {:?}", found.objectives);
    let near = |want: &f64| (2.0 * value - want).abs() <= 1e-5 * want + 1e-8;
    assert!(problem.minima.iter().any(near), "{name}: {:e}", 2.0 * value);
}

#[test]
fn standard_problems() {
    for problem in SYSTEMS.iter().chain(&SQUARES) {
        let f = with_matrix(problem.residuals);
        let start = problem.start.to_vec();
        // Where large residuals are left, rounding hides more of the gradient.
        let relative = if problem.minima[0] > 1e4 { 1e-9 } else { 1e-10 };
        let tight = NonlinearStopping { relative, ..TIGHT };
        let found = LevenbergMarquardt::new(DampedQr).run(&f, &start, &tight).unwrap();
        check("Levenberg and Marquardt", problem, &found);
        assert_eq!(found.jacobians, found.iterations() + 1);
        if problem.name != "Meyer" {
            let stopping = Stopping { relative: 1e-10, ..Stopping::default() };
            let method = LevenbergMarquardt::new(DampedLsmr { stopping });
            let found = method.run(&f, &start, &tight).unwrap();
            check("Levenberg and Marquardt without a matrix", problem, &found);
            let found = Lbfgs::default().run(&half_square(problem), &start, &tight).unwrap();
            check("L-BFGS", problem, &found);
            assert!(found.evaluations < 2 * found.iterations() + 30, "{}", problem.name);
        }
        let small = problem.minima[0] < 1e-2 || problem.name == "Meyer";
        let dependent = ["Beale", "Freudenstein and Roth", "Kowalik and Osborne"];
        if small && !dependent.contains(&problem.name) {
            let found = GaussNewton::new(DampedQr).run(&f, &start, &tight).unwrap();
            check("Gauss and Newton", problem, &found);
        }
    }
    // From elsewhere it finds the root.
    let f = with_matrix(SYSTEMS[1].residuals);
    let found = LevenbergMarquardt::new(DampedQr).solve(&f, &vec![6.0, 5.0], &TIGHT).unwrap();
    assert!(distance(&found.x, &[5.0, 4.0]) < 1e-9);
}

#[test]
fn certified_regressions() {
    for regression in &REGRESSIONS {
        let misfit = |b: &[f64]| -> Plain {
            regression.data.iter().map(|[y, x]| (regression.model)(b, *x) - y).collect()
        };
        for start in regression.starts {
            let stopping = NonlinearStopping { relative: 0.0, absolute: 0.0, step: 1e-9, ..TIGHT };
            let method = LevenbergMarquardt::new(DampedQr);
            let fit = method.solve(&with_matrix(misfit), &start.to_vec(), &stopping).unwrap();
            let squares = 2.0 * fit.objective();
            assert!((squares / regression.squares - 1.0).abs() < 1e-9, "{squares:e}");
            for (b, certified) in fit.x.iter().zip(regression.certified) {
                assert!((b / certified - 1.0).abs() < 1e-7, "{b:e} {certified:e}");
            }
            // With differences of half of the digits.
            let plain = |b: &Plain| Ok(misfit(b));
            let loose = NonlinearStopping { step: 1e-7, ..stopping };
            let fit = method.solve(&plain, &start.to_vec(), &loose).unwrap();
            let squares = 2.0 * fit.objective();
            assert!((squares / regression.squares - 1.0).abs() < 1e-6, "{squares:e}");
        }
    }
}

#[test]
fn units_do_not_matter() {
    let regression = &REGRESSIONS[0];
    let misfit = |units: [f64; 2]| {
        move |b: &[f64]| -> Plain {
            let b = [b[0] / units[0], b[1] / units[1]];
            regression.data.iter().map(|[y, x]| (regression.model)(&b, *x) - y).collect()
        }
    };
    let run = |units: [f64; 2]| {
        let start = vec![250.0 * units[0], 0.0005 * units[1]];
        let stopping = NonlinearStopping { relative: 1e-9, ..TIGHT };
        // Few steps, before rounding takes over.
        let stopping = NonlinearStopping { iterations: 4, ..stopping };
        LevenbergMarquardt::new(DampedQr)
            .run(&with_matrix(misfit(units)), &start, &stopping)
            .unwrap()
    };
    let (plain, scaled) = (run([1.0, 1.0]), run([1024.0, 65536.0]));
    assert_eq!(plain.iterations(), scaled.iterations());
    for (a, b) in plain.objectives.iter().zip(&scaled.objectives) {
        assert!((a / b - 1.0).abs() < 1e-6, "{a:e} {b:e}");
    }
}

#[test]
fn rates_of_convergence() {
    // The residuals vanish at the minimum: quadratic.
    let f = with_matrix(SYSTEMS[3].residuals);
    let start = SYSTEMS[3].start.to_vec();
    let gauss = GaussNewton::new(DampedQr).solve(&f, &start, &TIGHT).unwrap();
    let log = |k: usize| gauss.gradients[gauss.gradients.len() - k].ln();
    let order = (log(1) - log(2)) / (log(2) - log(3));
    assert!(order > 1.7, "{order} {:?}", gauss.gradients);
    let again = GaussNewton::new(DampedLsmr::default()).solve(&f, &start, &TIGHT).unwrap();
    assert!(distance(&again.x, &gauss.x) < 1e-8);
    // They do not: linear, here by |r'' r| / |r'|² = 0.6 / 2 at the minimum 0.
    let line = with_matrix(|x| vec![x[0] + 1.0, 0.3 * x[0] * x[0] + x[0] - 1.0]);
    let gauss = GaussNewton::new(DampedQr).solve(&line, &vec![0.5], &TIGHT).unwrap();
    let ratio = gauss.gradients[9] / gauss.gradients[8];
    assert!((ratio - 0.3).abs() < 0.003, "{ratio}");
    assert!(gauss.x[0].abs() < 1e-7);
}

fn rosenbrock(x: &Plain) -> Result<(f64, Plain)> {
    let (mut value, mut gradient) = (0.0, vec![0.0; x.len()]);
    for i in 0..x.len() - 1 {
        let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        value += 100.0 * a * a + b * b;
        gradient[i] -= 400.0 * a * x[i] + 2.0 * b;
        gradient[i + 1] += 200.0 * a;
    }
    Ok((value, gradient))
}

/// Points visited, with values and gradients.
type Record = RefCell<Vec<(Plain, f64, Plain)>>;

fn accepted(record: &Record, found: &Minimum<Plain>) -> Vec<(Plain, f64, Plain)> {
    let all = record.borrow();
    let mut next = 0;
    let take = |value: &f64| {
        let at = next + all[next..].iter().position(|(_, v, _)| v == value).unwrap();
        next = at + 1;
        all[at].clone()
    };
    found.objectives.iter().map(take).collect()
}

/// SciPy 1.17.1, L-BFGS-B with 10 pairs, until the largest component of the gradient is 10⁻⁸: from
/// (−1.2, 1, …) 537 iterations and 639 evaluations, from (½, …) 88 and 100.
#[test]
fn as_many_evaluations_as_scipy() {
    let alternating = (0..100).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    for (start, iterations, evaluations) in [(alternating, 537, 639), (vec![0.5; 100], 88, 100)] {
        let record = Record::default();
        let recording = |x: &Plain| {
            let (value, gradient) = rosenbrock(x)?;
            record.borrow_mut().push((x.clone(), value, gradient.clone()));
            Ok((value, gradient))
        };
        let stopping = NonlinearStopping { relative: 0.0, absolute: 1e-8, ..TIGHT };
        let found = Lbfgs::default().solve(&recording, &start, &stopping).unwrap();
        assert!(distance(&found.x, &[1.0; 100]) < 1e-7);
        assert_eq!(found.evaluations, record.borrow().len());
        let near = |got: usize, want: usize| 4 * got < 5 * want && 5 * got > 3 * want;
        assert!(near(found.iterations(), iterations), "{}", found.iterations());
        assert!(near(found.evaluations, evaluations), "{}", found.evaluations);
        // Each step fulfils the strong Wolfe conditions, but for rounding.
        let path = accepted(&record, &found);
        for pair in path.windows(2) {
            let [(x, f, g), (x_next, f_next, g_next)] = pair else { unreachable!() };
            let mut step = x_next.clone();
            step.axpby(1.0, -1.0, x).unwrap();
            let (before, after) = (g.inner(&step).unwrap(), g_next.inner(&step).unwrap());
            assert!(before < 0.0);
            assert!(*f_next <= f + 1e-4 * before + 1e-14 * f, "{f} {f_next} {before}");
            assert!(after.abs() <= -0.9 * before * (1.0 + 1e-8), "{before} {after}");
        }
        // Each direction is that of the dense update (Nocedal & Wright, eq. 7.16).
        for k in [1usize, 2, 5, 10, 11, 30] {
            let want = dense_direction(&path[k.saturating_sub(10)..=k]);
            let mut step = path[k + 1].0.clone();
            step.axpby(1.0, -1.0, &path[k].0).unwrap();
            let cosine =
                step.inner(&want).unwrap() / (step.norm2().unwrap() * want.norm2().unwrap());
            assert!((cosine - 1.0).abs() < 1e-8, "{k}: {cosine}");
        }
    }
}

/// `−H g` at the last point of a path by updates of the whole matrix.
fn dense_direction(path: &[(Plain, f64, Plain)]) -> Plain {
    let n = path[0].0.len();
    let minus = |a: &Plain, b: &Plain| Mat::from_fn(n, 1, |i, _| a[i] - b[i]);
    let pairs: Vec<_> =
        path.windows(2).map(|p| (minus(&p[1].0, &p[0].0), minus(&p[1].2, &p[0].2))).collect();
    let (s, y) = pairs.last().unwrap();
    let gamma = (s.transpose() * y)[(0, 0)] / (y.transpose() * y)[(0, 0)];
    let mut h = Mat::from_fn(n, n, |i, j| if i == j { gamma } else { 0.0 });
    for (s, y) in &pairs {
        let rho = 1.0 / (s.transpose() * y)[(0, 0)];
        let outer = s * y.transpose();
        let v = Mat::from_fn(n, n, |i, j| f64::from(i == j) - rho * outer[(i, j)]);
        let own = s * s.transpose();
        h = &v * &h * v.transpose() + Mat::from_fn(n, n, |i, j| rho * own[(i, j)]);
    }
    let g = Mat::from_fn(n, 1, |i, _| path[path.len() - 1].2[i]);
    let d = h * g;
    (0..n).map(|i| -d[(i, 0)]).collect()
}

#[test]
fn functions_with_edges_and_noise() {
    // Not finite beyond the edge that the first steps would cross.
    let barrier =
        |x: &f64| Ok((x - 3.0 * x.ln() - (1.0 - x).ln(), 1.0 - 3.0 / x + 1.0 / (1.0 - x)));
    let found = Lbfgs::default().solve(&barrier, &0.01, &TIGHT).unwrap();
    let want = 0.5 * (5.0 - 13f64.sqrt());
    assert!((found.x - want).abs() < 1e-9, "{} {want}", found.x);
    // A first step that is far too short or too long.
    for scale in [1e-9, 1e9] {
        let parabola = |x: &[f64; 2]| {
            let g = [x[0] - scale, 3.0 * (x[1] + 2.0 * scale)];
            Ok((0.5 * (g[0] * g[0] + g[1] * g[1] / 3.0), g))
        };
        let found = Lbfgs::default().solve(&parabola, &[0.0, 0.0], &TIGHT).unwrap();
        assert!((found.x[0] / scale - 1.0).abs() < 1e-8, "{scale} {:?}", found.x);
        assert!(found.evaluations < 40, "{scale} {}", found.evaluations);
    }
    // The first step, of length 1, ends on a stationary point that is lower, but hardly.
    let [a, b] = [2.0 - 1.5e-4, -1.0 + 1e-4];
    let hill = |x: &f64| Ok((x * (-1.0 + x * (a + x * b)), -1.0 + x * (2.0 * a + 3.0 * x * b)));
    let found = Lbfgs::default().solve(&hill, &0.0, &TIGHT).unwrap();
    assert!((found.x + 1.0 / (3.0 * b)).abs() < 1e-9, "{}", found.x);
    // Rounding beside a large constant, and more of it on purpose, hides what happens at the
    // minimum; the slopes still tell.
    let noisy = |x: &Plain| {
        let gradient: Plain =
            x.iter().enumerate().map(|(i, x)| (i * i + 1) as f64 * (x - 1.0)).collect();
        let value: f64 = gradient.iter().zip(x).map(|(g, x)| 0.5 * g * (x - 1.0)).sum();
        Ok((1e6 + value + 1e-9 * (1e9 * x[0]).sin(), gradient))
    };
    let stopping = NonlinearStopping { relative: 0.0, absolute: 1e-9, ..TIGHT };
    let found = Lbfgs::default().run(&noisy, &vec![0.5; 30], &stopping).unwrap();
    assert_eq!(found.outcome, Outcome::Converged);
    assert!(distance(&found.x, &[1.0; 30]) < 1e-8);
    // No minimum: it says so.
    let line = |x: &f64| Ok((-x, -1.0));
    let few = NonlinearStopping { iterations: 5, ..TIGHT };
    assert_ne!(Lbfgs::default().run(&line, &0.0, &few).unwrap().outcome, Outcome::Converged);
    // A gradient that points the wrong way.
    let wrong = |x: &f64| Ok((x * x, -2.0 * x));
    let found = Lbfgs::default().run(&wrong, &1.0, &TIGHT).unwrap();
    assert_eq!(found.outcome, Outcome::Stagnation);
    assert_eq!(found.x, 1.0);
}

type Run = dyn Fn(&dyn Residual<Plain>, &Plain, &NonlinearStopping) -> Result<Minimum<Plain>>;

#[test]
fn ends_that_are_no_minima() {
    let f = with_matrix(SYSTEMS[0].residuals);
    let start = vec![-1.2, 1.0];
    let lm = LevenbergMarquardt::new(DampedQr);
    let lsmr = LevenbergMarquardt::new(DampedLsmr::default());
    let gauss = GaussNewton::new(DampedQr);
    let runs: [Box<Run>; 3] = [
        Box::new(move |f, x, s| lm.run(f, x, s)),
        Box::new(move |f, x, s| lsmr.run(f, x, s)),
        Box::new(move |f, x, s| gauss.run(f, x, s)),
    ];
    for run in &runs {
        for iterations in [0, 2] {
            let few = NonlinearStopping { iterations, ..TIGHT };
            let found = run(&f, &start, &few).unwrap();
            assert_eq!((found.outcome, found.iterations()), (Outcome::Budget, iterations));
            assert!(matches!(found.into_converged("x"), Err(Error::NotConverged { .. })));
        }
        let invalid = |f: &dyn Residual<Plain>, x: &Plain, stopping: &NonlinearStopping| {
            assert!(matches!(run(f, x, stopping), Err(Error::InvalidArgument { .. })));
        };
        invalid(&f, &start, &NonlinearStopping { relative: -1.0, ..TIGHT });
        invalid(&f, &vec![f64::NAN, 0.0], &TIGHT);
        invalid(&with_matrix(|x| vec![x[0].ln()]), &vec![-1.0], &TIGHT);
        let broken = |_: &Plain| -> Result<Plain> { Err(Error::invalid("mine", 1, "another")) };
        let error = run(&broken, &start, &TIGHT).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { what: "mine", .. }));
        // Steps across the edge are shortened.
        let log = with_matrix(|x| vec![x[0].ln() + 3.0]);
        let found = run(&log, &vec![3.0], &TIGHT).unwrap();
        assert!((found.x[0] - (-3f64).exp()).abs() < 1e-9, "{found:?}");
        // A minimum already.
        let found = run(&f, &vec![1.0, 1.0], &TIGHT).unwrap();
        assert_eq!((found.outcome, found.iterations()), (Outcome::Converged, 0));
    }
    // An unknown that nothing depends on.
    let idle = with_matrix(|x| vec![x[0] - 2.0, 3.0 * x[0] - 6.0]);
    let found = GaussNewton::new(DampedQr).run(&idle, &vec![0.0, 7.0], &TIGHT).unwrap();
    assert_eq!(found.outcome, Outcome::Breakdown("the Jacobian is singular"));
    for found in [lm.run(&idle, &vec![0.0, 7.0], &TIGHT), lsmr.run(&idle, &vec![0.0, 7.0], &TIGHT)]
    {
        let found = found.unwrap();
        assert_eq!(found.outcome, Outcome::Converged);
        assert!(distance(&found.x, &[2.0, 7.0]) < 1e-9);
    }
    // More unknowns than residuals.
    let wide = with_matrix(|x| vec![x[0] * x[1] - 2.0]);
    assert!(matches!(
        GaussNewton::new(DampedQr).run(&wide, &start, &TIGHT),
        Err(Error::Size { .. })
    ));
    let found = lm.run(&wide, &start, &TIGHT).unwrap();
    assert!((found.x[0] * found.x[1] - 2.0).abs() < 1e-9 && found.outcome == Outcome::Converged);
    // Differences have no transpose.
    let plain = |x: &Plain| Ok(x.clone());
    assert!(matches!(lsmr.run(&plain, &start, &TIGHT), Err(Error::NoTranspose { .. })));
    for damping in [0.0, -1.0, f64::NAN] {
        let refused = LevenbergMarquardt { damping, ..lm }.run(&f, &start, &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }

    let refused = |result: Result<Minimum<Plain>>| {
        assert!(matches!(result, Err(Error::InvalidArgument { .. })));
    };
    let lbfgs = Lbfgs::default();
    refused(Lbfgs { memory: 0 }.run(&rosenbrock, &start, &TIGHT));
    refused(lbfgs.run(&rosenbrock, &vec![f64::NAN; 2], &TIGHT));
    refused(lbfgs.run(&|x: &Plain| Ok((f64::NAN, x.clone())), &start, &TIGHT));
    refused(lbfgs.run(&|x: &Plain| Ok((0.0, vec![f64::NAN; x.len()])), &start, &TIGHT));
    refused(lbfgs.run(&rosenbrock, &start, &NonlinearStopping { absolute: -1.0, ..TIGHT }));
    let shorter = lbfgs.run(&|_: &Plain| Ok((0.0, vec![1.0])), &start, &TIGHT);
    assert!(matches!(shorter, Err(Error::Size { .. })));
    for iterations in [0, 3] {
        let few = NonlinearStopping { iterations, ..TIGHT };
        let found = lbfgs.run(&rosenbrock, &start, &few).unwrap();
        assert_eq!((found.outcome, found.iterations()), (Outcome::Budget, iterations));
        assert!(matches!(lbfgs.solve(&rosenbrock, &start, &few), Err(Error::NotConverged { .. })));
    }
    let found = lbfgs.solve(&rosenbrock, &vec![1.0, 1.0], &TIGHT).unwrap();
    assert_eq!((found.iterations(), found.evaluations), (0, 1));
    let step = NonlinearStopping { relative: 0.0, absolute: 0.0, step: 1e-5, iterations: 500 };
    let found = lbfgs.solve(&rosenbrock, &start, &step).unwrap();
    assert!(found.gradient() > 0.0 && distance(&found.x, &[1.0, 1.0]) < 1e-3);
}
