//! The fast transforms equal the products with matrices, which other devices use.

use candle_core::{DType, Device, Tensor};

use super::*;

pub(crate) fn ramp(dims: &[usize], seed: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> =
        (0..n).map(|i| (seed + 0.7 * i as f64 + 0.01 * (i * i % 97) as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

pub(crate) fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    if a.elem_count() == 0 {
        return 0.0;
    }
    let difference = (a - b).unwrap().to_dtype(DType::F64).unwrap().abs().unwrap();
    difference.flatten_all().unwrap().max(0).unwrap().to_scalar::<f64>().unwrap()
}

const SHAPES: [(&[usize], &[usize]); 8] = [
    (&[7], &[0]),
    (&[3, 8], &[1]),
    (&[8, 3], &[0]),
    (&[2, 5, 19], &[1]),
    (&[2, 5, 6], &[2, 1]),
    (&[4, 3, 35], &[0, 2]),
    (&[3, 4, 5, 2], &[2, 1, 3]),
    (&[0, 4], &[1]),
];

#[test]
fn kernels_equal_the_dense_matrices() {
    for (dims, axes) in SHAPES {
        let z = Complex::new(ramp(dims, 0.1), ramp(dims, 2.3)).unwrap();
        for direction in [FftDirection::Forward, FftDirection::Inverse] {
            let fast = complex_transform(&z, axes.to_vec(), direction, 0.5).unwrap();
            let dense = dense::complex(&z, axes, direction, 0.5).unwrap();
            assert!(distance(&fast.re, &dense.re) < 1e-12, "{dims:?} {axes:?}");
            assert!(distance(&fast.im, &dense.im) < 1e-12, "{dims:?} {axes:?}");
        }
        for weighting in [Weighting::Plain, Weighting::Adjoint] {
            let fast = forward(&z.re, axes.to_vec(), 0.5, weighting).unwrap();
            let dense = dense::forward(&z.re, axes, 0.5, weighting).unwrap();
            assert!(distance(&fast.re, &dense.re) < 1e-12, "{dims:?} {axes:?} {weighting:?}");
            assert!(distance(&fast.im, &dense.im) < 1e-12, "{dims:?} {axes:?} {weighting:?}");
            // Imaginary parts that no real tensor has are in `half`, too.
            let axis = *axes.last().unwrap();
            let half = z.map(|x| x.narrow(axis, 0, dims[axis] / 2 + 1)).unwrap();
            let fast = inverse(&half, dims[axis], axes.to_vec(), 0.5, weighting).unwrap();
            let dense = dense::inverse(&half, dims[axis], axes, 0.5, weighting).unwrap();
            assert!(distance(&fast, &dense) < 1e-12, "{dims:?} {axes:?} {weighting:?}");
        }
    }
}

#[test]
fn blocks_of_columns_are_copied_to_rows() {
    for (rows, columns, first, count) in [(1, 1, 0, 1), (9, 20, 16, 4), (17, 40, 16, 16)] {
        let source: Vec<usize> = (0..rows * columns).collect();
        let mut out = vec![0; rows * count];
        lines::columns_to_rows(&source, rows, columns, first, &mut out);
        for (i, x) in out.iter().enumerate() {
            assert_eq!(*x, (i % rows) * columns + first + i / rows);
        }
    }
}
