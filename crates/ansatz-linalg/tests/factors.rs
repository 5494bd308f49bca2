//! Factors give the matrix back, eigenvectors are eigenvectors, and what is known of a matrix is used.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use std::cell::Cell;

use ansatz_linalg::{
    Cholesky, Dense, Diagonal, Direct, Eigen, Error, Factorised, GeneralisedEigen, Inverse,
    LinearOperator, LinearSolver, Lu, Properties, Qr, Result, SparseCholesky, Transposed,
    Tridiagonal,
    faer::{Mat, MatRef, c64},
    to_dense,
};
use common::{definite, dense, distance, poisson, wave};

fn far(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_max()
}

#[test]
fn factors_give_the_matrix_back() {
    for n in [1, 2, 5, 40] {
        let a = definite(n, 0.3);
        let cholesky = Cholesky::new(&a).unwrap();
        let l = cholesky.lower();
        assert!(far((l * l.transpose()).as_ref(), a.as_faer().as_ref()) < 1e-12 * a.norm_1());
        assert!((0..n).all(|i| l[(i, i)] > 0.0 && (i + 1..n).all(|j| l[(i, j)] == 0.0)));

        let a = dense(n, n, 0.3);
        let lu = Lu::new(&a).unwrap();
        let rows = lu.permutation();
        let exchanged = Mat::from_fn(n, n, |i, j| a.as_faer()[(rows[i], j)]);
        assert!(far((lu.lower() * lu.upper()).as_ref(), exchanged.as_ref()) < 1e-13);
        assert!(
            (0..n).all(|i| lu.lower()[(i, i)] == 1.0 && (0..i).all(|j| lu.upper()[(i, j)] == 0.0))
        );
    }
    for (m, n) in [(1, 1), (4, 4), (9, 4), (60, 20)] {
        let a = dense(m, n, 0.4);
        let qr = Qr::new(&a).unwrap();
        let (q, r, columns) = (qr.q(), qr.r(), qr.permutation());
        assert_eq!([q.nrows(), q.ncols(), r.nrows(), r.ncols()], [m, n, n, n]);
        let exchanged = Mat::from_fn(m, n, |i, j| a.as_faer()[(i, columns[j])]);
        assert!(far((&q * r).as_ref(), exchanged.as_ref()) < 1e-13);
        let unit = Mat::<f64>::identity(n, n);
        assert!(far((q.transpose() * &q).as_ref(), unit.as_ref()) < 1e-14);
        assert!((0..n).all(|i| (0..i).all(|j| r[(i, j)] == 0.0)));
    }
}

#[test]
fn inverses_of_definite_matrices_are_definite() {
    let a = definite(6, 0.3);
    let inverse = Inverse(Cholesky::new(&a).unwrap());
    assert_eq!(inverse.properties(), Properties::SPD);
    assert_eq!(Inverse(&inverse.0).properties(), Properties::SPD);
    assert_eq!(Inverse(SparseCholesky::new(&poisson(3)).unwrap()).properties(), Properties::SPD);
    assert_eq!(Inverse(Lu::new(&a).unwrap()).properties(), Properties::NONE);
}

/// `A u − λ u` for all of them, in units of `‖A‖`.
fn residual(a: &Dense, eigen: &Eigen) -> f64 {
    let (u, n) = (eigen.vectors(), a.as_faer().nrows());
    let of = |i: usize, k: usize| {
        let image: c64 = (0..n).map(|j| u[(j, k)] * a.as_faer()[(i, j)]).sum();
        (image - eigen.values()[k] * u[(i, k)]).norm()
    };
    (0..n * n).map(|k| of(k % n, k / n)).fold(0.0, f64::max) / a.norm_1()
}

#[test]
fn eigenvectors() {
    let rotation = Dense::from_rows(&[[0.0, -2.0], [2.0, 0.0]]).unwrap();
    // Defective: one eigenvector, twice.
    let jordan = Dense::from_rows(&[[3.0, 1.0], [0.0, 3.0]]).unwrap();
    let large = dense(40, 40, 0.3);
    let scaled = Dense::new(Mat::from_fn(3, 3, |i, j| {
        10f64.powi(3 * (i as i32) - 3 * (j as i32)) * (1.0 + (i * j) as f64)
    }));
    for a in [rotation.clone(), jordan, large, scaled.unwrap()] {
        let eigen = Eigen::new(&a).unwrap();
        assert!(residual(&a, &eigen) < 1e-13, "{:e}", residual(&a, &eigen));
        for column in eigen.vectors().col_iter() {
            assert!((column.norm_l2() - 1.0).abs() < 1e-14);
        }
    }
    let mut values = Eigen::new(&rotation).unwrap().values().to_vec();
    values.sort_by(|a, b| a.im.total_cmp(&b.im));
    assert!((values[0] - c64::new(0.0, -2.0)).norm() < 1e-14);
    assert!((values[1] - c64::new(0.0, 2.0)).norm() < 1e-14);
    assert!(Eigen::new(&Dense::new(Mat::zeros(0, 0)).unwrap()).unwrap().values().is_empty());
    assert!(matches!(Eigen::new(&dense(2, 3, 0.1)), Err(Error::Size { .. })));
}

