//! `softmax`, `log_softmax`, `layer_norm` against scalar loops, in value and gradient.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{Error, GradCheck, Result, gradcheck, layer_norm, log_softmax, softmax};
use candle_core::{D, DType, Device, Shape, Tensor};

const CPU: &Device = &Device::Cpu;

fn tensor(shape: impl Into<Shape>, scale: f64, dtype: DType) -> Tensor {
    let shape = shape.into();
    let values: Vec<f64> =
        (0..shape.elem_count()).map(|i| scale * (1.7 * i as f64 + 0.3).sin()).collect();
    Tensor::from_vec(values, shape, CPU).unwrap().to_dtype(dtype).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// Applies `f` to every line of `x` along `dim`, in f64.
fn along(x: &Tensor, dim: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let values = flat(x);
    let (length, inner) = (x.dims()[dim], x.dims()[dim + 1..].iter().product::<usize>());
    let mut out = vec![0.0; values.len()];
    for start in (0..values.len()).filter(|i| (i / inner).is_multiple_of(length)) {
        let line: Vec<f64> = (0..length).map(|k| values[start + k * inner]).collect();
        for (k, y) in f(&line).into_iter().enumerate() {
            out[start + k * inner] = y;
        }
    }
    out
}

fn softmax_line(x: &[f64]) -> Vec<f64> {
    // Without the shift: each ratio by its own sum of exponentials of differences.
    x.iter().map(|xi| 1.0 / x.iter().map(|xj| (xj - xi).exp()).sum::<f64>()).collect()
}

fn log_softmax_line(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = max + x.iter().map(|xj| (xj - max).exp()).sum::<f64>().ln();
    x.iter().map(|xi| xi - log_sum).collect()
}

/// Two-pass mean and variance.
fn layer_norm_line(x: &[f64], eps: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    x.iter().map(|x| (x - mean) / (variance + eps).sqrt()).collect()
}

#[track_caller]
fn assert_close(ours: &Tensor, want: &[f64], tolerance: f64) {
    for (i, (x, y)) in flat(ours).iter().zip(want).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} and {y}");
    }
}

const DTYPES: [(DType, f64); 2] = [(DType::F64, 1e-14), (DType::F32, 2e-6)];

#[test]
fn softmax_values_along_every_dimension() {
    for (dtype, tolerance) in DTYPES {
        for scale in [1.0, 30.0] {
            let x = tensor((2, 3, 4), scale, dtype);
            for dim in 0..3 {
                let y = softmax(&x, dim).unwrap();
                assert_eq!((y.shape(), y.dtype()), (x.shape(), dtype));
                assert_close(&y, &along(&x, dim, softmax_line), tolerance);
                let y = log_softmax(&x, dim).unwrap();
                assert_eq!((y.shape(), y.dtype()), (x.shape(), dtype));
                assert_close(&y, &along(&x, dim, log_softmax_line), 4.0 * tolerance);
            }
            assert_eq!(flat(&softmax(&x, D::Minus1).unwrap()), flat(&softmax(&x, 2).unwrap()));
            // Strided.
            let t = x.transpose(0, 2).unwrap();
            assert_close(&softmax(&t, 0).unwrap(), &along(&t, 0, softmax_line), tolerance);
        }
    }
}

