//! Factorisations of sparse matrices: small residuals, transposes, determinants, new values at old
//! places, and errors for matrices that have no inverse.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;
mod factorised;

use common::{distance, sparse, transport, wave};
use factorised::{check, same_determinant};

use ansatz_linalg::{
    Cholesky, Dense, Error, Factorised, LinearOperator, LogDeterminant, Lu, Sparse, SparseCholesky,
    SparseLu, to_dense,
};

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
    // A column without entries, dependent rows, an indefinite matrix.
    let empty = sparse(3, 3, &[(0, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0)]);
    assert!(matches!(SparseLu::new(&empty), Err(Error::Singular { .. })));
    let dependent = sparse(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 4.0)]);
    assert!(matches!(SparseLu::new(&dependent), Err(Error::Singular { .. })));
    let indefinite = sparse(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 1.0)]);
    assert!(matches!(SparseCholesky::new(&indefinite), Err(Error::NotPositiveDefinite { .. })));
    assert!(SparseLu::new(&indefinite).is_ok());
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
    (sparse(rows, rows, &entries), LogDeterminant { sign, log })
}

#[test]
fn determinants_of_sparse_matrices() {
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
        let a = sparse(n, n, &entries(1.0));
        let mut lu = SparseLu::new(&a).unwrap();
        same_determinant("sparse LU", lu.log_determinant().unwrap(), &to_dense(&a).unwrap());
        let a = sparse(n, n, &entries(-2.5));
        lu.refactorise(&a).unwrap();
        same_determinant("sparse LU again", lu.log_determinant().unwrap(), &to_dense(&a).unwrap());
    }
    let mut s = SparseCholesky::new(&sparse(2, 2, &[(0, 0, 4.0), (1, 1, 9.0)])).unwrap();
    assert!((s.log_determinant().log - 36f64.ln()).abs() < 1e-15);
    s.refactorise(&sparse(2, 2, &[(0, 0, 1.0), (1, 1, 9.0)])).unwrap();
    assert!((s.log_determinant().log - 9f64.ln()).abs() < 1e-15);
    let none = sparse(0, 0, &[]);
    let one = LogDeterminant { sign: 1.0, log: 0.0 };
    assert_eq!(SparseLu::new(&none).unwrap().log_determinant().unwrap(), one);
    assert_eq!(SparseCholesky::new(&none).unwrap().log_determinant(), one);
}

/// Numbers without a pattern up to `width` places from the diagonal; symmetric if asked for.
fn band(n: usize, width: usize, symmetric: bool, diagonal: f64) -> Sparse {
    let mut entries = Vec::new();
    for i in 0..n {
        for j in i.saturating_sub(width)..n.min(i + width + 1) {
            let (k, l) = if symmetric { (i.min(j), i.max(j)) } else { (i, j) };
            let a = (1.0 + 3.7 * k as f64 + 1.9 * (l * l) as f64 + 2.3 * (k * k * l) as f64).sin();
            entries.push((i, j, if i == j { diagonal } else { a }));
        }
    }
    sparse(n, n, &entries)
}

/// With so many operations for each number of the factors, faer factorises LU and Cholesky in blocks
/// of columns as well.
#[test]
fn factorisations_in_blocks() {
    for (n, width) in [(180, 180), (400, 90)] {
        let a = band(n, width, false, 0.3);
        let mut lu = SparseLu::new(&a).unwrap();
        check("sparse LU in blocks", &lu, &a, 1e-9);
        let want = Lu::new(&Dense::new(to_dense(&a).unwrap()).unwrap()).unwrap().log_determinant();
        let got = lu.log_determinant().unwrap();
        assert_eq!(got.sign, want.sign);
        assert!((got.log - want.log).abs() < 1e-9 * want.log, "{got:?} {want:?}");

        let s = band(n, width, true, 400.0);
        let cholesky = SparseCholesky::new(&s).unwrap();
        check("sparse Cholesky in blocks", &cholesky, &s, 1e-11);
        let dense = Dense::new(to_dense(&s).unwrap()).unwrap();
        let want = Cholesky::new(&dense).unwrap().log_determinant();
        let got = cholesky.log_determinant();
        assert!((got.log - want.log).abs() < 1e-12 * want.log, "{got:?} {want:?}");
        let indefinite = SparseCholesky::new(&band(n, width, true, 1.0));
        assert!(matches!(indefinite, Err(Error::NotPositiveDefinite { .. })));

        // The last column a third of the sum of two others: singular but for rounding.
        let mut entries: Vec<_> = a.as_csr().triplet_iter().map(|(i, j, a)| (i, j, *a)).collect();
        for i in 0..n {
            let row = a.as_csr().get_row(i).unwrap();
            let at =
                |j: usize| row.col_indices().binary_search(&j).map_or(0.0, |k| row.values()[k]);
            let third = (at(n - 2) + at(n - 3)) / 3.0;
            for entry in entries.iter_mut().filter(|e| e.0 == i && e.1 == n - 1) {
                entry.2 = third;
            }
        }
        // The third has entries in rows where the last column has none.
        entries.retain(|(i, j, _)| *j < n - 3 || *i + width + 1 >= n);
        let dependent = sparse(n, n, &entries);
        assert!(matches!(SparseLu::new(&dependent), Err(Error::Singular { .. })), "{n}");
        let again = lu.refactorise(&dependent);
        assert!(matches!(again, Err(Error::Singular { .. } | Error::Size { .. })));
    }
}

