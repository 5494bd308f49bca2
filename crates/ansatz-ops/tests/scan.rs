//! Cumulative operations against loops, closed forms and central differences.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::{
    Error, GradCheck, Result, gradcheck,
    scan::{Direction, associative_scan, cumprod, cumsum, linear_recurrence, logcumsumexp},
};
use candle_core::{DType, Device, Tensor, Var};

const BOTH: [Direction; 2] = [Direction::Forward, Direction::Reverse];

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7 + phase).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// A scan by a plain loop over each sequence: `f(state, index)` returns the next state.
fn looped(
    dims: &[usize],
    dim: usize,
    direction: Direction,
    start: impl Fn(usize) -> f64,
    f: impl Fn(f64, usize) -> f64,
) -> Vec<f64> {
    let inner: usize = dims[dim + 1..].iter().product();
    let outer: usize = dims[..dim].iter().product();
    let n = dims[dim];
    let mut out = vec![f64::NAN; outer * n * inner];
    for o in 0..outer {
        for i in 0..inner {
            let mut state = start(o * inner + i);
            for t in 0..n {
                let t = if direction == Direction::Forward { t } else { n - 1 - t };
                let at = (o * n + t) * inner + i;
                state = f(state, at);
                out[at] = state;
            }
        }
    }
    out
}

#[track_caller]
fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (x, y)) in got.iter().zip(want).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "{i}: {x} against {y}");
    }
}

/// Shapes with every kind of strip: 32, 8 and 1 wide, and none.
const SHAPES: [&[usize]; 8] =
    [&[7], &[3, 5], &[2, 6, 45], &[1, 4, 32], &[5, 1, 9], &[0], &[2, 0, 3], &[2, 3, 0]];

#[test]
fn values_equal_loops_along_every_axis() {
    for dims in SHAPES {
        let (x, a, b) = (wave(dims, 0.0), wave(dims, 1.0), wave(dims, 2.0));
        let (xs, gates, inputs) = (flat(&x), flat(&a), flat(&b));
        for dim in 0..dims.len() {
            let mut state_dims = dims.to_vec();
            state_dims.remove(dim);
            let h0 = wave(&state_dims, 3.0);
            let starts = flat(&h0);
            for direction in BOTH {
                for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 2e-6)] {
                    let cast = |x: &Tensor| x.to_dtype(dtype).unwrap();
                    let got = flat(&cumsum(&cast(&x), dim, direction).unwrap());
                    let want = looped(dims, dim, direction, |_| 0.0, |s, i| s + xs[i]);
                    assert_close(&got, &want, tolerance);
                    let got = flat(&cumprod(&cast(&x), dim, direction).unwrap());
                    let want = looped(dims, dim, direction, |_| 1.0, |s, i| s * xs[i]);
                    assert_close(&got, &want, tolerance);
                    let got = flat(&logcumsumexp(&cast(&x), dim, direction).unwrap());
                    let want: Vec<f64> =
                        looped(dims, dim, direction, |_| 0.0, |s, i| s + xs[i].exp());
                    let want: Vec<f64> = want.iter().map(|s| s.ln()).collect();
                    assert_close(&got, &want, tolerance);
                    let h0 = cast(&h0);
                    let got =
                        linear_recurrence(&cast(&a), &cast(&b), Some(&h0), dim, direction).unwrap();
                    let step = |h: f64, i: usize| gates[i] * h + inputs[i];
                    let want = looped(dims, dim, direction, |k| starts[k], step);
                    assert_close(&flat(&got), &want, tolerance);
                }
            }
        }
    }
}

#[test]
fn strided_inputs() {
    let x = wave(&[4, 6], 0.5).t().unwrap().narrow(0, 1, 4).unwrap();
    let dense = x.contiguous().unwrap();
    for direction in BOTH {
        for dim in 0..2 {
            let pairs = [
                (cumsum(&x, dim, direction), cumsum(&dense, dim, direction)),
                (cumprod(&x, dim, direction), cumprod(&dense, dim, direction)),
                (logcumsumexp(&x, dim, direction), logcumsumexp(&dense, dim, direction)),
            ];
            for (a, b) in pairs {
                assert_eq!(flat(&a.unwrap()), flat(&b.unwrap()));
            }
        }
    }
    // One gate for all steps and channels, spread by strides of zero.
    let gate = Tensor::new(0.5f64, &Device::Cpu).unwrap().broadcast_as((4, 4)).unwrap();
    let h = linear_recurrence(&gate, &x, None, 0, Direction::Forward).unwrap();
    let xs = flat(&dense);
    assert_eq!(flat(&h), looped(&[4, 4], 0, Direction::Forward, |_| 0.0, |h, i| 0.5 * h + xs[i]));
}

