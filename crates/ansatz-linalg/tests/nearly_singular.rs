//! Which matrices count as singular does not depend on the units of their columns, and none that is
//! singular but for rounding is factorised.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use ansatz_linalg::{
    BandedLu, Cholesky, Dense, Direct, Error, Factorised, LinearOperator, LinearSolver, Lu, Qr,
    Result, Sparse, SparseCholesky, SparseLu, Svd, Tridiagonal, TridiagonalLu, core::Key,
    faer::Mat,
};
use common::{definite, dense, distance, poisson, sparse, wave};

fn singular<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Singular { .. }))
}

fn indefinite<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::NotPositiveDefinite { .. }))
}

fn as_sparse(a: &Dense) -> Sparse {
    let [rows, columns] = a.shape();
    let at = |k: usize| (k % rows, k / rows, a.as_faer()[(k % rows, k / rows)]);
    let entries: Vec<_> = (0..rows * columns).map(at).filter(|(_, _, a)| *a != 0.0).collect();
    sparse(rows, columns, &entries)
}

#[test]
fn singular_matrices_with_columns_of_different_units() {
    let rows = [[9.0, 1.0, 47e6], [7.0, 4.0, 43e6], [7.0, 1.0, 37e6]];
    let a = Dense::from_rows(&rows).unwrap();
    assert!(singular(Lu::new(&a)));
    assert!(singular(BandedLu::new(&as_sparse(&a))));
    assert!(singular(Qr::new(&a)));
    let a = Tridiagonal::new(vec![6.0, 7.0], vec![1.0, 8.0, 2.1e7], vec![1.0, 6e6]).unwrap();
    assert!(singular(TridiagonalLu::new(&a)));
    // The last column is the sum of the others, in other units.
    for n in [5, 20, 80] {
        for seed in 0..20 {
            let a: Vec<f64> =
                Key::new(seed).normal(n * n).iter().map(|a| (9.0 * a).round()).collect();
            let sum = |i: usize| a[i * n..i * n + n - 1].iter().sum::<f64>();
            let unit = |j: usize| 2f64.powi((j * 37 % 81) as i32 - 40);
            let entry = |i: usize, j: usize| if j + 1 == n { sum(i) } else { a[i * n + j] };
            let a = Dense::new(Mat::from_fn(n, n, |i, j| unit(j) * entry(i, j))).unwrap();
            assert!(singular(Lu::new(&a)), "{n} {seed}");
            assert!(singular(Qr::new(&a)), "{n} {seed}");
        }
    }
}

#[test]
fn columns_of_different_units() {
    let a = Dense::from_rows(&[[1.0, 0.0], [0.0, 1e-20]]).unwrap();
    let b = [2.0, 3e-20];
    assert!(distance(&Lu::new(&a).unwrap().solve(&b).unwrap(), &[2.0, 3.0]) < 1e-15);
    let x = BandedLu::new(&as_sparse(&a)).unwrap().solve(&b).unwrap();
    assert!(distance(&x, &[2.0, 3.0]) < 1e-15);
    let x = Qr::new(&a).unwrap().solve_least_squares(&b).unwrap();
    assert!(distance(&x, &[2.0, 3.0]) < 1e-15);
    let a = Tridiagonal::new(vec![0.0], vec![1.0, 1e-20], vec![0.0]).unwrap();
    assert!(distance(&a.solve(&b).unwrap(), &[2.0, 3.0]) < 1e-15);
    // A column of zeros is named.
    let a = Dense::from_rows(&[[1.0, 0.0], [2.0, 0.0]]).unwrap();
    assert!(matches!(Lu::new(&a), Err(Error::Singular { pivot: 1, value: 0.0, .. })));
}

/// Differences between neighbours, times these: constants are mapped to zero.
fn chain(conductivities: &[f64]) -> Dense {
    let n = conductivities.len() + 1;
    let mut a = Mat::zeros(n, n);
    for (i, k) in conductivities.iter().enumerate() {
        a[(i, i)] += k;
        a[(i + 1, i + 1)] += k;
        a[(i, i + 1)] -= k;
        a[(i + 1, i)] -= k;
    }
    Dense::new(a).unwrap()
}

#[test]
fn semidefinite_matrices() {
    let pair = Dense::from_rows(&[[2.0, 2.0], [2.0, 2.0]]).unwrap();
    for a in [pair, chain(&[0.1, 0.6]), chain(&[1.0; 40]), chain(&[0.3; 600])] {
        assert!(indefinite(Cholesky::new(&a)), "{:?}", a.shape());
        assert!(indefinite(SparseCholesky::new(&as_sparse(&a))), "{:?}", a.shape());
    }
}

