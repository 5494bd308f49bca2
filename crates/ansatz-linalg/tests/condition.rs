//! Estimates of condition numbers against exact ones.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::dense;

use ansatz_linalg::{
    Dense, Error, Inverse, Lu, Tridiagonal, TridiagonalLu, condition_1norm_estimate, to_dense,
};

#[test]
fn condition_numbers() {
    // Exact inverses of dense matrices of all kinds: the estimate is below, and not far.
    let mut exact = 0;
    for (n, seed) in (1..=12).flat_map(|n| (0..10).map(move |seed| (n, seed))) {
        let a = dense(n, n, 0.1 + 1.7 * f64::from(seed));
        let lu = Lu::new(&a).unwrap();
        let inverse = Dense::new(to_dense(&Inverse(&lu)).unwrap()).unwrap();
        let want = a.norm_1() * inverse.norm_1();
        let got = condition_1norm_estimate(&lu, a.norm_1()).unwrap();
        assert!(got < want * (1.0 + 1e-8) && got > want / 3.0, "{n}: {got:e} {want:e}");
        exact += usize::from(got > want * (1.0 - 1e-8));
    }
    assert!(exact > 90, "{exact} of 120");
    // From the closed form of its inverse: ‖A‖₁ = 4, ‖A⁻¹‖₁ = (n + 1)²/8 for odd n.
    let n = 99;
    let a = Tridiagonal::new(vec![-1.0; n - 1], vec![2.0; n], vec![-1.0; n - 1]).unwrap();
    let lu = TridiagonalLu::new(&a).unwrap();
    let got = condition_1norm_estimate(&lu, 4.0).unwrap();
    assert!((got / 5000.0 - 1.0).abs() < 1e-10, "{got}");
    for norm in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(condition_1norm_estimate(&lu, norm), Err(Error::InvalidArgument { .. })));
    }
}