#[test]
fn gradients_equal_central_differences() {
    let options = GradCheck::default();
    for dims in [&[5][..], &[2, 4, 3], &[2, 3, 9]] {
        let dim = dims.len() / 2;
        let x = wave(dims, 0.3);
        let mut state_dims = dims.to_vec();
        state_dims.remove(dim);
        for direction in BOTH {
            gradcheck(|v| cumsum(&v[0], dim, direction), std::slice::from_ref(&x), &options)
                .unwrap();
            gradcheck(|v| cumprod(&v[0], dim, direction), std::slice::from_ref(&x), &options)
                .unwrap();
            gradcheck(|v| logcumsumexp(&v[0], dim, direction), std::slice::from_ref(&x), &options)
                .unwrap();
            let inputs = [x.clone(), wave(dims, 1.3), wave(&state_dims, 2.0)];
            let f = |v: &[Tensor]| linear_recurrence(&v[0], &v[1], Some(&v[2]), dim, direction);
            gradcheck(f, &inputs, &options).unwrap();
            let f = |v: &[Tensor]| linear_recurrence(&v[0], &v[1], None, dim, direction);
            gradcheck(f, &inputs[..2], &options).unwrap();
        }
    }
}

/// No, one and two zeros: with one, its own gradient is the only one that later products see.
#[test]
fn gradient_of_a_product_with_zeros() {
    let rows = [[1.5f64, -0.5, 2.0, 0.7], [1.5, 0.0, 2.0, 0.7], [0.0, 3.0, 0.0, 0.7]];
    let x = Tensor::new(&rows, &Device::Cpu).unwrap();
    for direction in BOTH {
        gradcheck(
            |v| cumprod(&v[0], 1, direction),
            std::slice::from_ref(&x),
            &GradCheck::default(),
        )
        .unwrap();
    }
    // y = x₁ + x₁x₂ + x₁x₂x₃ at (0, 3, 0).
    let x = Var::new(&[0f64, 3.0, 0.0], &Device::Cpu).unwrap();
    let y = cumprod(&x, 0, Direction::Forward).unwrap().sum_all().unwrap();
    assert_eq!(flat(y.backward().unwrap().get(&x).unwrap()), [4.0, 0.0, 0.0]);
}

