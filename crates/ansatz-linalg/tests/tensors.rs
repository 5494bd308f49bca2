//! Operators on tensors equal those on plain vectors.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // helpers of tests

use ansatz_linalg::core::{
    TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz_linalg::{
    BiCgStab, BiCgStabRows, Cg, CgRows, Error, ExponentialAction, Gmres, Identity, Iterative,
    IterativeMethod, Jacobian, LinearOperator, LinearSolver, Lsmr, Lsqr, Minres, Outcome,
    Properties, Scaled, Stopping, Sum, TensorDiagonal, TensorMatrix, TensorSparse, Vector,
};
use ansatz_ops::Csr;

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> =
        (0..n).map(|i| (phase + 1.3 * i as f64 + 0.1 * (i * i) as f64).sin()).collect();
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

fn single(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap().to_dtype(DType::F32).unwrap()
}

#[test]
fn norms_outside_of_what_squares_can_be() {
    for size in [1e-40, 1e-30, 1e-21, 1e-15, 1.0, 1e19, 1e30] {
        let got = single(&[0.3 * size, -0.4 * size, 0.0]).norm2().unwrap();
        let tolerance = if size < 1e-38 { 1e-4 } else { 1e-6 };
        assert!((got / (0.5 * size) - 1.0).abs() < tolerance, "{size:e}: {got:e}");
    }
    assert_eq!(single(&[0.0; 3]).norm2().unwrap(), 0.0);
    assert!(single(&[1.0, f64::NAN]).norm2().unwrap().is_nan());
    assert_eq!(single(&[1.0, f64::INFINITY]).norm2().unwrap(), f64::INFINITY);
    // The squares of half precision are added up in single.
    for dtype in [DType::F16, DType::BF16] {
        let half = Tensor::full(300f64, 1000, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let want = 300.0 * 1000f64.sqrt();
        assert!((half.norm2().unwrap() / want - 1.0).abs() < 1e-2, "{dtype:?}");
    }
    let others = [wave(&[3], 0.1), wave(&[3], 0.2)];
    let x = wave(&[3], 0.3);
    let want: Vec<f64> = others.iter().map(|other| x.inner(other).unwrap()).collect();
    assert_eq!(x.inner_all(&others).unwrap(), want);
    assert!(x.inner_all(&[]).unwrap().is_empty());
    assert!(x.inner_all(&[wave(&[2], 0.1)]).is_err());
}

/// What is said to be solved is solved, however small.
#[test]
fn small_right_hand_sides_are_not_taken_for_zero() {
    let identity = Iterative::new(Cg).run(&Identity(2), &single(&[1e-25, 0.0]), None);
    assert!(matches!(identity, Err(Error::InvalidArgument { .. })));
    let diagonal: Vec<f64> = (0..50).map(|i| 1.0 + 2.0 * f64::from(i) / 49.0).collect();
    let matrix = Tensor::eye(50, DType::F64, &Device::Cpu).unwrap();
    let matrix = matrix.broadcast_mul(&Tensor::new(diagonal, &Device::Cpu).unwrap()).unwrap();
    let exact = TensorMatrix::new(matrix.clone(), Properties::SPD).unwrap();
    let a = TensorMatrix::new(matrix.to_dtype(DType::F32).unwrap(), Properties::SPD).unwrap();
    for size in [1e-10, 1e-18, 1e-19, 1e-20, 1e-21] {
        let b: Vec<f64> = (0..50).map(|i| size * f64::from(i).cos()).collect();
        let (b, exact_b) = (single(&b), Tensor::new(b, &Device::Cpu).unwrap());
        let methods: [Box<dyn IterativeMethod<Tensor>>; 4] = [
            Box::new(Cg),
            Box::new(Minres),
            Box::new(Gmres::default()),
            Box::new(BiCgStab::default()),
        ];
        for method in methods {
            let solution = Iterative::new(&method).relative(1e-5).run(&a, &b, None).unwrap();
            let x = solution.x.to_dtype(DType::F64).unwrap();
            let measured = residual(&exact, &exact_b, &x);
            let near = (measured - solution.residual()).abs() < 1e-6 * 5.0 * size;
            assert!(near, "{} {size:e}: {measured:e} {:e}", method.name(), solution.residual());
            if size >= 1e-10 {
                assert_eq!(solution.outcome, Outcome::Converged, "{}", method.name());
            }
        }
    }
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

/// Symmetric positive definite, `[n, n]`.
fn definite(n: usize, phase: f64) -> Tensor {
    let a = wave(&[n, n], phase);
    let square = a.t().unwrap().matmul(&a).unwrap();
    (square + Tensor::eye(n, DType::F64, &Device::Cpu).unwrap()).unwrap()
}

fn residual(a: &dyn LinearOperator<Tensor>, b: &Tensor, x: &Tensor) -> f64 {
    (b - a.apply(x).unwrap()).unwrap().norm2().unwrap()
}

#[test]
fn iterative_methods_of_every_dtype() {
    let (n, b) = (12, wave(&[3, 4], 0.3));
    let methods: [Box<dyn IterativeMethod<Tensor>>; 4] = [
        Box::new(Cg),
        Box::new(Minres),
        Box::new(Gmres { restart: 12 }),
        Box::new(BiCgStab::default()),
    ];
    for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 3e-6)] {
        let matrix = definite(n, 0.5).to_dtype(dtype).unwrap();
        let a = TensorMatrix::new(matrix, Properties::SPD).unwrap();
        let b = b.to_dtype(dtype).unwrap();
        for method in &methods {
            let solver = Iterative::new(method).relative(tolerance);
            let solution = solver.solve(&a, &b).unwrap();
            assert_eq!(solution.x.dims(), b.dims());
            assert_eq!(solution.x.dtype(), dtype);
            let measured = residual(&a, &b, &solution.x);
            assert!(measured <= tolerance * b.norm2().unwrap(), "{} {measured:e}", method.name());
        }
    }
    // Newton's step of a network without a matrix.
    let identity = Tensor::eye(3, DType::F64, &Device::Cpu).unwrap();
    let w = (wave(&[3, 3], 0.2) + (identity * 2.0).unwrap()).unwrap();
    let j = Jacobian::new(Layer(w), &(wave(&[4, 3], 0.7) * 0.3).unwrap()).unwrap();
    let solution = Iterative::new(Gmres::default()).relative(1e-11).solve(&j, &wave(&[4, 3], 1.1));
    let x = solution.unwrap().x;
    assert!(residual(&j, &wave(&[4, 3], 1.1), &x) < 1e-10);
    // Rectangular, by least squares.
    let tall = TensorMatrix::new(wave(&[9, 4], 0.6), Properties::NONE).unwrap();
    let stopping = Stopping { relative: 1e-12, ..Stopping::default() };
    let fit = Lsmr::default().solve(&tall, &wave(&[9], 0.1), &stopping).unwrap();
    assert_eq!(fit.x.dims(), [4]);
    assert!(fit.gradient < 1e-11);
}

/// Each row as if it were alone, and rows that fail do not disturb the others.
#[test]
fn rows_have_their_own_steps_and_stops() {
    let (n, batch) = (10, 4);
    // A matrix for each row; the last two rows of b are an eigenvector's multiple and zero.
    let matrices: Vec<Tensor> = (0..batch).map(|k| definite(n, k as f64)).collect();
    let stacked = Tensor::stack(&matrices, 0).unwrap();
    let b = wave(&[batch, n], 0.8);
    let keep = Tensor::new(&[[1.0], [1.0], [1.0], [0.0]], &Device::Cpu).unwrap();
    let b = b.broadcast_mul(&keep).unwrap();
    let apply = |x: &Tensor| Ok(stacked.matmul(&x.unsqueeze(2)?)?.squeeze(2)?);
    let stopping = Stopping { relative: 1e-11, ..Stopping::default() };
    let solution = CgRows { stopping }.solve(apply, &b).unwrap();
    let alone = |k: usize| {
        let a = TensorMatrix::new(matrices[k].clone(), Properties::SPD).unwrap();
        Iterative::new(Cg).stopping(stopping).solve(&a, &b.get(k).unwrap()).unwrap()
    };
    for k in 0..batch {
        assert_eq!(solution.outcomes[k], Outcome::Converged, "{k}");
        let want = alone(k);
        assert!(distance(&solution.x.get(k).unwrap(), &want.x) < 1e-10, "{k}");
        assert!(solution.residuals[k] <= solution.targets[k], "{k}");
    }
    assert_eq!(solution.iterations, (0..batch).map(|k| alone(k).iterations()).max().unwrap());
    let other = BiCgStabRows { stopping }.solve(apply, &b).unwrap().into_converged("test").unwrap();
    assert!(distance(&other, &solution.x) < 1e-9);

    // One matrix for all, not symmetric.
    let shift = (Tensor::eye(n, DType::F64, &Device::Cpu).unwrap() * 6.0).unwrap();
    let a = (wave(&[n, n], 0.4) + shift).unwrap();
    let x = BiCgStabRows { stopping }.solve(|x| Ok(x.matmul(&a)?), &b).unwrap();
    let x = x.into_converged("test").unwrap();
    assert!(distance(&x.matmul(&a).unwrap(), &b) < 1e-9);

    // The second row is not positive definite.
    let sign = Tensor::new(&[[1.0], [-1.0], [1.0], [1.0]], &Device::Cpu).unwrap();
    let spoilt = |x: &Tensor| Ok(apply(x)?.broadcast_mul(&sign)?);
    let failed = CgRows { stopping }.solve(spoilt, &b).unwrap();
    assert!(matches!(failed.outcomes[1], Outcome::Breakdown(_)));
    for k in [0, 2, 3] {
        assert_eq!(failed.outcomes[k], Outcome::Converged);
        assert_eq!(numbers(&failed.x.get(k).unwrap()), numbers(&solution.x.get(k).unwrap()));
    }
    let error = failed.into_converged("test");
    assert!(matches!(error, Err(Error::NotConverged { outcome: Outcome::Breakdown(_), .. })));

    let few = CgRows { stopping: Stopping { iterations: 2, ..stopping } }.solve(apply, &b).unwrap();
    assert_eq!(few.outcomes[..3], [Outcome::Budget; 3]);
    let flat = CgRows { stopping }.solve(apply, &b.flatten_all().unwrap());
    assert!(matches!(flat, Err(Error::Size { .. })));
    let wrong = CgRows { stopping }.solve(|x| Ok(x.narrow(1, 0, 3)?), &b);
    assert!(matches!(wrong, Err(Error::Size { .. })));
    let nan = (&b * f64::NAN).unwrap();
    assert!(matches!(CgRows { stopping }.solve(apply, &nan), Err(Error::InvalidArgument { .. })));
    // Too small for its squares: not taken for zero.
    let small = (&b * 1e-300).unwrap();
    assert!(matches!(CgRows { stopping }.solve(apply, &small), Err(Error::InvalidArgument { .. })));
    // In single precision.
    let (single, half) = (stacked.to_dtype(DType::F32).unwrap(), b.to_dtype(DType::F32).unwrap());
    let apply = |x: &Tensor| Ok(single.matmul(&x.unsqueeze(2)?)?.squeeze(2)?);
    let stopping = Stopping { relative: 1e-5, ..Stopping::default() };
    let x = CgRows { stopping }.solve(apply, &half).unwrap().into_converged("test").unwrap();
    assert!(distance(&x, &solution.x) < 1e-3);
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

#[test]
fn singular_and_tiny_operators_in_single_precision() {
    let b = single(&[1.0; 4]);
    let singular = TensorDiagonal::new(single(&[1.0, 2.0, 3.0, 0.0]));
    let methods: [Box<dyn IterativeMethod<Tensor>>; 3] =
        [Box::new(Minres), Box::new(Gmres::default()), Box::new(BiCgStab::default())];
    for method in methods {
        let found = Iterative::new(&method).run(&singular, &b, None).unwrap();
        assert_ne!(found.outcome, Outcome::Converged, "{}", method.name());
        assert!(residual(&singular, &b, &found.x) <= 2.0, "{}", method.name());
        if method.name() == "MINRES" {
            assert!((found.residual() - 1.0).abs() < 1e-3, "{}", found.residual());
            assert!(found.x.norm2().unwrap() < 1e5, "{}", found.x);
        }
    }
    let tiny = TensorDiagonal::new(single(&[1e-24; 4]));
    for found in [
        Lsqr::default().run(&tiny, &b, None, &Stopping::default()).unwrap(),
        Lsmr::default().run(&tiny, &b, None, &Stopping::default()).unwrap(),
    ] {
        assert_eq!(found.outcome, Outcome::Converged);
        assert!(found.residual < 1e-5, "{:e}", found.residual);
    }
}

#[test]
fn solutions_have_no_graph() {
    let a = TensorDiagonal::new(wave(&[4], 0.3));
    let x = Var::from_tensor(&wave(&[4], 0.8)).unwrap();
    let b = a.apply(x.as_tensor()).unwrap();
    assert!(b.track_op());
    for guess in [None, Some(x.as_tensor())] {
        let found = Iterative::new(Gmres::default()).run(&a, &b, guess).unwrap();
        assert!(found.outcome == Outcome::Converged && !found.x.track_op());
        let found = Lsqr::default().run(&a, &b, guess, &Stopping::default()).unwrap();
        assert!(found.outcome == Outcome::Converged && !found.x.track_op());
    }
}
