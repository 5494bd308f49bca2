//! Softmax and log-sum-exp within segments.

use ansatz_ops::{Error, GradCheck, Segments, gradcheck, segment_logsumexp, segment_softmax};
use candle_core::{DType, Device, Tensor};

use super::{
    assert_close, assert_thread_independent, by_segment, flat, many, ramp, sorted, unsorted,
};

fn naive_softmax(x: &Tensor, segments: &Segments) -> Vec<f64> {
    let width = x.dims()[1..].iter().product::<usize>();
    let (values, ids) = (flat(x), segments.ids());
    let share = |i: usize, c: usize| {
        let same = (0..ids.len()).filter(|&j| ids[j] == ids[i]);
        let xi = values[i * width + c];
        1.0 / same.map(|j| (values[j * width + c] - xi).exp()).sum::<f64>()
    };
    (0..ids.len()).flat_map(|i| (0..width).map(move |c| (i, c))).map(|(i, c)| share(i, c)).collect()
}

fn naive_logsumexp(v: &[f64]) -> f64 {
    let max = v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() { max } else { max + v.iter().map(|x| (x - max).exp()).sum::<f64>().ln() }
}

#[test]
fn values_equal_loops() {
    for segments in [sorted(), unsorted()] {
        for dims in [&[12][..], &[12, 1], &[12, 8], &[12, 3, 7], &[12, 70], &[12, 0]] {
            for (dtype, tolerance) in [(DType::F64, 2e-15), (DType::F32, 5e-7)] {
                for scale in [1.0, 20.0, 200.0] {
                    let x = (ramp(dims, dtype) * scale).unwrap();
                    let y = segment_softmax(&x, &segments).unwrap();
                    assert_eq!((y.dims(), y.dtype()), (dims, dtype));
                    assert_close(&y, &naive_softmax(&x, &segments), tolerance);
                    let y = segment_logsumexp(&x, &segments).unwrap();
                    assert_close(&y, &by_segment(&x, &segments, naive_logsumexp), tolerance);
                }
            }
        }
    }
}

/// Relative accuracy of single weights from 1 to the smallest ones, against the library's `exp`.
#[test]
fn small_weights_are_accurate() {
    let n = 20_000;
    // Segments of two: 0 and −t, whose weight is 1 / (1 + eᵗ).
    let ids: Vec<u32> = (0..2 * n).map(|i| i / 2).collect();
    let segments =
        Segments::new(&Tensor::new(&ids[..], &Device::Cpu).unwrap(), n as usize).unwrap();
    for (dtype, range, tolerance) in [(DType::F64, 700.0, 1e-15), (DType::F32, 85.0, 4.5e-7)] {
        let t = |i: u32| -> f64 {
            let t = range * f64::from(i) / f64::from(n);
            if dtype == DType::F32 { f64::from(t as f32) } else { t }
        };
        let x: Vec<f64> = (0..n).flat_map(|i| [0.0, -t(i)]).collect();
        let x = Tensor::from_vec(x, 2 * n as usize, &Device::Cpu).unwrap();
        let y = flat(&segment_softmax(&x.to_dtype(dtype).unwrap(), &segments).unwrap());
        let errors = (0..n).map(|i| (y[2 * i as usize + 1] * (1.0 + t(i).exp()) - 1.0).abs());
        let worst = errors.fold(0.0, f64::max);
        println!("{dtype:?}: largest relative error {worst:e}");
        assert!(worst < tolerance, "{dtype:?}: {worst:e}");
    }
}

#[test]
fn gradients() {
    for segments in [sorted(), unsorted()] {
        for dims in [&[12][..], &[12, 9]] {
            let x = [ramp(dims, DType::F64)];
            gradcheck(|v| segment_softmax(&v[0], &segments), &x, &GradCheck::default()).unwrap();
            // Not the empty segment's −∞.
            let finite = |v: &[Tensor]| Ok(segment_logsumexp(&v[0], &segments)?.clamp(-1e3, 1e3)?);
            gradcheck(finite, &x, &GradCheck::default()).unwrap();
        }
    }
}

/// The gradient of the logarithm of the sum is the softmax, and that of the softmax is checked:
/// together they are the second order.
#[test]
fn the_gradient_of_one_is_the_other() {
    let x = candle_core::Var::from_tensor(&ramp(&[12, 4], DType::F64)).unwrap();
    let grads = segment_logsumexp(&x, &unsorted()).unwrap().backward().unwrap();
    let softmax = segment_softmax(&x, &unsorted()).unwrap();
    assert_close(grads.get(&x).unwrap(), &flat(&softmax), 1e-15);
}

#[test]
fn infinities() {
    let inf = f64::INFINITY;
    let segments = Segments::from_offsets(&[0, 2, 4, 4, 6, 8]).unwrap();
    let x = [-inf, 1.0, -inf, -inf, inf, 1.0, f64::NAN, 1.0];
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::new(&x, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let y = flat(&segment_logsumexp(&x, &segments).unwrap());
        assert_eq!(y[..4], [1.0, -inf, -inf, inf]);
        assert!(y[4].is_nan());
        let y = flat(&segment_softmax(&x, &segments).unwrap());
        assert_eq!(y[..2], [0.0, 1.0]);
        assert!(y[2].is_nan() && y[3].is_nan() && y[4].is_nan() && y[6].is_nan() && y[7].is_nan());
    }
}

#[test]
fn overflow_and_underflow() {
    let segments = Segments::from_offsets(&[0, 2]).unwrap();
    let x = Tensor::new(&[1e4f32, 1e4 - 200.0], &Device::Cpu).unwrap();
    assert_eq!(flat(&segment_softmax(&x, &segments).unwrap()), [1.0, 0.0]);
    assert_eq!(flat(&segment_logsumexp(&x, &segments).unwrap()), [1e4]);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let segments = many(20_000, 300);
    let x = ramp(&[20_000, 8], DType::F32);
    assert_thread_independent(|| segment_softmax(&x, &segments));
    assert_thread_independent(|| segment_logsumexp(&x, &segments));
}

#[test]
fn bad_shapes_and_empty_inputs() {
    let x = ramp(&[11, 2], DType::F32);
    assert!(matches!(segment_softmax(&x, &unsorted()), Err(Error::Shape { .. })));
    assert!(matches!(segment_logsumexp(&x, &unsorted()), Err(Error::Shape { .. })));
    let none = Segments::from_offsets(&[0, 0]).unwrap();
    let x = Tensor::zeros((0, 2), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(segment_softmax(&x, &none).unwrap().dims(), [0, 2]);
    assert_eq!(flat(&segment_logsumexp(&x, &none).unwrap()), [f64::NEG_INFINITY; 2]);
}
