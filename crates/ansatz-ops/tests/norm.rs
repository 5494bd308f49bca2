//! `softmax`, `log_softmax`, `layer_norm` against scalar loops, in value and gradient.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{
    Error, GradCheck, Result, gradcheck, group_norm, instance_norm, layer_norm, log_softmax,
    logsumexp, rms_norm, softmax,
};
use candle_core::{D, DType, Device, Shape, Tensor, Var};

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

/// What PyTorch says; see `agrees_with_pytorch`.
const TORCH_GROUP: [f64; 3] = [-0.8522612645822837, 1.1373966433017606, 0.19622055956820258];
const TORCH_RMS: [f64; 4] =
    [0.35735742812493504, -1.3916141586160646, 0.0012462169178210068, 1.3912930222389464];

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

/// Group, instance and RMS norm by their definitions, in f64, element by element.
fn by_definition(
    x: &Tensor,
    groups: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Vec<f64> {
    let values = flat(x);
    let (n, c) = (x.dims()[0], x.dims()[1]);
    let space: usize = x.dims()[2..].iter().product();
    let (w, b) = (weight.map(flat), bias.map(flat));
    let mut out = vec![0.0; values.len()];
    for i in 0..n {
        for group in 0..groups {
            let members: Vec<usize> = (0..c)
                .filter(|channel| channel / (c / groups) == group)
                .flat_map(|channel| (0..space).map(move |s| (i * c + channel) * space + s))
                .collect();
            let line: Vec<f64> = members.iter().map(|&k| values[k]).collect();
            for (k, y) in members.into_iter().zip(layer_norm_line(&line, eps)) {
                let channel = k / space % c;
                out[k] = y * w.as_ref().map_or(1.0, |w| w[channel])
                    + b.as_ref().map_or(0.0, |b| b[channel]);
            }
        }
    }
    out
}

#[test]
fn group_and_instance_norm_values() {
    for (dtype, tolerance) in DTYPES {
        for shape in
            [vec![2, 6, 5], vec![3, 4], vec![1, 6, 3, 4], vec![2, 4, 2, 3, 2], vec![1, 2, 3000]]
        {
            let channels = shape[1];
            let x = tensor(shape, 3.0, dtype);
            let (w, b) = (tensor(channels, 2.0, dtype), tensor(channels, -1.0, dtype));
            for (weight, bias) in
                [(None, None), (Some(&w), None), (None, Some(&b)), (Some(&w), Some(&b))]
            {
                for groups in (1..=channels).filter(|g| channels % g == 0) {
                    let y = group_norm(&x, groups, weight, bias, 1e-3).unwrap();
                    assert_eq!((y.shape(), y.dtype()), (x.shape(), dtype));
                    let want = by_definition(&x, groups, weight, bias, 1e-3);
                    assert_close(&y, &want, 8.0 * tolerance);
                }
                let y = instance_norm(&x, weight, bias, 1e-3).unwrap();
                let want = by_definition(&x, channels, weight, bias, 1e-3);
                assert_close(&y, &want, 8.0 * tolerance);
            }
        }
        // Strided.
        let x = tensor((3, 5, 4), 1.0, dtype).transpose(0, 2).unwrap();
        let y = group_norm(&x, 5, None, None, 1e-3).unwrap();
        assert_close(&y, &by_definition(&x, 5, None, None, 1e-3), 8.0 * tolerance);
    }
}

#[test]
fn rms_norm_values() {
    for (dtype, tolerance) in DTYPES {
        for shape in [vec![5], vec![3, 33], vec![2, 3, 5]] {
            let features = shape[shape.len() - 1];
            let x = tensor(shape, 3.0, dtype);
            let w = tensor(features, 2.0, dtype);
            let want = along(&x, x.rank() - 1, |line| {
                let square = line.iter().map(|x| x * x).sum::<f64>() / line.len() as f64;
                line.iter().map(|x| x / (square + 0.1).sqrt()).collect()
            });
            assert_close(&rms_norm(&x, None, 0.1).unwrap(), &want, 4.0 * tolerance);
            let ws = flat(&w);
            let want: Vec<f64> =
                want.iter().enumerate().map(|(i, y)| y * ws[i % features]).collect();
            assert_close(&rms_norm(&x, Some(&w), 0.1).unwrap(), &want, 4.0 * tolerance);
        }
    }
}

/// RMS norm and group norm of PyTorch 2.15 in f64:
/// ```python
/// torch.set_default_dtype(torch.float64)
/// x = torch.sin(1.7 * torch.arange(24) + 0.3)
/// F.group_norm(x.view(2, 4, 3), 2, eps=1e-5)[1, 2]; F.rms_norm(x.view(6, 4), (4,), eps=1e-6)[5]
/// ```
#[test]
fn agrees_with_pytorch() {
    let x = tensor(24, 1.0, DType::F64);
    let y = group_norm(&x.reshape((2, 4, 3)).unwrap(), 2, None, None, 1e-5).unwrap();
    assert_close(&y.get(1).unwrap().get(2).unwrap(), &TORCH_GROUP, 1e-14);
    let y = rms_norm(&x.reshape((6, 4)).unwrap(), None, 1e-6).unwrap();
    assert_close(&y.get(5).unwrap(), &TORCH_RMS, 1e-14);
}

#[test]
fn gradients_of_the_normalisations() {
    let check = |f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]| {
        gradcheck(f, inputs, &GradCheck::default()).unwrap();
    };
    let x = tensor((2, 4, 3), 1.0, DType::F64);
    let (w, b) = (tensor(4, 2.0, DType::F64), tensor(4, -1.0, DType::F64));
    let all = [x.clone(), w.clone(), b];
    check(&|v| group_norm(&v[0], 2, Some(&v[1]), Some(&v[2]), 1e-3), &all);
    check(&|v| instance_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-3), &all);
    check(&|v| instance_norm(&v[0], None, Some(&v[1]), 1e-3), &[x.clone(), w.clone()]);
    let t = x.transpose(1, 2).unwrap();
    check(&|v| rms_norm(&v[0], Some(&v[1]), 1e-3), &[t.clone(), w.clone()]);
    check(&|v| rms_norm(&v[0], None, 1e-3), &[x.clone()]);
    // The same tensor for several inputs, and a parameter that is not tracked.
    let square = tensor((4, 4), 1.0, DType::F64);
    check(&|v| layer_norm(&v[0], Some(&v[0].get(1)?), Some(&v[0].get(2)?), 1e-3), &[square]);
    check(&|v| layer_norm(&t, Some(&v[0]), None, 1e-3), &[w.clone()]);
    check(&|v| layer_norm(&v[0], Some(&w), None, 1e-3), &[t.clone()]);
    for dim in 0..3 {
        check(&|v| logsumexp(&v[0], dim), &[x.clone()]);
        check(&|v| softmax(&v[0].transpose(0, 2)?, dim), &[x.clone()]);
    }
}

