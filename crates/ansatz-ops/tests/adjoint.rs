//! Gradients of linear operations are their transposes: `⟨A x, y⟩ = ⟨x, Aᵀ y⟩` to rounding, with the
//! gradient as `Aᵀ`.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::fft::{
    Complex, Nodes, Norm, Type, chebder, chebyshev, chebyshev_derivative, dct, dst, fft,
    ichebyshev, idct, idst, ifft, irfft, rfft, spectral_derivative,
};
use ansatz_ops::{Result, spectral_conv, vjp};
use candle_core::{Device, Tensor};

const NORMS: [Norm; 3] = [Norm::Backward, Norm::Ortho, Norm::Forward];
const TYPES: [Type; 4] = [Type::One, Type::Two, Type::Three, Type::Four];
const TOLERANCE: f64 = 1e-12;

/// Without pattern: the sine of squares.
fn noise(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values = (0..n).map(|i| (seed + 1.3 * (i as f64 + seed).powi(2)).sin());
    Tensor::from_vec(values.collect::<Vec<f64>>(), dims, &Device::Cpu).unwrap()
}

fn dot(a: &[Tensor], b: &[Tensor]) -> f64 {
    assert_eq!(a.len(), b.len());
    let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let pair = |(a, b): (&Tensor, &Tensor)| -> f64 {
        assert_eq!(a.dims(), b.dims());
        flat(a).iter().zip(flat(b)).map(|(a, b)| a * b).sum()
    };
    a.iter().zip(b).map(pair).sum()
}

/// `|⟨A x, y⟩ − ⟨x, Aᵀ y⟩|` relative to `|A x| |y|`, for an `x` that the gradient was not taken at.
fn gap(
    map: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    transposed: Option<&dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>>,
    dims: &[&[usize]],
) -> f64 {
    let random = |seed: f64| -> Vec<Tensor> {
        dims.iter().enumerate().map(|(i, d)| noise(d, seed + i as f64)).collect()
    };
    let (x, elsewhere) = (random(0.3), random(5.7));
    let image = map(&x).unwrap();
    let y: Vec<Tensor> =
        image.iter().enumerate().map(|(i, t)| noise(t.dims(), 2.1 + i as f64)).collect();
    let back = match transposed {
        Some(transposed) => transposed(&y).unwrap(),
        None => vjp(&map, &elsewhere).unwrap().1.apply(&y).unwrap().inputs,
    };
    let size = (dot(&image, &image) * dot(&y, &y)).sqrt();
    (dot(&image, &y) - dot(&x, &back)).abs() / size
}

#[track_caller]
fn check(
    name: impl std::fmt::Debug,
    dims: &[&[usize]],
    map: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
) {
    let gap = gap(map, None, dims);
    assert!(gap < TOLERANCE, "{name:?} {dims:?}: {gap:e}");
}

fn parts(z: Complex) -> Vec<Tensor> {
    vec![z.re, z.im]
}

fn complex(v: &[Tensor]) -> Result<Complex> {
    Complex::new(v[0].clone(), v[1].clone())
}

const CASES: [(&[usize], &[usize]); 6] = [
    (&[17], &[0]),
    (&[64], &[0]),
    (&[6, 5], &[0]),
    (&[3, 8, 5], &[2, 1]),
    (&[4, 3, 10], &[0, 2]),
    (&[3, 4, 5], &[2, 0, 1]),
];

#[test]
fn fourier() {
    for (dims, axes) in CASES {
        for norm in NORMS {
            let both = [dims, dims];
            check(("fft", axes, norm), &both, |v| Ok(parts(fft(&complex(v)?, axes, norm)?)));
            check(("ifft", axes, norm), &both, |v| Ok(parts(ifft(&complex(v)?, axes, norm)?)));
            check(("rfft", axes, norm), &[dims], |v| Ok(parts(rfft(&v[0], axes, norm)?)));
            let last = *axes.last().unwrap();
            let n = dims[last];
            let mut half = dims.to_vec();
            half[last] = n / 2 + 1;
            check(("irfft", axes, norm), &[&half, &half], |v| {
                Ok(vec![irfft(&complex(v)?, n, axes, norm)?])
            });
        }
    }
}

