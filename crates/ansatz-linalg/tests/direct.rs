//! Factorisations of dense and banded matrices: small residuals, transposes, determinants, and errors for matrices that have no
//! inverse.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;
mod factorised;

use common::{definite, dense, distance, wave};
use factorised::{check, same_determinant};

use ansatz_linalg::{
    BandedLu, Cholesky, Dense, Error, Factorised, Inverse, LinearOperator, LogDeterminant, Lu, Qr,
    Sparse, Svd, SymmetricEigen, Tridiagonal, TridiagonalLu, eigenvalues, faer::Mat,
    nalgebra_sparse::CooMatrix, to_dense,
};

#[test]
fn dense_matrices() {
    for n in [1, 2, 3, 5, 6, 40, 150] {
        let a = dense(n, n, 0.3);
        let lu = Lu::new(&a).unwrap();
        check("LU", &lu, &a, 1e-8);
        let s = definite(n, 0.7);
        let cholesky = Cholesky::new(&s).unwrap();
        check("Cholesky", &cholesky, &s, 1e-8);
        check("LU of a definite matrix", &Lu::new(&s).unwrap(), &s, 1e-8);
        if n <= 6 {
            same_determinant("LU", lu.log_determinant(), a.as_faer());
            same_determinant("Cholesky", cholesky.log_determinant(), s.as_faer());
        } else {
            let (l, c) = (Lu::new(&s).unwrap().log_determinant(), cholesky.log_determinant());
            assert_eq!((l.sign, c.sign), (1.0, 1.0));
            assert!((l.log - c.log).abs() < 1e-9 * c.log.abs());
        }
    }
    // A permutation: rows must be exchanged, and their parity counts.
    let swapped = Dense::from_rows(&[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]).unwrap();
    let lu = Lu::new(&swapped).unwrap();
    assert_eq!(lu.log_determinant(), LogDeterminant { sign: 1.0, log: 0.0 });
    let swapped = Dense::from_rows(&[[0.0, 1.0], [1.0, 0.0]]).unwrap();
    assert_eq!(Lu::new(&swapped).unwrap().log_determinant().sign, -1.0);

    let a = dense(6, 6, 0.1);
    let inverse = Inverse(Lu::new(&a).unwrap());
    let unit = to_dense(&inverse).unwrap() * a.as_faer();
    for i in 0..6 {
        for j in 0..6 {
            assert!((unit[(i, j)] - f64::from(i == j)).abs() < 1e-10);
        }
    }
}

#[test]
fn matrices_without_an_inverse() {
    let rows = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]];
    let singular = Dense::from_rows(&rows).unwrap();
    assert!(matches!(Lu::new(&singular), Err(Error::Singular { .. })));
    assert!(matches!(Qr::new(&singular), Err(Error::Singular { .. })));
    // Singular but for rounding: thirds do not add up exactly.
    let third = 1.0 / 3.0;
    let rows = [[third, 0.1, third + 0.1], [0.7, third, 0.7 + third], [0.2, 0.4, 0.2 + 0.4]];
    assert!(matches!(Lu::new(&Dense::from_rows(&rows).unwrap()), Err(Error::Singular { .. })));
    let indefinite = Dense::from_rows(&[[1.0, 2.0], [2.0, 1.0]]).unwrap();
    assert!(matches!(Cholesky::new(&indefinite), Err(Error::NotPositiveDefinite { pivot: 1, .. })));
    assert!(Lu::new(&indefinite).is_ok());
    assert!(matches!(Lu::new(&dense(2, 3, 0.0)), Err(Error::Size { .. })));
    assert!(matches!(Cholesky::new(&dense(3, 2, 0.0)), Err(Error::Size { .. })));
    assert!(matches!(Qr::new(&dense(2, 3, 0.0)), Err(Error::Size { .. })));
    // A small determinant is no sign of a singular matrix.
    let small = Dense::new(Mat::from_fn(40, 40, |i, j| 1e-12 * f64::from(i == j))).unwrap();
    assert!((Lu::new(&small).unwrap().log_determinant().log - 40.0 * 1e-12f64.ln()).abs() < 1e-9);
}

