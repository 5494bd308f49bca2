//! Plain tensors as `TensorLike`: pointwise functions and their gradients.
#![allow(clippy::unwrap_used)] // helpers of tests

use ansatz_core::{
    Error, Pointwise, TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz_ops::{GradCheck, gradcheck};

fn tensor(v: &[f64]) -> Tensor {
    Tensor::new(v, &Device::Cpu).unwrap()
}

fn slope(function: Pointwise, at: f64) -> f64 {
    let x = Var::from_tensor(&tensor(&[at])).unwrap();
    let y = function.apply(x.as_tensor()).unwrap();
    y.backward().unwrap().get(&x).map_or(0.0, |g| g.to_vec1::<f64>().unwrap()[0])
}

#[test]
fn gradients_of_all_functions() {
    use Pointwise::*;
    let everywhere = [-2.3, -0.6, 0.1, 0.9, 3.1];
    let positive = [0.2, 0.7, 1.0, 2.5];
    for function in [
        Tanh,
        Sin,
        Cos,
        Exp,
        Powi(3),
        Powi(0),
        Powi(1),
        Powi(-3),
        Powf(2.0),
        Recip,
        Sigmoid,
        Softplus,
        Silu,
        Gelu,
        GeluTanh,
        Erf,
        Relu,
        Abs,
    ] {
        // Steep near 0: looser where 1/x³ is of order 10³.
        let options = GradCheck { relative: 1e-5, ..GradCheck::default() };
        gradcheck(|v| function.apply(&v[0]), &[tensor(&everywhere)], &options)
            .unwrap_or_else(|e| panic!("{function:?}: {e}"));
    }
    for function in [Ln, Sqrt, Powf(1.5), Powf(-0.5)] {
        gradcheck(|v| function.apply(&v[0]), &[tensor(&positive)], &GradCheck::default())
            .unwrap_or_else(|e| panic!("{function:?}: {e}"));
    }
}

#[test]
fn slopes_at_the_origin() {
    assert_eq!(slope(Pointwise::Relu, 0.0), 0.0);
    assert_eq!(slope(Pointwise::Abs, 0.0), 0.0);
    assert_eq!(slope(Pointwise::Softplus, 0.0), 0.5);
    assert_eq!(slope(Pointwise::Gelu, 0.0), 0.5);
    assert_eq!(slope(Pointwise::GeluTanh, 0.0), 0.5);
    assert_eq!(slope(Pointwise::Silu, 0.0), 0.5);
    assert_eq!(slope(Pointwise::Powi(2), 0.0), 0.0);
    assert_eq!(slope(Pointwise::Powi(1), 0.0), 1.0);
}

#[test]
fn values_in_closed_form() {
    let xs = [-800.0, -50.0, -1.2, 0.0, 0.4, 50.0, 800.0];
    let normal = statrs::distribution::Normal::new(0.0, 1.0).unwrap();
    let cdf = |x: f64| statrs::distribution::ContinuousCDF::cdf(&normal, x);
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let cases: [(Pointwise, &dyn Fn(f64) -> f64); 8] = [
        (Pointwise::Softplus, &|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        (Pointwise::Sigmoid, &logistic),
        (Pointwise::Silu, &|x| x * logistic(x)),
        (Pointwise::Gelu, &|x| x * cdf(x)),
        (Pointwise::Tanh, &f64::tanh),
        (Pointwise::Relu, &|x| x.max(0.0)),
        (Pointwise::Abs, &f64::abs),
        (Pointwise::Powi(-3), &|x| x.powi(-3)),
    ];
    for (function, expected) in cases {
        let got = function.apply(&tensor(&xs)).unwrap().to_vec1::<f64>().unwrap();
        for (x, g) in xs.iter().zip(got) {
            let e = expected(*x);
            let tolerance = if function == Pointwise::Gelu { 1e-9 } else { 1e-14 * e.abs() };
            assert!(g == e || (g - e).abs() <= tolerance, "{function:?}({x}) = {g:e}, not {e:e}");
        }
    }
}

#[test]
fn softplus_is_accurate_in_both_tails_and_at_infinity() {
    let xs = [f64::NEG_INFINITY, -700.0, -40.0, f64::INFINITY];
    let got = tensor(&xs).softplus().unwrap().to_vec1::<f64>().unwrap();
    assert_eq!(got[0], 0.0);
    assert!((got[1] / (-700f64).exp() - 1.0).abs() < 1e-14);
    assert!((got[2] / (-40f64).exp() - 1.0).abs() < 1e-14);
    assert_eq!(got[3], f64::INFINITY);
    assert!((slope(Pointwise::Softplus, -40.0) / (-40f64).exp() - 1.0).abs() < 1e-14);
    assert_eq!(slope(Pointwise::Softplus, 800.0), 1.0);
    assert_eq!(slope(Pointwise::Softplus, -800.0), 0.0);
}

#[test]
fn nan_is_not_hidden() {
    for function in [Pointwise::Relu, Pointwise::Abs, Pointwise::Softplus, Pointwise::Tanh] {
        let y = function.apply(&tensor(&[f64::NAN])).unwrap().to_vec1::<f64>().unwrap();
        assert!(y[0].is_nan(), "{function:?}");
    }
}

#[test]
fn single_precision_stays_single() {
    let x = tensor(&[0.3, 0.9]).to_dtype(DType::F32).unwrap();
    for function in [Pointwise::Softplus, Pointwise::Gelu, Pointwise::Abs, Pointwise::Powi(-2)] {
        assert_eq!(function.apply(&x).unwrap().dtype(), DType::F32);
    }
    assert_eq!(TensorLike::add_scalar(&x, 1.0).unwrap().dtype(), DType::F32);
}

#[test]
fn dense_and_matrix_products() {
    let n = |k: usize| (0..k).map(|i| (i as f64 * 0.7).sin()).collect::<Vec<_>>();
    let x = Tensor::from_vec(n(24), (2, 4, 3), &Device::Cpu).unwrap();
    let w = Tensor::from_vec(n(6), (2, 3), &Device::Cpu).unwrap();
    let b = tensor(&[0.5, -1.0]);
    let y = x.dense(&w, Some(&b)).unwrap();
    let expected = x.broadcast_matmul(&w.t().unwrap()).unwrap().broadcast_add(&b).unwrap();
    assert_eq!(y.to_vec3::<f64>().unwrap(), expected.to_vec3::<f64>().unwrap());
    assert!(matches!(x.dense(&w.t().unwrap(), None), Err(Error::Shape { .. })));

    // More batch axes than candle's product takes.
    let a = Tensor::from_vec(n(24), (2, 1, 2, 2, 3), &Device::Cpu).unwrap();
    let c = Tensor::from_vec(n(18), (3, 1, 3, 2), &Device::Cpu).unwrap();
    let y = TensorLike::matmul(&a, &c).unwrap();
    assert_eq!(y.dims(), [2, 3, 2, 2, 2]);
    for i in 0..2 {
        for j in 0..3 {
            for k in 0..2 {
                let got = y.get(i).unwrap().get(j).unwrap().get(k).unwrap();
                let left = a.get(i).unwrap().get(0).unwrap().get(k).unwrap();
                let expected = left.matmul(&c.get(j).unwrap().get(0).unwrap()).unwrap();
                assert_eq!(got.to_vec2::<f64>().unwrap(), expected.to_vec2::<f64>().unwrap());
            }
        }
    }
    gradcheck(|v| Ok(TensorLike::matmul(&v[0], &v[1])?), &[a, c], &GradCheck::default()).unwrap();
}

#[test]
fn errors_name_what_is_wrong() {
    let x = tensor(&[1.0, 2.0]);
    let three = tensor(&[1.0, 1.0, 1.0]);
    assert!(<Tensor as TensorLike>::cat(&[], 0).is_err());
    assert!(matches!(
        TensorLike::layer_norm(&x, Some(&three), None, 1e-5),
        Err(Error::Ops(ansatz_ops::Error::Shape { .. }))
    ));
    assert!(TensorLike::sum(&x, 1).is_err());
}

#[test]
fn convolutions_and_their_gradients() {
    let n = |dims: &[usize]| {
        let v = (0..dims.iter().product()).map(|i| (i as f64 * 0.7 + 0.3).sin()).collect();
        Tensor::from_vec::<_, f64>(v, dims, &Device::Cpu).unwrap()
    };
    for (groups, stride, padding, length, dilation, width) in [
        (1, 1, 0, 3, 1, 1),
        (1, 1, 1, 5, 1, 3),
        (2, 2, 1, 4, 1, 2),
        (2, 1, 2, 5, 2, 3),
        (1, 2, 0, 5, 2, 2),
        (1, 3, 1, 2, 1, 4),
    ] {
        let (x, kernel) = (n(&[2, 4, length]), n(&[2, 4 / groups, width]));
        let ours = TensorLike::conv1d(&x, &kernel, padding, stride, dilation, groups).unwrap();
        let candle = x.conv1d(&kernel, padding, stride, dilation, groups).unwrap();
        assert_eq!(ours.dims(), candle.dims());
        let difference = (ours - candle).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f64>().unwrap() < 1e-14);
        gradcheck(
            |v| Ok(TensorLike::conv1d(&v[0], &v[1], padding, stride, dilation, groups)?),
            &[x, kernel],
            &GradCheck::default(),
        )
        .unwrap();
    }
    let (x, kernel) = (n(&[2, 4, 3]), n(&[2, 4, 2]));
    for (dilation, groups) in [(0, 1), (1, 0), (1, 3), (5, 1)] {
        assert!(TensorLike::conv1d(&x, &kernel, 0, 1, dilation, groups).is_err());
    }
    // With stride 2 the axes leave different remainders, which candle's backward pass refuses.
    for stride in [1, 2] {
        gradcheck(
            |v| Ok(TensorLike::conv2d(&v[0], &v[1], 1, stride, 1, 2)?),
            &[n(&[2, 4, 3, 4]), n(&[2, 2, 2, 2])],
            &GradCheck::default(),
        )
        .unwrap();
    }
}

/// Pins a fault of candle: when this fails, `conv1d` may become candle's again.
#[test]
fn candle_conv1d_still_has_a_wrong_gradient() {
    let n = |dims: &[usize]| {
        let v = (0..dims.iter().product()).map(|i| (i as f64 * 0.7 + 0.3).sin()).collect();
        Tensor::from_vec::<_, f64>(v, dims, &Device::Cpu).unwrap()
    };
    let check = |batch: usize| {
        let inputs = [n(&[batch, 2, 5]), n(&[4, 2, 3])];
        gradcheck(|v| Ok(v[0].conv1d(&v[1], 0, 1, 1, 1)?), &inputs, &GradCheck::default())
    };
    assert!(check(1).is_ok());
    assert!(matches!(check(2), Err(ansatz_ops::Error::GradientMismatch { .. })));
}