#[test]
fn cosines_sines_and_chebyshev() {
    for (dims, axis) in [(&[17][..], 0), (&[64], 0), (&[5, 6], 0), (&[2, 9, 3], 1)] {
        for kind in TYPES {
            for norm in NORMS {
                let one = [dims];
                check(("dct", kind, norm), &one, |v| Ok(vec![dct(&v[0], axis, kind, norm)?]));
                check(("idct", kind, norm), &one, |v| Ok(vec![idct(&v[0], axis, kind, norm)?]));
                check(("dst", kind, norm), &one, |v| Ok(vec![dst(&v[0], axis, kind, norm)?]));
                check(("idst", kind, norm), &one, |v| Ok(vec![idst(&v[0], axis, kind, norm)?]));
            }
        }
        for nodes in [Nodes::Gauss, Nodes::Lobatto] {
            check(("chebyshev", nodes), &[dims], |v| Ok(vec![chebyshev(&v[0], axis, nodes)?]));
            check(("ichebyshev", nodes), &[dims], |v| Ok(vec![ichebyshev(&v[0], axis, nodes)?]));
            check(("chebyshev derivative", nodes), &[dims], |v| {
                Ok(vec![chebyshev_derivative(&v[0], axis, nodes, 2, (0.0, 3.0))?])
            });
        }
        for order in 0..4 {
            let slope = |v: &[Tensor]| Ok(vec![spectral_derivative(&v[0], axis, order, 3.0)?]);
            check(("derivative", order), &[dims], slope);
            let slope = |v: &[Tensor]| Ok(vec![chebder(&v[0], axis, order, (0.0, 3.0))?]);
            check(("chebder", order), &[dims], slope);
        }
    }
}

/// Linear in the input, and in the weights.
#[test]
fn spectral_convolution() {
    let cases: [(&[usize], &[usize], &[usize]); 6] = [
        (&[16], &[5], &[16]),
        (&[15], &[8], &[24]),
        (&[16], &[9], &[16]),
        (&[10, 12], &[6, 4], &[10, 12]),
        (&[8, 9], &[8, 5], &[12, 9]),
        (&[6, 4, 8], &[3, 4, 3], &[6, 6, 8]),
    ];
    for (from, modes, to) in cases {
        let x_dims = [&[2, 3], from].concat();
        let w_dims = [&[3, 4], modes].concat();
        let weight = Complex::new(noise(&w_dims, 0.2), noise(&w_dims, 0.9)).unwrap();
        check(("input", modes, to), &[&x_dims], |v| Ok(vec![spectral_conv(&v[0], &weight, to)?]));
        let x = noise(&x_dims, 0.4);
        check(("weights", modes, to), &[&w_dims, &w_dims], |v| {
            Ok(vec![spectral_conv(&x, &complex(v)?, to)?])
        });
    }
}

/// Inverses that are nearly transposes are found out: by a factor, by the weights of the modes that
/// occur once, by one sign.
#[test]
fn what_is_no_transpose_fails() {
    let norm = Norm::Backward;
    let forward = |v: &[Tensor]| Ok(parts(fft(&complex(v)?, 0, norm)?));
    let inverse = |v: &[Tensor]| Ok(parts(ifft(&complex(v)?, 0, norm)?));
    assert!(gap(forward, Some(&inverse), &[&[17], &[17]]) > 1e-3);
    let transpose = |v: &[Tensor]| Ok(parts(ifft(&complex(v)?, 0, Norm::Forward)?));
    assert!(gap(forward, Some(&transpose), &[&[17], &[17]]) < TOLERANCE);

    let forward = |v: &[Tensor]| Ok(parts(rfft(&v[0], 0, Norm::Ortho)?));
    let inverse = |v: &[Tensor]| Ok(vec![irfft(&complex(v)?, 16, 0, Norm::Ortho)?]);
    assert!(gap(forward, Some(&inverse), &[&[16]]) > 1e-3);

    let slope = |v: &[Tensor]| Ok(vec![spectral_derivative(&v[0], 0, 1, 1.0)?]);
    assert!(gap(slope, Some(&slope), &[&[16]]) > 1e-3);
}