#[test]
fn least_squares() {
    for (rows, columns) in [(5, 5), (9, 4), (60, 20)] {
        let a = dense(rows, columns, 0.4);
        let b = wave(rows, 0.9);
        let x = Qr::new(&a).unwrap().solve_least_squares(&b).unwrap();
        // The residual is orthogonal to the columns.
        let mut residual = a.apply(&x).unwrap();
        residual.iter_mut().zip(&b).for_each(|(r, b)| *r -= b);
        let slope = a.apply_transposed(&residual).unwrap();
        assert!(distance(&slope, &vec![0.0; columns]) < 1e-11);
        let by_svd = Svd::new(&a).unwrap().solve_least_squares(&b, 1e-13).unwrap();
        assert!(distance(&x, &by_svd) < 1e-9);
    }
    // Fewer equations than unknowns: the shortest solution lies in the row space.
    let a = dense(3, 7, 0.2);
    let b = wave(3, 0.5);
    let x = Svd::new(&a).unwrap().solve_least_squares(&b, 1e-13).unwrap();
    assert!(distance(&a.apply(&x).unwrap(), &b) < 1e-12);
    let t = Dense::new(a.as_faer().transpose().to_owned()).unwrap();
    let inner = Qr::new(&t).unwrap().solve_least_squares(&x).unwrap();
    assert!(distance(&t.apply(&inner).unwrap(), &x) < 1e-11);
    assert!(Svd::new(&a).unwrap().solve_least_squares(&x, 0.0).is_err());
}

#[test]
fn singular_values_and_eigenvalues() {
    // A = U diag(3, 1, 0) Vᵀ with rotations U and V.
    let rotation = |t: f64| {
        Mat::from_fn(3, 3, |i, j| match (i, j) {
            (0, 0) | (1, 1) => t.cos(),
            (0, 1) => -t.sin(),
            (1, 0) => t.sin(),
            (2, 2) => 1.0,
            _ => 0.0,
        })
    };
    let diagonal = Mat::from_fn(3, 3, |i, j| if i == j { [3.0, 1.0, 0.0][i] } else { 0.0 });
    let a = Dense::new(rotation(0.4) * &diagonal * rotation(1.1).transpose()).unwrap();
    let svd = Svd::new(&a).unwrap();
    assert!(distance(svd.values(), &[3.0, 1.0, 0.0]) < 1e-14);
    assert_eq!(svd.rank(1e-12).unwrap(), 2);

    let s = Dense::new(rotation(0.4) * &diagonal * rotation(0.4).transpose()).unwrap();
    let eigen = SymmetricEigen::new(&s).unwrap();
    assert!(distance(eigen.values(), &[0.0, 1.0, 3.0]) < 1e-14);
    // √(A²) = A for A ≥ 0, and e^0 = 1.
    let square = Dense::new(s.as_faer() * s.as_faer()).unwrap();
    let root = SymmetricEigen::new(&square).unwrap().function(|x| x.max(0.0).sqrt()).unwrap();
    for i in 0..3 {
        for j in 0..3 {
            assert!((root.as_faer()[(i, j)] - s.as_faer()[(i, j)]).abs() < 1e-7);
        }
    }
    assert!(matches!(
        eigen.function(|x| if x > 2.0 { f64::NAN } else { x }),
        Err(Error::NotFinite { .. })
    ));

    let mut complex = eigenvalues(&Dense::from_rows(&[[0.0, -2.0], [2.0, 0.0]]).unwrap()).unwrap();
    complex.sort_by(|a, b| a[1].total_cmp(&b[1]));
    assert!(distance(&complex.concat(), &[0.0, -2.0, 0.0, 2.0]) < 1e-14);
}

