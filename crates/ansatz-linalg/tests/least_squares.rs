//! Iterative least squares against factorisations and SciPy's iteration counts.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use ansatz_linalg::{
    Dense, Diagonal, Error, LeastSquares, LinearOperator, Lsmr, Lsqr, Outcome, Qr, Result,
    Stopping, Svd, Vector, faer::Mat,
};
use common::{dense, distance, residual, wave};

type Plain = Vec<f64>;

fn both(
    a: &dyn LinearOperator<Plain>,
    b: &Plain,
    damping: f64,
    stopping: &Stopping,
) -> [Result<LeastSquares<Plain>>; 2] {
    [Lsqr { damping }.run(a, b, None, stopping), Lsmr { damping }.run(a, b, None, stopping)]
}

const TIGHT: Stopping = Stopping { relative: 1e-13, absolute: 0.0, iterations: 500 };

#[test]
fn they_agree_with_qr() {
    for (rows, columns) in [(5, 5), (20, 7), (60, 20), (1, 1), (9, 1)] {
        let (a, b) = (dense(rows, columns, 0.2), wave(rows, 0.9));
        let want = Qr::new(&a).unwrap().solve_least_squares(&b).unwrap();
        for got in both(&a, &b, 0.0, &TIGHT) {
            let got = got.unwrap();
            assert_eq!(got.outcome, Outcome::Converged, "{rows} {columns}");
            assert!(distance(&got.x, &want) < 1e-9, "{:e}", distance(&got.x, &want));
            assert!((got.residual - residual(&a, &b, &got.x)).abs() < 1e-13);
            // What the method believes is what is.
            let believed = got.residuals.last().unwrap();
            assert!((believed - got.residual).abs() < 1e-10, "{believed} {}", got.residual);
            assert!(got.gradients.last().unwrap() < &1e-10);
            assert!(got.residuals.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12)));
            // Columns + 1 steps at most, but for rounding: SciPy takes 7 for 20 × 7.
            assert!(got.iterations() <= columns + 5, "{}", got.iterations());
            if (rows, columns) == (20, 7) {
                assert_eq!(got.iterations(), 7);
                assert!((got.residual - 2.265_425_671_359_781_6).abs() < 1e-12); // SciPy's lsqr
            }
        }
    }
}

#[test]
fn damping_is_a_larger_system() {
    let (a, b) = (dense(20, 7, 0.2), wave(20, 0.9));
    let damping = 0.7;
    let entry = |i: usize, j| {
        if i < 20 { a.as_faer()[(i, j)] } else { f64::from(i - 20 == j) * damping }
    };
    let larger = Dense::new(Mat::from_fn(27, 7, entry)).unwrap();
    let mut padded = b.clone();
    padded.resize(27, 0.0);
    let want = Qr::new(&larger).unwrap().solve_least_squares(&padded).unwrap();
    for got in both(&a, &b, damping, &TIGHT) {
        let got = got.unwrap();
        assert_eq!(got.outcome, Outcome::Converged);
        assert!(distance(&got.x, &want) < 1e-12);
        // SciPy's lsmr: the residual of the larger system.
        let believed = got.residuals.last().unwrap();
        assert!((believed - 2.322_468_964_179_771).abs() < 1e-12, "{believed}");
        assert!(got.gradient < 1e-12);
    }
}

#[test]
fn dependent_columns_give_the_shortest_solution() {
    let base = dense(12, 3, 0.4);
    let twice = |i, j: usize| base.as_faer()[(i, j % 3)];
    let a = Dense::new(Mat::from_fn(12, 6, twice)).unwrap();
    let b = wave(12, 0.5);
    let want = Svd::new(&a).unwrap().solve_least_squares(&b, 1e-10).unwrap();
    for got in both(&a, &b, 0.0, &TIGHT) {
        assert!(distance(&got.unwrap().x, &want) < 1e-10);
    }
    // More unknowns than equations.
    let wide = dense(4, 9, 0.1);
    for got in both(&wide, &b[..4].to_vec(), 0.0, &TIGHT) {
        let got = got.unwrap();
        assert_eq!(got.outcome, Outcome::Converged);
        assert!(got.residual < 1e-12);
        let back = wide.apply_transposed(&vec![0.0; 4]).unwrap();
        assert_eq!(back.len(), got.x.len());
    }
}

