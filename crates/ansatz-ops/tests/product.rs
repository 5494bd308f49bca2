//! Matrix products: values against plain loops, gradients, strides, threads.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{Error, GradCheck, gradcheck, matmul};
use candle_core::{DType, Device, Tensor};

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> = (0..n).map(|i| (phase + 0.37 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// `Σ aᵢₗ bₗⱼ` element by element.
fn naive(a: &Tensor, b: &Tensor) -> Vec<f64> {
    let (a, b) = (a.to_vec2::<f64>().unwrap(), b.t().unwrap().to_vec2::<f64>().unwrap());
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    a.iter().flat_map(|row| b.iter().map(move |column| dot(row, column))).collect()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[test]
fn values_of_all_shapes_and_layouts() {
    let lengths = [1, 2, 3, 4, 5, 17, 40];
    for m in lengths {
        for k in lengths {
            for n in lengths {
                let (a, b) = (wave(&[m, k], 0.1), wave(&[k, n], 0.5));
                let expected = naive(&a, &b);
                let turned = |x: &Tensor| x.t().unwrap().contiguous().unwrap().t().unwrap();
                let inside = |x: &Tensor| {
                    let padded = x.pad_with_zeros(0, 1, 2).unwrap().pad_with_zeros(1, 2, 1);
                    let (rows, columns) = x.dims2().unwrap();
                    padded.unwrap().narrow(0, 1, rows).unwrap().narrow(1, 2, columns).unwrap()
                };
                for (a, b) in [
                    (a.clone(), b.clone()),
                    (turned(&a), b.clone()),
                    (a.clone(), turned(&b)),
                    (turned(&a), turned(&b)),
                    (inside(&a), inside(&b)),
                ] {
                    let got = matmul(&a, &b).unwrap();
                    assert_eq!(got.dims(), [m, n]);
                    assert!(difference(&flat(&got), &expected) < 1e-13, "{m} {k} {n}");
                }
                let single = |x: &Tensor| x.to_dtype(DType::F32).unwrap();
                let got = matmul(&single(&a), &single(&b)).unwrap();
                assert!(difference(&flat(&got), &expected) < 2e-5, "{m} {k} {n} in f32");
            }
        }
    }
}

#[test]
fn large_products_in_pieces() {
    // Rows in pieces, the summed axis in pieces, and a batch of large ones.
    for (m, k, n) in [(700, 130, 90), (20, 9000, 12), (3, 40_000, 24), (33, 5000, 2)] {
        let (a, b) = (wave(&[m, k], 0.1), wave(&[k, n], 0.5));
        assert!(difference(&flat(&matmul(&a, &b).unwrap()), &naive(&a, &b)) < 1e-10);
    }
}

#[test]
fn batches_are_broadcast() {
    let a = wave(&[2, 1, 3, 4], 0.2);
    let b = wave(&[5, 4, 2], 0.9);
    let got = matmul(&a, &b).unwrap();
    assert_eq!(got.dims(), [2, 5, 3, 2]);
    for i in 0..2 {
        for j in 0..5 {
            let one = naive(&a.get(i).unwrap().get(0).unwrap(), &b.get(j).unwrap());
            let ours = flat(&got.get(i).unwrap().get(j).unwrap());
            assert!(difference(&ours, &one) < 1e-14);
        }
    }
    // Five axes, which candle does not take.
    let deep = matmul(&wave(&[2, 1, 2, 3, 4], 0.1), &wave(&[3, 1, 4, 2], 0.3)).unwrap();
    assert_eq!(deep.dims(), [2, 3, 2, 3, 2]);
}

/// Of an axis of length 1 a layout may hold any stride, and is contiguous all the same.
#[test]
fn axes_of_length_one() {
    let cases = [
        (wave(&[2, 5], 0.1).unsqueeze(1), [5, 7]), // [2, 1, 5]
        (wave(&[2, 3], 0.1).unsqueeze(2), [1, 7]), // [2, 3, 1]
        (wave(&[6], 0.1).unsqueeze(0).and_then(|x| x.unsqueeze(0)), [6, 2]),
        (wave(&[4, 3, 5], 0.1).narrow(1, 0, 1), [5, 2]),
        (wave(&[4, 2, 5], 0.1).unsqueeze(2), [5, 3]), // [4, 2, 1, 5]
    ];
    for (a, shape) in cases {
        let (a, b) = (a.unwrap(), wave(&shape, 0.5));
        let copied = Tensor::from_vec(flat(&a), a.shape(), &Device::Cpu).unwrap();
        for b in [b.clone(), b.t().unwrap().contiguous().unwrap().t().unwrap()] {
            let got = matmul(&a, &b).unwrap();
            let rows = copied.reshape(((), shape[0])).unwrap();
            let difference = difference(&flat(&got), &naive(&rows, &b));
            assert!(difference < 1e-13, "{:?}: {difference}", a.dims());
            gradcheck(|v| matmul(&v[0], &v[1]), &[a.clone(), b.clone()], &GradCheck::default())
                .unwrap();
        }
        // As the right factor as well.
        let left = wave(&[3, a.dims()[a.rank() - 2]], 0.9);
        let got = matmul(&left, &a).unwrap();
        let want = matmul(&left, &copied).unwrap();
        assert!(difference(&flat(&got), &flat(&want)) < 1e-13, "{:?} on the right", a.dims());
    }
}

#[test]
fn transposed_batch_times_a_broadcast_one() {
    // What candle gets wrong.
    let a = wave(&[3, 4, 2], 0.2).transpose(1, 2).unwrap();
    let b = wave(&[4, 5], 0.7);
    let broadcast = b.broadcast_as((3, 4, 5)).unwrap();
    let got = matmul(&a, &broadcast).unwrap();
    for i in 0..3 {
        let expected = naive(&a.get(i).unwrap(), &b);
        assert!(difference(&flat(&got.get(i).unwrap()), &expected) < 1e-14);
    }
}

#[test]
fn gradients() {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[3, 4], &[4, 5]),
        (&[6, 2], &[2, 7]),
        (&[6, 7], &[7, 1]),
        (&[2, 3, 4], &[4, 5]),
        (&[3, 4], &[2, 4, 5]),
        (&[2, 1, 3, 2], &[3, 2, 4]),
        (&[1, 3, 2], &[4, 2, 3]),
    ];
    for (a, b) in cases {
        let f = |v: &[Tensor]| matmul(&v[0], &v[1]);
        gradcheck(f, &[wave(a, 0.1), wave(b, 0.6)], &GradCheck::default()).unwrap();
        let strided = |v: &[Tensor]| {
            let turn = |t: &Tensor| t.transpose(t.rank() - 2, t.rank() - 1);
            matmul(&turn(&v[1])?, &turn(&v[0])?)
        };
        gradcheck(strided, &[wave(a, 0.1), wave(b, 0.6)], &GradCheck::default()).unwrap();
    }
}

#[test]
fn empty_products() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F64, &Device::Cpu).unwrap();
    for (a, b, c) in [
        (vec![0, 3], vec![3, 2], vec![0, 2]),
        (vec![2, 3], vec![3, 0], vec![2, 0]),
        (vec![2, 0], vec![0, 3], vec![2, 3]),
        (vec![0, 2, 3], vec![3, 2], vec![0, 2, 2]),
    ] {
        let got = matmul(&zeros(&a), &zeros(&b)).unwrap();
        assert_eq!(got.dims(), c);
        assert!(flat(&got).iter().all(|x| *x == 0.0));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let pairs = [
        (wave(&[700, 130], 0.1), wave(&[130, 90], 0.4)),
        (wave(&[30, 20_000], 0.1), wave(&[20_000, 20], 0.4)),
        (wave(&[8, 100, 90], 0.1), wave(&[8, 90, 70], 0.4)),
    ];
    for (a, b) in pairs {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| flat(&matmul(&a, &b).unwrap()))
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3));
    }
}

#[test]
fn bad_input_is_an_error() {
    let (a, b) = (wave(&[3, 4], 0.1), wave(&[5, 2], 0.1));
    assert!(matches!(matmul(&a, &b), Err(Error::Shape { .. })));
    assert!(matches!(matmul(&a, &wave(&[4], 0.0)), Err(Error::Shape { .. })));
    let batches = (wave(&[2, 3, 4], 0.1), wave(&[3, 4, 2], 0.1));
    assert!(matches!(matmul(&batches.0, &batches.1), Err(Error::Shape { .. })));
    let single = b.to_dtype(DType::F32).unwrap();
    assert!(matches!(matmul(&a, &single), Err(Error::DType { .. })));
}