#[test]
fn definite_matrices_in_different_units() {
    let scaled = |a: &Dense| {
        let unit = |i: usize| 10f64.powi((i * 7 % 13) as i32 - 6);
        let [n, _] = a.shape();
        let entry = |i: usize, j: usize| unit(i) * a.as_faer()[(i, j)] * unit(j);
        Dense::new(Mat::from_fn(n, n, entry)).unwrap()
    };
    for n in [2, 9, 60] {
        let a = scaled(&definite(n, 0.7));
        assert!(Cholesky::new(&a).is_ok());
        assert!(SparseCholesky::new(&as_sparse(&a)).is_ok());
    }
    let a = Dense::new(ansatz_linalg::to_dense(&poisson(12)).unwrap()).unwrap();
    assert!(SparseCholesky::new(&as_sparse(&scaled(&a))).is_ok());
    assert!(SparseCholesky::new(&poisson(100)).is_ok());
}

#[test]
fn the_pivot_of_an_indefinite_matrix() {
    let minus = |n: usize, entry: f64| {
        let at = |i| (i, i, if i + 1 == n { entry } else { 1.0 });
        sparse(n, n, &(0..n).map(at).collect::<Vec<_>>())
    };
    for n in [1, 3] {
        let a = minus(n, -1.0);
        let error = SparseCholesky::new(&a).unwrap_err();
        let Error::NotPositiveDefinite { pivot, .. } = error else { panic!("{error}") };
        assert!(pivot < n);
    }
    assert!(matches!(
        SparseCholesky::new(&minus(1, -1.0)),
        Err(Error::NotPositiveDefinite { pivot: 0, .. })
    ));
}

#[test]
fn direct_solutions_are_finite() {
    let a = dense(2, 2, 0.3);
    let bad = Direct.solve(&a, &vec![f64::NAN, 1.0]);
    assert!(matches!(bad, Err(Error::NotFinite { index: 0, .. })));
    let bad = Direct.solve_transposed(&a, &vec![1.0, f64::INFINITY]);
    assert!(matches!(bad, Err(Error::NotFinite { index: 1, .. })));
    let tiny = Dense::from_rows(&[[1e-200]]).unwrap();
    assert!(matches!(Direct.solve(&tiny, &vec![1e200]), Err(Error::NotFinite { .. })));
    assert!(matches!(Direct.solve_transposed(&tiny, &vec![1e200]), Err(Error::NotFinite { .. })));
    assert!(distance(&Direct.solve(&tiny, &vec![1e-200]).unwrap().x, &[1.0]) < 1e-15);
}

#[test]
fn tolerances_of_singular_values() {
    let svd = Svd::new(&Dense::new(Mat::zeros(0, 3)).unwrap()).unwrap();
    assert_eq!(svd.solve_least_squares(&[], 0.0).unwrap(), [0.0; 3]);
    let svd = Svd::new(&Dense::new(Mat::zeros(3, 0)).unwrap()).unwrap();
    assert!(svd.solve_least_squares(&wave(3, 0.1), 0.0).unwrap().is_empty());
    let svd = Svd::new(&Dense::from_rows(&[[1.0, 1.0], [1.0, 1.0]]).unwrap()).unwrap();
    for tolerance in [f64::NAN, -1.0, f64::INFINITY] {
        let bad = svd.solve_least_squares(&[1.0, 1.0], tolerance);
        assert!(matches!(bad, Err(Error::InvalidArgument { .. })), "{tolerance}");
        assert!(matches!(svd.rank(tolerance), Err(Error::InvalidArgument { .. })), "{tolerance}");
    }
    assert_eq!(svd.rank(1e-12).unwrap(), 1);
}

/// Without the estimate a matrix that is singular but for rounding is factorised, and solved wrongly;
/// one that is not comes out the same.
#[test]
fn unchecked_factorisations() {
    let matrix =
        |corner: f64| sparse(2, 2, &[(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, corner)]);
    let nearly = matrix(1.0 + 2.0 * f64::EPSILON);
    assert!(matches!(SparseLu::new(&nearly), Err(Error::Singular { .. })));
    let mut lu = SparseLu::unchecked(&nearly).unwrap();
    assert!(lu.refactorise(&nearly).is_err());
    lu.refactorise_unchecked(&nearly).unwrap();
    lu.refactorise_unchecked(&matrix(3.0)).unwrap();
    let mut x = [3.0, 5.0];
    lu.solve_in_place(&mut x).unwrap();
    assert!((x[0] - 2.0).abs() < 1e-14 && (x[1] - 1.0).abs() < 1e-14, "{x:?}");
}