#[test]
fn ends_that_are_no_solutions() {
    let (a, b) = (dense(60, 40, 0.2), wave(60, 0.9));
    let few = Stopping { iterations: 5, ..TIGHT };
    for got in both(&a, &b, 0.0, &few) {
        let got = got.unwrap();
        assert_eq!((got.outcome, got.iterations()), (Outcome::Budget, 5));
        assert!((got.residual - residual(&a, &b, &got.x)).abs() < 1e-12);
    }
    for got in both(&a, &vec![0.0; 60], 0.0, &TIGHT) {
        let got = got.unwrap();
        assert_eq!((got.outcome, got.iterations()), (Outcome::Converged, 0));
        assert_eq!(got.x, vec![0.0; 40]);
    }
    // b orthogonal to the range: zero is the answer.
    let a = Dense::from_rows(&[[1.0, 2.0], [0.0, 0.0]]).unwrap();
    for got in both(&a, &vec![0.0, 3.0], 0.0, &TIGHT) {
        let got = got.unwrap();
        assert_eq!((got.outcome, got.x), (Outcome::Converged, vec![0.0; 2]));
        assert_eq!(got.residual, 3.0);
    }
    let invalid = |stopping: &Stopping, damping| {
        for got in both(&a, &vec![1.0, 2.0], damping, stopping) {
            assert!(matches!(got, Err(Error::InvalidArgument { .. })));
        }
    };
    invalid(&Stopping { relative: -1.0, ..TIGHT }, 0.0);
    invalid(&TIGHT, -1.0);
    invalid(&TIGHT, f64::NAN);
    for got in both(&a, &vec![1.0, f64::NAN], 0.0, &TIGHT) {
        assert!(matches!(got, Err(Error::InvalidArgument { .. })));
    }
    for got in both(&a, &vec![1.0; 3], 0.0, &TIGHT) {
        assert!(matches!(got, Err(Error::Size { .. })));
    }
    let _ = a.apply(&vec![0.0; 2]).unwrap().norm2();
}

/// Gives NaN, or only its transpose does.
struct Broken {
    forward: bool,
}

impl LinearOperator<Plain> for Broken {
    fn shape(&self) -> [usize; 2] {
        [3, 3]
    }

    fn apply_into(&self, x: &Plain, y: &mut Plain) -> Result<()> {
        let factor = if self.forward { f64::NAN } else { 1.0 };
        *y = x.iter().map(|x| factor * x).collect();
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Plain, y: &mut Plain) -> Result<()> {
        *y = x.iter().map(|x| f64::NAN * x).collect();
        Ok(())
    }
}

#[test]
fn operators_that_make_nan() {
    for forward in [true, false] {
        for damping in [0.0, 0.5] {
            for got in both(&Broken { forward }, &vec![1.0; 3], damping, &TIGHT) {
                let got = got.unwrap();
                assert!(matches!(got.outcome, Outcome::Breakdown(_)), "{:?}", got.outcome);
            }
        }
        let strict = Lsqr::default().solve(&Broken { forward }, &vec![1.0; 3], &TIGHT);
        assert!(matches!(strict, Err(Error::NotConverged { .. })));
    }
}

#[test]
fn small_operators_are_not_zero() {
    for size in [1e-150, 1e-200, 1e-300, 1e200] {
        let a = Diagonal::new(vec![size, 2.0 * size, size]).unwrap();
        for got in both(&a, &vec![1.0; 3], 0.0, &TIGHT) {
            let got = got.unwrap();
            assert_eq!(got.outcome, Outcome::Converged, "{size:e}");
            assert!(got.residual < 1e-12 && got.consistent, "{size:e} {:e}", got.residual);
        }
    }
}