#[test]
fn logsumexp_values() {
    for (dtype, tolerance) in DTYPES {
        let x = tensor((3, 70, 5), 30.0, dtype);
        for view in [x.clone(), x.transpose(0, 1).unwrap()] {
            for dim in 0..3 {
                let y = logsumexp(&view, dim).unwrap();
                let mut want = along(&view, dim, |line| {
                    let most = line.iter().copied().fold(f64::MIN, f64::max);
                    let sum: f64 = line.iter().map(|x| (x - most).exp()).sum();
                    vec![most + sum.ln(); line.len()]
                });
                // One of the equal numbers of each line.
                let (length, inner) =
                    (view.dims()[dim], view.dims()[dim + 1..].iter().product::<usize>());
                let mut index = 0;
                want.retain(|_| {
                    index += 1;
                    ((index - 1) / inner).is_multiple_of(length)
                });
                assert_eq!(y.elem_count(), want.len());
                assert_close(&y, &want, 4.0 * tolerance);
            }
        }
        let (inf, low) = (f64::INFINITY, f64::NEG_INFINITY);
        let ends = Tensor::new(&[[1.0, inf], [low, low], [low, 2.0], [1.0, f64::NAN]], CPU);
        let ends = ends.unwrap().to_dtype(dtype).unwrap();
        for (x, dim) in [(ends.clone(), 1), (ends.t().unwrap(), 0)] {
            let y = flat(&logsumexp(&x, dim).unwrap());
            assert_eq!(y[..3], [inf, low, 2.0]);
            assert!(y[3].is_nan());
        }
    }
}

#[test]
fn infinities_and_nan_in_softmax() {
    let (inf, low) = (f64::INFINITY, f64::NEG_INFINITY);
    for (dtype, _) in DTYPES {
        let x = Tensor::new(&[[low, 0.0], [inf, 0.0], [low, low], [f64::NAN, 0.0]], CPU).unwrap();
        let x = x.to_dtype(dtype).unwrap();
        for (x, dim) in [(x.clone(), 1), (x.t().unwrap(), 0)] {
            let pick =
                |y: Tensor| flat(&if dim == 0 { y.t().unwrap().contiguous().unwrap() } else { y });
            let y = pick(softmax(&x, dim).unwrap());
            assert_eq!(y[..2], [0.0, 1.0]);
            assert!(y[2..].iter().filter(|y| y.is_nan()).count() >= 5, "{y:?}");
            let y = pick(log_softmax(&x, dim).unwrap());
            assert_eq!(y[..2], [low, 0.0]);
            assert!(y[4..].iter().all(|y| y.is_nan()), "{y:?}");
        }
    }
}

