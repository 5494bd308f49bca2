//! `linear_combination`, `weighted_rms`, `is_finite`: the fast path equals the composition.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{
    Error, check_like, combine_slices, is_finite, is_finite_slice, linear_combination,
    sum_of_squares, weighted_rms, weighted_rms_rows, weighted_rms_slices,
};
use candle_core::{DType, Device, Shape, Tensor, Var};

const CPU: &Device = &Device::Cpu;
/// Around the lengths of vectors and of the blocks that the kernels handle at a time.
const SIZES: [usize; 9] = [0, 1, 7, 16, 1023, 8191, 8192, 16_385, 40_001];

fn tensor(shape: impl Into<Shape>, seed: f64, dtype: DType) -> Tensor {
    let shape = shape.into();
    let values: Vec<f64> =
        (0..shape.elem_count()).map(|i| (0.37 * i as f64 + seed).sin()).collect();
    Tensor::from_vec(values, shape, CPU).unwrap().to_dtype(dtype).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// The definition, by candle operations.
fn composed(base: Option<&Tensor>, terms: &[(f64, &Tensor)]) -> Tensor {
    let mut sum = match base {
        Some(b) => b.detach(),
        None => terms[0].1.zeros_like().unwrap(),
    };
    for (c, x) in terms {
        sum = (sum + x.detach().affine(*c, 0.0).unwrap()).unwrap();
    }
    sum
}

/// The definition, by a loop over f64 values.
fn rms(error: &Tensor, a: &Tensor, b: &Tensor, rtol: f64, atol: f64) -> f64 {
    let (e, a, b) = (flat(error), flat(a), flat(b));
    let squares: Vec<f64> =
        (0..e.len()).map(|i| (e[i] / (atol + rtol * a[i].abs().max(b[i].abs()))).powi(2)).collect();
    (squares.iter().sum::<f64>() / e.len() as f64).sqrt()
}

#[track_caller]
fn assert_same(ours: &Tensor, want: &Tensor) {
    assert_eq!((ours.shape(), ours.dtype()), (want.shape(), want.dtype()));
    assert_eq!(flat(ours), flat(want)); // the same operations in the same order: the same bits
    assert!(!ours.track_op());
}

#[test]
fn combinations_equal_the_composition() {
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
        for n in SIZES {
            let xs: Vec<Tensor> = (0..4).map(|k| tensor(n, k as f64, dtype)).collect();
            let terms: Vec<(f64, &Tensor)> = [0.25, -1.7, 1e-3, 0.3, 2.0, -0.7, 0.11, 9.0, -0.4]
                .into_iter()
                .enumerate()
                .map(|(j, c)| (c, &xs[1 + j % 3]))
                .chain((0..7).map(|j| (0.1 * f64::from(j), &xs[2])))
                .collect();
            for base in [Some(&xs[0]), None] {
                // All kernels, and more terms than one pass takes.
                for count in if n > 8192 { vec![3, 16] } else { (1..=16).collect() } {
                    let ours = linear_combination(base, &terms[..count]).unwrap();
                    assert_same(&ours, &composed(base, &terms[..count]));
                }
            }
            assert_same(&linear_combination(Some(&xs[0]), &[]).unwrap(), &xs[0]);
        }
    }
}

#[test]
fn scalars_and_views() {
    for dtype in [DType::F32, DType::F64, DType::BF16] {
        let (a, b) = (tensor((), 0.3, dtype), tensor((), 1.3, dtype));
        assert_same(
            &linear_combination(Some(&a), &[(2.0, &b)]).unwrap(),
            &composed(Some(&a), &[(2.0, &b)]),
        );
        let (p, q) = (tensor((6, 4), 0.1, dtype), tensor((4, 6), 0.9, dtype));
        let views = [
            (p.clone(), q.t().unwrap()),
            (p.t().unwrap(), q.clone()),
            // Contiguous, at an offset.
            (p.narrow(0, 2, 3).unwrap(), p.narrow(0, 3, 3).unwrap()),
            (p.narrow(1, 1, 2).unwrap(), p.narrow(1, 2, 2).unwrap()),
            (p.get(0).unwrap().broadcast_as((6, 4)).unwrap(), p.clone()),
        ];
        for (x, y) in &views {
            for (base, terms) in [
                (Some(x), vec![(0.5, y)]),
                (Some(x), vec![(0.5, y), (3.0, x), (-1.0, y)]),
                (None, vec![(0.5, x), (0.1, y)]),
            ] {
                let ours = linear_combination(base, &terms).unwrap();
                assert_same(&ours, &composed(base, &terms));
            }
        }
    }
}

