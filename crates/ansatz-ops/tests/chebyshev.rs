//! Chebyshev series against NumPy, closed forms and polynomials; spectral convergence; gradients.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::fft::{
    Nodes, chebder, chebyshev, chebyshev_derivative, chebyshev_points, ichebyshev,
};
use ansatz_ops::{Error, GradCheck, gradcheck};
use candle_core::{D, DType, Device, Tensor};

const BOTH: [Nodes; 2] = [Nodes::Gauss, Nodes::Lobatto];
const UNIT: (f64, f64) = (-1.0, 1.0);

fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values = (0..n).map(|i| (seed + 0.7 * i as f64 + 0.01 * (i * i % 97) as f64).sin());
    Tensor::from_vec(values.collect::<Vec<f64>>(), dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn points(n: usize, nodes: Nodes, interval: (f64, f64)) -> Tensor {
    chebyshev_points(n, nodes, interval, DType::F64, &Device::Cpu).unwrap()
}

/// `f` at the points.
fn sample(x: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    let values: Vec<f64> = flat(x).into_iter().map(f).collect();
    Tensor::from_vec(values, x.shape(), x.device()).unwrap()
}

/// Clenshaw's recurrence: independent of any transform.
fn evaluated(c: &[f64], x: f64) -> f64 {
    let (mut one, mut two) = (0.0, 0.0);
    for c in c.iter().skip(1).rev() {
        (one, two) = (2.0 * x * one - two + c, one);
    }
    x * one - two + c[0]
}

/// `chebfit` of NumPy 2 through the five values, degree 4, with the digits of a solve in 40 digits.
#[test]
fn equals_numpy() {
    let values = Tensor::new(&[4f64, -3., 5., 1., 2.5], &Device::Cpu).unwrap();
    let gauss =
        [1.9, -0.36982249389086486, 0.35065778087482125, 1.8743615774477296, 3.4506577808748213];
    let lobatto = [1.5625, -1.0392135623730951, -0.875, 1.7892135623730951, 2.5625];
    for (nodes, want) in [(Nodes::Gauss, gauss), (Nodes::Lobatto, lobatto)] {
        let got = flat(&chebyshev(&values, 0, nodes).unwrap());
        assert!(apart(&got, &want) < 2e-15, "{nodes:?}: {got:?}");
    }
    // `chebder`: whole numbers, so to the bit.
    let c = Tensor::new(&[4f64, -3., 5., 1., 2.5, -1.5, 0.75], &Device::Cpu).unwrap();
    let numpy: [&[f64]; 4] = [
        &[4., -3., 5., 1., 2.5, -1.5, 0.75],
        &[-7.5, 49., -9., 29., -15., 9.],
        &[181., -156., 264., -120., 90.],
        &[-516., 1776., -720., 720.],
    ];
    for (order, want) in numpy.iter().enumerate() {
        let want = [want, &[0.0; 3][..order]].concat();
        let single = c.to_dtype(DType::F32).unwrap();
        assert_eq!(flat(&chebder(&c, 0, order as u32, UNIT).unwrap()), want);
        assert_eq!(flat(&chebder(&single, 0, order as u32, UNIT).unwrap()), want);
        // On another interval by the chain rule.
        let want: Vec<f64> = want.iter().map(|w| w * 4f64.powi(order as i32)).collect();
        assert_eq!(flat(&chebder(&c, 0, order as u32, (2.0, 2.5)).unwrap()), want);
    }
    assert_eq!(flat(&chebder(&c, 0, u32::MAX, UNIT).unwrap()), [0.0; 7]);
}

#[test]
fn points_of_both_kinds() {
    for n in [2, 3, 8, 9, 100, 101] {
        for (nodes, nth) in [
            (Nodes::Gauss, &(|j: usize| (j as f64 + 0.5) / n as f64) as &dyn Fn(usize) -> f64),
            (Nodes::Lobatto, &|j| j as f64 / (n - 1) as f64),
        ] {
            let x = flat(&points(n, nodes, UNIT));
            let want: Vec<f64> = (0..n).map(|j| (std::f64::consts::PI * nth(j)).cos()).collect();
            assert!(apart(&x, &want) < 5e-16, "{nodes:?} {n}");
            assert!(x.windows(2).all(|pair| pair[0] > pair[1]), "{nodes:?} {n}");
            let mirrored: Vec<f64> = x.iter().rev().map(|x| -x).collect();
            assert_eq!(x, mirrored, "{nodes:?} {n}");
        }
        let ends = flat(&points(n, Nodes::Lobatto, (0.1, 0.7)));
        assert_eq!([ends[0], ends[n - 1]], [0.7, 0.1]);
    }
    assert_eq!(flat(&points(1, Nodes::Gauss, (1.0, 3.0))), [2.0]);
    let single = chebyshev_points(4, Nodes::Gauss, UNIT, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(single.dtype(), DType::F32);
}

/// The modified Bessel functions of exp, and the geometric series of Runge's function.
#[test]
fn coefficients_of_known_functions() {
    let bessel = [
        1.2660658777520084,
        1.13031820798497,
        0.27149533953407656,
        0.044336849848663804,
        0.005474240442093732,
        0.0005429263119139438,
        4.497732295429515e-05,
        3.1984364624019905e-06,
        1.9921248066727958e-07,
        1.1036771725517344e-08,
        5.505896079673747e-10,
        2.4979566169849825e-11,
    ];
    let rho = (1.0 + 26f64.sqrt()) / 5.0;
    for nodes in BOTH {
        for n in [20, 33] {
            let got = flat(&chebyshev(&points(n, nodes, UNIT).exp().unwrap(), 0, nodes).unwrap());
            assert!(apart(&got[..12], &bessel) < 1e-15, "{nodes:?} {n}: {got:?}");
        }
        let n = 401;
        let f = sample(&points(n, nodes, UNIT), |x| 1.0 / (1.0 + 25.0 * x * x));
        let got = flat(&chebyshev(&f, 0, nodes).unwrap());
        let want = |k: usize| match k {
            _ if k % 2 == 1 => 0.0,
            0 => 26f64.sqrt().recip(),
            _ => {
                2.0 / 26f64.sqrt()
                    * (if k.is_multiple_of(4) { 1.0 } else { -1.0 })
                    * rho.powi(-(k as i32))
            }
        };
        let want: Vec<f64> = (0..n).map(want).collect();
        assert!(apart(&got, &want) < 1e-15, "{nodes:?}: {}", apart(&got, &want));
    }
}

#[test]
fn polynomials_are_exact_and_transforms_have_inverses() {
    let degree = |x: f64| 3.0 - 2.0 * x + 0.5 * x.powi(3) - x.powi(6);
    let slope = |x: f64| -2.0 + 1.5 * x.powi(2) - 6.0 * x.powi(5);
    let third = |x: f64| 3.0 - 120.0 * x.powi(3);
    for nodes in BOTH {
        for n in [7, 8, 13] {
            let interval = (-0.5, 1.25);
            let x = points(n, nodes, interval);
            let f = sample(&x, degree);
            for (order, want, tolerance) in
                [(0, &degree as &dyn Fn(f64) -> f64, 1e-14), (1, &slope, 1e-12), (3, &third, 2e-9)]
            {
                let got = chebyshev_derivative(&f, 0, nodes, order, interval).unwrap();
                let error = apart(&flat(&got), &flat(&sample(&x, want)));
                assert!(error < tolerance, "{nodes:?} {n} {order}: {error:e}");
            }
            // An interval from right to left is the same with its points in the other order.
            let back = points(n, nodes, (1.25, -0.5));
            let got = chebyshev_derivative(&sample(&back, degree), 0, nodes, 1, (1.25, -0.5));
            let want = flat(&sample(&back, slope));
            assert!(apart(&flat(&got.unwrap()), &want) < 1e-12, "{nodes:?} {n}");
        }
        for n in [1, 2, 3, 4, 16, 33, 1000] {
            if n == 1 && nodes == Nodes::Lobatto {
                continue;
            }
            let x = ramp(&[n], 0.2);
            let c = chebyshev(&x, 0, nodes).unwrap();
            let back = flat(&ichebyshev(&c, 0, nodes).unwrap());
            assert!(apart(&back, &flat(&x)) < 5e-15, "{nodes:?} {n}");
            if n <= 33 {
                let at = flat(&points(n, nodes, UNIT));
                let sums: Vec<f64> = at.iter().map(|x| evaluated(&flat(&c), *x)).collect();
                assert!(apart(&sums, &flat(&x)) < 1e-13, "{nodes:?} {n}");
            }
        }
    }
}

/// The error of the slope of Runge's function falls like n ρ⁻ⁿ, ρ = (1 + √26)/5 for poles at ±i/5;
/// that of exp, which has none, at once to rounding.
#[test]
fn derivatives_converge_spectrally() {
    let runge = |x: f64| 1.0 / (1.0 + 25.0 * x * x);
    let slope = |x: f64| -50.0 * x / (1.0 + 25.0 * x * x).powi(2);
    let rho = (1.0 + 26f64.sqrt()) / 5.0;
    for nodes in BOTH {
        let error = |n: usize| {
            let x = points(n, nodes, UNIT);
            let got = chebyshev_derivative(&sample(&x, runge), 0, nodes, 1, UNIT).unwrap();
            apart(&flat(&got), &flat(&sample(&x, slope)))
        };
        for n in [40, 80, 160] {
            let constant = error(n) * rho.powi(n as i32) / n as f64;
            assert!((1.0..10.0).contains(&constant), "{nodes:?} {n}: {constant}");
        }
        for (n, slope, curvature) in [(16, 2e-13, 2e-11), (64, 2e-12, 2e-9)] {
            let x = points(n, nodes, UNIT).exp().unwrap();
            for (order, tolerance) in [(1, slope), (2, curvature)] {
                let got = chebyshev_derivative(&x, 0, nodes, order, UNIT).unwrap();
                let error = apart(&flat(&got), &flat(&x));
                assert!(error < tolerance, "{nodes:?} {n} {order}: {error:e}");
            }
        }
    }
}

#[test]
fn gradients_along_any_axis() {
    let options = GradCheck { absolute: 1e-6, ..GradCheck::default() };
    for nodes in BOTH {
        for (dims, axis) in [(&[5, 2][..], 0), (&[2, 4], 1), (&[2, 3, 2], 1)] {
            let x = [ramp(dims, 0.4)];
            gradcheck(|v| chebyshev(&v[0], axis, nodes), &x, &options).unwrap();
            gradcheck(|v| ichebyshev(&v[0], axis, nodes), &x, &options).unwrap();
            for order in 1..4 {
                let f = |v: &[Tensor]| chebder(&v[0], axis, order, (0.0, 1.5));
                gradcheck(f, &x, &options).unwrap();
                let f = |v: &[Tensor]| chebyshev_derivative(&v[0], axis, nodes, order, (-1.0, 2.0));
                gradcheck(f, &x, &options).unwrap();
            }
        }
    }
}

#[test]
fn other_dtypes_strides_and_threads() {
    let x = ramp(&[300, 40], 0.1);
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    for nodes in BOTH {
        let want = chebyshev(&x, 0, nodes).unwrap();
        let transposed = chebyshev(&x.t().unwrap(), D::Minus1, nodes).unwrap().t().unwrap();
        assert_eq!(flat(&transposed), flat(&want));
        let single = chebyshev(&x.to_dtype(DType::F32).unwrap(), 0, nodes).unwrap();
        let difference = flat(&(single.to_dtype(DType::F64).unwrap() - &want).unwrap());
        let relative = norm(&difference) / norm(&flat(&want));
        assert!(relative < 2e-7 && relative > 1e-9, "{nodes:?}: {relative:e}");
        // Products with matrices, as on other devices.
        let few = x.narrow(0, 0, 9).unwrap();
        let half = few.to_dtype(DType::F16).unwrap();
        let (interval, order) = ((0.0, 8.0), 1);
        let got = chebyshev_derivative(&half, 0, nodes, order, interval).unwrap();
        assert_eq!(got.dtype(), DType::F16);
        let want = chebyshev_derivative(&few, 0, nodes, order, interval).unwrap();
        assert!(apart(&flat(&got), &flat(&want)) < 0.05, "{nodes:?}");
    }
    // f32 at 24 points: the slope of a smooth function to 3e-4.
    let x = points(24, Nodes::Lobatto, UNIT);
    let single = x.exp().unwrap().to_dtype(DType::F32).unwrap();
    let got = chebyshev_derivative(&single, 0, Nodes::Lobatto, 1, UNIT).unwrap();
    let error = apart(&flat(&got), &flat(&x.exp().unwrap()));
    assert!(error < 3e-4 && error > 1e-9, "{error:e}");

    let x = ramp(&[300, 40], 0.1);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = |axis| chebyshev_derivative(&x, axis, Nodes::Lobatto, 1, UNIT).unwrap();
        pool.install(|| [flat(&run(0)), flat(&run(1)), flat(&chebder(&x, 0, 2, UNIT).unwrap())])
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
    let empty = Tensor::zeros((0, 3), DType::F64, &Device::Cpu).unwrap();
    assert_eq!(chebyshev_derivative(&empty, 1, Nodes::Gauss, 1, UNIT).unwrap().dims(), [0, 3]);
}

#[test]
fn bad_input() {
    let x = ramp(&[3], 0.1);
    let none = x.narrow(0, 0, 0).unwrap();
    let one = x.narrow(0, 0, 1).unwrap();
    let invalid = |r: ansatz_ops::Result<Tensor>| {
        let error = r.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    };
    for nodes in BOTH {
        invalid(chebyshev(&none, 0, nodes));
        invalid(ichebyshev(&none, 0, nodes));
        for interval in [(1.0, 1.0), (0.0, f64::INFINITY), (f64::NAN, 1.0)] {
            invalid(chebyshev_derivative(&x, 0, nodes, 1, interval));
            invalid(chebyshev_points(3, nodes, interval, DType::F64, &Device::Cpu));
        }
        invalid(chebyshev_points(0, nodes, UNIT, DType::F64, &Device::Cpu));
        let error = chebyshev(&x, 1, nodes).unwrap_err();
        assert!(matches!(error, Error::Candle(_)), "{error:?}");
    }
    invalid(chebyshev(&one, 0, Nodes::Lobatto));
    invalid(chebyshev_points(1, Nodes::Lobatto, UNIT, DType::F64, &Device::Cpu));
    invalid(chebder(&none, 0, 1, UNIT));
    invalid(chebder(&x, 0, 1, (2.0, 2.0)));
}
