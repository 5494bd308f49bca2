//! What the tests of all factorisations ask of them.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_linalg::{Error, Factorised, LinearOperator, LogDeterminant, faer::Mat};

use crate::common::{distance, wave};

/// `A x` and `Aᵀ z` are undone, for several right-hand sides at once as well.
pub(crate) fn check(
    name: &str,
    factors: &dyn Factorised,
    a: &dyn LinearOperator<Vec<f64>>,
    tolerance: f64,
) {
    let n = a.shape()[0];
    assert_eq!(factors.dimension(), n, "{name}");
    let (x, z) = (wave(n, 0.2), wave(n, 1.1));
    let got = factors.solve(&a.apply(&x).unwrap()).unwrap();
    assert!(distance(&got, &x) < tolerance, "{name}: {:e}", distance(&got, &x));
    let got = factors.solve_transposed(&a.apply_transposed(&z).unwrap()).unwrap();
    assert!(distance(&got, &z) < tolerance, "{name}, transposed: {:e}", distance(&got, &z));

    let both = [a.apply(&x).unwrap(), a.apply(&z).unwrap()].concat();
    let got = factors.solve(&both).unwrap();
    assert!(distance(&got, &[x, z].concat()) < tolerance, "{name}, two right-hand sides");
    if n > 1 {
        assert!(matches!(factors.solve(&vec![0.0; n + 1]), Err(Error::Size { .. })), "{name}");
        let wrong = factors.solve_transposed(&vec![0.0; n + 1]);
        assert!(matches!(wrong, Err(Error::Size { .. })), "{name}");
    }
    // Zero in, zero out.
    assert_eq!(factors.solve(&vec![0.0; n]).unwrap(), vec![0.0; n], "{name}");
}

/// By expansion: for small matrices only.
fn determinant(a: &Mat<f64>) -> f64 {
    let n = a.nrows();
    if n == 0 {
        return 1.0;
    }
    let minor =
        |k: usize| Mat::from_fn(n - 1, n - 1, |i, j| a[(i + 1, if j < k { j } else { j + 1 })]);
    (0..n).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 } * a[(0, k)] * determinant(&minor(k))).sum()
}

pub(crate) fn same_determinant(name: &str, got: LogDeterminant, a: &Mat<f64>) {
    let want = determinant(a);
    let value = got.sign * got.log.exp();
    assert!((value - want).abs() < 1e-10 * want.abs().max(1.0), "{name}: {value} {want}");
}
