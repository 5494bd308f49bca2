//! Recurrences against coefficients computed in high precision, and their reverse rules.

use ansatz_core::{
    ForwardLaplacian, Jet, Pointwise, TensorLike,
    candle::{DType, Device, Tensor},
};
use ansatz_ops::{GradCheck, gradcheck};

use crate::{
    assert_close, generic,
    reference::{ARGUMENT, REFERENCE},
    values,
};

/// The jet of the polynomial of the reference at `x0`, order 6; along the second direction `t` is
/// replaced by `−2t`.
fn argument(x0: f64, dtype: DType) -> Jet {
    let tensor = |v: Vec<f64>, dims: &[usize]| {
        Tensor::from_vec(v, dims, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    };
    let coefficients: Vec<Tensor> = (1..=6)
        .map(|k| {
            let c = if k <= 3 { ARGUMENT[k - 1] } else { 0.0 };
            tensor(vec![c, c * (-2f64).powi(k as i32)], &[2, 1])
        })
        .collect();
    Jet::from_coefficients(&tensor(vec![x0], &[1]), &coefficients).unwrap()
}

fn check(dtype: DType, relative: f64, of_largest: f64, absolute: f64) {
    for (function, x0, expected) in REFERENCE {
        let y = argument(x0, dtype).pointwise(function).unwrap();
        // The value does not count: derivatives must be right where the function saturates.
        let largest = expected[1..].iter().fold(0f64, |m, e| m.max(e.abs()));
        for (k, e) in expected.iter().enumerate() {
            for (direction, stretch) in [(0, 1.0), (1, (-2f64).powi(k as i32))] {
                let got = values(&y.coefficient(k, direction).unwrap())[0] / stretch;
                let tolerance = relative * e.abs() + of_largest * largest + absolute;
                assert!(
                    (got - e).abs() <= tolerance,
                    "{function:?} at {x0}, order {k}, direction {direction}: {got:e} vs {e:e}"
                );
            }
        }
    }
}

#[test]
fn coefficients_in_f64() {
    // Relative to each coefficient, with a floor for those that vanish by cancellation.
    check(DType::F64, 1e-12, 1e-15, 0.0);
}

#[test]
fn coefficients_in_f32() {
    check(DType::F32, 2e-5, 2e-6, 1e-37);
}

#[test]
fn kinks_have_zero_slope() {
    for (x0, relu, abs) in [(1.5, 1.0, 1.0), (-1.5, 0.0, -1.0), (0.0, 0.0, 0.0)] {
        let x = argument(x0, DType::F64);
        for (function, slope) in [(Pointwise::Relu, relu), (Pointwise::Abs, abs)] {
            let y = x.pointwise(function).unwrap();
            assert_eq!(values(&y.value().unwrap()), [slope * x0]);
            for k in 1..=3 {
                let got = values(&y.coefficient(k, 0).unwrap())[0];
                assert_eq!(got, slope * ARGUMENT[k - 1], "{function:?} at {x0}, order {k}");
            }
        }
    }
}

/// Every function with the domain on which it is smooth: all numbers, or positive ones.
const FUNCTIONS: [(Pointwise, bool); 20] = [
    (Pointwise::Tanh, false),
    (Pointwise::Sin, false),
    (Pointwise::Cos, false),
    (Pointwise::Exp, false),
    (Pointwise::Ln, true),
    (Pointwise::Sqrt, true),
    (Pointwise::Recip, true),
    (Pointwise::Powf(1.7), true),
    (Pointwise::Powf(2.0), false),
    (Pointwise::Powi(0), false),
    (Pointwise::Powi(5), false),
    (Pointwise::Powi(-2), true),
    (Pointwise::Sigmoid, false),
    (Pointwise::Softplus, false),
    (Pointwise::Silu, false),
    (Pointwise::Gelu, false),
    (Pointwise::GeluTanh, false),
    (Pointwise::Erf, false),
    (Pointwise::Relu, false),
    (Pointwise::Abs, false),
];

#[test]
fn reverse_rules() {
    for (function, positive) in FUNCTIONS {
        let value = generic(&[3], 0.2);
        let value = if positive { ((value * 0.4).unwrap() + 1.2).unwrap() } else { value };
        let inputs = [value, generic(&[2, 3], 1.0), generic(&[2, 3], 2.0), generic(&[2, 3], 3.0)];
        gradcheck(
            |v| Ok(Jet::from_coefficients(&v[0], &v[1..])?.pointwise(function)?.stack().clone()),
            &inputs,
            &GradCheck::default(),
        )
        .unwrap_or_else(|e| panic!("{function:?}: {e}"));
    }
}

#[test]
fn reverse_rules_of_forward_laplacians() {
    for (function, positive) in FUNCTIONS {
        let x = generic(&[2, 3], 0.2);
        let x = if positive { ((x * 0.4).unwrap() + 1.2).unwrap() } else { x };
        for weights in [None, Some([0.5, -1.0, 0.0])] {
            gradcheck(
                |v| {
                    let seed = match weights {
                        None => ForwardLaplacian::seed(&v[0])?,
                        Some(w) => ForwardLaplacian::seed_weighted(&v[0], &w)?,
                    };
                    // The product gives a Laplacian that is not zero.
                    let u = seed.mul_constant(&v[1])?.mul(&seed)?.pointwise(function)?;
                    let all =
                        [u.value()?.unsqueeze(0)?, u.gradient()?, u.laplacian()?.unsqueeze(0)?];
                    Ok(Tensor::cat(&all, 0)?)
                },
                &[x.clone(), (generic(&[3], 0.9).sqr().unwrap() + 0.5).unwrap()],
                &GradCheck::default(),
            )
            .unwrap_or_else(|e| panic!("{function:?}: {e}"));
        }
    }
}

#[test]
fn large_arguments_stay_finite_at_every_order() {
    use Pointwise::{Abs, Erf, Gelu, GeluTanh, Relu, Sigmoid, Silu, Softplus, Tanh};
    for dtype in [DType::F32, DType::F64] {
        for function in [Tanh, Sigmoid, Softplus, Silu, Gelu, GeluTanh, Erf, Relu, Abs] {
            for x0 in [-1e4, -800.0, -50.0, 50.0, 800.0, 1e4] {
                let y = argument(x0, dtype).pointwise(function).unwrap();
                assert!(
                    values(y.stack()).iter().all(|v| v.is_finite()),
                    "{function:?} at {x0} in {dtype:?}: {}",
                    y.stack()
                );
            }
        }
    }
}

#[test]
fn order_zero_is_the_plain_function() {
    let x = (generic(&[4, 3], 0.2).abs().unwrap() + 0.1).unwrap();
    for (function, _) in FUNCTIONS {
        let plain = function.apply(&x).unwrap();
        let jet = Jet::from_coefficients(&x, &[]).unwrap().pointwise(function).unwrap();
        assert_eq!(values(&jet.value().unwrap()), values(&plain), "{function:?}");
        // With higher orders the value is the same function to rounding.
        let jet = Jet::seed(&x, &generic(&[2, 1], 0.0), 2).unwrap().pointwise(function).unwrap();
        assert_close(&jet.value().unwrap(), &plain, 1e-15, &format!("{function:?}"));
    }
}
