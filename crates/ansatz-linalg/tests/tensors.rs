//! Operators on tensors equal those on plain vectors.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // helpers of tests

use ansatz_linalg::core::{
    TensorLike,
    candle::{DType, Device, Tensor},
};
use ansatz_linalg::{
    Error, ExponentialAction, Identity, Jacobian, LinearOperator, Properties, Scaled, Sum,
    TensorMatrix, TensorSparse, Vector,
};
use ansatz_ops::Csr;

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> = (0..n).map(|i| (phase + 1.3 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn vectors() {
    let (a, b) = (wave(&[3, 4], 0.1), wave(&[3, 4], 0.8));
    let want: f64 = numbers(&a).iter().zip(numbers(&b)).map(|(a, b)| a * b).sum();
    assert!((a.inner(&b).unwrap() - want).abs() < 1e-14);
    let single = a.to_dtype(DType::F32).unwrap();
    assert!((single.norm2().unwrap() - a.norm2().unwrap()).abs() < 1e-6);
    assert!(a.inner(&wave(&[4, 3], 0.0)).is_err());
    assert!(a.inner(&single).is_err());
}

#[test]
fn matrices() {
    let matrix = wave(&[4, 6], 0.3);
    let a = TensorMatrix::new(matrix.clone(), Properties::NONE).unwrap();
    assert_eq!(a.shape(), [4, 6]);
    let (x, z) = (wave(&[2, 3], 0.2), wave(&[4], 0.9));
    let want = matrix.matmul(&x.reshape((6, 1)).unwrap()).unwrap().reshape(4).unwrap();
    assert!(distance(&a.apply(&x).unwrap(), &want) < 1e-14);
    let want = matrix.t().unwrap().matmul(&z.reshape((4, 1)).unwrap()).unwrap();
    assert!(distance(&a.apply_transposed(&z).unwrap(), &want.reshape(6).unwrap()) < 1e-14);
    assert!(matches!(a.apply(&z), Err(Error::Size { .. })));
    assert!(matches!(
        TensorMatrix::new(wave(&[4], 0.0), Properties::NONE),
        Err(Error::Size { .. })
    ));

    // As many rows as columns: the result has the shape of the argument.
    let square = TensorMatrix::new(wave(&[6, 6], 0.5), Properties::NONE).unwrap();
    assert_eq!(square.apply(&x).unwrap().dims(), [2, 3]);
    let sum = Sum::new::<Tensor>(&square, Scaled { factor: 2.0, operator: Identity(6) }).unwrap();
    let want = (square.apply(&x).unwrap() + (&x * 2.0).unwrap()).unwrap();
    assert!(distance(&sum.apply(&x).unwrap(), &want) < 1e-14);
}

#[test]
fn sparse_matrices() {
    let ids = |v: &[u32]| Tensor::new(v, &Device::Cpu).unwrap();
    let values = wave(&[5], 0.1);
    let matrix =
        Csr::from_triplets(&ids(&[0, 2, 1, 0, 2]), &ids(&[1, 0, 1, 3, 2]), &values, (3, 4));
    let a = TensorSparse::new(matrix.unwrap(), Properties::NONE);
    let dense = TensorMatrix::new(a.as_csr().to_dense().unwrap(), Properties::NONE).unwrap();
    let (x, z) = (wave(&[4], 0.2), wave(&[3], 0.9));
    assert!(distance(&a.apply(&x).unwrap(), &dense.apply(&x).unwrap()) < 1e-14);
    let (got, want) = (a.apply_transposed(&z).unwrap(), dense.apply_transposed(&z).unwrap());
    assert!(distance(&got, &want) < 1e-14);
}

/// y = tanh(x W), for tensors and jets.
struct Layer(Tensor);

impl<T: TensorLike> ansatz_linalg::core::Module<T> for Layer {
    fn forward(&self, x: &T) -> ansatz_linalg::core::Result<T> {
        x.matmul_constant(&self.0)?.tanh()
    }
}

#[test]
fn jacobians() {
    let (w, x) = (wave(&[3, 5], 0.4), wave(&[2, 3], 0.7));
    let j = Jacobian::new(Layer(w.clone()), &x).unwrap();
    assert_eq!(j.shape(), [10, 6]);
    let y = x.matmul(&w).unwrap().tanh().unwrap();
    assert!(distance(j.value(), &y) < 1e-14);
    // In closed form: (1 − y²) (v W).
    let v = wave(&[2, 3], 1.9);
    let slope = (1.0 - y.sqr().unwrap()).unwrap();
    let want = (&slope * v.matmul(&w).unwrap()).unwrap();
    assert!(distance(&j.apply(&v).unwrap(), &want) < 1e-13);
    let g = wave(&[2, 5], 2.2);
    let want = (&slope * &g).unwrap().matmul(&w.t().unwrap()).unwrap();
    assert!(distance(&j.apply_transposed(&g).unwrap(), &want) < 1e-13);
    // A second time: the evaluation is kept.
    assert!(distance(&j.apply_transposed(&g).unwrap(), &want) < 1e-13);
    assert!(matches!(j.apply(&g), Err(Error::Size { .. })));
}

#[test]
fn exponentials_of_tensors() {
    let action = ExponentialAction { tolerance: 1e-12, ..ExponentialAction::default() };
    let matrix = wave(&[6, 6], 0.5);
    let values = matrix.to_vec2::<f64>().unwrap();
    let plain = ansatz_linalg::Dense::from_rows(&values).unwrap();
    let a = TensorMatrix::new(matrix.clone(), Properties::NONE).unwrap();
    let vectors = [wave(&[2, 3], 0.2), wave(&[2, 3], 0.9), wave(&[2, 3], 1.7)];
    let got = action.phi_combination(&a, 0.7, &vectors).unwrap();
    assert_eq!(got.value.dims(), [2, 3]);
    let lists = vectors.each_ref().map(numbers);
    let want = action.phi_combination(&plain, 0.7, &lists).unwrap();
    let want = Tensor::from_vec(want.value, (2, 3), &Device::Cpu).unwrap();
    assert!(distance(&got.value, &want) < 1e-12);
    // In single precision to what that allows.
    let single = |x: &Tensor| x.to_dtype(DType::F32).unwrap();
    let a = TensorMatrix::new(single(&matrix), Properties::NONE).unwrap();
    let action = ExponentialAction { tolerance: 1e-6, ..action };
    let got = action.phi_combination(&a, 0.7, &vectors.each_ref().map(single)).unwrap();
    assert_eq!(got.value.dtype(), DType::F32);
    assert!(distance(&got.value.to_dtype(DType::F64).unwrap(), &want) < 1e-5);
    let double = TensorMatrix::new(matrix, Properties::NONE).unwrap();
    let mixed = [vectors[0].clone(), single(&vectors[1])];
    assert!(action.phi_combination(&double, 0.7, &mixed).is_err());
}
