//! Functions of matrices that are far from normal, nearly defective, or of entries close to the ends
//! of the range.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use ansatz_linalg::{Dense, Error, exponential, faer::Mat, logarithm, phi_functions, square_root};
use common::dense;

fn rows<const N: usize>(entries: [[f64; N]; N]) -> Dense {
    Dense::from_rows(&entries).unwrap()
}

fn times(a: &Dense, b: &Dense) -> Dense {
    Dense::new(a.as_faer() * b.as_faer()).unwrap()
}

/// The largest error of an entry, relative to that entry, where it is not zero.
fn error(got: &Dense, want: &Dense) -> f64 {
    let [m, n] = [want.as_faer().nrows(), want.as_faer().ncols()];
    let at = |k: usize| (got.as_faer()[(k % m, k / m)], want.as_faer()[(k % m, k / m)]);
    let relative =
        |(got, want): (f64, f64)| (got - want).abs() / if want == 0.0 { 1.0 } else { want.abs() };
    (0..m * n).map(|k| relative(at(k))).fold(0.0, f64::max)
}

fn close(got: &Dense, want: &Dense, tolerance: f64) {
    let error = error(got, want);
    assert!(error <= tolerance, "{error:e}: {got:?} {want:?}");
}

#[test]
fn logarithms_of_matrices_far_from_normal() {
    let a = rows([[2.0, 1e10, 1e3], [0.0, 3.0, 1e8], [0.0, 0.0, 5.0]]);
    let log = logarithm(&a).unwrap();
    let diagonal = [2f64.ln(), 3f64.ln(), 5f64.ln()];
    for (i, want) in diagonal.into_iter().enumerate() {
        assert!((log.as_faer()[(i, i)] / want - 1.0).abs() < 1e-14);
    }
    // Of a triangular matrix of two rows: the divided difference of ln.
    let a = rows([[2.0, 1e13], [0.0, 3.0]]);
    let want = rows([[2f64.ln(), 1e13 * 1.5f64.ln()], [0.0, 3f64.ln()]]);
    close(&logarithm(&a).unwrap(), &want, 1e-14);
    close(&exponential(&logarithm(&a).unwrap()).unwrap(), &a, 1e-12);
}

#[test]
fn double_negative_eigenvalues_that_rounding_splits() {
    for a in [
        rows([[-0.6, 0.1], [-1.6, -1.4]]),
        rows([[-0.8, 0.1], [-0.4, -1.2]]),
        rows([[-0.9, 0.01], [-1.0, -1.1]]),
    ] {
        for root in [square_root(&a), logarithm(&a)] {
            let bad = matches!(root, Err(Error::NotPrincipal { .. } | Error::Factorisation { .. }));
            assert!(bad, "{a:?} {root:?}");
        }
    }
    // Close to the negative numbers, but not there.
    let a = rows([[-1.0, 1e-3], [-1e-3, -1.0]]);
    let root = square_root(&a).unwrap();
    assert!((times(&root, &root).as_faer() - a.as_faer()).norm_max() < 1e-12);
    assert!(
        (exponential(&logarithm(&a).unwrap()).unwrap().as_faer() - a.as_faer()).norm_max() < 1e-12
    );
}

#[test]
fn phi_functions_of_a_matrix_far_from_normal() {
    // φ₁ of a triangular matrix of two rows: the divided difference.
    let phi = |x: f64| x.exp_m1() / x;
    for size in [1.0, 1e5, 1e10] {
        let got = phi_functions(&rows([[1.0, size], [0.0, -1.0]]), 1).unwrap();
        let want = rows([[phi(1.0), size * (phi(1.0) - phi(-1.0)) / 2.0], [0.0, phi(-1.0)]]);
        close(&got[1], &want, 1e-13);
    }
    // Nilpotent: 1 + A/2.
    let got = phi_functions(&rows([[0.0, 1e20], [0.0, 0.0]]), 1).unwrap();
    close(&got[1], &rows([[1.0, 5e19], [0.0, 1.0]]), 1e-15);
    // Halving may round the norm up.
    for x in [-16.000000000000004, -8.000000000000002, 4.000000000000001f64] {
        let got = phi_functions(&rows([[x]]), 1).unwrap();
        close(&got[1], &rows([[phi(x)]]), 1e-14);
    }
}

#[test]
fn entries_close_to_the_ends_of_the_range() {
    for size in [1e160, 1e-170, 1e300, 1e-300] {
        let a = rows([[size, size], [-size, size]]);
        let root = square_root(&a).unwrap();
        let unit = square_root(&rows([[1.0, 1.0], [-1.0, 1.0]])).unwrap();
        let scaled = Dense::new(Mat::from_fn(2, 2, |i, j| size.sqrt() * unit.as_faer()[(i, j)]));
        close(&root, &scaled.unwrap(), 1e-14);
        let log = logarithm(&a).unwrap();
        let (re, im) = ((size * 2f64.sqrt()).ln(), std::f64::consts::FRAC_PI_4);
        close(&log, &rows([[re, im], [-im, re]]), 1e-13);
    }
}

#[test]
fn roots_of_semidefinite_matrices() {
    let a = rows([[1.0, 0.0], [0.0, 1e-18]]);
    let root = square_root(&a).unwrap();
    assert!((times(&root, &root).as_faer() - a.as_faer()).norm_max() < 1e-17);
    // A covariance of three numbers from two samples.
    let half = dense(3, 2, 0.4);
    let square = half.as_faer() * half.as_faer().transpose();
    let a = Dense::new(Mat::from_fn(3, 3, |i, j| 0.5 * (square[(i, j)] + square[(j, i)]))).unwrap();
    let root = square_root(&a).unwrap();
    assert!((times(&root, &root).as_faer() - a.as_faer()).norm_max() < 1e-14);
    let zero = Dense::new(Mat::zeros(2, 2)).unwrap();
    assert_eq!(square_root(&zero).unwrap().norm_1(), 0.0);
    assert!(matches!(logarithm(&a), Err(Error::NotPrincipal { .. })));
    assert!(matches!(logarithm(&zero), Err(Error::NotPrincipal { .. })));
    let bad = square_root(&rows([[1.0, 0.0], [0.0, -1e-6]]));
    assert!(matches!(bad, Err(Error::NotPrincipal { .. })));
}
