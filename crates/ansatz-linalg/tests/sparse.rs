//! Factorisations of sparse matrices: small residuals, transposes, determinants, new values at old
//! places, and errors for matrices that have no inverse.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;
mod factorised;

use common::{distance, wave};
use factorised::{check, same_determinant};

use ansatz_linalg::{
    Dense, Error, Factorised, LinearOperator, LogDeterminant, Qr, Sparse, SparseCholesky, SparseLu,
    SparseQr, nalgebra_sparse::CooMatrix, to_dense,
};

fn of(rows: usize, columns: usize, entries: &[(usize, usize, f64)]) -> Sparse {
    let mut all = CooMatrix::new(rows, columns);
    for (i, j, a) in entries {
        all.push(*i, *j, *a);
    }
    Sparse::from_coo(&all).unwrap()
}

/// A Laplacian on a grid of `n` × `n` points with a term of transport, which breaks its symmetry.
fn transport(n: usize, wind: f64) -> Sparse {
    let mut entries = CooMatrix::new(n * n, n * n);
    for i in 0..n {
        for j in 0..n {
            let row = i * n + j;
            entries.push(row, row, 4.0 + 0.1 * (row as f64).sin());
            if i > 0 {
                entries.push(row, row - n, -1.0);
            }
            if i + 1 < n {
                entries.push(row, row + n, -1.0);
            }
            if j > 0 {
                entries.push(row, row - 1, -1.0 - wind);
            }
            if j + 1 < n {
                entries.push(row, row + 1, -1.0 + wind);
            }
        }
    }
    Sparse::from_coo(&entries).unwrap()
}

#[test]
fn sparse_matrices() {
    for n in [1, 2, 5, 30] {
        let a = transport(n, 0.5);
        let mut lu = SparseLu::new(&a).unwrap();
        check("sparse LU", &lu, &a, 1e-11);
        let s = transport(n, 0.0);
        let mut cholesky = SparseCholesky::new(&s).unwrap();
        check("sparse Cholesky", &cholesky, &s, 1e-11);
        // Other values at the same places.
        let scaled = |a: &Sparse| {
            let values = a.as_csr().values().iter().map(|v| 2.5 * v).collect();
            a.with_values(values).unwrap()
        };
        lu.refactorise(&scaled(&a)).unwrap();
        check("sparse LU again", &lu, &scaled(&a), 1e-11);
        cholesky.refactorise(&scaled(&s)).unwrap();
        check("sparse Cholesky again", &cholesky, &scaled(&s), 1e-11);
        let other = transport(n + 1, 0.5);
        assert!(matches!(lu.refactorise(&other), Err(Error::Size { .. })));
        assert!(matches!(cholesky.refactorise(&other), Err(Error::Size { .. })));
    }
}

#[test]
fn sparse_matrices_without_an_inverse() {
    let of = |n: usize, entries: &[_]| of(n, n, entries);
    // A column without entries, dependent rows, an indefinite matrix.
    let empty = of(3, &[(0, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0)]);
    assert!(matches!(SparseLu::new(&empty), Err(Error::Singular { .. })));
    let dependent = of(2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 4.0)]);
    assert!(matches!(SparseLu::new(&dependent), Err(Error::Singular { .. })));
    let indefinite = of(2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 1.0)]);
    assert!(matches!(SparseCholesky::new(&indefinite), Err(Error::NotPositiveDefinite { .. })));
    assert!(SparseLu::new(&indefinite).is_ok());
}

/// `a` with more rows: the differences of neighbouring unknowns.
fn overdetermined(a: &Sparse, weight: f64) -> Sparse {
    let n = a.shape()[1];
    let mut entries: Vec<_> = a.as_csr().triplet_iter().map(|(i, j, a)| (i, j, *a)).collect();
    for j in 1..n {
        entries.push((n + j - 1, j, weight));
        entries.push((n + j - 1, j - 1, -weight));
    }
    of(2 * n - 1, n, &entries)
}

