//! The spectral convolution against whole transforms, on finer grids, and its gradients.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::fft::{Complex, Norm, irfft, rfft};
use ansatz_ops::{Error, GradCheck, gradcheck, spectral_conv};
use candle_core::{DType, Device, Tensor};

fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values = (0..n).map(|i| (seed + 0.7 * i as f64 + 0.01 * (i * i % 97) as f64).sin());
    Tensor::from_vec(values.collect::<Vec<f64>>(), dims, &Device::Cpu).unwrap()
}

fn weight(dims: &[usize]) -> Complex {
    Complex::new(ramp(dims, 1.0), ramp(dims, 4.0)).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    flat(a).iter().zip(flat(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// `einsum("bi…,io…->bo…")` one output channel at a time.
fn mixed(z: &Complex, w: &Complex) -> Complex {
    let outputs: Vec<Complex> = (0..w.dims()[1])
        .map(|o| {
            let w = w.map(|t| t.narrow(1, o, 1)?.squeeze(1)?.unsqueeze(0)).unwrap();
            z.mul(&w).unwrap().map(|t| t.sum_keepdim(1)).unwrap()
        })
        .collect();
    let cat = |part: fn(&Complex) -> &Tensor| {
        Tensor::cat(&outputs.iter().map(part).collect::<Vec<_>>(), 1).unwrap()
    };
    Complex::new(cat(|z| &z.re), cat(|z| &z.im)).unwrap()
}

#[test]
fn equals_the_layer_of_the_peers_in_one_dimension() {
    for (n, m) in [(16, 5), (15, 8), (16, 9)] {
        let (x, w) = (ramp(&[2, 3, n], 0.1), weight(&[3, 4, m]));
        let kept = rfft(&x, 2, Norm::Backward).unwrap().map(|t| t.narrow(2, 0, m)).unwrap();
        let y = mixed(&kept, &w).map(|t| t.pad_with_zeros(2, 0, n / 2 + 1 - m)).unwrap();
        let want = irfft(&y, n, 2, Norm::Backward).unwrap();
        assert!(distance(&spectral_conv(&x, &w, &[n]).unwrap(), &want) < 1e-14, "{n} {m}");
    }
}

#[test]
fn equals_the_layer_of_the_peers_in_two_dimensions() {
    let (h, v, m, k) = (10, 12, 3, 4);
    let (x, w) = (ramp(&[2, 3, h, v], 0.1), weight(&[3, 2, 2 * m, k]));
    let modes = rfft(&x, (2, 3), Norm::Backward).unwrap().map(|t| t.narrow(3, 0, k)).unwrap();
    let block = |row: usize, first: usize| {
        let z = modes.map(|t| t.narrow(2, row, m)).unwrap();
        mixed(&z, &w.map(|t| t.narrow(2, first, m)).unwrap())
    };
    let (low, high) = (block(0, 0), block(h - m, m));
    let whole = |low: &Tensor, high: &Tensor| {
        let zeros = Tensor::zeros((2, 2, h - 2 * m, k), DType::F64, &Device::Cpu).unwrap();
        let rows = Tensor::cat(&[low, &zeros, high], 2).unwrap();
        rows.pad_with_zeros(3, 0, v / 2 + 1 - k).unwrap()
    };
    let y = Complex::new(whole(&low.re, &high.re), whole(&low.im, &high.im)).unwrap();
    let want = irfft(&y, v, (2, 3), Norm::Backward).unwrap();
    assert!(distance(&spectral_conv(&x, &w, &[h, v]).unwrap(), &want) < 1e-14);
}

/// A function with few modes, on a coarse and on a fine grid: the same result where they meet.
#[test]
fn the_result_does_not_depend_on_the_grid() {
    let on = |n: usize, m: usize| {
        let value = |c: usize, i: usize, j: usize| {
            let (x, y) = (i as f64 / n as f64, j as f64 / m as f64);
            let t = std::f64::consts::TAU;
            (t * (x + 2.0 * y) + c as f64).sin() + (t * (2.0 * x - y)).cos() + 0.3 * c as f64
        };
        let cells = (0..2 * n * m).map(|i| value(i / (n * m), i / m % n, i % m));
        Tensor::from_vec(cells.collect::<Vec<f64>>(), (1, 2, n, m), &Device::Cpu).unwrap()
    };
    let w = weight(&[2, 3, 6, 3]);
    let fine = spectral_conv(&on(32, 24), &w, &[32, 24]).unwrap();
    let coarse = spectral_conv(&on(8, 8), &w, &[8, 8]).unwrap();
    let refined = spectral_conv(&on(8, 8), &w, &[32, 24]).unwrap();
    assert!(distance(&refined, &fine) < 1e-13);
    let rows: Vec<Tensor> = (0..8).map(|i| fine.narrow(2, 4 * i, 1).unwrap()).collect();
    let columns = Tensor::cat(&rows, 2).unwrap();
    let columns: Vec<Tensor> = (0..8).map(|j| columns.narrow(3, 3 * j, 1).unwrap()).collect();
    assert!(distance(&coarse, &Tensor::cat(&columns, 3).unwrap()) < 1e-13);
}

#[test]
fn gradients_in_input_and_weights() {
    let cases: [(&[usize], &[usize], &[usize]); 5] = [
        (&[6], &[3], &[6]),
        (&[8], &[5], &[8]),
        (&[5], &[2], &[8]),
        (&[4, 5], &[3, 2], &[4, 6]),
        (&[3, 4, 2], &[2, 2, 2], &[3, 4, 2]),
    ];
    for (points, modes, out) in cases {
        let x = ramp(&[&[2, 2], points].concat(), 0.2);
        let w = weight(&[&[2, 3], modes].concat());
        let f =
            |v: &[Tensor]| spectral_conv(&v[0], &Complex::new(v[1].clone(), v[2].clone())?, out);
        gradcheck(f, &[x, w.re, w.im], &GradCheck::default()).unwrap();
    }
}

/// Many modes go through whole transforms: the same gradients.
#[test]
fn gradients_of_many_modes() {
    let (x, w) = (ramp(&[1, 1, 600], 0.2), weight(&[1, 1, 300]));
    let f = |v: &[Tensor]| {
        let y = spectral_conv(&x, &Complex::new(v[0].clone(), v[1].clone())?, &[600])?;
        Ok(y.narrow(2, 0, 40)?)
    };
    gradcheck(f, &[w.re.clone(), w.im.clone()], &GradCheck::default()).unwrap();
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let single = |x: &Tensor| x.to_dtype(DType::F32);
    let x = single(&ramp(&[5, 8, 40, 64], 0.3)).unwrap();
    let w = weight(&[8, 6, 8, 5]).map(single).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let x = candle_core::Var::from_tensor(&x).unwrap();
            let w =
                w.map(|t| Ok::<_, Error>(candle_core::Var::from_tensor(t)?.into_inner())).unwrap();
            let y = spectral_conv(&x, &w, &[32, 64]).unwrap();
            let g = y.sqr().unwrap().backward().unwrap();
            [flat(&y), flat(g.get(&x).unwrap()), flat(g.get(&w.re).unwrap())]
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}

#[test]
fn strided_empty_and_half_precision() {
    let (x, w) = (ramp(&[3, 16, 2], 0.3), weight(&[2, 2, 4]));
    let strided = x.transpose(1, 2).unwrap();
    let want = spectral_conv(&strided.contiguous().unwrap(), &w, &[16]).unwrap();
    assert_eq!(distance(&spectral_conv(&strided, &w, &[16]).unwrap(), &want), 0.0);
    let empty = strided.narrow(0, 0, 0).unwrap();
    assert_eq!(spectral_conv(&empty, &w, &[8]).unwrap().dims(), [0, 2, 8]);
    let half = |t: &Tensor| t.to_dtype(DType::F16);
    let got = spectral_conv(&half(&strided).unwrap(), &w.map(half).unwrap(), &[16]).unwrap();
    assert!(distance(&got, &want) < 1e-2);
}

#[test]
fn bad_input() {
    let (x, w) = (ramp(&[1, 2, 8], 0.3), weight(&[2, 2, 4]));
    let count = |r: ansatz_ops::Result<Tensor>| {
        let error = r.unwrap_err();
        assert!(matches!(error, Error::Count { .. }), "{error:?}");
    };
    count(spectral_conv(&x, &weight(&[3, 2, 4]), &[8]));
    count(spectral_conv(&x, &w, &[8, 8]));
    count(spectral_conv(&x, &weight(&[2, 2]), &[8]));
    count(spectral_conv(&x.get(0).unwrap(), &w, &[8]));
    let modes = |r: ansatz_ops::Result<Tensor>| {
        assert!(matches!(r.unwrap_err(), Error::InvalidArgument { .. }));
    };
    modes(spectral_conv(&x, &weight(&[2, 2, 6]), &[8]));
    modes(spectral_conv(&x, &w, &[4]));
    modes(spectral_conv(&x, &w, &[0]));
    let single = x.to_dtype(DType::F32).unwrap();
    assert!(matches!(spectral_conv(&single, &w, &[8]).unwrap_err(), Error::DType { .. }));
}
