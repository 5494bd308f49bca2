//! Sums, means, extrema and gathers.

use ansatz_ops::{
    Error, GradCheck, Result, Segments, gather_rows, gradcheck, segment_max, segment_mean,
    segment_min, segment_sum,
};
use candle_core::{DType, Device, Tensor, Var};

use super::{
    assert_close, assert_thread_independent, by_segment, flat, many, ramp, sorted, unsorted,
};

type Op = fn(&Tensor, &Segments) -> Result<Tensor>;
type Loop = fn(&[f64]) -> f64;

const OPS: [(Op, Loop); 4] = [
    (segment_sum, |v| v.iter().sum()),
    (segment_mean, |v| if v.is_empty() { 0.0 } else { v.iter().sum::<f64>() / v.len() as f64 }),
    (segment_max, |v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    (segment_min, |v| v.iter().copied().fold(f64::INFINITY, f64::min)),
];

#[test]
fn values_equal_loops() {
    for segments in [sorted(), unsorted()] {
        // Widths around the chunks of the kernels, and features of more than one axis.
        for dims in [&[12][..], &[12, 1], &[12, 3], &[12, 8], &[12, 5, 5], &[12, 90], &[12, 0]] {
            for (dtype, tolerance) in [(DType::F64, 1e-15), (DType::F32, 3e-7)] {
                let x = ramp(dims, dtype);
                for (op, expected) in OPS {
                    let y = op(&x, &segments).unwrap();
                    assert_eq!(y.dims()[1..], dims[1..]);
                    assert_eq!((y.dims()[0], y.dtype()), (7, dtype));
                    assert_close(&y, &by_segment(&x, &segments, expected), tolerance);
                }
            }
        }
    }
}

#[test]
fn strided_rows() {
    let x = ramp(&[9, 12], DType::F64).t().unwrap().narrow(1, 2, 5).unwrap();
    for (op, expected) in OPS {
        assert_close(&op(&x, &unsorted()).unwrap(), &by_segment(&x, &unsorted(), expected), 1e-15);
    }
    let y = ramp(&[5, 7], DType::F64).t().unwrap();
    let contiguous = y.contiguous().unwrap();
    let got = flat(&gather_rows(&y, &unsorted()).unwrap());
    assert_eq!(got, flat(&gather_rows(&contiguous, &unsorted()).unwrap()));
}

#[test]
fn gather_is_index_select() {
    for segments in [sorted(), unsorted()] {
        for dims in [&[7][..], &[7, 1], &[7, 11], &[7, 2, 40]] {
            let x = ramp(dims, DType::F32);
            let ids = Tensor::new(segments.ids(), &Device::Cpu).unwrap();
            let want = x.index_select(&ids, 0).unwrap();
            let got = gather_rows(&x, &segments).unwrap();
            assert_eq!((flat(&got), got.dims()), (flat(&want), want.dims()));
        }
    }
}

#[test]
fn gradients() {
    for segments in [sorted(), unsorted()] {
        for dims in [&[12, 3][..], &[12]] {
            for (op, _) in OPS {
                // ±∞ of the empty segment has no gradient and is cut off.
                let f = |v: &[Tensor]| Ok(op(&v[0], &segments)?.clamp(-1e3, 1e3)?);
                gradcheck(f, &[ramp(dims, DType::F64)], &GradCheck::default()).unwrap();
            }
        }
        let x = ramp(&[7, 3], DType::F64);
        gradcheck(|v| gather_rows(&v[0], &segments), &[x], &GradCheck::default()).unwrap();
    }
}

#[test]
fn empty_inputs() {
    let none = Segments::from_offsets(&[0, 0, 0]).unwrap();
    let x = Tensor::zeros((0, 4), DType::F32, &Device::Cpu).unwrap();
    let flat_of = |op: Op| flat(&op(&x, &none).unwrap());
    assert_eq!(flat_of(segment_sum), [0.0; 8]);
    assert_eq!(flat_of(segment_mean), [0.0; 8]);
    assert_eq!(flat_of(segment_max), [f64::NEG_INFINITY; 8]);
    assert_eq!(flat_of(segment_min), [f64::INFINITY; 8]);
    let y = Tensor::zeros((2, 4), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(gather_rows(&y, &none).unwrap().dims(), [0, 4]);
    let nothing = Segments::from_offsets(&[0]).unwrap();
    assert_eq!(segment_sum(&x, &nothing).unwrap().dims(), [0, 4]);
}

#[test]
fn one_segment_and_one_row() {
    let all = Segments::from_offsets(&[0, 5000]).unwrap();
    let x = ramp(&[5000, 2], DType::F64);
    assert_close(&segment_sum(&x, &all).unwrap(), &flat(&x.sum(0).unwrap()), 1e-11);
    let one = Segments::from_offsets(&[0, 1]).unwrap();
    let x = ramp(&[1, 3], DType::F64);
    for (op, _) in OPS {
        assert_eq!(flat(&op(&x, &one).unwrap()), flat(&x));
    }
}

/// Partial sums keep the error of a long f32 sum small: one by one it is 100 times larger.
#[test]
fn long_sums_keep_their_digits() {
    let n = 1_000_000;
    let all = Segments::from_offsets(&[0, n]).unwrap();
    let x = Tensor::full(0.1f32, n, &Device::Cpu).unwrap();
    let sum = segment_sum(&x, &all).unwrap().to_vec1::<f32>().unwrap()[0];
    let exact = f64::from(0.1f32) * n as f64;
    let relative = (f64::from(sum) / exact - 1.0).abs();
    assert!(relative < 2e-5, "{relative:e}");
    let one_by_one = (0..n).fold(0f32, |s, _| s + 0.1);
    assert!((f64::from(one_by_one) / exact - 1.0).abs() > 1e-3);
}

#[test]
fn the_first_of_equals_gets_the_gradient() {
    let x = Var::new(&[[1.0f64, 4.0], [3.0, 4.0], [3.0, 2.0], [9.0, 9.0]], &Device::Cpu).unwrap();
    let ids = Tensor::new(&[1u32, 1, 1, 0], &Device::Cpu).unwrap();
    let segments = Segments::new(&ids, 3).unwrap();
    let y = segment_max(&x, &segments).unwrap();
    assert_eq!(flat(&y), [9.0, 9.0, 3.0, 4.0, f64::NEG_INFINITY, f64::NEG_INFINITY]);
    let grads = y.backward().unwrap();
    let got = flat(grads.get(&x).unwrap());
    assert_eq!(got, [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let y = segment_min(&x, &segments).unwrap();
    assert_eq!(flat(&y)[..4], [9.0, 9.0, 1.0, 2.0]);
}

/// A bad cotangent of an empty segment (as of a logarithm of what replaced it) goes nowhere.
#[test]
fn empty_segments_have_clean_gradients() {
    let x = Var::new(&[2.0f64, 5.0], &Device::Cpu).unwrap();
    let segments = Segments::from_offsets(&[0, 2, 2]).unwrap();
    for op in [segment_max as Op, segment_min, segment_sum, segment_mean] {
        let y = op(&x, &segments).unwrap();
        let bad = Tensor::new(&[1.0, f64::NAN], &Device::Cpu).unwrap();
        let grads = (y * bad).unwrap().backward().unwrap();
        assert!(flat(grads.get(&x).unwrap()).iter().all(|g| g.is_finite()));
    }
}

#[test]
fn nan_propagates_within_its_segment() {
    let x = Tensor::new(&[1.0f32, f32::NAN, 7.0, 2.0, 3.0], &Device::Cpu).unwrap();
    let segments = Segments::from_offsets(&[0, 3, 5]).unwrap();
    for (op, expected) in OPS {
        let y = flat(&op(&x, &segments).unwrap());
        assert!(y[0].is_nan());
        assert_eq!(y[1], expected(&[2.0, 3.0]));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let segments = many(30_000, 500);
    let x = ramp(&[30_000, 9], DType::F32);
    for (op, _) in OPS {
        assert_thread_independent(|| op(&x, &segments));
    }
    let y = ramp(&[500, 9], DType::F32);
    assert_thread_independent(|| gather_rows(&y, &segments));
    // And the right ones.
    let want = by_segment(&x.narrow(1, 0, 1).unwrap(), &segments, |v| v.iter().sum());
    let got = segment_sum(&x.narrow(1, 0, 1).unwrap(), &segments).unwrap();
    assert_close(&got, &want, 1e-4);
}

#[test]
fn second_order() {
    // d/dx Σ (d/dx Σ s³)² with s the sums: gradients of gradients through both adjoints.
    let segments = unsorted();
    let x = ramp(&[12, 2], DType::F64);
    for op in [segment_sum as Op, segment_mean, segment_max] {
        let first = |v: &[Tensor]| -> Result<Tensor> {
            // The pullback by hand: what the op calls in `backward`, on tracked tensors.
            let y = op(&v[0], &segments)?.clamp(-1e3, 1e3)?;
            let cotangent = (y.sqr()? * 3.0)?;
            gather_rows(&cotangent, &segments)
        };
        gradcheck(first, std::slice::from_ref(&x), &GradCheck::default()).unwrap();
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let x = ramp(&[11, 2], DType::F32);
    for (op, _) in OPS {
        let error = op(&x, &unsorted()).unwrap_err();
        assert!(
            matches!(&error, Error::Shape { expected, .. } if expected.dims() == [12, 2]),
            "{error:?}"
        );
        let scalar = Tensor::new(1f32, &Device::Cpu).unwrap();
        assert!(matches!(op(&scalar, &unsorted()), Err(Error::Shape { .. })));
    }
    assert!(matches!(gather_rows(&x, &unsorted()), Err(Error::Shape { .. })));
}