/// The residual of a least-squares solution is orthogonal to the columns.
fn check_least_squares(qr: &SparseQr, a: &Sparse, tolerance: f64) {
    let [rows, columns] = a.shape();
    let b = wave(rows, 0.9);
    let x = qr.solve_least_squares(&b).unwrap();
    assert_eq!(x.len(), columns);
    let mut residual = a.apply(&x).unwrap();
    residual.iter_mut().zip(&b).for_each(|(r, b)| *r -= b);
    let slope = a.apply_transposed(&residual).unwrap();
    let slope = distance(&slope, &vec![0.0; columns]);
    assert!(slope < tolerance, "{slope:e}");
    if columns <= 100 {
        let dense = Dense::new(to_dense(a).unwrap()).unwrap();
        let want = Qr::new(&dense).unwrap().solve_least_squares(&b).unwrap();
        let size = want.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        let error = distance(&x, &want) / size;
        assert!(error < tolerance, "{error:e} {size:e}");
    }
}

#[test]
fn sparse_least_squares() {
    // The largest is factorised in blocks of columns, the others entry by entry.
    for n in [1, 2, 5, 10, 40] {
        let square = transport(n, 0.5);
        let tall = overdetermined(&square, 0.7);
        for a in [square, tall] {
            let mut qr = SparseQr::new(&a).unwrap();
            check_least_squares(&qr, &a, 1e-11);
            let values = a.as_csr().values().iter().enumerate();
            let values = values.map(|(k, v)| v * (2.0 + 0.2 * (k as f64).sin())).collect();
            let other = a.with_values(values).unwrap();
            qr.refactorise(&other).unwrap();
            check_least_squares(&qr, &other, 1e-11);
            assert!(matches!(qr.refactorise(&transport(n + 1, 0.5)), Err(Error::Size { .. })));
            let short = qr.solve_least_squares(&vec![0.0; a.shape()[0] + 1]);
            assert!(matches!(short, Err(Error::Size { .. })));
        }
    }
    // A straight line through four points, by the normal equations: slope 1.4, intercept 3.5.
    let ys = [6.0, 5.0, 7.0, 10.0];
    let entries: Vec<_> = (0..4).flat_map(|i| [(i, 0, 1.0), (i, 1, (i + 1) as f64)]).collect();
    let line = SparseQr::new(&of(4, 2, &entries)).unwrap();
    assert!(distance(&line.solve_least_squares(&ys).unwrap(), &[3.5, 1.4]) < 1e-14);
    // The same places with fewer rows are another matrix.
    let mut tall = SparseQr::new(&of(3, 1, &[(0, 0, 1.0)])).unwrap();
    let error = tall.refactorise(&of(3, 2, &[(0, 0, 1.0)]));
    assert!(matches!(error, Err(Error::Size { .. })));
    assert!(
        SparseQr::new(&of(3, 0, &[])).unwrap().solve_least_squares(&[1.0; 3]).unwrap().is_empty()
    );
}