#[test]
fn tridiagonal_matrices() {
    for n in [1, 2, 3, 4, 7, 100] {
        // Small diagonals, so that most steps exchange rows.
        let (below, above) = (wave(n - 1, 0.3), wave(n - 1, 0.8));
        let diagonal: Vec<f64> = wave(n, 1.4).iter().map(|d| 0.3 * d + 0.01).collect();
        let a = Tridiagonal::new(below, diagonal, above).unwrap();
        let lu = TridiagonalLu::new(&a).unwrap();
        check("tridiagonal", &lu, &a, 1e-8);
        if n <= 7 {
            same_determinant("tridiagonal", lu.log_determinant(), &to_dense(&a).unwrap());
        }
    }
    let a = Tridiagonal::new(vec![-1.0; 3], vec![2.0; 4], vec![-1.0; 3]).unwrap();
    let x = a.solve(&[1.0, 0.0, 0.0, 1.0]).unwrap();
    assert!(distance(&x, &[1.0; 4]) < 1e-15);
    assert!(matches!(a.solve(&[1.0; 8]), Err(Error::Size { .. })));
    let singular = Tridiagonal::new(vec![-1.0; 2], vec![1.0, 2.0, 1.0], vec![-1.0; 2]).unwrap();
    assert!(matches!(TridiagonalLu::new(&singular), Err(Error::Singular { .. })));
    let zero = Tridiagonal::new(vec![0.0], vec![0.0, 1.0], vec![1.0]).unwrap();
    assert!(matches!(TridiagonalLu::new(&zero), Err(Error::Singular { pivot: 0, .. })));
    let none = Tridiagonal::new(vec![], vec![], vec![]).unwrap();
    assert!(TridiagonalLu::new(&none).unwrap().solve(&[]).unwrap().is_empty());
}

fn banded(n: usize, lower: usize, upper: usize) -> Sparse {
    let mut entries = CooMatrix::new(n, n);
    for i in 0..n {
        for j in i.saturating_sub(lower)..n.min(i + upper + 1) {
            entries.push(
                i,
                j,
                (1.0 + 3.7 * i as f64 + 1.9 * (j * j) as f64 + 2.3 * (i * i * j) as f64).sin(),
            );
        }
    }
    Sparse::from_coo(&entries).unwrap()
}

#[test]
fn banded_matrices() {
    for (n, lower, upper) in [(1, 0, 0), (5, 1, 1), (6, 2, 1), (6, 0, 2), (7, 6, 6), (60, 3, 4)] {
        let a = banded(n, lower, upper);
        let lu = BandedLu::new(&a).unwrap();
        check("banded", &lu, &a, 1e-6);
        if n <= 7 {
            same_determinant("banded", lu.log_determinant(), &to_dense(&a).unwrap());
        }
    }
    // Without exchanges of rows the tiny diagonal would cost all digits, the zero a solution.
    for diagonal in [1e-18, 0.0] {
        let mut entries = CooMatrix::new(6, 6);
        for i in 0..6 {
            entries.push(i, i, diagonal);
            if i > 0 {
                entries.push(i, i - 1, 1.0);
                entries.push(i - 1, i, 1.5);
            }
        }
        let a = Sparse::from_coo(&entries).unwrap();
        check("tiny diagonal", &BandedLu::new(&a).unwrap(), &a, 1e-14);
    }
    let mut entries = CooMatrix::new(3, 3);
    for (i, j) in [(0, 0), (1, 1), (0, 1), (1, 0)] {
        entries.push(i, j, 1.0);
    }
    let singular = Sparse::from_coo(&entries).unwrap();
    assert!(matches!(BandedLu::new(&singular), Err(Error::Singular { .. })));
}

#[test]
fn empty_matrices_are_factorised() {
    let none = Dense::new(Mat::zeros(0, 0)).unwrap();
    assert!(Lu::new(&none).unwrap().solve(&[]).unwrap().is_empty());
    assert!(Cholesky::new(&none).unwrap().solve(&[]).unwrap().is_empty());
    assert!(Qr::new(&none).unwrap().solve_least_squares(&[]).unwrap().is_empty());
    assert!(Svd::new(&none).unwrap().solve_least_squares(&[], 0.0).unwrap().is_empty());
    assert!(SymmetricEigen::new(&none).unwrap().values().is_empty());
    assert!(eigenvalues(&none).unwrap().is_empty());
    let none = Sparse::from_coo(&CooMatrix::new(0, 0)).unwrap();
    assert!(BandedLu::new(&none).unwrap().solve(&[]).unwrap().is_empty());
}
