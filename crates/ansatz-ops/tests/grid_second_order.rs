//! Gradients of gradients, and of those, of the operations on grids and along axes: transforms,
//! convolutions, padding, pooling, scans, wavelets.
//!
//! A file of its own, with one test: candle keeps gradients on the graph only where a variable of
//! the environment says so before the first `backward` of a thread.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::fft::{
    Complex, Nodes, Norm, Type, chebder, chebyshev, chebyshev_derivative, dct, dst, fft,
    ichebyshev, ifft, irfft, rfft, spectral_derivative,
};
use ansatz_ops::scan::{
    Direction, associative_scan, cumprod, cumsum, linear_recurrence, logcumsumexp,
};
use ansatz_ops::wavelet::{Boundary, Wavelet, dwt, dwt2, idwt, idwt2};
use ansatz_ops::{
    Conv, Error, GradCheck, Padding, Pool, Result, adaptive_avg_pool, avg_pool, conv,
    conv_transpose, custom_vjp, gradcheck, max_pool, pad, spectral_conv, upsample_linear,
    upsample_nearest,
};
use candle_core::{Device, Tensor, Var};

fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| 0.6 * (seed + 1.7 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

type Map<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// All gradients of `Σ f³`, one after the other.
fn gradient(f: Map, v: &[Tensor]) -> Result<Tensor> {
    // Tracked also where differences are taken.
    let tracked = |x: &Tensor| -> Result<Tensor> {
        if x.track_op() { Ok(x.clone()) } else { Ok(Var::from_tensor(x)?.into_inner()) }
    };
    let v: Vec<Tensor> = v.iter().map(tracked).collect::<Result<_>>()?;
    let y = f(&v)?;
    let grads = (y.sqr()? * &y)?.sum_all()?.backward()?;
    let all = v.iter().map(|x| grads.get(x).unwrap().flatten_all());
    Ok(Tensor::cat(&all.collect::<candle_core::Result<Vec<_>>>()?, 0)?)
}

const OPTIONS: GradCheck = GradCheck { step: 6e-6, absolute: 1e-6, relative: 1e-6 };

/// The gradient as a function of the inputs against central differences, and its gradient.
#[track_caller]
fn check(name: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let first = |v: &[Tensor]| gradient(&f, v);
    gradcheck(first, inputs, &OPTIONS).unwrap_or_else(|e| panic!("{name}, second order: {e}"));
    let second = |v: &[Tensor]| gradient(&first, v);
    gradcheck(second, inputs, &OPTIONS).unwrap_or_else(|e| panic!("{name}, third order: {e}"));
}

fn stacked(z: &Complex) -> Result<Tensor> {
    Ok(Tensor::stack(&[&z.re, &z.im], 0)?)
}

fn complex(v: &[Tensor]) -> Result<Complex> {
    Complex::new(v[0].clone(), v[1].clone())
}

fn joined(all: &[Tensor]) -> Result<Tensor> {
    let flat: candle_core::Result<Vec<_>> = all.iter().map(Tensor::flatten_all).collect();
    Ok(Tensor::cat(&flat?, 0)?)
}

fn transforms() {
    let norm = Norm::Ortho;
    let (x, pair) = ([ramp(&[2, 5], 0.4)], [ramp(&[2, 3], 0.4), ramp(&[2, 3], 2.0)]);
    check("fft", &pair, |v| stacked(&fft(&complex(v)?, (0, 1), norm)?));
    check("ifft", &pair, |v| stacked(&ifft(&complex(v)?, 1, norm)?));
    check("rfft", &x, |v| stacked(&rfft(&v[0], (0, 1), norm)?));
    check("irfft", &pair, |v| irfft(&complex(v)?, 4, (0, 1), norm));
    for kind in [Type::One, Type::Two, Type::Three, Type::Four] {
        check("dct", &x, |v| dct(&v[0], 1, kind, norm));
        check("dst", &x, |v| dst(&v[0], 1, kind, norm));
    }
    check("derivative", &x, |v| spectral_derivative(&v[0], 1, 1, 6.0));
    check("chebyshev", &x, |v| chebyshev(&v[0], 1, Nodes::Gauss));
    check("ichebyshev", &x, |v| ichebyshev(&v[0], 1, Nodes::Lobatto));
    check("chebder", &x, |v| chebder(&v[0], 1, 1, (0.0, 16.0)));
    check("chebyshev derivative", &x, |v| {
        chebyshev_derivative(&v[0], 1, Nodes::Lobatto, 1, (0.0, 8.0))
    });
    let weights = [ramp(&[2, 1, 2], 0.9), ramp(&[2, 1, 2], 1.9)];
    let inputs = [&[ramp(&[2, 2, 5], 0.3)], &weights[..]].concat();
    check("spectral convolution", &inputs, |v| spectral_conv(&v[0], &complex(&v[1..])?, &[5]));
    let weights = [ramp(&[1, 2, 3, 2], 0.9), ramp(&[1, 2, 3, 2], 1.9)];
    let inputs = [&[ramp(&[1, 1, 4, 4], 0.3)], &weights[..]].concat();
    check("spectral convolution, 2-D, on another grid", &inputs, |v| {
        spectral_conv(&v[0], &complex(&v[1..])?, &[3, 6])
    });
}

fn convolutions() {
    for mode in [Padding::Zeros, Padding::Circular, Padding::Reflect, Padding::Replicate] {
        check("padding", &[ramp(&[3, 4], 0.2)], |v| pad(&v[0], &[(1, 2), (2, 1)], mode));
        let options = Conv::<1>::default().padded(1, mode).with_stride(2).with_groups(2);
        let (x, y) = (ramp(&[2, 2, 5], 0.1), ramp(&[2, 4, 3], 0.8));
        let (kernel, bias) = (ramp(&[4, 1, 3], 0.5), ramp(&[4], 1.0));
        check("convolution", &[x, kernel.clone(), bias], |v| {
            conv(&v[0], &v[1], Some(&v[2]), &options)
        });
        check("transposed convolution", &[y, kernel, ramp(&[2], 1.0)], |v| {
            conv_transpose(&v[0], &v[1], Some(&v[2]), &options, [0])
        });
    }
    let options = Conv::<2>::default().padded(1, Padding::Circular).with_dilation(2);
    let inputs = [ramp(&[1, 2, 4, 5], 0.1), ramp(&[1, 2, 2, 2], 0.5)];
    check("convolution, 2-D", &inputs, |v| conv(&v[0], &v[1], None, &options));

    let x = [ramp(&[2, 4, 6], 0.3)];
    check("max pool", &x, |v| max_pool(&v[0], &Pool::<2>::new(2)));
    check("mean pool", &x, |v| avg_pool(&v[0], &Pool::<2>::new(2), true));
    check("adaptive pool", &x, |v| adaptive_avg_pool(&v[0], [3, 4]));
    check("linear interpolation", &x, |v| upsample_linear(&v[0], [5, 4], false));
    check("nearest", &x, |v| upsample_nearest(&v[0], [5, 9]));
}

fn scans() {
    let x = ramp(&[2, 4, 2], 0.3);
    let inputs = [x.clone(), ramp(&[2, 4, 2], 1.1), ramp(&[2, 2], 2.2)];
    for direction in [Direction::Forward, Direction::Reverse] {
        let only = std::slice::from_ref(&x);
        check("cumsum", only, |v| cumsum(&v[0], 1, direction));
        check("cumprod", only, |v| cumprod(&(&v[0] * 1.5)?, 1, direction));
        check("logcumsumexp", only, |v| logcumsumexp(&v[0], 1, direction));
        check("recurrence", &inputs, |v| {
            linear_recurrence(&v[0], &v[1], Some(&v[2]), 1, direction)
        });
        check("recurrence from nothing", &inputs[..2], |v| {
            linear_recurrence(&v[0], &v[1], None, 1, direction)
        });
        check("associative scan", only, |v| {
            let product = |a: &[Tensor], b: &[Tensor]| Ok(vec![(&a[0] * &b[0])?]);
            Ok(associative_scan(product, &[v[0].clone()], 1, direction)?.remove(0))
        });
    }
    // Products of zeros have derivatives too.
    let zeros = Tensor::new(&[0.7f64, 0.0, -1.2, 0.0, 0.9], &Device::Cpu).unwrap();
    check("cumprod of zeros", &[zeros], |v| cumprod(&(&v[0] + 0.0)?, 0, Direction::Forward));
}

fn wavelets() {
    for boundary in [Boundary::Symmetric, Boundary::Zero, Boundary::Periodic] {
        let wavelet = Wavelet::Daubechies(2);
        let x = [ramp(&[2, 7], 0.3)];
        check("wavelets", &x, |v| {
            let bands = dwt(&v[0], 1, wavelet, boundary, 2)?;
            joined(&[&[bands.approximation], &bands.details[..]].concat())
        });
        let bands = dwt(&x[0], 1, wavelet, boundary, 1).unwrap();
        let inputs = [bands.approximation.clone(), bands.details[0].clone()];
        check("inverse", &inputs, |v| {
            let mut bands = bands.map_details(|_| Ok(v[1].clone()))?;
            bands.approximation = v[0].clone();
            idwt(&bands)
        });
        check("wavelets, 2-D and back", &[ramp(&[4, 5], 0.3)], |v| {
            let bands = dwt2(&v[0], (0, 1), wavelet, boundary, 1)?;
            idwt2(&bands.map_details(|d| Ok((d * d)?))?)
        });
    }
}

/// A gradient whose own gradient is missing is found.
fn first_order_only() {
    let square = |v: &[Tensor]| {
        let x = v[0].detach();
        custom_vjp(&[&v[0]], &x.sqr()?, move |g| Ok(vec![Some((g * (&x * 2.0)?)?)]))
    };
    let x = [ramp(&[3], 0.3)];
    gradcheck(square, &x, &OPTIONS).unwrap();
    let error = gradcheck(|v| gradient(&square, v), &x, &OPTIONS).unwrap_err();
    assert!(matches!(error, Error::GradientMismatch { .. }), "{error:?}");
}

#[test]
fn second_and_third_order() {
    // SAFETY: the only test of this program; no other thread reads the environment.
    #[allow(unsafe_code)]
    unsafe {
        std::env::set_var("CANDLE_GRAD_DO_NOT_DETACH", "1");
    }
    first_order_only();
    transforms();
    convolutions();
    scans();
    wavelets();
}