#[test]
fn dependent_columns_of_least_squares() {
    let singular = |a: &Sparse| matches!(SparseQr::new(a), Err(Error::Singular { .. }));
    assert!(matches!(SparseQr::new(&of(2, 3, &[(0, 0, 1.0)])), Err(Error::Size { .. })));
    // Without entries; with zeros; exactly dependent; dependent but for rounding.
    assert!(singular(&of(3, 2, &[(0, 0, 1.0), (1, 0, 1.0)])));
    assert!(singular(&of(3, 2, &[(0, 0, 1.0), (1, 0, 1.0), (2, 1, 0.0)])));
    let twice = |i| [(i, 0, 1.0 + i as f64), (i, 1, 2.0 + 2.0 * i as f64)];
    assert!(singular(&of(4, 2, &(0..4).flat_map(twice).collect::<Vec<_>>())));
    for n in [5, 30, 60] {
        // The last column is a third of the sum of the others.
        let a = overdetermined(&transport(n, 0.5), 0.7);
        let [rows, columns] = a.shape();
        let mut sums = vec![0.0; rows];
        let mut entries = Vec::new();
        for (i, j, a) in a.as_csr().triplet_iter() {
            sums[i] += a / 3.0;
            entries.push((i, j, *a));
        }
        entries.extend(sums.iter().enumerate().map(|(i, s)| (i, columns, *s)));
        let dependent = of(rows, columns + 1, &entries);
        assert!(singular(&dependent), "{n}");
        // The same places, other values: a new column of its own is none of them.
        let mut k = 0.0;
        for entry in entries.iter_mut().filter(|e| e.1 == columns) {
            k += 1.0;
            entry.2 = f64::sin(k);
        }
        let mut qr = SparseQr::new(&of(rows, columns + 1, &entries)).unwrap();
        assert!(matches!(qr.refactorise(&dependent), Err(Error::Singular { .. })));
    }
    // Small columns, small matrices and a condition number of 10¹⁰ are no reason to refuse.
    for (a, b) in [(1.0, 1e-20), (1e-200, 1e-200), (1e200, 1.0)] {
        let units = SparseQr::new(&of(3, 2, &[(0, 0, a), (2, 1, b)])).unwrap();
        let x = units.solve_least_squares(&[2.0 * a, 9.0, 3.0 * b]).unwrap();
        assert!(distance(&x, &[2.0, 3.0]) < 1e-14);
    }
    assert!(SparseQr::new(&of(2, 2, &[(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1e-10)])).is_ok());
}

/// `transport` with a constant diagonal, whose eigenvalues are known, and its rows moved up by
/// `shift`.
fn shifted_transport(n: usize, wind: f64, shift: usize) -> (Sparse, LogDeterminant) {
    let rows = n * n;
    let mut entries = Vec::new();
    for (i, j, a) in transport(n, wind).as_csr().triplet_iter() {
        entries.push(((i + 3 * rows - shift) % rows, j, if i == j { 4.0 } else { *a }));
    }
    let angle = |k: usize| (k as f64 * std::f64::consts::PI / (n + 1) as f64).cos();
    let skew = (1.0 - wind * wind).sqrt();
    let eigenvalue = |k: usize| 4.0 - 2.0 * angle(k / n + 1) - 2.0 * skew * angle(k % n + 1);
    let log = (0..rows).map(|k| eigenvalue(k).ln()).sum();
    // Moving one row past all others takes n² − 1 exchanges.
    let sign = if shift * (rows - 1) % 2 == 1 { -1.0 } else { 1.0 };
    (of(rows, rows, &entries), LogDeterminant { sign, log })
}

#[test]
fn determinants_of_sparse_matrices() {
    // The large ones are factorised in blocks of columns.
    for n in [1, 2, 3, 8, 60] {
        let (a, want) = shifted_transport(n, 0.0, 0);
        let got = SparseCholesky::new(&a).unwrap().log_determinant();
        assert_eq!(got.sign, 1.0);
        assert!((got.log - want.log).abs() < 1e-12 * want.log, "{n}: {got:?} {want:?}");
        for shift in [0, 1, 2, 3] {
            let (a, want) = shifted_transport(n, 0.5, shift);
            let got = SparseLu::new(&a).unwrap().log_determinant().unwrap();
            assert_eq!(got.sign, want.sign, "{n} {shift}");
            assert!((got.log - want.log).abs() < 1e-12 * want.log, "{n}: {got:?} {want:?}");
        }
    }
    // Small ones of no pattern by expansion, with other values at the same places as well.
    for (n, seed) in (1..7).flat_map(|n| (0..10).map(move |seed| (n, seed))) {
        let values = wave(n * n, 0.3 + f64::from(seed));
        let kept = |k: usize| k.is_multiple_of(n + 1) || !(k + seed as usize).is_multiple_of(3);
        let entries = |factor: f64| -> Vec<_> {
            let kept = (0..n * n).filter(|k| kept(*k));
            kept.map(|k| (k / n, k % n, (factor * values[k]).sin())).collect()
        };
        let a = of(n, n, &entries(1.0));
        let mut lu = SparseLu::new(&a).unwrap();
        same_determinant("sparse LU", lu.log_determinant().unwrap(), &to_dense(&a).unwrap());
        let a = of(n, n, &entries(-2.5));
        lu.refactorise(&a).unwrap();
        same_determinant("sparse LU again", lu.log_determinant().unwrap(), &to_dense(&a).unwrap());
    }
    let mut s = SparseCholesky::new(&of(2, 2, &[(0, 0, 4.0), (1, 1, 9.0)])).unwrap();
    assert!((s.log_determinant().log - 36f64.ln()).abs() < 1e-15);
    s.refactorise(&of(2, 2, &[(0, 0, 1.0), (1, 1, 9.0)])).unwrap();
    assert!((s.log_determinant().log - 9f64.ln()).abs() < 1e-15);
    let none = of(0, 0, &[]);
    let one = LogDeterminant { sign: 1.0, log: 0.0 };
    assert_eq!(SparseLu::new(&none).unwrap().log_determinant().unwrap(), one);
    assert_eq!(SparseCholesky::new(&none).unwrap().log_determinant(), one);
}