#[test]
fn generalised_eigenvectors() {
    for n in [1, 2, 7, 40] {
        let half = dense(n, n, 0.3);
        let a = Mat::from_fn(n, n, |i, j| half.as_faer()[(i, j)] + half.as_faer()[(j, i)]);
        let (a, b) = (Dense::new(a).unwrap(), definite(n, 0.8));
        let eigen = GeneralisedEigen::new(&a, &b).unwrap();
        let x = eigen.vectors();
        assert!(eigen.values().is_sorted());
        let (left, right) = (a.as_faer() * x, b.as_faer() * x);
        let scaled = Mat::from_fn(n, n, |i, j| right[(i, j)] * eigen.values()[j]);
        assert!(far(left.as_ref(), scaled.as_ref()) < 1e-12 * b.norm_1());
        let unit = Mat::<f64>::identity(n, n);
        assert!(far((x.transpose() * &right).as_ref(), unit.as_ref()) < 1e-12);
    }
    let (a, indefinite) = (definite(3, 0.1), Diagonal::new(vec![1.0, -1.0, 1.0]).unwrap());
    let indefinite = Dense::new(to_dense(&indefinite).unwrap()).unwrap();
    let bad = GeneralisedEigen::new(&a, &indefinite);
    assert!(matches!(bad, Err(Error::NotPositiveDefinite { .. })));
    assert!(GeneralisedEigen::new(&indefinite, &a).is_ok());
    assert!(matches!(GeneralisedEigen::new(&a, &definite(4, 0.1)), Err(Error::Size { .. })));
    assert!(matches!(GeneralisedEigen::new(&dense(2, 3, 0.1), &a), Err(Error::Size { .. })));
    let none = Dense::new(Mat::zeros(0, 0)).unwrap();
    assert!(GeneralisedEigen::new(&none, &none).unwrap().values().is_empty());
}

/// Counts its applications.
struct Counted<'a>(&'a dyn LinearOperator<Vec<f64>>, Cell<usize>);

impl LinearOperator<Vec<f64>> for Counted<'_> {
    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.1.set(self.1.get() + 1);
        self.0.apply_into(x, y)
    }

    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

#[test]
fn direct_solves_of_few_diagonals_take_few_applications() {
    for n in [1, 2, 3, 4, 50] {
        let beside = |phase| wave(n - 1, phase);
        let a = Tridiagonal::new(beside(0.3), vec![2.5; n], beside(0.8)).unwrap();
        let transposed = Transposed(&a);
        let d = Diagonal::new(wave(n, 0.1).iter().map(|d| d + 2.0).collect()).unwrap();
        let cases: [&dyn LinearOperator<Vec<f64>>; 3] = [&a, &transposed, &d];
        for a in cases {
            let most = if a.properties().diagonal { 1 } else { n.min(3) };
            let full = Dense::new(to_dense(a).unwrap()).unwrap();
            let (lu, b) = (Lu::new(&full).unwrap(), wave(n, 0.6));
            let counted = Counted(a, Cell::new(0));
            let solution = Direct.solve(&counted, &b).unwrap();
            assert!(distance(&solution.x, &lu.solve(&b).unwrap()) < 1e-13);
            assert!(solution.residual() < 1e-13);
            assert_eq!(counted.1.get(), most);
            let solution = Direct.solve_transposed(&counted, &b).unwrap();
            assert!(distance(&solution.x, &lu.solve_transposed(&b).unwrap()) < 1e-13);
            let inverse = Direct.inverse(Box::new(a), &b).unwrap();
            assert!(distance(&inverse.apply(&b).unwrap(), &lu.solve(&b).unwrap()) < 1e-13);
        }
    }
    let singular = Diagonal::new(vec![1.0, 0.0]).unwrap();
    let bad = Direct.solve(&singular, &vec![1.0, 1.0]);
    assert!(matches!(bad, Err(Error::Singular { pivot: 1, .. })));
}