#[test]
fn slices_and_tensors_give_the_same_bits() {
    for n in SIZES {
        let xs: Vec<Tensor> = (0..4).map(|k| tensor(n, k as f64, DType::F64)).collect();
        let values: Vec<Vec<f64>> = xs.iter().map(flat).collect();
        for base in [Some(0), None] {
            for count in 1..=3 {
                let tensors: Vec<_> = (0..count).map(|j| (0.3 - j as f64, &xs[1 + j])).collect();
                let slices: Vec<_> =
                    (0..count).map(|j| (0.3 - j as f64, &values[1 + j][..])).collect();
                let mut out = vec![f64::NAN; n];
                combine_slices(&mut out, base.map(|b| &values[b][..]), &slices).unwrap();
                let want = linear_combination(base.map(|b| &xs[b]), &tensors).unwrap();
                assert_eq!(out, flat(&want));
            }
        }
        let rms = weighted_rms_slices(&values[0], &values[1], &values[2], 1e-3, 1e-4).unwrap();
        let want = weighted_rms(&xs[0], &xs[1], &xs[2], 1e-3, 1e-4).unwrap();
        assert_eq!(rms.to_bits(), want.to_bits());
        assert!(is_finite_slice(&values[0]));
    }
    let mut out = [7f32; 2];
    combine_slices(&mut out, None, &[]).unwrap();
    assert_eq!(out, [0.0; 2]);
    combine_slices(&mut out, Some(&[1.0, 2.0]), &[]).unwrap();
    assert_eq!(out, [1.0, 2.0]);
    for (base, term) in [([0f32; 2].as_slice(), [0f32; 3].as_slice()), (&[0.0], &[0.0; 2])] {
        let error = combine_slices(&mut out, Some(base), &[(1.0, term)]).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }), "{error:?}");
        assert_eq!(out, [1.0, 2.0]);
    }
    let error = weighted_rms_slices(&[1f32], &[1.0, 2.0], &[1.0], 1.0, 1.0).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error:?}");
    assert!(!is_finite_slice(&[1f32, f32::NAN]));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let n = 600_001;
    let [a, b, c] = [0.0, 1.0, 2.0].map(|s| tensor(n, s, DType::F32));
    let grid = a.narrow(0, 0, 600_000).unwrap().reshape((300, 2000)).unwrap();
    let run = || {
        let sum = linear_combination(Some(&a), &[(0.3, &b), (-2.0, &c)]).unwrap();
        let mut numbers = flat(&sum);
        numbers.push(weighted_rms(&a, &b, &c, 1e-3, 1e-3).unwrap());
        numbers.push(sum_of_squares(&a, 1.5).unwrap());
        numbers.extend(weighted_rms_rows(&grid, &grid, &grid, 1e-3, 1e-3).unwrap());
        assert!(is_finite(&a).unwrap());
        numbers
    };
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(3));
}

#[test]
fn rms_of_rows() {
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        for shape in [vec![5, 3], vec![1, 7], vec![3, 4, 2], vec![4], vec![2, 9000]] {
            let [e, a, b] = [0.0, 1.0, 2.0].map(|s| tensor(shape.clone(), s, dtype));
            let rows = weighted_rms_rows(&e, &a, &b, 1e-2, 1e-3).unwrap();
            assert_eq!(rows.len(), shape[0]);
            for (i, row) in rows.iter().enumerate() {
                let [e, a, b] = [&e, &a, &b].map(|x| x.get(i).unwrap());
                let want = rms(&e, &a, &b, 1e-2, 1e-3);
                assert!((row - want).abs() <= 1e-12 * want);
            }
        }
        let wide = tensor((3, 5), 0.0, dtype);
        let t = wide.t().unwrap();
        let rows = weighted_rms_rows(&t, &t, &t, 1e-2, 1e-3).unwrap();
        let want = weighted_rms_rows(&t.copy().unwrap(), &t, &t, 1e-2, 1e-3).unwrap();
        assert_eq!(rows, want);
        for (empty, want) in [(vec![0, 3], 0), (vec![3, 0], 3)] {
            let x = tensor(empty, 0.0, dtype);
            assert_eq!(weighted_rms_rows(&x, &x, &x, 1.0, 1.0).unwrap(), vec![0.0; want]);
        }
        let scalar = tensor((), 0.0, dtype);
        let error = weighted_rms_rows(&scalar, &scalar, &scalar, 1.0, 1.0).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
    // One row with a NaN leaves the others alone.
    let e = Tensor::new(&[[1.0, f64::NAN], [1.0, 1.0]], CPU).unwrap();
    let one = e.ones_like().unwrap();
    for (e, a, b) in [(&e, &one, &one), (&one, &e, &one), (&one, &one, &e)] {
        let rows = weighted_rms_rows(e, a, b, 1.0, 1.0).unwrap();
        assert!(rows[0].is_nan() && rows[1] == 0.5, "{rows:?}");
    }
}

