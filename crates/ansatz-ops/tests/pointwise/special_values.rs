//! Zeros, infinities, NaN, parity.

use ansatz_ops::Pointwise;

use crate::{ALL, double, single};

/// `f(−∞), f(−0), f(0), f(∞)`
fn limits(function: Pointwise) -> [f64; 4] {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    match function {
        Pointwise::Tanh | Pointwise::Erf => [-1.0, -0.0, 0.0, 1.0],
        Pointwise::Sin => [nan, -0.0, 0.0, nan],
        Pointwise::Cos => [nan, 1.0, 1.0, nan],
        Pointwise::Exp => [0.0, 1.0, 1.0, inf],
        Pointwise::Ln => [nan, -inf, -inf, inf],
        Pointwise::Sqrt => [nan, -0.0, 0.0, inf],
        Pointwise::Recip => [-0.0, -inf, inf, 0.0],
        Pointwise::Sigmoid => [0.0, 0.5, 0.5, 1.0],
        Pointwise::Softplus => [0.0, 2f64.ln(), 2f64.ln(), inf],
        Pointwise::Silu | Pointwise::Gelu | Pointwise::GeluTanh => [-0.0, -0.0, 0.0, inf],
        Pointwise::Relu => [0.0, 0.0, 0.0, inf],
        Pointwise::Abs => [inf, 0.0, 0.0, inf],
        other => panic!("{other:?} has no row"),
    }
}

fn same(got: f64, want: f64) -> bool {
    got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan())
}

#[test]
fn limits_and_signed_zeros() {
    for function in ALL {
        let want = limits(function);
        let x = [f64::NEG_INFINITY, -0.0, 0.0, f64::INFINITY, f64::NAN];
        let got = double(function, &x);
        for (i, want) in want.into_iter().enumerate() {
            assert!(same(got[i], want), "{function:?}({}) = {}", x[i], got[i]);
        }
        assert!(got[4].is_nan(), "{function:?}(NaN) = {}", got[4]);
        let got = single(function, &x.map(|x| x as f32));
        for (i, want) in want.into_iter().enumerate() {
            let want = if want == 2f64.ln() { 2f32.ln() } else { want as f32 };
            assert!(same(got[i].into(), want.into()), "{function:?}({}) = {}", x[i], got[i]);
        }
        assert!(got[4].is_nan(), "{function:?}(NaN) = {}", got[4]);
    }
}

#[test]
fn odd_functions_are_odd_and_even_ones_even_to_the_bit() {
    let x: Vec<f64> = (1..4000).map(|i| 1.013f64.powi(i - 3000) * 1e4).collect();
    let minus: Vec<f64> = x.iter().map(|x| -x).collect();
    for function in [Pointwise::Tanh, Pointwise::Sin, Pointwise::Erf, Pointwise::Recip] {
        let negated: Vec<f64> = double(function, &x).iter().map(|y| -y).collect();
        assert_eq!(double(function, &minus), negated, "{function:?}");
    }
    for function in [Pointwise::Cos, Pointwise::Abs] {
        assert_eq!(double(function, &minus), double(function, &x), "{function:?}");
    }
    let small = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<_>>();
    for function in [Pointwise::Tanh, Pointwise::Sin, Pointwise::Erf] {
        let negated: Vec<f32> = single(function, &small(&x)).iter().map(|y| -y).collect();
        assert_eq!(single(function, &small(&minus)), negated, "{function:?}");
    }
}

/// The largest and smallest results that are not yet infinite or zero.
#[test]
fn results_leave_the_range_where_they_must() {
    let exp = double(Pointwise::Exp, &[709.782712893384, 709.7827128933841, -745.13, -745.14]);
    assert!(exp[0].is_finite() && exp[1].is_infinite(), "{exp:?}");
    assert!(exp[2] > 0.0 && exp[3] == 0.0, "{exp:?}");
    let exp = single(Pointwise::Exp, &[88.72283, 88.72284, -103.97, -104.0]);
    assert!(exp[0].is_finite() && exp[1].is_infinite(), "{exp:?}");
    assert!(exp[2] > 0.0 && exp[3] == 0.0, "{exp:?}");
}

/// Neighbours do not matter: one huge argument sends its block through another reduction.
#[test]
fn a_huge_argument_among_small_ones() {
    let mut x: Vec<f64> = (0..600).map(|i| f64::from(i) * 0.01).collect();
    x[300] = 1e300;
    for function in [Pointwise::Sin, Pointwise::Cos] {
        let got = double(function, &x);
        for (x, got) in x.iter().zip(got) {
            let want = if function == Pointwise::Sin { x.sin() } else { x.cos() };
            assert!((got - want).abs() <= 2e-16, "{function:?}({x:e}) = {got}");
        }
    }
}