/// Columns that dominate are ordered as those of a symmetric matrix; new values that do not dominate
/// at the same places are factorised as well as by themselves.
#[test]
fn new_values_that_need_other_pivots() {
    for n in [6, 40] {
        let diagonal = |factor: f64| {
            let a = transport(n, 0.05);
            let scale = |(i, j, a): (usize, usize, &f64)| if i == j { factor * a } else { *a };
            a.with_values(a.as_csr().triplet_iter().map(scale).collect()).unwrap()
        };
        let (dominant, other) = (diagonal(1.1), diagonal(0.3));
        let mut lu = SparseLu::new(&dominant).unwrap();
        lu.refactorise(&other).unwrap();
        check("pivots beside the diagonal", &lu, &other, 1e-9);
        let [again, alone] = [&lu, &SparseLu::new(&other).unwrap()].map(|lu| {
            let x = lu.solve(&wave(n * n, 0.3)).unwrap();
            (x, lu.log_determinant().unwrap())
        });
        assert_eq!(again, alone, "{n}");
        lu.refactorise(&dominant).unwrap();
        check("pivots of the diagonal", &lu, &dominant, 1e-11);
    }
}

#[test]
fn nearly_singular_sparse_matrices() {
    let singular = |a: &Sparse| matches!(SparseLu::new(a), Err(Error::Singular { .. }));
    let third = 1.0 / 3.0;
    let rows = [[third, 0.1, third + 0.1], [0.7, third, 0.7 + third], [0.2, 0.4, 0.2 + 0.4]];
    let nine: Vec<_> = (0..9).map(|k| (k / 3, k % 3, rows[k / 3][k % 3])).collect();
    assert!(singular(&sparse(3, 3, &nine)));
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
        assert!(singular(&sparse(n * n, n * n, &entries)), "{n}");
        // Held at one point by as little as this, there is a solution, whatever the unit.
        entries.push((0, 0, 1e-8));
        for unit in [1.0, 1e-12, 1e-200, 1e200] {
            let scaled: Vec<_> = entries.iter().map(|(i, j, a)| (*i, *j, unit * a)).collect();
            let a = sparse(n * n, n * n, &scaled);
            let x = wave(n * n, 0.4);
            let got = SparseLu::new(&a).unwrap().solve(&a.apply(&x).unwrap()).unwrap();
            assert!(distance(&got, &x) < 1e-3, "{n} {unit:e}: {:e}", distance(&got, &x));
        }
    }
    // Units of columns do not matter, nor a small determinant.
    let diagonal = |f: &dyn Fn(i32) -> f64| -> Sparse {
        sparse(40, 40, &(0..40).map(|i| (i as usize, i as usize, f(i))).collect::<Vec<_>>())
    };
    assert!(SparseLu::new(&diagonal(&|_| 1e-12)).is_ok());
    assert!(SparseLu::new(&diagonal(&|i| 10f64.powi(-6 * i))).is_ok());
    assert!(singular(&diagonal(&|i| f64::from(i != 7))));
    // A failed factorisation leaves the one before as it was.
    let mut lu =
        SparseLu::new(&sparse(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 3.0)]))
            .unwrap();
    let dependent = sparse(2, 2, &[(0, 0, 0.1), (0, 1, 0.3), (1, 0, 0.2), (1, 1, 0.6)]);
    assert!(matches!(lu.refactorise(&dependent), Err(Error::Singular { .. })));
    assert!(distance(&lu.solve(&[3.0, 5.0]).unwrap(), &[1.0, 1.0]) < 1e-14);
}