#[test]
fn sums_of_squares() {
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        for n in SIZES {
            let x = tensor(n, 0.4, dtype);
            let want: f64 = flat(&x).iter().map(|x| (1.5 * x).powi(2)).sum();
            let got = sum_of_squares(&x, 1.5).unwrap();
            assert!((got - want).abs() <= 1e-12 * want, "{n} {dtype:?}: {got} {want}");
        }
        let x = tensor((4, 3), 0.4, dtype).t().unwrap().narrow(0, 1, 2).unwrap();
        let want: f64 = flat(&x).iter().map(|x| x.powi(2)).sum();
        assert!((sum_of_squares(&x, 1.0).unwrap() - want).abs() <= 1e-12 * want);
    }
    // In range thanks to the scale, or thanks to f64.
    let big = Tensor::new(&[3e200f64, 4e200], CPU).unwrap();
    assert!((sum_of_squares(&big, 1e-200).unwrap() - 25.0).abs() < 1e-10);
    let big = Tensor::new(&[3e38f32], CPU).unwrap();
    assert!((sum_of_squares(&big, 1.0).unwrap() / 9e76 - 1.0).abs() < 1e-6);
    assert!(sum_of_squares(&Tensor::new(f64::NAN, CPU).unwrap(), 1.0).unwrap().is_nan());
}

#[test]
fn the_result_is_a_value_of_its_own() {
    for dtype in [DType::F64, DType::BF16] {
        let x = Var::from_tensor(&tensor((3, 2), 0.0, dtype)).unwrap();
        let tracked = x.sin().unwrap();
        for base in [x.as_tensor(), &tracked, &x.t().unwrap().t().unwrap(), &x.t().unwrap()] {
            for terms in [vec![], vec![(2.0, base)]] {
                let ours = linear_combination(Some(base), &terms).unwrap();
                let want = flat(&ours);
                assert!(!ours.track_op());
                let before = x.detach().copy().unwrap();
                x.set(&tensor((3, 2), 5.0, dtype)).unwrap();
                assert_eq!(flat(&ours), want, "changed with the variable");
                x.set(&before).unwrap();
            }
        }
    }
}

#[test]
fn non_finite_coefficients_and_values_show() {
    let x = Tensor::new(&[1f64, f64::INFINITY], CPU).unwrap();
    let y = linear_combination(None, &[(0.0, &x), (1.0, &x)]).unwrap();
    let y: Vec<f64> = flat(&y);
    assert!(y[0] == 1.0 && y[1].is_nan());
}

#[test]
fn mismatches_are_errors() {
    let a = tensor(4, 0.0, DType::F64);
    let (shape, dtype) = (tensor((2, 2), 0.0, DType::F64), tensor(4, 0.0, DType::F32));
    assert!(matches!(linear_combination(None, &[]), Err(Error::Count { .. })));
    for (base, terms) in [(Some(&a), vec![]), (None, vec![(1.0, &a)])] {
        let with = |x| {
            let mut terms = terms.clone();
            terms.push((1.0, x));
            linear_combination(base, &terms)
        };
        assert!(matches!(with(&shape), Err(Error::Shape { .. })));
        assert!(matches!(
            with(&dtype),
            Err(Error::DType { expected: DType::F64, got: DType::F32, .. })
        ));
    }
    assert!(matches!(weighted_rms(&a, &shape, &a, 1.0, 1.0), Err(Error::Shape { .. })));
    assert!(matches!(weighted_rms(&a, &a, &dtype, 1.0, 1.0), Err(Error::DType { .. })));
    assert!(matches!(check_like("x", &a, &shape), Err(Error::Shape { .. })));
    assert!(matches!(check_like("x", &a, &dtype), Err(Error::DType { .. })));
    check_like("x", &a, &a.copy().unwrap()).unwrap();
}

#[test]
fn rms_equals_the_definition() {
    let (rtol, atol) = (1e-3, 1e-6);
    for n in SIZES {
        for (dtype, scale) in [(DType::F64, 1e-5), (DType::F32, 1e-3), (DType::BF16, 1e-2)] {
            let [e, a, b] = [0.0, 1.0, 2.0].map(|s| tensor(n, s, dtype));
            let e = (e * scale).unwrap();
            let ours = weighted_rms(&e, &a, &b, rtol, atol).unwrap();
            if n == 0 {
                assert_eq!(ours, 0.0);
                continue;
            }
            let want = rms(&e, &a, &b, rtol, atol);
            // Products of f32 numbers are formed in f64, so that f64 accuracy is kept.
            assert!((ours - want).abs() <= 1e-12 * want, "{n} {dtype:?}: {ours} {want}");
        }
    }
}

