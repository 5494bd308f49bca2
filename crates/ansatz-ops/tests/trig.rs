//! Cosine and sine transforms against SciPy and sums; spectral derivatives against closed forms.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::f64::consts::TAU;

use ansatz_ops::fft::{Norm, Type, dct, dst, idct, idst, spectral_derivative};
use ansatz_ops::{Error, GradCheck, gradcheck};
use candle_core::{DType, Device, Tensor};

/// `scipy.fft.dct` and `dst` of `[4, -3, 5, 1, 2.5]`, SciPy 1.
const SCIPY: [(bool, Type, Norm, [f64; 5]); 16] = [
    (false, Type::One, Norm::Backward, [12.5, -4.15685424949238, -3.5, 7.15685424949238, 20.5]),
    (
        false,
        Type::One,
        Norm::Ortho,
        [3.79809703885628, -1.2499999999999998, -0.28553390593273775, 2.75, 5.79809703885628],
    ),
    (
        false,
        Type::Two,
        Norm::Backward,
        [19.0, -1.849112469454325, 1.7532889043741062, 9.37180788723865, 17.253288904374102],
    ),
    (
        false,
        Type::Two,
        Norm::Ortho,
        [
            4.248529157249601,
            -0.5847407053294198,
            0.5544386334123332,
            2.9636258717204598,
            5.45596900667332,
        ],
    ),
    (
        false,
        Type::Three,
        Norm::Backward,
        [
            9.104486322438236,
            -8.564079461969357,
            -1.0000000000000009,
            2.293569630720935,
            18.166023508810184,
        ],
    ),
    (
        false,
        Type::Three,
        Norm::Ortho,
        [
            3.4030346884079803,
            -2.184256398316772,
            0.20771555191564217,
            1.2492337184594255,
            6.268544349532885,
        ],
    ),
    (
        false,
        Type::Four,
        Norm::Backward,
        [
            11.316688716176618,
            -5.126951588487929,
            7.778174593052023,
            12.4869581624913,
            14.202915185223556,
        ],
    ),
    (
        false,
        Type::Four,
        Norm::Ortho,
        [
            3.5786511914244903,
            -1.6212844473040162,
            2.459674775249769,
            3.948722884070343,
            4.491356139949869,
        ],
    ),
    (
        true,
        Type::One,
        Norm::Backward,
        [13.035898384862245, -4.330127018922193, 3.0, 9.526279441628825, 19.964101615137753],
    ),
    (
        true,
        Type::One,
        Norm::Ortho,
        [
            3.763139720814412,
            -1.2499999999999998,
            0.8660254037844386,
            2.7499999999999996,
            5.7631397208144115,
        ],
    ),
    (
        true,
        Type::Two,
        Norm::Backward,
        [10.781152949374524, -5.845096373483808, -0.7188470506254738, 7.555451567225243, 27.0],
    ),
    (
        true,
        Type::Two,
        Norm::Ortho,
        [
            3.4092999122665497,
            -1.848381768339906,
            -0.22731939692708658,
            2.3892435703520563,
            6.037383539249433,
        ],
    ),
    (
        true,
        Type::Three,
        Norm::Backward,
        [
            11.437707417584523,
            0.18039629639318555,
            0.4999999999999982,
            13.944215501104921,
            14.686904379913585,
        ],
    ),
    (
        true,
        Type::Three,
        Norm::Ortho,
        [
            3.94438523872477,
            -0.2704182559016717,
            0.48557845671621847,
            4.0820835430639715,
            4.971871535470786,
        ],
    ),
    (
        true,
        Type::Four,
        Norm::Backward,
        [
            12.319055285102465,
            0.008960215188721588,
            -3.5355339059327378,
            0.7010153543753946,
            20.192805007478846,
        ],
    ),
    (
        true,
        Type::Four,
        Norm::Ortho,
        [
            3.8956273322458737,
            0.002833468832159569,
            -1.118033988749895,
            0.221680519457633,
            6.385525617128654,
        ],
    ),
];
const TYPES: [Type; 4] = [Type::One, Type::Two, Type::Three, Type::Four];

fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values = (0..n).map(|i| (seed + 0.7 * i as f64 + 0.01 * (i * i % 97) as f64).sin());
    Tensor::from_vec(values.collect::<Vec<f64>>(), dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    flat(a).iter().zip(flat(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn equals_scipy_and_has_its_inverse() {
    let x = Tensor::new(&[4f64, -3., 5., 1., 2.5], &Device::Cpu).unwrap();
    for (sine, kind, norm, want) in SCIPY {
        let there = if sine { dst(&x, 0, kind, norm) } else { dct(&x, 0, kind, norm) }.unwrap();
        let want = Tensor::new(&want, &Device::Cpu).unwrap();
        assert!(distance(&there, &want) < 2e-14, "{sine} {kind:?} {norm:?}: {there} {want}");
    }
    for n in [1, 2, 3, 4, 7, 16, 33] {
        let x = ramp(&[n], 0.2);
        for kind in TYPES {
            for norm in [Norm::Backward, Norm::Ortho, Norm::Forward] {
                let y = dst(&x, 0, kind, norm).unwrap();
                let back = idst(&y, 0, kind, norm).unwrap();
                assert!(distance(&back, &x) < 1e-14, "sine {kind:?} {norm:?} {n}");
                if norm == Norm::Ortho {
                    let energy = |x: &Tensor| flat(x).iter().map(|x| x * x).sum::<f64>();
                    assert!((energy(&y) / energy(&x) - 1.0).abs() < 1e-13, "{kind:?} {n}");
                }
                if kind == Type::One && n == 1 {
                    continue;
                }
                let back = idct(&dct(&x, 0, kind, norm).unwrap(), 0, kind, norm).unwrap();
                assert!(distance(&back, &x) < 1e-14, "cosine {kind:?} {norm:?} {n}");
            }
        }
    }
}

#[test]
fn gradients_of_all_types_along_any_axis() {
    let options = GradCheck { absolute: 1e-6, ..GradCheck::default() };
    for kind in TYPES {
        for norm in [Norm::Backward, Norm::Ortho] {
            for (n, axis) in [(4, 0), (5, 1)] {
                let dims = if axis == 0 { [n, 2] } else { [2, n] };
                let x = [ramp(&dims, 0.4)];
                gradcheck(|v| dct(&v[0], axis, kind, norm), &x, &options).unwrap();
                gradcheck(|v| idct(&v[0], axis, kind, norm), &x, &options).unwrap();
                gradcheck(|v| dst(&v[0], axis, kind, norm), &x, &options).unwrap();
                gradcheck(|v| idst(&v[0], axis, kind, norm), &x, &options).unwrap();
            }
        }
    }
}

#[test]
fn other_dtypes_strides_and_threads() {
    let x = ramp(&[300, 40], 0.1);
    for kind in TYPES {
        let want = dct(&x, 0, kind, Norm::Ortho).unwrap();
        let transposed = dct(&x.t().unwrap(), 1, kind, Norm::Ortho).unwrap().t().unwrap();
        assert!(distance(&transposed, &want) < 1e-13);
        let single = dct(&x.to_dtype(DType::F32).unwrap(), 0, kind, Norm::Ortho).unwrap();
        assert!(distance(&single, &want) < 2e-5, "{kind:?}");
        // Products with the matrix, as on other devices.
        let half = dct(&x.to_dtype(DType::F16).unwrap(), 0, kind, Norm::Ortho).unwrap();
        assert!(distance(&half, &want) < 2e-2, "{kind:?}");
        let half = dst(&x.to_dtype(DType::BF16).unwrap(), 0, kind, Norm::Ortho).unwrap();
        assert!(distance(&half, &dst(&x, 0, kind, Norm::Ortho).unwrap()) < 0.15, "{kind:?}");
    }
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| flat(&dct(&x, 1, Type::Two, Norm::Ortho).unwrap()))
    };
    assert!(on(1) == on(2) && on(1) == on(3));
    let empty = Tensor::zeros((0, 3), DType::F64, &Device::Cpu).unwrap();
    assert_eq!(dct(&empty, 1, Type::Two, Norm::Ortho).unwrap().dims(), [0, 3]);
}

#[test]
fn derivatives_of_waves() {
    let length = 3.0;
    for n in [12, 13] {
        let points: Vec<f64> = (0..n).map(|j| f64::from(j) * length / f64::from(n)).collect();
        let x = Tensor::from_vec(points, n as usize, &Device::Cpu).unwrap();
        let (w, v) = (TAU / length, 3.0 * TAU / length);
        let (s, c) = ((&x * w).unwrap().sin().unwrap(), (&x * v).unwrap().cos().unwrap());
        let u = (&s + &c).unwrap();
        let (ds, dc) = ((&x * w).unwrap().cos().unwrap(), (&x * v).unwrap().sin().unwrap());
        let want = [
            u.clone(),
            ((&ds * w).unwrap() - (&dc * v).unwrap()).unwrap(),
            ((&s * -w.powi(2)).unwrap() - (&c * v.powi(2)).unwrap()).unwrap(),
            ((&ds * -w.powi(3)).unwrap() + (&dc * v.powi(3)).unwrap()).unwrap(),
            ((&s * w.powi(4)).unwrap() + (&c * v.powi(4)).unwrap()).unwrap(),
        ];
        for (order, want) in want.iter().enumerate() {
            let got = spectral_derivative(&u, 0, order as u32, length).unwrap();
            assert!(distance(&got, want) < 1e-14 * 12f64.powi(order as i32), "{n} {order}");
        }
    }
}

/// The mode that equals its negative: slope zero, curvature full.
#[test]
fn highest_mode() {
    let x = Tensor::new(&[1f64, -1., 1., -1.], &Device::Cpu).unwrap();
    assert_eq!(flat(&spectral_derivative(&x, 0, 1, 1.0).unwrap()), [0.0; 4]);
    let curvature = spectral_derivative(&x, 0, 2, TAU).unwrap();
    assert!(distance(&curvature, &(&x * -4.0).unwrap()) < 1e-14);
}

#[test]
fn gradients_of_derivatives() {
    let options = GradCheck { absolute: 1e-6, ..GradCheck::default() };
    for order in 0..4 {
        for (dims, axis) in [([2, 5], 1), ([6, 2], 0)] {
            let f = |v: &[Tensor]| spectral_derivative(&v[0], axis, order, TAU);
            gradcheck(f, &[ramp(&dims, 0.3)], &options).unwrap();
        }
    }
    // Products with a circulant matrix, as on other devices.
    let x = ramp(&[7], 0.1);
    let got = spectral_derivative(&x.to_dtype(DType::F16).unwrap(), 0, 3, TAU).unwrap();
    assert!(distance(&got, &spectral_derivative(&x, 0, 3, TAU).unwrap()) < 0.1);
}

#[test]
fn bad_input() {
    let x = ramp(&[1], 0.1);
    let invalid = |r: ansatz_ops::Result<Tensor>| {
        assert!(matches!(r.unwrap_err(), Error::InvalidArgument { .. }));
    };
    invalid(dct(&x, 0, Type::One, Norm::Backward));
    invalid(dst(&x.narrow(0, 0, 0).unwrap(), 0, Type::Two, Norm::Backward));
    invalid(spectral_derivative(&x, 0, 1, 0.0));
    invalid(spectral_derivative(&x.narrow(0, 0, 0).unwrap(), 0, 1, 1.0));
    assert!(matches!(dct(&x, 1, Type::Two, Norm::Backward).unwrap_err(), Error::Candle(_)));
}
