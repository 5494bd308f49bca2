//! Least squares of sparse matrices.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{distance, sparse, transport, wave};

use ansatz_linalg::{Dense, Error, LinearOperator, Qr, Sparse, SparseQr, to_dense};

/// `a` with more rows: the differences of neighbouring unknowns.
fn overdetermined(a: &Sparse, weight: f64) -> Sparse {
    let n = a.shape()[1];
    let mut entries: Vec<_> = a.as_csr().triplet_iter().map(|(i, j, a)| (i, j, *a)).collect();
    for j in 1..n {
        entries.push((n + j - 1, j, weight));
        entries.push((n + j - 1, j - 1, -weight));
    }
    sparse(2 * n - 1, n, &entries)
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
    // The largest is factorised in blocks of columns, the others entry by entry: faer goes by the
    // operations for each number of the factors.
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
    let line = SparseQr::new(&sparse(4, 2, &entries)).unwrap();
    assert!(distance(&line.solve_least_squares(&ys).unwrap(), &[3.5, 1.4]) < 1e-14);
    // The same places with fewer rows are another matrix.
    let mut tall = SparseQr::new(&sparse(3, 1, &[(0, 0, 1.0)])).unwrap();
    let error = tall.refactorise(&sparse(3, 2, &[(0, 0, 1.0)]));
    assert!(matches!(error, Err(Error::Size { .. })));
    assert!(
        SparseQr::new(&sparse(3, 0, &[]))
            .unwrap()
            .solve_least_squares(&[1.0; 3])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn dependent_columns_of_least_squares() {
    let singular = |a: &Sparse| matches!(SparseQr::new(a), Err(Error::Singular { .. }));
    assert!(matches!(SparseQr::new(&sparse(2, 3, &[(0, 0, 1.0)])), Err(Error::Size { .. })));
    // Without entries; with zeros; exactly dependent; dependent but for rounding.
    assert!(singular(&sparse(3, 2, &[(0, 0, 1.0), (1, 0, 1.0)])));
    assert!(singular(&sparse(3, 2, &[(0, 0, 1.0), (1, 0, 1.0), (2, 1, 0.0)])));
    let twice = |i| [(i, 0, 1.0 + i as f64), (i, 1, 2.0 + 2.0 * i as f64)];
    assert!(singular(&sparse(4, 2, &(0..4).flat_map(twice).collect::<Vec<_>>())));
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
        let dependent = sparse(rows, columns + 1, &entries);
        assert!(singular(&dependent), "{n}");
        // The same places, other values: a new column of its own is none of them.
        let mut k = 0.0;
        for entry in entries.iter_mut().filter(|e| e.1 == columns) {
            k += 1.0;
            entry.2 = f64::sin(k);
        }
        let mut qr = SparseQr::new(&sparse(rows, columns + 1, &entries)).unwrap();
        assert!(matches!(qr.refactorise(&dependent), Err(Error::Singular { .. })));
    }
    // Small columns, small matrices and a condition number of 10¹⁰ are no reason to refuse.
    for (a, b) in [(1.0, 1e-20), (1e-200, 1e-200), (1e200, 1.0)] {
        let units = SparseQr::new(&sparse(3, 2, &[(0, 0, a), (2, 1, b)])).unwrap();
        let x = units.solve_least_squares(&[2.0 * a, 9.0, 3.0 * b]).unwrap();
        assert!(distance(&x, &[2.0, 3.0]) < 1e-14);
    }
    assert!(SparseQr::new(&sparse(2, 2, &[(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1e-10)])).is_ok());
}
