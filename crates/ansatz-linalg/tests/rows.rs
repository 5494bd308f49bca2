//! Systems side by side in the rows of a tensor.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use ansatz_linalg::core::candle::{DType, Device, Tensor, Var};
use ansatz_linalg::{
    BiCgStabRows, CgRows, Error, LinearOperator, Outcome, Result, RowSolutions, Stopping,
    TensorDiagonal, to_dense,
};
use common::poisson;

fn rows(values: &[Vec<f64>], dtype: DType) -> Tensor {
    let values: Vec<Vec<f64>> = values.to_vec();
    Tensor::new(values, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn laplacian(n: usize, dtype: DType) -> Tensor {
    let a = to_dense(&poisson(n)).unwrap();
    let values = (0..n * n).map(|i| (0..n * n).map(|j| a[(i, j)]).collect()).collect::<Vec<_>>();
    rows(&values, dtype)
}

fn norms(x: &Tensor) -> Vec<f64> {
    let x = x.to_dtype(DType::F64).unwrap();
    x.sqr().unwrap().sum(1).unwrap().sqrt().unwrap().to_vec1().unwrap()
}

type Solve = fn(Stopping, &Tensor, &Tensor) -> RowSolutions;

const BOTH: [Solve; 2] = [
    |stopping, a, b| CgRows { stopping }.solve(|x| Ok(x.matmul(a)?), b).unwrap(),
    |stopping, a, b| BiCgStabRows { stopping }.solve(|x| Ok(x.matmul(a)?), b).unwrap(),
];

#[test]
fn no_graph_is_kept() {
    let a = laplacian(3, DType::F64);
    let b = Var::from_tensor(&rows(&[common::wave(9, 0.1), vec![0.0; 9]], DType::F64)).unwrap();
    for solve in BOTH {
        let x = solve(Stopping::default(), &a, b.as_tensor()).x;
        assert!(!x.track_op());
        let guess = Var::from_tensor(&x).unwrap();
        let apply = |x: &Tensor| -> Result<Tensor> { Ok(x.matmul(&a)?) };
        let near = |r: &Tensor| -> Result<Tensor> { Ok((r * 0.25)?) };
        let again = CgRows::default().solve_with(apply, near, &b, Some(guess.as_tensor()));
        assert!(!again.unwrap().x.track_op());
    }
}

#[test]
fn converged_is_measured() {
    let (single, exact) = (laplacian(20, DType::F32), laplacian(20, DType::F64));
    let right: Vec<Vec<f64>> =
        (0..3).map(|k| common::wave(400, f64::from(k))).chain([vec![0.0; 400]]).collect();
    let b = rows(&right, DType::F32);
    for solve in BOTH {
        for relative in [1e-4, 1e-5, 3e-6, 1e-6, 1e-7] {
            let found = solve(Stopping { relative, ..Stopping::default() }, &single, &b);
            let x = found.x.to_dtype(DType::F64).unwrap();
            let left = (b.to_dtype(DType::F64).unwrap() - x.matmul(&exact).unwrap()).unwrap();
            for (row, measured) in norms(&left).into_iter().enumerate() {
                let converged = found.outcomes[row] == Outcome::Converged;
                assert_eq!(converged, found.residuals[row] <= found.targets[row]);
                assert!((measured - found.residuals[row]).abs() < 5e-5, "{relative} {row}");
                assert!(converged || relative < 1e-6, "{relative} {row} {:?}", found.outcomes);
            }
        }
    }
}

#[test]
fn nan_and_small_numbers_do_not_converge() {
    let a = rows(&[vec![f64::NAN, 0.0], vec![0.0, f64::NAN]], DType::F64);
    let b = rows(&[vec![1.0, 2.0], vec![0.0, 0.0]], DType::F64);
    for solve in BOTH {
        let found = solve(Stopping::default(), &a, &b);
        assert!(matches!(found.outcomes[0], Outcome::Breakdown(_)), "{:?}", found.outcomes);
        assert!(found.residuals.iter().all(|r| r.is_finite()));
        assert_eq!(found.x.to_vec2::<f64>().unwrap(), [[0.0; 2]; 2]);
    }
    let diagonal: Vec<f64> = (0..50).map(|i| 1.0 + 2.0 * f64::from(i) / 49.0).collect();
    let a = TensorDiagonal::new(Tensor::new(diagonal, &Device::Cpu).unwrap());
    let a = a.as_tensor().to_dtype(DType::F32).unwrap();
    for size in [1.0, 1e-18, 1e-19, 1e-20, 1e-21] {
        let b: Vec<f64> = (0..50).map(|i| size * f64::from(i).cos()).collect();
        let b = rows(&[b, vec![1.0; 50]], DType::F32);
        let stopping = Stopping { relative: 1e-5, ..Stopping::default() };
        let apply = |x: &Tensor| -> Result<Tensor> { Ok(x.broadcast_mul(&a)?) };
        let all = [
            CgRows { stopping }.solve(apply, &b).unwrap(),
            BiCgStabRows { stopping }.solve(apply, &b).unwrap(),
        ];
        for found in all {
            let left = ((&b - apply(&found.x).unwrap()).unwrap() * (1.0 / size)).unwrap();
            let (measured, told) = (norms(&left)[0], found.residuals[0] / size);
            assert!((measured - told).abs() < 1e-5, "{size:e}: {measured:e} {told:e}");
            assert_eq!(found.outcomes[1], Outcome::Converged);
        }
    }
}

#[test]
fn rows_take_preconditioners_and_guesses() {
    // A diagonal that differs much, besides the Laplacian.
    let spread: Vec<f64> = (0..64).map(|i| 10f64.powf(f64::from(i % 5))).collect();
    let a = laplacian(8, DType::F64);
    let spread = TensorDiagonal::new(Tensor::new(spread, &Device::Cpu).unwrap());
    let all = (0..64).map(|i| {
        let spread: f64 = spread.as_tensor().get(i).unwrap().to_scalar().unwrap();
        let mut row: Vec<f64> = a.get(i).unwrap().to_vec1().unwrap();
        row[i] += spread;
        row
    });
    let a = rows(&all.collect::<Vec<_>>(), DType::F64);
    let diagonal: Vec<f64> = (0..64).map(|i| a.to_vec2::<f64>().unwrap()[i][i]).collect();
    let jacobi = TensorDiagonal::new(Tensor::new(diagonal, &Device::Cpu).unwrap()).inverse();
    let jacobi = jacobi.unwrap();
    let b = rows(&[common::wave(64, 0.1), common::wave(64, 0.7), vec![0.0; 64]], DType::F64);
    let apply = |x: &Tensor| -> Result<Tensor> { Ok(x.matmul(&a)?) };
    let near = |r: &Tensor| -> Result<Tensor> { Ok(r.broadcast_mul(jacobi.as_tensor())?) };
    let stopping = Stopping { relative: 1e-10, ..Stopping::default() };
    let (cg, bicgstab) = (CgRows { stopping }, BiCgStabRows { stopping });
    let plain = cg.solve(apply, &b).unwrap();
    let with = cg.solve_with(apply, near, &b, None).unwrap();
    let also = bicgstab.solve_with(apply, near, &b, None).unwrap();
    assert!(2 * with.iterations < plain.iterations, "{} {}", with.iterations, plain.iterations);
    let guess = with.x.clone();
    for (found, name) in [(plain, "plain"), (with, "CG"), (also, "BiCGStab")] {
        assert_eq!(found.outcomes, [Outcome::Converged; 3], "{name}");
        let left = (&b - apply(&found.x).unwrap()).unwrap();
        assert!(norms(&left).iter().zip(&found.targets).all(|(r, t)| *r <= t * 1.01), "{name}");
    }
    assert_eq!(cg.solve_with(apply, near, &b, Some(&guess)).unwrap().iterations, 0);
    // Where zero is the solution, no guess is better.
    let ones = b.ones_like().unwrap();
    let found = bicgstab.solve_with(apply, near, &b, Some(&ones)).unwrap();
    assert_eq!(found.outcomes, [Outcome::Converged; 3]);
    assert_eq!(found.x.get(2).unwrap().to_vec1::<f64>().unwrap(), vec![0.0; 64]);
    let wrong = cg.solve_with(apply, near, &b, Some(&ones.narrow(1, 0, 3).unwrap()));
    assert!(wrong.is_err());
    let nan = cg.solve_with(apply, near, &b, Some(&(&ones * f64::NAN).unwrap()));
    assert!(matches!(nan, Err(Error::InvalidArgument { .. })));
}

#[test]
fn diagonals() {
    let d = TensorDiagonal::new(Tensor::new(&[2.0, -4.0], &Device::Cpu).unwrap());
    let x = Tensor::new(&[[3.0], [5.0]], &Device::Cpu).unwrap();
    assert_eq!(d.apply(&x).unwrap().to_vec2::<f64>().unwrap(), [[6.0], [-20.0]]);
    let inverse = d.inverse().unwrap();
    assert_eq!(inverse.apply(&x).unwrap().to_vec2::<f64>().unwrap(), [[1.5], [-1.25]]);
    assert!(d.properties().symmetric && d.properties().diagonal);
    assert_eq!(d.shape(), [2, 2]);
    assert!(matches!(d.apply(&x.narrow(0, 0, 1).unwrap()), Err(Error::Size { .. })));
    let zero = TensorDiagonal::new(Tensor::new(&[2.0, 0.0], &Device::Cpu).unwrap());
    assert!(matches!(zero.inverse(), Err(Error::Singular { pivot: 1, .. })));
}