#[test]
fn softmax_is_stable() {
    for (dtype, _) in DTYPES {
        let x = Tensor::new(&[[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], CPU).unwrap();
        let x = x.to_dtype(dtype).unwrap();
        let third = 1.0 / 3.0;
        assert_close(&softmax(&x, 1).unwrap(), &[1.0, 0.0, 0.0, third, third, third], 1e-7);
        let log_third = third.ln();
        let want = [0.0, -2e4, -1e4, log_third, log_third, log_third];
        assert_close(&log_softmax(&x, 1).unwrap(), &want, 1e-7);
    }
    let close = Tensor::new(&[1e4f64, 1e4 - 1.0], CPU).unwrap();
    assert_close(&softmax(&close, 0).unwrap(), &softmax_line(&[1.0, 0.0]), 1e-15);
}

#[test]
fn layer_norm_values() {
    for (dtype, tolerance) in DTYPES {
        for shape in [vec![5], vec![3, 5], vec![2, 3, 5], vec![4, 1]] {
            let features = shape[shape.len() - 1];
            let x = tensor(shape, 3.0, dtype);
            let (w, b) = (tensor(features, 2.0, dtype), tensor(features, -1.0, dtype));
            let (ws, bs) = (flat(&w), flat(&b));
            for eps in [1e-5, 0.1] {
                let plain = along(&x, x.rank() - 1, |line| layer_norm_line(line, eps));
                for (weight, bias) in
                    [(None, None), (Some(&w), None), (None, Some(&b)), (Some(&w), Some(&b))]
                {
                    let want: Vec<f64> = plain
                        .iter()
                        .enumerate()
                        .map(|(i, y)| {
                            let k = i % features;
                            y * weight.map_or(1.0, |_| ws[k]) + bias.map_or(0.0, |_| bs[k])
                        })
                        .collect();
                    let y = layer_norm(&x, weight, bias, eps).unwrap();
                    assert_eq!((y.shape(), y.dtype()), (x.shape(), dtype));
                    assert_close(&y, &want, 4.0 * tolerance);
                }
            }
        }
    }
}

#[test]
fn layer_norm_of_large_numbers() {
    // ±1e4, and a mean far larger than the spread: the variance is that of the centred numbers.
    for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-3)] {
        let x = Tensor::new(&[[1e4, -1e4, 5e3, 0.0], [1e4, 1e4 + 1.0, 1e4 + 2.0, 1e4 - 3.0]], CPU);
        let x = x.unwrap().to_dtype(dtype).unwrap();
        let want = along(&x, 1, |line| layer_norm_line(line, 1e-5));
        assert_close(&layer_norm(&x, None, None, 1e-5).unwrap(), &want, tolerance);
    }
    // Equal numbers: zero over eps.
    let x = Tensor::full(1e4, (2, 3), CPU).unwrap();
    assert_eq!(flat(&layer_norm(&x, None, None, 1e-5).unwrap()), [0.0; 6]);
}

#[test]
fn gradients() {
    let check = |f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]| {
        gradcheck(f, inputs, &GradCheck::default()).unwrap();
    };
    let x = tensor((2, 3, 4), 1.0, DType::F64);
    for dim in 0..3 {
        check(&|v| softmax(&v[0], dim), std::slice::from_ref(&x));
        check(&|v| log_softmax(&v[0], dim), std::slice::from_ref(&x));
    }
    let (w, b) = (tensor(4, 2.0, DType::F64), tensor(4, -1.0, DType::F64));
    check(&|v| layer_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-5), &[x.clone(), w, b]);
    check(&|v| layer_norm(&v[0], None, None, 1e-2), &[x.transpose(1, 2).unwrap()]);
    // Ties of the maximum, over which the shift in softmax is taken.
    let tied = Tensor::new(&[[0.5, 0.5, -1.0], [2.0, 2.0, 2.0]], CPU).unwrap();
    check(&|v| softmax(&v[0], 1), std::slice::from_ref(&tied));
    check(&|v| log_softmax(&v[0], 1), std::slice::from_ref(&tied));
    // Far from zero the gradient is as good (differences at 1e4 are coarser: looser bounds).
    let far = Tensor::new(&[1e4, 1e4 - 0.7, 1e4 + 0.4], CPU).unwrap();
    let loose = GradCheck { step: 1e-7, absolute: 1e-6, relative: 1e-5 };
    gradcheck(|v| softmax(&v[0], 0), std::slice::from_ref(&far), &loose).unwrap();
}

#[test]
fn wrong_arguments() {
    let x = tensor((2, 3), 1.0, DType::F64);
    assert!(matches!(softmax(&x, 2), Err(Error::Candle(_))));
    assert!(matches!(log_softmax(&x, 2), Err(Error::Candle(_))));
    let two = tensor(2, 1.0, DType::F64);
    let row = tensor((1, 3), 1.0, DType::F64);
    for p in [&two, &row] {
        assert!(matches!(layer_norm(&x, Some(p), None, 1e-5), Err(Error::Shape { .. })));
        assert!(matches!(layer_norm(&x, None, Some(p), 1e-5), Err(Error::Shape { .. })));
    }
    for eps in [-1e-5, f64::NAN] {
        assert!(matches!(layer_norm(&x, None, None, eps), Err(Error::InvalidArgument { .. })));
    }
    let scalar = tensor((), 1.0, DType::F64);
    assert!(matches!(layer_norm(&scalar, None, None, 1e-5), Err(Error::Candle(_))));
}
