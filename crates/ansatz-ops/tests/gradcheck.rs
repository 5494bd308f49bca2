//! `gradcheck` accepts right gradients and rejects every kind of wrong one.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{Error, GradCheck, Result, custom_vjp, gradcheck};
use candle_core::{DType, Device, Tensor};

fn tensor(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

/// `sin x` whose gradient is multiplied by `factor`.
fn sine_with(factor: f64) -> impl Fn(&[Tensor]) -> Result<Tensor> {
    move |v| {
        let x = v[0].detach();
        custom_vjp(&[&v[0]], &x.sin()?, move |g| Ok(vec![Some((g * (x.cos()? * factor)?)?)]))
    }
}

fn check<F: Fn(&[Tensor]) -> Result<Tensor>>(f: F, inputs: &[Tensor]) -> Result<()> {
    gradcheck(f, inputs, &GradCheck::default()).map(drop)
}

#[test]
fn right_gradients_pass() {
    let x = tensor(&[0.3, -1.2, 2.0]);
    let report =
        gradcheck(sine_with(1.0), std::slice::from_ref(&x), &GradCheck::default()).unwrap();
    assert_eq!(report.elements, 3);
    assert!(report.max_absolute < 1e-9 && report.max_relative < 1e-9, "{report:?}");
}

#[test]
fn several_inputs_of_any_shape_and_tensor_outputs() {
    let a = tensor(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).reshape((2, 3)).unwrap();
    let b = tensor(&[1.0, -0.5, 0.7]);
    let c = Tensor::new(0.9f64, &Device::Cpu).unwrap();
    let f = |v: &[Tensor]| Ok(v[0].broadcast_mul(&v[1])?.tanh()?.broadcast_mul(&v[2])?);
    let report = gradcheck(f, &[a.clone(), b.clone(), c], &GradCheck::default()).unwrap();
    assert_eq!(report.elements, 10);
    // Strided inputs are read in the order of their shape.
    check(|v| Ok(v[0].matmul(&v[1].reshape((3, 1))?)?), &[a, b]).unwrap();
    let strided = tensor(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).reshape((3, 2)).unwrap().t().unwrap();
    check(|v| Ok(v[0].sqr()?), &[strided]).unwrap();
    // Nothing to compare is not a failure.
    assert_eq!(gradcheck(|_| Ok(tensor(&[1.0])), &[], &GradCheck::default()).unwrap().elements, 0);
    // A function that ignores its input has gradient zero.
    check(|_| Ok(tensor(&[1.0])), &[tensor(&[2.0])]).unwrap();
}

#[test]
fn wrong_gradients_are_named() {
    for factor in [1.001, 0.999, -1.0, 0.0, 1.0 + 1e-5] {
        let inputs = [tensor(&[0.3, -1.2])];
        match check(sine_with(factor), &inputs) {
            Err(Error::GradientMismatch { input: 0, index: 0, analytic, numeric, .. }) => {
                // The output weight of element 0 is sin 1 + 0.1.
                let right = (1f64.sin() + 0.1) * 0.3f64.cos();
                assert!((numeric - right).abs() < 1e-8);
                assert!((analytic - factor * right).abs() < 1e-12);
            }
            other => panic!("factor {factor}: {other:?}"),
        }
    }
    // The second element of the second input.
    let f = |v: &[Tensor]| {
        let x = v[1].detach();
        let mask = tensor(&[1.0, 1.01]);
        let y =
            custom_vjp(&[&v[1]], &x.exp()?, move |g| Ok(vec![Some(((g * x.exp()?)? * &mask)?)]))?;
        Ok((y + &v[0])?)
    };
    assert!(matches!(
        check(f, &[tensor(&[0.0, 0.0]), tensor(&[0.5, 0.6])]),
        Err(Error::GradientMismatch { input: 1, index: 1, .. })
    ));
}

#[test]
fn errors_that_cancel_in_a_plain_sum_are_found() {
    // The Jacobian is transposed: with equal weights on both outputs nobody would notice.
    let f = |v: &[Tensor]| {
        let matrix = Tensor::new(&[[1f64, 2.0], [3.0, 0.0]], &Device::Cpu)?;
        let y = matrix.matmul(&v[0].detach().reshape((2, 1))?)?.reshape(2)?;
        custom_vjp(&[&v[0]], &y, move |g| {
            Ok(vec![Some(matrix.matmul(&g.reshape((2, 1))?)?.reshape(2)?)])
        })
    };
    assert!(matches!(check(f, &[tensor(&[0.3, 0.4])]), Err(Error::GradientMismatch { .. })));
}

#[test]
fn missing_gradients_are_found() {
    let inputs = [tensor(&[0.3, -1.2, 0.4])];
    let fused = |v: &[Tensor]| Ok(candle_nn::ops::softmax_last_dim(&v[0])?);
    assert!(matches!(
        check(fused, &inputs),
        Err(Error::GradientMismatch { analytic, .. }) if analytic == 0.0
    ));
    check(|v| ansatz_ops::softmax(&v[0], 0), &inputs).unwrap();
    // A gradient cut on one of two paths.
    assert!(check(|v| Ok((v[0].sqr()? + v[0].detach().sin()?)?), &inputs).is_err());
}

#[test]
fn nan_never_agrees() {
    let inputs = [tensor(&[0.3])];
    // In the gradient alone, and in the value: log(−1).
    assert!(matches!(
        check(sine_with(f64::NAN), &inputs),
        Err(Error::GradientMismatch { analytic, .. }) if analytic.is_nan()
    ));
    assert!(matches!(
        check(|v| Ok(v[0].log()?), &[tensor(&[-1.0])]),
        Err(Error::GradientMismatch { numeric, .. }) if numeric.is_nan()
    ));
}

#[test]
fn kinks_are_reported() {
    assert!(matches!(
        check(|v| Ok(v[0].relu()?), &[tensor(&[1.0, 0.0])]),
        Err(Error::GradientMismatch { index: 1, .. })
    ));
}

#[test]
fn single_precision_is_refused() {
    let x = tensor(&[0.3]).to_dtype(DType::F32).unwrap();
    assert!(matches!(
        check(|v| Ok(v[0].sin()?), &[x]),
        Err(Error::DType { expected: DType::F64, got: DType::F32, .. })
    ));
}

#[test]
fn bad_options_are_refused() {
    let good = GradCheck::default();
    for bad in [0.0, -1e-6, f64::NAN, f64::INFINITY] {
        for options in [
            GradCheck { step: bad, ..good },
            GradCheck { absolute: bad, ..good },
            GradCheck { relative: bad, ..good },
        ] {
            let refused = gradcheck(|v| Ok(v[0].sin()?), &[tensor(&[0.3])], &options);
            assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{options:?}");
        }
    }
}

#[test]
fn tolerances_are_used() {
    let inputs = [tensor(&[0.3])];
    let loose = GradCheck { relative: 1e-2, ..GradCheck::default() };
    gradcheck(sine_with(1.001), &inputs, &loose).unwrap();
    let loose = GradCheck { absolute: 1e-2, ..GradCheck::default() };
    gradcheck(sine_with(1.001), &inputs, &loose).unwrap();
    // A step far too large sees the curvature.
    let coarse = GradCheck { step: 0.3, ..GradCheck::default() };
    assert!(gradcheck(sine_with(1.0), &inputs, &coarse).is_err());
}

#[test]
fn errors_of_the_function_pass_through() {
    let refused = check(|v| ansatz_ops::layer_norm(&v[0], None, None, -1.0), &[tensor(&[1.0])]);
    assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
}