#[test]
fn nearly_singular_sparse_matrices() {
    let singular = |a: &Sparse| matches!(SparseLu::new(a), Err(Error::Singular { .. }));
    let third = 1.0 / 3.0;
    let rows = [[third, 0.1, third + 0.1], [0.7, third, 0.7 + third], [0.2, 0.4, 0.2 + 0.4]];
    let nine: Vec<_> = (0..9).map(|k| (k / 3, k % 3, rows[k / 3][k % 3])).collect();
    assert!(singular(&of(3, 3, &nine)));
    for n in [3, 20, 60] {
        // Insulated all around: constants are in the kernel, but 1/3 is not a binary fraction.
        let (conductivity, mut entries) = (|k: usize| 1.0 / (3.0 + (k % 7) as f64), Vec::new());
        let mut link = |k: usize, l: usize| {
            let a = conductivity(k + 2 * l);
            entries.extend([(k, l, -a), (l, k, -a), (k, k, a), (l, l, a)]);
        };
        for k in 0..n * n {
            if k % n + 1 < n {
                link(k, k + 1);
            }
            if k + n < n * n {
                link(k, k + n);
            }
        }
        assert!(singular(&of(n * n, n * n, &entries)), "{n}");
        // Held at one point by as little as this, there is a solution, whatever the unit.
        entries.push((0, 0, 1e-8));
        for unit in [1.0, 1e-12, 1e-200, 1e200] {
            let scaled: Vec<_> = entries.iter().map(|(i, j, a)| (*i, *j, unit * a)).collect();
            let a = of(n * n, n * n, &scaled);
            let x = wave(n * n, 0.4);
            let got = SparseLu::new(&a).unwrap().solve(&a.apply(&x).unwrap()).unwrap();
            assert!(distance(&got, &x) < 1e-3, "{n} {unit:e}: {:e}", distance(&got, &x));
        }
    }
    // Units of columns do not matter, nor a small determinant.
    let diagonal = |f: &dyn Fn(i32) -> f64| -> Sparse {
        of(40, 40, &(0..40).map(|i| (i as usize, i as usize, f(i))).collect::<Vec<_>>())
    };
    assert!(SparseLu::new(&diagonal(&|_| 1e-12)).is_ok());
    assert!(SparseLu::new(&diagonal(&|i| 10f64.powi(-6 * i))).is_ok());
    assert!(singular(&diagonal(&|i| f64::from(i != 7))));
    // A failed factorisation leaves the one before as it was.
    let mut lu =
        SparseLu::new(&of(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 3.0)])).unwrap();
    let dependent = of(2, 2, &[(0, 0, 0.1), (0, 1, 0.3), (1, 0, 0.2), (1, 1, 0.6)]);
    assert!(matches!(lu.refactorise(&dependent), Err(Error::Singular { .. })));
    assert!(distance(&lu.solve(&[3.0, 5.0]).unwrap(), &[1.0, 1.0]) < 1e-14);
}
