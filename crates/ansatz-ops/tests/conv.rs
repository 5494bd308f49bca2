//! Convolution and padding against loops over the definition, and their algebra.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::{
    Conv, Error, GradCheck, Padding, Pool, avg_pool, conv, conv_transpose, gradcheck, max_pool,
    pad, upsample_linear, upsample_nearest,
};
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;

fn ramp(dims: &[usize], phase: f64) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.7 * i as f64 + phase).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn distance(a: &Tensor, b: &[f64]) -> f64 {
    let a = flat(a);
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn inner(a: &Tensor, b: &Tensor) -> f64 {
    (a * b).unwrap().sum_all().unwrap().to_scalar().unwrap()
}

const MODES: [Padding; 4] =
    [Padding::Zeros, Padding::Circular, Padding::Reflect, Padding::Replicate];

/// The point that stands at `i` outside of `0..n`, written down once more.
fn outside(mode: Padding, i: i64, n: i64) -> Option<i64> {
    if (0..n).contains(&i) {
        return Some(i);
    }
    match mode {
        Padding::Zeros => None,
        Padding::Circular => Some((i + 10 * n) % n),
        Padding::Reflect => Some(if i < 0 { -i } else { n - 1 - (i - (n - 1)) }),
        Padding::Replicate => Some(if i < 0 { 0 } else { n - 1 }),
    }
}

/// Two-dimensional convolution by its definition.
fn naive(x: &Tensor, kernel: &Tensor, o: &Conv<2>) -> Vec<f64> {
    let (batch, channels, h, w) = x.dims4().unwrap();
    let (outputs, per, kh, kw) = kernel.dims4().unwrap();
    let (xs, ks) = (flat(x), flat(kernel));
    let count = |n: usize, k: usize, a: usize| {
        (n + o.padding[a].0 + o.padding[a].1 - o.dilation[a] * (k - 1) - 1) / o.stride[a] + 1
    };
    let mut all = Vec::new();
    for b in 0..batch {
        for out in 0..outputs {
            for i in 0..count(h, kh, 0) {
                for j in 0..count(w, kw, 1) {
                    let mut sum = 0.0;
                    for c in 0..per {
                        let channel = out / (outputs / o.groups) * per + c;
                        for p in 0..kh {
                            for q in 0..kw {
                                let at = |i: usize, t: usize, a: usize, n: usize| {
                                    let i = (i * o.stride[a] + t * o.dilation[a]) as i64;
                                    outside(o.mode[a], i - o.padding[a].0 as i64, n as i64)
                                };
                                if let (Some(y), Some(z)) = (at(i, p, 0, h), at(j, q, 1, w)) {
                                    let x = ((b * channels + channel) * h + y as usize) * w;
                                    let k = ((out * per + c) * kh + p) * kw + q;
                                    sum += xs[x + z as usize] * ks[k];
                                }
                            }
                        }
                    }
                    all.push(sum);
                }
            }
        }
    }
    all
}

prop_compose! {
    fn options()(
        stride in [1usize..4, 1..4],
        dilation in [1usize..3, 1..3],
        padding in [(0usize..4, 0usize..4), (0..4, 0..4)],
        modes in [0usize..4, 0..4],
        groups in 1usize..4,
    ) -> Conv<2> {
        Conv { stride, dilation, padding, mode: modes.map(|m| MODES[m]), groups }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_definition_and_its_adjoint(
        o in options(),
        batch in 0usize..4,
        per in 1usize..4,
        out in 1usize..11,
        size in [5usize..12, 5..40],
        k in [1usize..4, 1..4],
    ) {
        let x = ramp(&[batch, per * o.groups, size[0], size[1]], 0.3);
        let kernel = ramp(&[out * o.groups, per, k[0], k[1]], 1.0);
        let y = conv(&x, &kernel, None, &o).unwrap();
        prop_assert!(distance(&y, &naive(&x, &kernel, &o)) < 1e-12);

        // ⟨conv x, v⟩ = ⟨x, conv_transpose v⟩.
        let v = ramp(y.dims(), 2.0);
        let extra = [0, 1].map(|a| {
            let padded = size[a] + o.padding[a].0 + o.padding[a].1;
            (padded - o.dilation[a] * (k[a] - 1) - 1) % o.stride[a]
        });
        let back = conv_transpose(&v, &kernel, None, &o, extra).unwrap();
        prop_assert_eq!(back.dims(), x.dims());
        let (a, b) = (inner(&y, &v), inner(&x, &back));
        prop_assert!((a - b).abs() < 1e-11 * (1.0 + a.abs()), "{} {}", a, b);

        // The gradient of a bilinear map: the gradient in the kernel, too, is an adjoint.
        let var = Var::from_tensor(&kernel).unwrap();
        let loss = (conv(&x, &var, None, &o).unwrap() * &v).unwrap().sum_all().unwrap();
        let store = loss.backward().unwrap();
        let c = inner(store.get(&var).unwrap(), &kernel);
        prop_assert!((a - c).abs() < 1e-11 * (1.0 + a.abs()), "{} {}", a, c);
    }

    #[test]
    fn padding_equals_the_definition(
        n in [4usize..7, 4..9],
        p in [(0usize..4, 0usize..4), (0..4, 0..4)],
        mode in 0usize..4,
        rows in 0usize..3,
    ) {
        let x = ramp(&[rows, n[0], n[1]], 0.0);
        let y = pad(&x, &p, MODES[mode]).unwrap();
        let m = [0, 1].map(|a| p[a].0 + n[a] + p[a].1);
        prop_assert_eq!(y.dims(), &[rows, m[0], m[1]]);
        let xs = flat(&x);
        let mut want = Vec::new();
        for r in 0..rows {
            for i in 0..m[0] {
                for j in 0..m[1] {
                    let at = |i: usize, a: usize| {
                        outside(MODES[mode], i as i64 - p[a].0 as i64, n[a] as i64)
                    };
                    want.push(match (at(i, 0), at(j, 1)) {
                        (Some(i), Some(j)) => xs[(r * n[0] + i as usize) * n[1] + j as usize],
                        _ => 0.0,
                    });
                }
            }
        }
        prop_assert_eq!(flat(&y), want);
    }
}

#[test]
fn gradients_in_one_to_three_dimensions() {
    let check = GradCheck::default();
    for (i, mode) in MODES.into_iter().enumerate() {
        let one = Conv::<1> {
            stride: [1 + i],
            dilation: [1 + i % 2],
            padding: [(2, 1)],
            mode: [mode],
            groups: 2,
        };
        let inputs = [ramp(&[3, 4, 7], 0.0), ramp(&[2, 2, 2], 1.0), ramp(&[2], 2.0)];
        gradcheck(|v| conv(&v[0], &v[1], Some(&v[2]), &one), &inputs, &check).unwrap();
        let inputs = [ramp(&[2, 2, 6], 0.0), ramp(&[2, 2, 3], 1.0), ramp(&[4], 2.0)];
        gradcheck(|v| conv_transpose(&v[0], &v[1], Some(&v[2]), &one, [i]), &inputs, &check)
            .unwrap();

        let two = Conv::<2>::default().with_stride(1 + i % 3).padded(1, mode);
        let inputs = [ramp(&[2, 2, 4, 5], 0.0), ramp(&[3, 2, 3, 2], 1.0), ramp(&[3], 2.0)];
        gradcheck(|v| conv(&v[0], &v[1], Some(&v[2]), &two), &inputs, &check).unwrap();

        let three = Conv::<3>::default().with_stride(1 + i % 2).padded(1, mode);
        let inputs = [ramp(&[1, 2, 2, 3, 3], 0.0), ramp(&[2, 2, 1, 2, 3], 1.0)];
        gradcheck(|v| conv(&v[0], &v[1], None, &three), &inputs, &check).unwrap();
        let inputs = [ramp(&[1, 2, 3, 3, 3], 0.0), ramp(&[2, 2, 2, 2, 3], 1.0)];
        gradcheck(|v| conv_transpose(&v[0], &v[1], None, &three, [0; 3]), &inputs, &check).unwrap();

        gradcheck(|v| pad(&v[0], &[(2, 1), (1, 2)], mode), &[ramp(&[2, 3, 3], 0.0)], &check)
            .unwrap();
    }
}

#[test]
fn gradients_of_pooling_and_interpolation() {
    let check = GradCheck::default();
    let x = [ramp(&[2, 3, 6, 5], 0.0)];
    let pool = Pool::<2>::new(3).with_stride(2).padded(1);
    gradcheck(|v| max_pool(&v[0], &pool), &x, &check).unwrap();
    gradcheck(|v| avg_pool(&v[0], &pool, true), &x, &check).unwrap();
    gradcheck(|v| avg_pool(&v[0], &pool, false), &x, &check).unwrap();
    gradcheck(|v| upsample_linear(&v[0], [4, 11], false), &x, &check).unwrap();
    // Used twice: candle's own overwrites the gradient here.
    let twice =
        |v: &[Tensor]| Ok((upsample_nearest(&v[0], [6, 10])?.narrow(3, 0, 5)? * v[0].sqr()?)?);
    gradcheck(twice, &x, &check).unwrap();
}

#[test]
fn pooling_ties_and_nan() {
    let x = Var::new(&[[1.0, 1.0, 0.0, f64::NAN, 2.0, 5.0]], &Device::Cpu).unwrap();
    let y = max_pool(&x, &Pool::<1>::new(2)).unwrap();
    let values = flat(&y);
    assert!(values[0] == 1.0 && values[1].is_nan() && values[2] == 5.0);
    let g = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(g.get(&x).unwrap()), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn circular_convolution_commutes_with_shifts() {
    let x = ramp(&[2, 3, 8, 9], 0.0);
    let kernel = ramp(&[4, 3, 3, 5], 1.0);
    let ring =
        Conv::<2> { padding: [(1, 1), (2, 2)], ..Conv::default().padded(0, Padding::Circular) };
    let shift = |x: &Tensor| x.roll(3, 2).unwrap().roll(-2, 3).unwrap();
    let a = conv(&shift(&x), &kernel, None, &ring).unwrap();
    let b = shift(&conv(&x, &kernel, None, &ring).unwrap());
    assert!(distance(&a, &flat(&b)) < 1e-12);
}

/// Large enough for several threads, in several pieces and in slabs of one image.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |dims: &[usize], kernel: &[usize], stride: usize, groups: usize| {
        let single = |x: Tensor| Var::from_tensor(&x.to_dtype(DType::F32).unwrap()).unwrap();
        let (x, k) = (single(ramp(dims, 0.0)), single(ramp(kernel, 1.0)));
        let bias = single(ramp(&kernel[..1], 2.0));
        let o = Conv::<2>::default().padded(1, Padding::Circular).with_stride(stride);
        let y = conv(&x, &k, Some(&bias), &o.with_groups(groups)).unwrap();
        let g = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        [&x, &k, &bias].map(|v| flat(g.get(v).unwrap()))
    };
    for (dims, kernel, stride, groups) in [
        ([5, 16, 40, 41], [16, 16, 3, 3], 1, 1),
        ([1, 4, 300, 120], [9, 4, 3, 3], 2, 1),
        ([3, 64, 48, 48], [64, 1, 3, 3], 1, 64),
        ([40, 8, 9, 7], [12, 8, 3, 3], 1, 1),
    ] {
        let on = |threads: usize| {
            let pool = rayon_pool(threads);
            pool.install(|| run(&dims, &kernel, stride, groups))
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3), "{dims:?}");

        // In slabs and pieces it is still the convolution.
        let (x, k) = (ramp(&dims, 0.0), ramp(&kernel, 1.0));
        let o = Conv::<2>::default()
            .padded(1, Padding::Circular)
            .with_stride(stride)
            .with_groups(groups);
        assert!(distance(&conv(&x, &k, None, &o).unwrap(), &naive(&x, &k, &o)) < 1e-11);
    }
}

fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn strided_and_empty_inputs() {
    let x = ramp(&[5, 6, 4, 2], 0.0);
    let turned = x.permute((3, 2, 1, 0)).unwrap();
    let kernel = ramp(&[3, 3, 4, 2], 1.0).permute((3, 2, 1, 0)).unwrap(); // [2, 4, 3, 3]
    let o = Conv::<2>::default().padded(1, Padding::Reflect);
    let y = conv(&turned, &kernel, None, &o).unwrap();
    let copied = conv(&turned.copy().unwrap(), &kernel.copy().unwrap(), None, &o).unwrap();
    assert_eq!(flat(&y), flat(&copied));
    assert!(distance(&y, &naive(&turned, &kernel, &o)) < 1e-12);

    let none = Var::from_tensor(&ramp(&[0, 4, 6, 5], 0.0)).unwrap();
    let k = Var::from_tensor(&kernel.contiguous().unwrap()).unwrap();
    let y = conv(&none, &k, None, &o).unwrap();
    assert_eq!(y.dims(), [0, 2, 6, 5]);
    let g = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(g.get(&k).unwrap()), vec![0.0; 72]);
    // A transposed convolution of which padding leaves nothing.
    let (one, k) = (ramp(&[1, 4, 1, 3], 0.0), ramp(&[4, 2, 2, 3], 0.0));
    let cut = Conv::<2>::default().padded(1, Padding::Zeros);
    assert_eq!(conv_transpose(&one, &k, None, &cut, [0, 0]).unwrap().dims(), [1, 2, 0, 3]);
    assert_eq!(max_pool(&none, &Pool::<2>::new(2)).unwrap().dims(), [0, 4, 3, 2]);
    assert_eq!(upsample_nearest(&none, [3, 3]).unwrap().dims(), [0, 4, 3, 3]);
    assert_eq!(pad(&none, &[(1, 1)], Padding::Circular).unwrap().dims(), [0, 4, 6, 7]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (x, k) = (ramp(&[1, 4, 5], 0.0), ramp(&[2, 4, 3], 0.0));
    let plain = Conv::<1>::default();
    let refused = |o: Conv<1>| conv(&x, &k, None, &o).unwrap_err();
    for o in [
        plain.with_stride(0),
        plain.with_dilation(0),
        plain.with_groups(0),
        plain.with_groups(3),
        plain.padded(6, Padding::Circular),
        plain.padded(5, Padding::Reflect),
    ] {
        assert!(matches!(refused(o), Error::InvalidArgument { .. }), "{o:?}");
    }
    assert!(matches!(refused(plain.with_groups(2)), Error::Shape { .. }));
    assert!(matches!(refused(plain.with_dilation(3)), Error::Shape { .. }));
    let flat_x = x.flatten_all().unwrap();
    assert!(matches!(conv(&flat_x, &k, None, &plain), Err(Error::Count { .. })));
    let single = k.to_dtype(DType::F32).unwrap();
    assert!(matches!(conv(&x, &single, None, &plain), Err(Error::DType { .. })));
    let bias = ramp(&[3], 0.0);
    assert!(matches!(conv(&x, &k, Some(&bias), &plain), Err(Error::Shape { .. })));
    assert!(matches!(conv_transpose(&x, &k, None, &plain, [0]), Err(Error::Shape { .. })));
    let k = ramp(&[4, 2, 3], 0.0);
    for (o, extra) in [(plain, 1), (plain.padded(4, Padding::Zeros), 0)] {
        assert!(matches!(
            conv_transpose(&x, &k, None, &o, [extra]),
            Err(Error::InvalidArgument { .. })
        ));
    }
    assert!(matches!(
        max_pool(&x, &Pool::<1>::new(2).padded(2)),
        Err(Error::InvalidArgument { .. })
    ));
    assert!(matches!(upsample_nearest(&x, [0]), Err(Error::InvalidArgument { .. })));
    assert!(matches!(pad(&x, &[(1, 1); 4], Padding::Zeros), Err(Error::Count { .. })));
}