#[test]
fn log_cum_sum_exp_of_extreme_numbers() {
    let inf = f64::INFINITY;
    let ln2 = 2f64.ln();
    let run = |x: &[f64], direction| {
        let x = Var::new(x, &Device::Cpu).unwrap();
        let y = logcumsumexp(&x, 0, direction).unwrap();
        let grads = y.narrow(0, y.elem_count() - 1, 1).unwrap().sum_all().unwrap().backward();
        (flat(&y), flat(grads.unwrap().get(&x).unwrap()))
    };
    let (y, g) = run(&[-inf, -inf, -1000.0, -1000.0, 800.0, -inf], Direction::Forward);
    assert_eq!(y[..3], [-inf, -inf, -1000.0]);
    assert_close(&y[3..], &[-1000.0 + ln2, 800.0, 800.0], 1e-15);
    assert_eq!(g, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let (y, g) = run(&[1e6, 1e6], Direction::Forward);
    assert_close(&y, &[1e6, 1e6 + ln2], 1e-15);
    assert_close(&g, &[0.5, 0.5], 1e-9);
    assert_eq!(run(&[1e300, 1e300], Direction::Forward).0, [1e300, 1e300]);
    let (y, _) = run(&[3.0, inf, inf, 2.0], Direction::Forward);
    assert_eq!(y, [3.0, inf, inf, inf]);
    let (y, _) = run(&[3.0, f64::NAN, 2.0], Direction::Forward);
    assert!(y[0] == 3.0 && y[1].is_nan() && y[2].is_nan());
    let (y, _) = run(&[-inf, 5.0, -inf], Direction::Reverse);
    assert_eq!(y, [5.0, 5.0, -inf]);
}

/// A plain f32 sum of these numbers is wrong in the fourth digit at the end.
#[test]
fn long_f32_sums_are_rounded_once() {
    let n = 2_000_000;
    for dims in [vec![n], vec![n / 10, 10], vec![100, n / 100]] {
        let x = Tensor::full(0.1f32, n, &Device::Cpu).unwrap().reshape(dims.clone()).unwrap();
        for direction in BOTH {
            let got = flat(&cumsum(&x, dims.len() - 1, direction).unwrap());
            let exact = looped(&dims, dims.len() - 1, direction, |_| 0.0, |s, _| s + 0.1f32 as f64);
            let error = got.iter().zip(&exact).map(|(x, y)| (x / y - 1.0).abs());
            assert!(error.fold(0.0, f64::max) < 6.1e-8);
        }
    }
}

/// 1 − ε + …: partial sums of alternating numbers, where the error shows as absolute.
#[test]
fn a_long_sequence_in_chunks_equals_the_loop() {
    let x = wave(&[400_001], 0.2);
    let xs = flat(&x);
    for direction in BOTH {
        let want = looped(&[xs.len()], 0, direction, |_| 0.0, |s, i| s + xs[i]);
        assert_close(&flat(&cumsum(&x, 0, direction).unwrap()), &want, 1e-11);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (x, a) = (wave(&[3, 700, 61], 0.0), wave(&[3, 700, 61], 1.0));
    let long = wave(&[300_000], 0.0);
    let on = |threads: usize| -> Vec<Vec<f64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = || -> Result<Vec<Vec<f64>>> {
            let mut all = vec![flat(&cumsum(&long, 0, Direction::Reverse)?)];
            for dim in 0..3 {
                let (x, a) = (Var::from_tensor(&x)?, Var::from_tensor(&a)?);
                let h = linear_recurrence(&a, &x, None, dim, Direction::Forward)?;
                let l = logcumsumexp(&x, dim, Direction::Forward)?;
                let p = cumprod(&x, dim, Direction::Reverse)?;
                let s = cumsum(&x, dim, Direction::Forward)?;
                let loss = (h.sqr()? + ((l * p)? + s)?)?.sum_all()?;
                let grads = loss.backward()?;
                all.extend([flat(&h), flat(grads.get(&x).unwrap()), flat(grads.get(&a).unwrap())]);
            }
            Ok(all)
        };
        pool.install(run).unwrap()
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}

#[test]
fn recurrence_of_a_constant_is_a_geometric_series() {
    let n = 50;
    let one = Tensor::ones((1, n, 2), DType::F64, &Device::Cpu).unwrap();
    let gate = one.affine(0.9, 0.0).unwrap();
    let h = linear_recurrence(&gate, &one, None, 1, Direction::Forward).unwrap();
    let want: Vec<f64> = (0..2 * n).map(|i| 10.0 * (1.0 - 0.9f64.powi(i as i32 / 2 + 1))).collect();
    assert_close(&flat(&h), &want, 1e-14);
}

/// Large gates meet a state of zero: a product of gates would overflow and give NaN.
#[test]
fn large_gates_without_input_stay_zero() {
    let a = Tensor::full(1e30f32, (1, 64, 33), &Device::Cpu).unwrap();
    let b = a.zeros_like().unwrap();
    let h = linear_recurrence(&a, &b, None, 1, Direction::Forward).unwrap();
    assert!(flat(&h).iter().all(|&h| h == 0.0));
}

#[test]
fn half_precision_is_rounded_f32() {
    let x = wave(&[2, 300], 0.0);
    for dtype in [DType::F16, DType::BF16] {
        let half = Var::from_tensor(&x.to_dtype(dtype).unwrap()).unwrap();
        let single = Var::from_tensor(&half.to_dtype(DType::F32).unwrap()).unwrap();
        let f = |x: &Tensor| {
            let y = cumsum(x, 1, Direction::Forward)?;
            linear_recurrence(&x.affine(0.5, 0.0)?, &y, None, 1, Direction::Forward)
        };
        let y = cumsum(&half, 1, Direction::Forward).unwrap();
        assert_eq!(y.dtype(), dtype);
        let want = cumsum(&single, 1, Direction::Forward).unwrap().to_dtype(dtype).unwrap();
        assert_eq!(flat(&y), flat(&want));
        let grad =
            |x: &Var| flat(f(x).unwrap().sum_all().unwrap().backward().unwrap().get(x).unwrap());
        let scale = grad(&single).iter().fold(0f64, |m, g| m.max(g.abs()));
        let close =
            grad(&half).iter().zip(grad(&single)).all(|(a, b)| (a - b).abs() < 0.05 * scale);
        assert!(close);
    }
}

/// 2 × 2 matrices do not commute: the order of the factors shows.
#[test]
fn associative_scan_of_matrices() {
    for n in [0, 1, 2, 3, 4, 5, 8, 13] {
        let m = wave(&[n, 2, 2], 0.4);
        let op = |a: &[Tensor], b: &[Tensor]| Ok(vec![b[0].matmul(&a[0])?]);
        for direction in BOTH {
            let all = associative_scan(op, std::slice::from_ref(&m), 0, direction).unwrap();
            let mut product = Tensor::eye(2, DType::F64, &Device::Cpu).unwrap();
            for i in 0..n {
                let i = if direction == Direction::Forward { i } else { n - 1 - i };
                product = m.get(i).unwrap().matmul(&product).unwrap();
                assert_close(&flat(&all[0].get(i).unwrap()), &flat(&product), 1e-14);
            }
            if n == 5 {
                let f = |v: &[Tensor]| Ok(associative_scan(op, v, 0, direction)?.swap_remove(0));
                gradcheck(f, std::slice::from_ref(&m), &GradCheck::default()).unwrap();
            }
        }
    }
}

/// The number of calls of the operation grows as 2 log₂ n.
#[test]
fn associative_scan_is_shallow() {
    let calls = std::cell::Cell::new(0);
    let x = wave(&[1024], 0.0);
    let op = |a: &[Tensor], b: &[Tensor]| {
        calls.set(calls.get() + 1);
        Ok(vec![(&a[0] + &b[0])?])
    };
    associative_scan(op, &[x], 0, Direction::Forward).unwrap();
    assert!(calls.get() <= 20, "{}", calls.get());
}

#[test]
fn bad_input_is_an_error() {
    let x = wave(&[2, 3], 0.0);
    assert!(matches!(cumsum(&x, 2, Direction::Forward), Err(Error::Candle(_))));
    let whole = x.to_dtype(DType::U32).unwrap();
    for result in [
        cumsum(&whole, 0, Direction::Forward),
        cumprod(&whole, 0, Direction::Forward),
        logcumsumexp(&whole, 0, Direction::Forward),
        linear_recurrence(&whole, &whole, None, 0, Direction::Forward),
        linear_recurrence(&x, &x.to_dtype(DType::F32).unwrap(), None, 0, Direction::Forward),
    ] {
        assert!(matches!(result, Err(Error::DType { .. })), "{result:?}");
    }
    for result in [
        linear_recurrence(&x, &wave(&[2, 4], 0.0), None, 0, Direction::Forward),
        linear_recurrence(&x, &x, Some(&x), 0, Direction::Forward),
        linear_recurrence(&x, &x, Some(&wave(&[2], 0.0)), 0, Direction::Forward),
    ] {
        assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    }
    let single = wave(&[3], 0.0).to_dtype(DType::F32).unwrap();
    let result = linear_recurrence(&x, &x, Some(&single), 0, Direction::Forward);
    assert!(matches!(result, Err(Error::DType { .. })), "{result:?}");

    let identity = |a: &[Tensor], _: &[Tensor]| Ok(a.to_vec());
    let none = associative_scan(identity, &[], 0, Direction::Forward);
    assert!(matches!(none, Err(Error::Count { expected: 1, .. })));
    let uneven =
        associative_scan(identity, &[x.clone(), wave(&[3, 3], 0.0)], 0, Direction::Forward);
    assert!(matches!(uneven, Err(Error::Count { expected: 2, got: 3, .. })));
    let too_few = associative_scan(|_, _| Ok(Vec::new()), &[x], 0, Direction::Forward);
    assert!(matches!(too_few, Err(Error::Count { expected: 1, got: 0, .. })));
}
