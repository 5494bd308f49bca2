//! Fourier transforms against sums written out, against each other, and their gradients.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::f64::consts::TAU;

use ansatz_ops::fft::{
    Complex, Norm, fft, fftfreq, fftshift, ifft, ifftshift, irfft, rfft, rfftfreq,
};
use ansatz_ops::{Error, GradCheck, gradcheck};
use candle_core::{D, DType, Device, Tensor, Var};

fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values = (0..n).map(|i| (seed + 0.7 * i as f64 + 0.01 * (i * i % 97) as f64).sin());
    Tensor::from_vec(values.collect::<Vec<f64>>(), dims, &Device::Cpu).unwrap()
}

fn complex(dims: &[usize]) -> Complex {
    Complex::new(ramp(dims, 0.1), ramp(dims, 2.3)).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    flat(a).iter().zip(flat(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The definition, one mode at a time.
fn sums(z: &Complex, axes: &[usize], sign: f64) -> Complex {
    let dims = z.dims();
    let index = |mut flat: usize| {
        let mut index = vec![0; dims.len()];
        for (i, n) in index.iter_mut().zip(dims).rev() {
            (*i, flat) = (flat % n, flat / n);
        }
        index
    };
    let (re, im) = (flat(&z.re), flat(&z.im));
    let (mut out_re, mut out_im) = (vec![0.0; re.len()], vec![0.0; re.len()]);
    for k in 0..re.len() {
        let mode = index(k);
        for j in 0..re.len() {
            let point = index(j);
            if (0..dims.len()).any(|a| !axes.contains(&a) && point[a] != mode[a]) {
                continue;
            }
            let turns: f64 = axes
                .iter()
                .map(|&a| ((point[a] * mode[a]) % dims[a]) as f64 / dims[a] as f64)
                .sum();
            let (sin, cos) = (sign * TAU * turns).sin_cos();
            out_re[k] += re[j] * cos - im[j] * sin;
            out_im[k] += re[j] * sin + im[j] * cos;
        }
    }
    let tensor = |v| Tensor::from_vec(v, dims, &Device::Cpu).unwrap();
    Complex::new(tensor(out_re), tensor(out_im)).unwrap()
}

#[test]
fn equals_the_sums_of_the_definition() {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[1], &[0]),
        (&[13], &[0]),
        (&[4, 6], &[0]),
        (&[3, 2, 20], &[1]),
        (&[3, 4, 5], &[2, 0]),
        (&[3, 4, 5], &[0, 1, 2]),
        (&[2, 3, 2, 5], &[1, 2, 3]),
    ];
    for (dims, axes) in cases {
        let z = complex(dims);
        let n: usize = axes.iter().map(|&a| dims[a]).product();
        for (norm, factor) in [
            (Norm::Backward, 1.0),
            (Norm::Ortho, (n as f64).powf(-0.5)),
            (Norm::Forward, 1.0 / n as f64),
        ] {
            let want = sums(&z, axes, -1.0).scale(factor).unwrap();
            let got = fft(&z, axes, norm).unwrap();
            assert!(distance(&got.re, &want.re) < 1e-13 * n as f64, "{dims:?} {axes:?}");
            assert!(distance(&got.im, &want.im) < 1e-13 * n as f64, "{dims:?} {axes:?}");
            let back = ifft(&got, axes, norm).unwrap();
            assert!(distance(&back.re, &z.re) < 1e-14 && distance(&back.im, &z.im) < 1e-14);

            // The real transform keeps half of the same.
            let real = Complex::from_real(&z.re).unwrap();
            let whole = sums(&real, axes, -1.0).scale(factor).unwrap();
            let axis = *axes.last().unwrap();
            let want = whole.map(|x| x.narrow(axis, 0, dims[axis] / 2 + 1)).unwrap();
            let got = rfft(&z.re, axes, norm).unwrap();
            assert!(distance(&got.re, &want.re) < 1e-13 * n as f64, "{dims:?} {axes:?}");
            assert!(distance(&got.im, &want.im) < 1e-13 * n as f64, "{dims:?} {axes:?}");
            let back = irfft(&got, dims[axis], axes, norm).unwrap();
            assert!(distance(&back, &z.re) < 1e-14, "{dims:?} {axes:?}");
        }
    }
}

/// Written out from `numpy.fft.rfft([1, 2, 4, 8, 16])`, numpy 2.
#[test]
fn equals_numpy() {
    let x = Tensor::new(&[1f64, 2., 4., 8., 16.], &Device::Cpu).unwrap();
    let got = rfft(&x, 0, Norm::Backward).unwrap();
    let re = [31.0, -3.1458980337503153, -9.854101966249685];
    let im = [0.0, 15.66593223730204, 4.424767466914009];
    for (got, want) in [(got.re, re), (got.im, im)] {
        let want = Tensor::new(&want, &Device::Cpu).unwrap();
        assert!(distance(&got, &want) < 1e-14, "{got}");
    }
}

#[test]
fn single_precision_keeps_its_digits() {
    let mut worst = (0f64, 0f64);
    for n in [64, 243, 1000, 1021, 4096] {
        let x = ramp(&[5, n], 0.4);
        let exact = rfft(&x, 1, Norm::Ortho).unwrap();
        let norm = flat(&x).iter().map(|x| x * x).sum::<f64>().sqrt();
        let relative = |z: &Complex| {
            let (re, im) = (flat(&z.re), flat(&z.im));
            let (a, b) = (flat(&exact.re), flat(&exact.im));
            let squares = re.iter().zip(&a).chain(im.iter().zip(&b)).map(|(x, y)| (x - y).powi(2));
            squares.sum::<f64>().sqrt() / norm
        };
        let single = rfft(&x.to_dtype(DType::F32).unwrap(), 1, Norm::Ortho).unwrap();
        worst.0 = worst.0.max(relative(&single));
        // There and back in f64.
        let back = irfft(&exact, n, 1, Norm::Ortho).unwrap();
        let squares: f64 = flat(&back).iter().zip(flat(&x)).map(|(a, b)| (a - b).powi(2)).sum();
        worst.1 = worst.1.max(squares.sqrt() / norm);
    }
    assert!(worst.0 < 2e-7 && worst.1 < 1.5e-15, "{worst:?}");
    assert!(worst.0 > 1e-9, "the reference is not independent of the precision");
}

#[test]
fn gradients() {
    let options = GradCheck { absolute: 1e-6, ..GradCheck::default() };
    for (dims, axes) in
        [(&[5][..], &[0][..]), (&[3, 4], &[1, 0]), (&[2, 5, 3], &[1, 2]), (&[4, 2], &[0])]
    {
        let stacked = |z: Complex| Ok(Tensor::stack(&[z.re, z.im], 0)?);
        let z = complex(dims);
        let pair = [z.re.clone(), z.im.clone()];
        let of = |v: &[Tensor]| Complex::new(v[0].clone(), v[1].clone());
        for norm in [Norm::Backward, Norm::Ortho] {
            gradcheck(|v| stacked(fft(&of(v)?, axes, norm)?), &pair, &options).unwrap();
            gradcheck(|v| stacked(ifft(&of(v)?, axes, norm)?), &pair, &options).unwrap();
            gradcheck(|v| stacked(rfft(&v[0], axes, norm)?), &[z.re.clone()], &options).unwrap();
            let axis = *axes.last().unwrap();
            let half = z.map(|x| x.narrow(axis, 0, dims[axis] / 2 + 1)).unwrap();
            let pair = [half.re, half.im];
            let n = dims[axis];
            gradcheck(|v| irfft(&of(v)?, n, axes, norm), &pair, &options).unwrap();
        }
    }
}

/// The gradient of a gradient: `backward` of a loss made of the adjoint.
#[test]
fn energy_is_preserved_and_so_is_its_gradient() {
    let x = Var::from_tensor(&ramp(&[3, 9], 0.2)).unwrap();
    let spectrum = fft(&Complex::from_real(&x).unwrap(), (0, 1), Norm::Ortho).unwrap();
    let energy = spectrum.abs_sqr().unwrap().sum_all().unwrap();
    let direct = x.sqr().unwrap().sum_all().unwrap();
    assert!((flat(&energy)[0] / flat(&direct)[0] - 1.0).abs() < 1e-14);
    let gradient = energy.backward().unwrap().remove(&x).unwrap();
    assert!(distance(&gradient, &(x.as_tensor() * 2.0).unwrap()) < 1e-14);
}

#[test]
fn strided_narrowed_and_empty_inputs() {
    let x = ramp(&[6, 10], 0.3);
    let got = rfft(&x.t().unwrap(), 1, Norm::Backward).unwrap();
    let want = rfft(&x, 0, Norm::Backward).unwrap();
    assert!(distance(&got.re, &want.re.t().unwrap()) < 1e-13);
    let narrowed = x.narrow(1, 3, 5).unwrap();
    let want = rfft(&narrowed.force_contiguous().unwrap(), 1, Norm::Backward).unwrap();
    assert_eq!(distance(&rfft(&narrowed, 1, Norm::Backward).unwrap().im, &want.im), 0.0);
    let empty = Tensor::zeros((0, 4), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(rfft(&empty, 1, Norm::Backward).unwrap().dims(), [0, 3]);
    // No axis: nothing happens.
    let z = complex(&[3]);
    assert_eq!(flat(&fft(&z, (), Norm::Backward).unwrap().re), flat(&z.re));
    // Half precision goes through matrices.
    let half = x.to_dtype(DType::F16).unwrap();
    let got = rfft(&half, 1, Norm::Ortho).unwrap();
    assert_eq!(got.re.dtype(), DType::F16);
    let want = rfft(&x, 1, Norm::Ortho).unwrap();
    assert!(distance(&got.re, &want.re) < 5e-3);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = ramp(&[40, 33, 50], 0.3).to_dtype(DType::F32).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let a = rfft(&x, (1, 2), Norm::Backward).unwrap();
            let b = rfft(&x, (2, 1, 0), Norm::Backward).unwrap();
            let c = irfft(&a, 50, (1, 2), Norm::Backward).unwrap();
            [flat(&a.re), flat(&b.im), flat(&c)]
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}

#[test]
fn frequencies_and_shifts() {
    let cpu = &Device::Cpu;
    assert_eq!(flat(&fftfreq(5, 0.2, DType::F64, cpu).unwrap()), [0., 1., 2., -2., -1.]);
    assert_eq!(flat(&fftfreq(4, 0.5, DType::F32, cpu).unwrap()), [0., 0.5, -1., -0.5]);
    assert_eq!(flat(&rfftfreq(5, 0.2, DType::F64, cpu).unwrap()), [0., 1., 2.]);
    assert_eq!(flat(&rfftfreq(4, 0.5, DType::F64, cpu).unwrap()), [0., 0.5, 1.]);
    for (n, want) in [(5, vec![3., 4., 0., 1., 2.]), (4, vec![2., 3., 0., 1.]), (1, vec![0.])] {
        let x = Tensor::arange(0f64, n as f64, cpu).unwrap();
        let shifted = fftshift(&x, 0).unwrap();
        assert_eq!(flat(&shifted), want);
        assert_eq!(flat(&ifftshift(&shifted, D::Minus1).unwrap()), flat(&x));
    }
    let x = ramp(&[3, 4], 0.0);
    let both = fftshift(&x, (0, 1)).unwrap();
    assert_eq!(flat(&both.get(1).unwrap())[2], flat(&x)[0]);
}

#[test]
fn bad_input() {
    let z = complex(&[3, 4]);
    let invalid = |r: ansatz_ops::Result<Tensor>| {
        let error = r.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. } | Error::Candle(_)), "{error:?}");
    };
    invalid(fft(&z, (0, 0), Norm::Backward).map(|z| z.re));
    invalid(fft(&z, 2, Norm::Backward).map(|z| z.re));
    invalid(rfft(&z.re, (), Norm::Backward).map(|z| z.re));
    invalid(irfft(&z, 6, (), Norm::Backward));
    let none = Tensor::zeros((2, 0), DType::F64, &Device::Cpu).unwrap();
    invalid(rfft(&none, 1, Norm::Backward).map(|z| z.re));
    invalid(fftfreq(0, 1.0, DType::F64, &Device::Cpu));
    invalid(rfftfreq(3, 0.0, DType::F64, &Device::Cpu));
    let error = irfft(&z, 8, 1, Norm::Backward).unwrap_err();
    assert!(matches!(error, Error::Count { expected: 5, got: 4, .. }), "{error:?}");
    let error = Complex::new(z.re.clone(), z.im.get(0).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error:?}");
    let unlike = Complex { re: z.re.clone(), im: z.im.to_dtype(DType::F32).unwrap() };
    assert!(matches!(fft(&unlike, 0, Norm::Backward).unwrap_err(), Error::DType { .. }));
}
