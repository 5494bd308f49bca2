//! Implicit gradients: what they refuse, what they capture, and projections at the edges of numbers.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_linalg::core::{
    TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz_linalg::{
    Cg, DampedQr, Direct, Error, Gmres, Iterative, LevenbergMarquardt, NonlinearStopping, Outcome,
    Properties, Result, RootFinder, SparseLu, TensorMatrix, TrustRegion, WithJacobian,
    implicit::{self, Parametric},
};
use ansatz_ops::{Csr, GradCheck, gradcheck};

fn vector(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn near(x: &Tensor, want: &[f64], tolerance: f64) {
    let x = numbers(x);
    assert_eq!(x.len(), want.len());
    assert!(x.iter().zip(want).all(|(x, w)| (x - w).abs() <= tolerance), "{x:?} {want:?}");
}

fn gmres() -> Iterative<Gmres> {
    Iterative::new(Gmres::default()).relative(1e-12)
}

fn gradient(y: &Tensor, variable: &Var) -> Result<Vec<f64>> {
    let weights: Vec<f64> = (0..y.elem_count()).map(|i| 1.0 + 0.5 * i as f64).collect();
    let weights = vector(&weights).reshape(y.shape())?;
    let store = (y * weights)?.sum_all()?.backward()?;
    Ok(numbers(store.get(variable).unwrap()))
}

fn check(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) {
    let options = GradCheck { step: 1e-5, absolute: 2e-8, relative: 2e-7 };
    gradcheck(|v| f(v).map_err(ansatz_ops::Error::custom), inputs, &options).unwrap();
}

#[test]
fn gradients_of_what_is_no_root_are_refused() {
    let cube = |x: &Tensor, p: &[Tensor]| Ok((x.powf(3.0)? - &p[0])?);
    // The two errors cancel in the loss.
    let theta = Var::from_tensor(&vector(&[8.0, 8.0])).unwrap();
    let p = [theta.as_tensor().clone()];
    let x = implicit::root(cube, &vector(&[2.5, 2.5]), &p, gmres()).unwrap();
    let difference = (x.get(0).unwrap() - x.get(1).unwrap()).unwrap();
    let failed: Error = difference.backward().unwrap_err().into();
    assert!(matches!(failed, Error::NotSolved { .. }), "{failed}");
    // Small, and off by its own size.
    let theta = Var::from_tensor(&vector(&[1e-18])).unwrap();
    let p = [theta.as_tensor().clone()];
    let x = implicit::root(cube, &vector(&[2e-6]), &p, gmres()).unwrap();
    let failed: Error = x.sum_all().unwrap().backward().unwrap_err().into();
    assert!(matches!(failed, Error::NotSolved { .. }), "{failed}");
    let x = implicit::root(cube, &vector(&[1.000_001e-6]), &p, gmres()).unwrap();
    let slope = gradient(&x, &theta).unwrap()[0];
    assert!((slope * 3e-12 - 1.0).abs() < 1e-4, "{slope}");
    // A root that is zero but for rounding.
    let shift = |x: &Tensor, p: &[Tensor]| Ok((x - &p[0])?);
    let theta = Var::from_tensor(&vector(&[0.0])).unwrap();
    let x = implicit::root(shift, &vector(&[1e-17]), &[theta.as_tensor().clone()], gmres());
    assert_eq!(gradient(&x.unwrap(), &theta).unwrap(), [1.0]);
}

/// Σ ¼ x⁴ − θ x with a θ that is captured.
struct Captured(Var);

impl Parametric for Captured {
    fn evaluate<T: TensorLike>(&self, x: &T, _: &[T]) -> Result<T> {
        let theta = x.constant(self.0.as_tensor())?;
        Ok(x.powi(4)?.scale(0.25)?.sub(&x.mul(&theta)?)?.sum_all()?)
    }
}

/// `x − θ` and `2 (x − θ)`.
struct Distance(Var);

impl Parametric for Distance {
    fn evaluate<T: TensorLike>(&self, x: &T, _: &[T]) -> Result<T> {
        Ok(x.sub(&x.constant(self.0.as_tensor())?)?)
    }
}

#[test]
fn minima_are_attached_to_captured_variables() {
    let theta = Var::from_tensor(&vector(&[8.0, 27.0])).unwrap();
    let solver = Iterative::new(Cg).relative(1e-12);
    let x = implicit::minimise(Captured(theta.clone()), &vector(&[2.0, 3.0]), &[], solver).unwrap();
    let slopes = gradient(&x, &theta).unwrap();
    assert!((slopes[0] - 1.0 / 12.0).abs() < 1e-10 && (slopes[1] - 1.5 / 27.0).abs() < 1e-10);
    let x = vector(&[8.0, 27.0]);
    let x = implicit::least_squares(Distance(theta.clone()), &x, &[], solver).unwrap();
    let slopes = gradient(&x, &theta).unwrap();
    assert!((slopes[0] - 1.0).abs() < 1e-14 && (slopes[1] - 1.5).abs() < 1e-14, "{slopes:?}");
}

#[test]
fn values_of_another_shape() {
    let theta = Var::from_tensor(&vector(&[2.0, 4.0])).unwrap();
    let p = [theta.as_tensor().clone()];
    let column = |x: &Tensor, p: &[Tensor]| Ok((x * &p[0])?.unsqueeze(1)?);
    let b = vector(&[2.0, 4.0]);
    let x = implicit::linear_solve(column, &p, &b, Properties::NONE, gmres()).unwrap();
    assert_eq!(x.dims(), [2]);
    assert!((gradient(&x, &theta).unwrap()[0] + 0.5).abs() < 1e-10);
    let square = |x: &Tensor, p: &[Tensor]| Ok((x.sqr()? - &p[0])?.unsqueeze(0)?);
    let root = theta.as_detached_tensor().sqrt().unwrap();
    for x in [
        implicit::root(square, &root, &p, gmres()).unwrap(),
        implicit::root(square, &root, &p, Direct).unwrap(),
    ] {
        let slopes = gradient(&x, &theta).unwrap();
        assert!((slopes[0] - 0.5 / 2f64.sqrt()).abs() < 1e-10, "{slopes:?}");
        assert!((slopes[1] - 0.375).abs() < 1e-10, "{slopes:?}");
    }
}

#[test]
fn simplex_of_large_numbers() {
    for (y, want) in [
        ([1e17, 0.0, 0.0], [1.0, 0.0, 0.0]),
        ([-1e17, -2e17, -3e17], [1.0, 0.0, 0.0]),
        ([1e12 + 0.625, 1e12 + 0.25, 1e12 - 1.0], [0.687_5, 0.312_5, 0.0]),
    ] {
        near(&implicit::project_simplex(&vector(&y), 1.0).unwrap(), &want, 1e-15);
    }
}

#[test]
fn what_is_not_finite_is_refused() {
    let (good, bad) = (vector(&[1.0, 2.0]), vector(&[f64::NAN, 2.0]));
    let refused = |result: Result<Tensor>| {
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    };
    for [y, lower, upper] in [[&bad, &good, &good], [&good, &bad, &good], [&good, &good, &bad]] {
        refused(implicit::project_box(y, lower, upper));
    }
    let eye = Tensor::eye(2, DType::F64, &Device::Cpu).unwrap();
    let (row, one) = (vector(&[1.0, 1.0]).unsqueeze(0).unwrap(), vector(&[1.0]));
    let nan = vector(&[f64::NAN]);
    refused(implicit::project_affine(&bad, &row, &one));
    refused(implicit::project_affine(&good, &row, &nan));
    refused(implicit::quadratic_program(&eye, &bad, &row, &one).map(|(x, _)| x));
    refused(implicit::quadratic_program(&eye, &good, &row, &nan).map(|(x, _)| x));
    let ids = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
    let matrix = Csr::from_triplets(&ids, &ids, &good, (2, 2)).unwrap();
    refused(implicit::sparse_solve(&matrix, &bad, SparseLu::new));
    for project in [implicit::project_l1_ball, implicit::project_l2_ball] {
        refused(project(&bad, 1.0));
        refused(project(&good, 0.0));
        refused(project(&good, f64::NAN));
    }
    refused(implicit::project_halfspace(&bad, &good, &one));
    refused(implicit::project_halfspace(&good, &vector(&[0.0, 0.0]), &one));
    let wrong = implicit::project_halfspace(&good, &one, &one);
    assert!(matches!(wrong, Err(Error::Size { .. })));
    // Infinite bounds are none.
    let all = vector(&[f64::NEG_INFINITY, 3.0]);
    let x = implicit::project_box(&good, &all, &vector(&[f64::INFINITY])).unwrap();
    assert_eq!(numbers(&x), [1.0, 3.0]);
}

#[test]
fn balls_and_half_spaces() {
    let rows = Tensor::new(&[[3.0f64, -4.0, 0.0], [0.1, 0.2, -0.1]], &Device::Cpu).unwrap();
    let x = implicit::project_l2_ball(&rows, 1.0).unwrap();
    near(&x, &[0.6, -0.8, 0.0, 0.1, 0.2, -0.1], 1e-15);
    let x = implicit::project_l1_ball(&rows, 3.0).unwrap();
    near(&x, &[1.0, -2.0, 0.0, 0.1, 0.2, -0.1], 1e-15);
    near(&implicit::project_l2_ball(&vector(&[3e200, 4e200]), 5.0).unwrap(), &[3.0, 4.0], 1e-14);
    near(&implicit::project_l2_ball(&vector(&[0.0, 0.0]), 5.0).unwrap(), &[0.0, 0.0], 0.0);
    near(&implicit::project_l1_ball(&vector(&[-1e17, 3.0]), 1.0).unwrap(), &[-1.0, 0.0], 0.0);
    let (a, b) = (vector(&[1.0, 2.0, -2.0]), vector(&[2.0]));
    // ⟨a, y⟩ is −5 and 0.7: the first two are inside, then one is 16 too far.
    near(&implicit::project_halfspace(&rows, &a, &b).unwrap(), &numbers(&rows), 0.0);
    let outside = vector(&[0.0, 9.0, 0.0]);
    let x = implicit::project_halfspace(&outside, &a, &b).unwrap();
    near(&x, &[-16.0 / 9.0, 9.0 - 32.0 / 9.0, 32.0 / 9.0], 1e-14);
    let rows = (rows + 0.05).unwrap();
    check(|p| implicit::project_l2_ball(&p[0], 1.0), std::slice::from_ref(&rows));
    check(|p| implicit::project_l1_ball(&p[0], 3.0), std::slice::from_ref(&rows));
    check(|p| implicit::project_halfspace(&p[0], &p[1], &p[2]), &[outside, a, b]);
    // Bounds for all rows, and the matrix of an affine set.
    let (lower, upper) = (vector(&[0.0, -1.0, 0.0]), vector(&[2.0]));
    check(|p| implicit::project_box(&p[0], &p[1], &p[2]), &[rows.clone(), lower, upper]);
    let a = Tensor::new(&[[1.0f64, 0.3, -0.2], [0.1, 1.1, 0.7]], &Device::Cpu).unwrap();
    let b = vector(&[0.4, -0.3]);
    check(|p| implicit::project_affine(&p[0], &p[1], &p[2]), &[rows, a, b]);
}

#[test]
fn single_precision_ends_as_double() {
    let single = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    // Squares of the gradient underflow.
    let slope = Tensor::new(&[[1e-25f32]], &Device::Cpu).unwrap();
    let line = WithJacobian::new(
        |x: &Tensor| Ok(((x * 1e-25)? - 1.0)?),
        |_: &Tensor| TensorMatrix::new(slope.clone(), Properties::NONE),
    );
    let found = LevenbergMarquardt::new(DampedQr).run(
        &line,
        &single(&[0.0]),
        &NonlinearStopping::default(),
    );
    if let Ok(found) = found {
        assert!(found.outcome != Outcome::Converged || numbers(&found.x)[0] != 0.0, "{found:?}");
    }
    // Singular to single precision only.
    let matrix = Tensor::new(&[[1f32, 1.0], [1.0, 1.0 + f32::EPSILON]], &Device::Cpu).unwrap();
    let f = WithJacobian::new(
        |x: &Tensor| {
            let sum = x.sum_all()?;
            Ok(Tensor::stack(&[(&sum - 1.0)?, (&sum - 2.0)?], 0)?)
        },
        |_: &Tensor| TensorMatrix::new(matrix.clone(), Properties::NONE),
    );
    let root = TrustRegion::new(Direct)
        .run(&f, &single(&[0.3, 0.7]), &NonlinearStopping::default())
        .unwrap();
    assert!(root.residuals.windows(2).all(|w| w[1] <= w[0]), "{:?}", root.residuals);
}