#[test]
fn rms_keeps_the_digits_of_f64() {
    // Differences of 1e-12 between two nearly equal results drown in f32.
    let e = Tensor::new(&[[1.0 + 1e-12f64, 1.0], [1.0, 1.0]], CPU).unwrap();
    let one = Tensor::ones((2, 2), DType::F64, CPU).unwrap();
    let plain = weighted_rms(&one, &one, &one, 0.0, 1.0).unwrap();
    assert_eq!(plain, 1.0);
    for x in [e.clone(), e.t().unwrap()] {
        let excess = weighted_rms(&x, &one, &one, 0.0, 1.0).unwrap() - 1.0;
        assert!((excess - 2.5e-13).abs() < 1e-15, "{excess:e}");
    }
}

#[test]
fn rms_of_views_and_scalars() {
    for dtype in [DType::F32, DType::F64, DType::BF16] {
        let (p, q) = (tensor((6, 4), 0.1, dtype), tensor((4, 6), 0.9, dtype));
        let (x, y, z) = (p.t().unwrap(), q.clone(), q.narrow(0, 0, 4).unwrap());
        let ours = weighted_rms(&x, &y, &z, 1e-2, 1e-3).unwrap();
        assert!((ours / rms(&x, &y, &z, 1e-2, 1e-3) - 1.0).abs() < 1e-12);
        let (x, y) = (p.narrow(0, 3, 2).unwrap(), p.narrow(0, 1, 2).unwrap());
        let ours = weighted_rms(&x, &y, &x, 1e-2, 1e-3).unwrap();
        assert!((ours / rms(&x, &y, &x, 1e-2, 1e-3) - 1.0).abs() < 1e-12);
        let s = tensor((), 0.4, dtype);
        let ours = weighted_rms(&s, &s, &s, 0.5, 0.25).unwrap();
        assert!((ours / rms(&s, &s, &s, 0.5, 0.25) - 1.0).abs() < 1e-12);
    }
    // Squares beyond the range of f32 do not overflow.
    let big = Tensor::new(&[1e25f32], CPU).unwrap().to_dtype(DType::BF16).unwrap();
    let one = big.ones_like().unwrap();
    let ours = weighted_rms(&big, &one, &one, 0.0, 1e-3).unwrap();
    assert!((ours / rms(&big, &one, &one, 0.0, 1e-3) - 1.0).abs() < 1e-12, "{ours:e}");
    // NaN is not hidden.
    let nan = Tensor::new(&[1.0, f64::NAN], CPU).unwrap();
    let one = nan.ones_like().unwrap();
    assert!(weighted_rms(&nan, &one, &one, 1e-3, 1e-3).unwrap().is_nan());
}

#[test]
fn finite_or_not() {
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
        for n in SIZES {
            let good = tensor(n, 0.0, dtype);
            assert!(is_finite(&good).unwrap());
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                for at in [0, n / 2, n.saturating_sub(1)] {
                    let mut values = flat(&good);
                    let Some(value) = values.get_mut(at) else { continue };
                    *value = bad;
                    let x = Tensor::from_vec(values, n, CPU).unwrap().to_dtype(dtype).unwrap();
                    assert!(!is_finite(&x).unwrap(), "{bad} at {at} of {n}, {dtype:?}");
                }
            }
        }
        // Only what the view shows counts.
        let mut values = flat(&tensor((4, 3), 0.0, dtype));
        values[1] = f64::NAN;
        let x = Tensor::from_vec(values, (4, 3), CPU).unwrap().to_dtype(dtype).unwrap();
        for (view, want) in [
            (x.clone(), false),
            (x.t().unwrap(), false),
            (x.narrow(0, 1, 3).unwrap(), true),
            (x.narrow(1, 1, 2).unwrap(), false),
            (x.narrow(1, 2, 1).unwrap(), true),
            (x.t().unwrap().narrow(0, 2, 1).unwrap(), true),
        ] {
            assert_eq!(is_finite(&view).unwrap(), want);
        }
        let scalar = Tensor::new(f64::NAN, CPU).unwrap().to_dtype(dtype).unwrap();
        assert!(!is_finite(&scalar).unwrap());
    }
    assert!(is_finite(&Tensor::new(&[1u32, 2], CPU).unwrap()).unwrap());
    // Large but finite: the sum would overflow, the elements do not.
    let large = Tensor::full(f32::MAX, (3, 2), CPU).unwrap().t().unwrap();
    assert!(!large.is_contiguous() && is_finite(&large).unwrap());
}
