//! Iterative least squares against factorisations and SciPy's iteration counts.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use ansatz_linalg::{
    Dense, Error, LeastSquares, LinearOperator, Lsmr, Lsqr, Outcome, Qr, Result, Stopping, Svd,
    Vector, faer::Mat,
};
use common::{dense, distance, residual, wave};

type Plain = Vec<f64>;

fn both(
    a: &dyn LinearOperator<Plain>,
    b: &Plain,
    damping: f64,
    stopping: &Stopping,
) -> [Result<LeastSquares<Plain>>; 2] {
    [Lsqr { damping }.solve(a, b, stopping), Lsmr { damping }.solve(a, b, stopping)]
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