#[test]
fn empty_tensors() {
    for dtype in [DType::F64, DType::F32] {
        for shape in [vec![0, 3], vec![3, 0], vec![2, 0, 3]] {
            let x = tensor(shape.clone(), 1.0, dtype);
            for dim in 0..shape.len() {
                assert_eq!(softmax(&x, dim).unwrap().dims(), shape);
                assert_eq!(log_softmax(&x, dim).unwrap().dims(), shape);
                let y = logsumexp(&x, dim).unwrap();
                assert!(flat(&y).iter().all(|y| *y == f64::NEG_INFINITY));
                assert_eq!(y.rank(), shape.len() - 1);
            }
        }
        let x = tensor((0, 4), 1.0, dtype);
        assert_eq!(layer_norm(&x, None, None, 1e-5).unwrap().dims(), [0, 4]);
        assert_eq!(group_norm(&x, 2, None, None, 1e-5).unwrap().dims(), [0, 4]);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = tensor((600, 130), 2.0, DType::F32);
    let (w, b) = (tensor(130, 2.0, DType::F32), tensor(130, 1.0, DType::F32));
    let image = x.reshape((10, 60, 130)).unwrap();
    let channels = tensor(60, 1.0, DType::F32);
    let run = || {
        let leaves: Vec<Var> =
            [&x, &w, &b, &channels].iter().map(|x| Var::from_tensor(x).unwrap()).collect();
        let outputs = [
            softmax(&leaves[0], 1).unwrap(),
            softmax(&leaves[0], 0).unwrap(),
            log_softmax(&leaves[0], 1).unwrap(),
            logsumexp(&leaves[0], 1).unwrap(),
            logsumexp(&leaves[0], 0).unwrap(),
            layer_norm(&leaves[0], Some(&leaves[1]), Some(&leaves[2]), 1e-5).unwrap(),
            group_norm(&image, 4, Some(&leaves[3]), None, 1e-5).unwrap(),
        ];
        let mut all: Vec<f64> = outputs.iter().flat_map(flat).collect();
        for y in &outputs {
            let grads = y.sqr().unwrap().backward().unwrap();
            all.extend(leaves.iter().filter_map(|v| grads.get(v)).flat_map(flat));
        }
        all
    };
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(3));
}

#[test]
fn wrong_arguments_of_the_normalisations() {
    let x = tensor((2, 4, 3), 1.0, DType::F64);
    let three = tensor(3, 1.0, DType::F64);
    for groups in [0, 3, 5] {
        let error = group_norm(&x, groups, None, None, 1e-5).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
    assert!(matches!(group_norm(&x, 2, Some(&three), None, 1e-5), Err(Error::Shape { .. })));
    assert!(matches!(instance_norm(&x, None, Some(&three), 1e-5), Err(Error::Shape { .. })));
    assert!(matches!(
        rms_norm(&x, Some(&tensor(4, 1.0, DType::F64)), 1e-5),
        Err(Error::Shape { .. })
    ));
    let single = tensor(3, 1.0, DType::F32);
    assert!(matches!(layer_norm(&x, Some(&single), None, 1e-5), Err(Error::DType { .. })));
    for eps in [-1e-5, f64::NAN] {
        assert!(matches!(rms_norm(&x, None, eps), Err(Error::InvalidArgument { .. })));
        assert!(matches!(group_norm(&x, 1, None, None, eps), Err(Error::InvalidArgument { .. })));
        assert!(matches!(instance_norm(&x, None, None, eps), Err(Error::InvalidArgument { .. })));
    }
    let line = tensor(3, 1.0, DType::F64);
    assert!(matches!(group_norm(&line, 1, None, None, 1e-5), Err(Error::InvalidArgument { .. })));
    assert!(matches!(instance_norm(&line, None, None, 1e-5), Err(Error::InvalidArgument { .. })));
    assert!(matches!(rms_norm(&tensor((), 1.0, DType::F64), None, 1e-5), Err(Error::Candle(_))));
    assert!(matches!(logsumexp(&x, 3), Err(Error::Candle(_))));
}