#[test]
fn solutions_are_told_from_minima_and_failures() {
    let (a, b) = (dense(20, 7, 0.2), wave(20, 0.9));
    let image = a.apply(&wave(7, 0.1)).unwrap();
    for (b, consistent) in [(b.clone(), false), (image, true)] {
        for got in both(&a, &b, 0.0, &TIGHT) {
            let got = got.unwrap();
            assert_eq!((got.outcome, got.consistent), (Outcome::Converged, consistent));
            assert!(got.residual <= got.target || got.gradient <= got.gradient_target);
        }
    }
    let few = Stopping { iterations: 2, ..TIGHT };
    let failed = [Lsqr::default().solve(&a, &b, &few), Lsmr::default().solve(&a, &b, &few)];
    for failed in failed {
        let budget = matches!(failed, Err(Error::NotConverged { outcome: Outcome::Budget, .. }));
        assert!(budget, "{failed:?}");
    }
}

#[test]
fn what_is_within_the_tolerance_has_converged() {
    let (a, b) = (common::poisson(8), wave(64, 0.1));
    for iterations in 30..45 {
        let stopping = Stopping { relative: 1e-8, absolute: 0.0, iterations };
        for got in both(&a, &b, 0.0, &stopping) {
            let got = got.unwrap();
            let within = got.residual <= got.target || got.gradient <= got.gradient_target;
            assert_eq!(within, got.outcome == Outcome::Converged, "{iterations}");
        }
    }
    let loose = Stopping { relative: 0.0, absolute: 100.0, iterations: 0 };
    for got in both(&a, &b, 0.0, &loose) {
        let got = got.unwrap();
        assert_eq!((got.outcome, got.iterations()), (Outcome::Converged, 0));
    }
}

#[test]
fn from_a_first_guess() {
    let (a, b, near) = (dense(20, 7, 0.2), wave(20, 0.9), wave(7, 0.4));
    let methods: [fn(f64, &Dense, &Plain, &Plain) -> LeastSquares<Plain>; 2] = [
        |damping, a, b, x| Lsqr { damping }.run(a, b, Some(x), &TIGHT).unwrap(),
        |damping, a, b, x| Lsmr { damping }.run(a, b, Some(x), &TIGHT).unwrap(),
    ];
    let want = Qr::new(&a).unwrap().solve_least_squares(&b).unwrap();
    for method in methods {
        let got = method(0.0, &a, &b, &near);
        assert_eq!(got.outcome, Outcome::Converged);
        assert!(distance(&got.x, &want) < 1e-9);
        let again = method(0.0, &a, &b, &want);
        assert!(again.iterations() <= 1, "{}", again.iterations());
        // Damped, it is a step from the guess: of the residual there.
        let mut residual = a.apply(&near).unwrap();
        residual.axpby(-1.0, 1.0, &b).unwrap();
        let step = Lsqr { damping: 0.7 }.solve(&a, &residual, &TIGHT).unwrap().x;
        let moved: Plain = near.iter().zip(step).map(|(x, s)| x + s).collect();
        let got = method(0.7, &a, &b, &near);
        assert_eq!(got.outcome, Outcome::Converged);
        assert!(distance(&got.x, &moved) < 1e-11);
    }
    let wrong = Lsqr::default().run(&a, &b, Some(&vec![0.0; 6]), &TIGHT);
    assert!(matches!(wrong, Err(Error::Size { .. })));
    let nan = Lsqr::default().run(&a, &b, Some(&vec![f64::NAN; 7]), &TIGHT);
    assert!(matches!(nan, Err(Error::InvalidArgument { .. })));
}

/// The measured gradient has the term of damping: without it, what has converged would not count.
#[test]
fn damping_is_part_of_what_is_measured() {
    let (a, b) = (dense(20, 7, 0.2), wave(20, 0.9));
    for damping in [1e-3, 1.0, 50.0] {
        for got in both(&a, &b, damping, &TIGHT) {
            let got = got.unwrap();
            let mut residual = a.apply(&got.x).unwrap();
            residual.axpby(-1.0, 1.0, &b).unwrap();
            let mut gradient = a.apply_transposed(&residual).unwrap();
            assert!(gradient.norm2().unwrap() > 1e3 * got.gradient_target, "{damping}");
            gradient.axpby(1.0, -damping * damping, &got.x).unwrap();
            assert_eq!(got.outcome, Outcome::Converged, "{damping}");
            assert!((gradient.norm2().unwrap() - got.gradient).abs() < 1e-14, "{damping}");
        }
    }
}
