//! Implicit gradients against differences of whole solves, unrolled iterations and each other.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_linalg::core::{
    Jet, TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz_linalg::{
    BiCgStab, Cg, Error, Gmres, Ic0, Ilu0, Iterative, Minres, Prepared, Properties, Result, Sparse,
    SparseCholesky, SparseLu,
    implicit::{self, Parametric},
};
use ansatz_ops::{Csr, GradCheck, gradcheck};

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

fn gmres() -> Iterative<Gmres> {
    Iterative::new(Gmres::default()).relative(1e-12)
}

fn outward(error: Error) -> ansatz_ops::Error {
    ansatz_ops::Error::custom(error)
}

/// Central differences of `f`, which solves anew each time, against its implicit gradient.
fn check(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) {
    let options = GradCheck { step: 1e-5, absolute: 2e-8, relative: 2e-7 };
    gradcheck(|v| f(v).map_err(outward), inputs, &options).unwrap();
}

/// x = tanh(x W + u): an equilibrium layer.
struct Equilibrium;

impl Parametric for Equilibrium {
    fn evaluate<T: TensorLike>(&self, x: &T, p: &[T]) -> Result<T> {
        Ok(x.matmul(&p[0])?.add(&p[1])?.tanh()?.sub(x)?)
    }
}

fn equilibrium_map(x: &Tensor, p: &[Tensor]) -> Result<Tensor> {
    Ok((x.matmul(&p[0])? + &p[1])?.tanh()?)
}

/// `[W, u]`, with a contraction.
fn equilibrium_parameters() -> Vec<Tensor> {
    vec![(wave(&[4, 4], 0.2) * 0.3).unwrap(), wave(&[3, 4], 0.9)]
}

fn equilibrium(p: &[Tensor], steps: usize) -> Tensor {
    let mut x = p[1].zeros_like().unwrap();
    for _ in 0..steps {
        x = equilibrium_map(&x, p).unwrap();
    }
    x
}

#[test]
fn fixed_points() {
    let parameters = equilibrium_parameters();
    let attached = |p: &[Tensor]| {
        let detached: Vec<Tensor> = p.iter().map(Tensor::detach).collect();
        implicit::fixed_point(equilibrium_map, &equilibrium(&detached, 200), p, gmres())
    };
    check(attached, &parameters);
    // The tape of the whole iteration gives the same.
    let weights = wave(&[3, 4], 2.0);
    let vars: Vec<Var> = parameters.iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let loss = |x: &Tensor| (x * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let unrolled = loss(&equilibrium(&tensors, 200));
    let implicit = loss(&attached(&tensors).unwrap());
    for v in &vars {
        assert!(distance(unrolled.get(v).unwrap(), implicit.get(v).unwrap()) < 1e-12);
    }
    // Captured variables are found as well, and any solver will do.
    let (w, u) = (tensors[0].clone(), tensors[1].clone());
    let map = move |x: &Tensor, _: &[Tensor]| equilibrium_map(x, &[w.clone(), u.clone()]);
    let solver = Iterative::new(BiCgStab::default()).relative(1e-12);
    let x = implicit::fixed_point(map, &equilibrium(&parameters, 200), &[], solver).unwrap();
    let captured = loss(&x);
    for v in &vars {
        assert!(distance(unrolled.get(v).unwrap(), captured.get(v).unwrap()) < 1e-11);
    }
    // Nothing tracked: the numbers alone.
    let plain = attached(&parameters).unwrap();
    assert!(!plain.track_op());
    assert!(distance(&plain, &equilibrium(&parameters, 200)) == 0.0);
}

#[test]
fn roots() {
    // x + 0.3 sin(x M) = θ: one root for each θ.
    let m = wave(&[5, 5], 0.4);
    let condition = {
        let m = m.clone();
        move |x: &Tensor, p: &[Tensor]| -> Result<Tensor> {
            Ok(((x + (x.unsqueeze(0)?.matmul(&m)?.squeeze(0)?.sin()? * 0.2)?)? - (&p[0] * &p[1])?)?)
        }
    };
    let solve = |p: &[Tensor]| -> Tensor {
        let mut x = p[0].zeros_like().unwrap();
        for _ in 0..300 {
            x = (&x - condition(&x, p).unwrap()).unwrap();
        }
        x
    };
    let attached = |p: &[Tensor]| {
        let detached: Vec<Tensor> = p.iter().map(Tensor::detach).collect();
        implicit::root(condition.clone(), &solve(&detached), p, gmres())
    };
    check(attached, &[wave(&[5], 0.1), wave(&[5], 1.7)]);
    // In single precision.
    let half: Vec<Tensor> = [wave(&[5], 0.1), wave(&[5], 1.7)]
        .iter()
        .map(|p| p.to_dtype(DType::F32).unwrap())
        .collect();
    let var = Var::from_tensor(&half[0]).unwrap();
    let m = m.to_dtype(DType::F32).unwrap();
    let single = move |x: &Tensor, p: &[Tensor]| -> Result<Tensor> {
        Ok(((x + (x.unsqueeze(0)?.matmul(&m)?.squeeze(0)?.sin()? * 0.2)?)? - (&p[0] * &p[1])?)?)
    };
    let mut x = half[0].zeros_like().unwrap();
    for _ in 0..100 {
        x = (&x - single(&x, &half).unwrap()).unwrap();
    }
    let p = [var.as_tensor().clone(), half[1].clone()];
    let solver = Iterative::new(Gmres::default()).relative(1e-5);
    let x = implicit::root(single, &x, &p, solver).unwrap();
    assert_eq!(x.dtype(), DType::F32);
    let gradient = x.sum_all().unwrap().backward().unwrap().get(&var).unwrap().clone();
    let var = Var::from_tensor(&wave(&[5], 0.1)).unwrap();
    let x = attached(&[var.as_tensor().clone(), wave(&[5], 1.7)]).unwrap();
    let double = x.sum_all().unwrap().backward().unwrap().get(&var).unwrap().clone();
    assert!(distance(&gradient.to_dtype(DType::F64).unwrap(), &double) < 1e-4);
}

#[test]
fn what_is_no_root_is_an_error() {
    let theta = Var::new(&[8f64], &Device::Cpu).unwrap();
    let p = [theta.as_tensor().clone()];
    let condition = |x: &Tensor, p: &[Tensor]| Ok((x.powf(3.0)? - &p[0])?);
    let far = Tensor::new(&[2.5f64], &Device::Cpu).unwrap();
    let x = implicit::root(condition, &far, &p, gmres()).unwrap();
    let failed: Error = x.backward().unwrap_err().into();
    assert!(matches!(failed, Error::NotSolved { .. }), "{failed}");
    let near = Tensor::new(&[2.000_01f64], &Device::Cpu).unwrap();
    let x = implicit::root(condition, &near, &p, gmres()).unwrap();
    let gradient = x.backward().unwrap();
    assert!((numbers(gradient.get(&theta).unwrap())[0] - 1.0 / 12.0).abs() < 1e-5);
    let map = |x: &Tensor, p: &[Tensor]| Ok(((x * 0.5)? + &p[0])?);
    let x = implicit::fixed_point(map, &far, &p, gmres()).unwrap();
    assert!(matches!(x.backward().unwrap_err().into(), Error::NotSolved { .. }));
    let x = implicit::minimise(Ridge, &wave(&[3], 0.0), &ridge_parameters()[..], gmres());
    let var = Var::from_tensor(&ridge_parameters()[2]).unwrap();
    let mut p = ridge_parameters();
    p[2] = var.as_tensor().clone();
    drop(x.unwrap());
    let x = implicit::minimise(Ridge, &(wave(&[3], 0.0) * 9.0).unwrap(), &p, gmres()).unwrap();
    let failed: Error = x.sum_all().unwrap().backward().unwrap_err().into();
    assert!(matches!(failed, Error::NotSolved { .. }), "{failed}");

    // A value of another size, a singular Jacobian, a solver that gives up.
    let wrong = implicit::root(|x, _| Ok(Tensor::cat(&[x, x], 0)?), &far, &p, gmres());
    assert!(matches!(wrong, Err(Error::Size { .. })));
    let wrong = implicit::fixed_point(|x, _| Ok(Tensor::cat(&[x, x], 0)?), &far, &p, gmres());
    assert!(matches!(wrong, Err(Error::Size { .. })));
    let p = [theta.as_tensor().clone()];
    let flat = |x: &Tensor, p: &[Tensor]| Ok(((x * 0.0)? + (&p[0] * 0.0)?)?);
    let x = implicit::root(flat, &far, &p, gmres()).unwrap();
    assert!(matches!(x.backward().unwrap_err().into(), Error::NotConverged { .. }));
}

/// ½ |X w − y|² / n + ½ e^λ |w|²: ridge regression with a logarithmic weight.
struct Ridge;

impl Parametric for Ridge {
    fn evaluate<T: TensorLike>(&self, w: &T, p: &[T]) -> Result<T> {
        let residual = p[0].matmul(&w.unsqueeze(1)?)?.squeeze(1)?.sub(&p[1])?;
        let penalty = w.sqr()?.sum_all()?.mul(&p[2].exp()?)?.scale(0.5)?;
        Ok(residual.sqr()?.mean_all()?.scale(0.5)?.add(&penalty)?)
    }
}

fn ridge_parameters() -> Vec<Tensor> {
    vec![wave(&[8, 3], 0.2), wave(&[8], 1.4), Tensor::new(-1.5f64, &Device::Cpu).unwrap()]
}

/// (Xᵀ X / n + e^λ) w = Xᵀ y / n
fn ridge(p: &[Tensor]) -> Result<Tensor> {
    let weight = p[2].to_scalar::<f64>()?.exp();
    let x = p[0].clone();
    let n = x.dims()[0] as f64;
    let map = move |w: &Tensor, _: &[Tensor]| -> Result<Tensor> {
        let back = x.t()?.matmul(&x.matmul(&w.unsqueeze(1)?)?)?.squeeze(1)?;
        Ok(((back / n)? + (w * weight)?)?)
    };
    let right = (p[0].t()?.matmul(&p[1].unsqueeze(1)?)?.squeeze(1)? / n)?;
    let solver = Iterative::new(Cg).relative(1e-14);
    implicit::linear_solve(map, &[], &right.detach(), Properties::SPD, solver)
}

#[test]
fn minima() {
    let attached = |p: &[Tensor]| {
        let detached: Vec<Tensor> = p.iter().map(Tensor::detach).collect();
        let solver = Iterative::new(Cg).relative(1e-13);
        implicit::minimise(Ridge, &ridge(&detached)?.detach(), p, solver)
    };
    check(attached, &ridge_parameters());
    let solver = Iterative::new(Minres).relative(1e-13);
    let p = ridge_parameters();
    let var = Var::from_tensor(&p[2]).unwrap();
    let all = [p[0].clone(), p[1].clone(), var.as_tensor().clone()];
    let x = implicit::minimise(Ridge, &ridge(&p).unwrap(), &all, solver).unwrap();
    let y = attached(&all).unwrap();
    let gradient = |x: &Tensor| {
        numbers(x.sqr().unwrap().sum_all().unwrap().backward().unwrap().get(&var).unwrap())[0]
    };
    assert!((gradient(&x) - gradient(&y)).abs() < 1e-12);
    let vector = implicit::minimise(Residual, &wave(&[2], 0.0), &[wave(&[6], 0.0)], gmres());
    assert!(matches!(vector, Err(Error::Size { .. })));
}

/// a e^(−b tᵢ) − yᵢ at six times, which no curve of this form fits.
struct Residual;

impl Parametric for Residual {
    fn evaluate<T: TensorLike>(&self, x: &T, p: &[T]) -> Result<T> {
        let times = Tensor::new(&[0.0, 0.5, 1.0, 1.5, 2.0, 2.5f64], &Device::Cpu)?;
        let decay = x.narrow(0, 1, 1)?.mul_constant(&times)?.neg()?.exp()?;
        Ok(decay.mul(&x.narrow(0, 0, 1)?)?.sub(&p[0])?)
    }
}

#[test]
fn least_squares_with_residuals_that_stay() {
    let data = Tensor::new(&[2.1, 1.1, 0.9, 0.2, 0.5, -0.1f64], &Device::Cpu).unwrap();
    // Newton's method on the gradient in closed form.
    let solve = |y: &Tensor| -> Tensor {
        let y = numbers(y);
        let (mut a, mut b) = (2.0f64, 1.0f64);
        for _ in 0..100 {
            let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
            for (i, y) in y.iter().enumerate() {
                let t = 0.5 * i as f64;
                let e = (-b * t).exp();
                let r = a * e - y;
                g[0] += r * e;
                g[1] -= r * a * t * e;
                h[0] += e * e;
                h[1] += -t * e * r - a * t * e * e;
                h[2] += a * t * t * e * r + (a * t * e).powi(2);
            }
            let det = h[0] * h[2] - h[1] * h[1];
            a -= (h[2] * g[0] - h[1] * g[1]) / det;
            b -= (h[0] * g[1] - h[1] * g[0]) / det;
        }
        Tensor::new(&[a, b], &Device::Cpu).unwrap()
    };
    let attached = |p: &[Tensor]| {
        let x = solve(&p[0].detach());
        implicit::least_squares(Residual, &x, p, Iterative::new(Minres).relative(1e-13))
    };
    check(attached, &[data]);
}

#[test]
fn linear_systems() {
    // (D(θ) + 0.2 M) x = b, not symmetric.
    let m = wave(&[6, 6], 0.3);
    let map = move |x: &Tensor, p: &[Tensor]| -> Result<Tensor> {
        let full = (m.matmul(&x.unsqueeze(1)?)?.squeeze(1)? * 0.2)?;
        Ok(((x * (p[0].sqr()? + 2.0)?)? + full)?)
    };
    let inputs = [wave(&[6], 0.8), wave(&[6], 1.9)];
    check(
        |p| implicit::linear_solve(map.clone(), &p[..1], &p[1], Properties::NONE, gmres()),
        &inputs,
    );
    // Another shape than a column, and a captured variable.
    let theta = Var::from_tensor(&wave(&[2, 3], 0.8)).unwrap();
    let captured = theta.as_tensor().clone();
    let diagonal = move |x: &Tensor, _: &[Tensor]| Ok((x * (captured.sqr()? + 2.0)?)?);
    let b = wave(&[2, 3], 0.1);
    let solver = Iterative::new(Cg).relative(1e-13);
    let x = implicit::linear_solve(diagonal, &[], &b, Properties::SPD, solver).unwrap();
    assert_eq!(x.dims(), [2, 3]);
    let gradients = x.sum_all().unwrap().backward().unwrap();
    // d/dθ b / (θ² + 2) = −2 θ b / (θ² + 2)²
    let t = theta.as_detached_tensor();
    let below = (t.sqr().unwrap() + 2.0).unwrap().sqr().unwrap();
    let want = ((t * &b).unwrap() * -2.0).unwrap().div(&below).unwrap();
    assert!(distance(gradients.get(&theta).unwrap(), &want) < 1e-12);
}

/// `[values, b]` of a sparse system of five unknowns, and where the values are.
fn sparse_system() -> (Tensor, Tensor, Vec<Tensor>) {
    let ids = |v: &[u32]| Tensor::new(v, &Device::Cpu).unwrap();
    let rows = ids(&[0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4]);
    let columns = ids(&[0, 1, 0, 1, 2, 2, 4, 3, 0, 4, 1, 3, 1]); // (4, 1) twice
    let strong: Vec<f64> =
        [5.0, 1.0, -1.0, 4.0, 0.5, 3.0, 0.7, 6.0, 1.0, 5.0, 0.4, -0.6, 0.3].into();
    (rows, columns, vec![Tensor::new(strong, &Device::Cpu).unwrap(), wave(&[5], 0.4)])
}

#[test]
fn sparse_systems() {
    let (rows, columns, inputs) = sparse_system();
    let solve = |p: &[Tensor]| {
        let a = Csr::from_triplets(&rows, &columns, &p[0], (5, 5))?;
        implicit::sparse_solve(&a, &p[1], SparseLu::new)
    };
    check(solve, &inputs);
    // Several right-hand sides, and an iteration in the place of the factorisation.
    let several = [inputs[0].clone(), wave(&[5, 3], 0.4)];
    check(solve, &several);
    let iterated = |p: &[Tensor]| {
        let a = Csr::from_triplets(&rows, &columns, &p[0], (5, 5))?;
        implicit::sparse_solve(&a, &p[1], |a: &Sparse| {
            let solver = gmres().preconditioner(Ilu0::new(a)?);
            Ok(Prepared { operator: a.clone(), solver })
        })
    };
    check(iterated, &several);
    assert!(distance(&iterated(&several).unwrap(), &solve(&several).unwrap()) < 1e-11);

    // Symmetric, by Cholesky and by CG: the same gradients, in single precision too.
    let grid = |values: &Tensor| {
        let ids = |v: &[u32]| Tensor::new(v, &Device::Cpu).unwrap();
        Csr::from_triplets(
            &ids(&[0, 0, 1, 1, 1, 2, 2]),
            &ids(&[0, 1, 0, 1, 2, 1, 2]),
            values,
            (3, 3),
        )
    };
    let values = Var::new(&[2f32, -1.0, -1.0, 2.0, -1.0, -1.0, 2.0], &Device::Cpu).unwrap();
    let b = Var::new(&[1f32, 2.0, 3.0], &Device::Cpu).unwrap();
    let a = grid(&values).unwrap();
    let direct = implicit::sparse_solve(&a, &b, SparseCholesky::new).unwrap();
    assert_eq!(direct.dtype(), DType::F32);
    let cg = implicit::sparse_solve(&a, &b, |a: &Sparse| {
        let solver = Iterative::new(Cg).preconditioner(Ic0::new(a)?).relative(1e-12);
        Ok(Prepared { operator: a.clone(), solver })
    });
    let of = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    let (one, two) = (of(&direct), of(&cg.unwrap()));
    for v in [&values, &b] {
        assert!(distance(one.get(v).unwrap(), two.get(v).unwrap()) < 1e-5);
    }
    let singular = grid(&(values.as_tensor() * 0.0).unwrap()).unwrap();
    assert!(implicit::sparse_solve(&singular, &b, SparseLu::new).is_err());
    let wrong = implicit::sparse_solve(&a, &wave(&[4], 0.0), SparseLu::new);
    assert!(matches!(wrong, Err(Error::Size { .. })));
}

#[test]
fn forward_and_reverse_mode_agree() {
    let p = equilibrium_parameters();
    let x = equilibrium(&p, 300);
    let directions = [wave(&[4, 4], 1.1), wave(&[3, 4], 2.7)];
    let jets: Vec<Jet> = p
        .iter()
        .zip(&directions)
        .map(|(p, d)| {
            let two = Tensor::stack(&[d, &(d * -0.5).unwrap()], 0).unwrap();
            Jet::seed(p, &two, 3).unwrap()
        })
        .collect();
    let series = implicit::series(&Equilibrium, &x, &jets, gmres()).unwrap();
    // ⟨g, dx⟩ = ⟨gradient, dθ⟩
    let g = wave(&[3, 4], 0.6);
    let vars: Vec<Var> = p.iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let attached = implicit::fixed_point(equilibrium_map, &x, &tensors, gmres()).unwrap();
    let gradients = (attached * &g).unwrap().sum_all().unwrap().backward().unwrap();
    let inner = |a: &Tensor, b: &Tensor| -> f64 {
        numbers(a).iter().zip(numbers(b)).map(|(a, b)| a * b).sum()
    };
    let reverse: f64 =
        vars.iter().zip(&directions).map(|(v, d)| inner(gradients.get(v).unwrap(), d)).sum();
    let forward = inner(&g, &series.coefficient(1, 0).unwrap());
    assert!((forward - reverse).abs() < 1e-11, "{forward} {reverse}");
    // The second direction is −½ of the first: powers of −½ by order.
    for k in 1..=3 {
        let (one, two) = (series.coefficient(k, 0).unwrap(), series.coefficient(k, 1).unwrap());
        let factor = (-0.5f64).powi(k as i32);
        assert!(distance(&(one * factor).unwrap(), &two) < 1e-10, "{k}");
    }
    // The series predicts the solution nearby: the remainder is of fourth order.
    let remainder = |t: f64| {
        let at: Vec<Tensor> =
            p.iter().zip(&directions).map(|(p, d)| (p + (d * t).unwrap()).unwrap()).collect();
        let mut sum = x.clone();
        for k in 1..=3 {
            sum = (sum + (series.coefficient(k, 0).unwrap() * t.powi(k as i32)).unwrap()).unwrap();
        }
        distance(&sum, &equilibrium(&at, 400))
    };
    let order = (remainder(0.02) / remainder(0.01)).log2();
    assert!((order - 4.0).abs() < 0.3, "{order}");

    assert!(matches!(
        implicit::series(&Equilibrium, &x, &[], gmres()),
        Err(Error::InvalidArgument { .. })
    ));
    let lower = Jet::seed(&p[1], &directions[1].unsqueeze(0).unwrap(), 2).unwrap();
    let mixed = implicit::series(&Equilibrium, &x, &[jets[0].clone(), lower], gmres());
    assert!(matches!(mixed, Err(Error::Size { .. })));
}

#[test]
fn projections() {
    // Onto the simplex: the nearest point, found by comparison with many others.
    let y = Tensor::new(&[[0.9f64, 0.3, -0.4, 0.55], [5.0, 1.0, 0.0, -1.0]], &Device::Cpu).unwrap();
    let x = implicit::project_simplex(&y, 1.0).unwrap();
    // By hand: (0.9 + 0.3 + 0.55 − 1) / 3 = 0.25.
    let want =
        Tensor::new(&[[0.65f64, 0.05, 0.0, 0.3], [1.0, 0.0, 0.0, 0.0]], &Device::Cpu).unwrap();
    assert!(distance(&x, &want) < 1e-14);
    check(|p| implicit::project_simplex(&p[0], 1.0), &[wave(&[4, 6], 0.3)]);
    check(|p| implicit::project_simplex(&p[0], 2.5), &[wave(&[7], 0.3)]);
    let inside = implicit::project_simplex(&want, 1.0).unwrap();
    assert!(distance(&inside, &want) < 1e-15);
    for bad in [0.0, -1.0, f64::NAN] {
        assert!(matches!(implicit::project_simplex(&y, bad), Err(Error::InvalidArgument { .. })));
    }
    let nan = (&y * f64::NAN).unwrap();
    assert!(matches!(implicit::project_simplex(&nan, 1.0), Err(Error::InvalidArgument { .. })));
    let empty = Tensor::zeros((2, 0), DType::F64, &Device::Cpu).unwrap();
    assert!(matches!(implicit::project_simplex(&empty, 1.0), Err(Error::Size { .. })));

    let (lower, upper) = ((wave(&[8], 0.1) - 1.0).unwrap(), (wave(&[8], 0.1) - 0.4).unwrap());
    let y = wave(&[8], 0.9);
    let x = numbers(&implicit::project_box(&y, &lower, &upper).unwrap());
    let rows = numbers(&y).into_iter().zip(numbers(&lower).into_iter().zip(numbers(&upper)));
    for (x, (y, (lower, upper))) in x.iter().zip(rows) {
        assert_eq!(*x, y.clamp(lower, upper));
    }
    check(
        |p| implicit::project_box(&p[0], &p[1], &p[2]),
        &[y.clone(), lower.clone(), upper.clone()],
    );
    let crossed = implicit::project_box(&y, &upper, &lower);
    assert!(matches!(crossed, Err(Error::InvalidArgument { .. })));
    assert!(matches!(implicit::project_box(&y, &wave(&[3], 0.0), &upper), Err(Error::Size { .. })));

    let (a, b) = (wave(&[2, 5], 0.3), wave(&[2], 1.2));
    let y = wave(&[3, 5], 0.7);
    let x = implicit::project_affine(&y, &a, &b).unwrap();
    let image = x.matmul(&a.t().unwrap()).unwrap();
    assert!(
        distance(
            &image,
            &b.broadcast_as((2,)).unwrap().unsqueeze(0).unwrap().repeat((3, 1)).unwrap()
        ) < 1e-13
    );
    // What was moved is orthogonal to the set: a combination of the rows of A.
    let moved = (&y - &x).unwrap();
    let again = implicit::project_affine(&moved, &a, &(&b * 0.0).unwrap()).unwrap();
    assert!(numbers(&again).iter().all(|v| v.abs() < 1e-13));
    check(|p| implicit::project_affine(&p[0], &a, &p[1]), &[y.clone(), b.clone()]);
    let dependent = Tensor::cat(&[&a, &a.narrow(0, 0, 1).unwrap()], 0).unwrap();
    let failed = implicit::project_affine(&y, &dependent, &wave(&[3], 0.0));
    assert!(matches!(failed, Err(Error::Singular { .. })));
    assert!(matches!(implicit::project_affine(&y, &a, &wave(&[3], 0.0)), Err(Error::Size { .. })));
}

#[test]
fn quadratic_programs() {
    let base = wave(&[4, 4], 0.3);
    let definite = |base: &Tensor| {
        let square = base.t()?.matmul(base)?;
        Ok::<_, Error>((square + Tensor::eye(4, DType::F64, &Device::Cpu)?)?)
    };
    let (c, a, b) = (wave(&[4], 0.5), wave(&[2, 4], 1.1), wave(&[2], 0.2));
    let q = definite(&base).unwrap();
    let (x, lambda) = implicit::quadratic_program(&q, &c, &a, &b).unwrap();
    // Stationary, and feasible.
    let column = |x: &Tensor| x.unsqueeze(1).unwrap();
    let slope = (q.matmul(&column(&x)).unwrap().squeeze(1).unwrap() + &c).unwrap();
    let forces = a.t().unwrap().matmul(&column(&lambda)).unwrap().squeeze(1).unwrap();
    assert!(numbers(&(slope + forces).unwrap()).iter().all(|v| v.abs() < 1e-13));
    assert!(distance(&a.matmul(&column(&x)).unwrap().squeeze(1).unwrap(), &b) < 1e-13);
    let solve = |p: &[Tensor]| {
        let (x, lambda) = implicit::quadratic_program(&definite(&p[0])?, &p[1], &p[2], &p[3])?;
        Ok(Tensor::cat(&[x, lambda], 0)?)
    };
    check(solve, &[base, c.clone(), a.clone(), b.clone()]);
    // The projection onto an affine set is one.
    let y = wave(&[4], 2.2);
    let eye = Tensor::eye(4, DType::F64, &Device::Cpu).unwrap();
    let (x, _) = implicit::quadratic_program(&eye, &y.neg().unwrap(), &a, &b).unwrap();
    assert!(distance(&x, &implicit::project_affine(&y, &a, &b).unwrap()) < 1e-13);

    let refuse = |q: &Tensor, a: &Tensor| implicit::quadratic_program(q, &c, a, &b).map(drop);
    let skewed = (&q + &wave(&[4, 4], 0.0)).unwrap();
    assert!(matches!(refuse(&skewed, &a), Err(Error::InvalidArgument { .. })));
    assert!(matches!(refuse(&q.neg().unwrap(), &a), Err(Error::InvalidArgument { .. })));
    let dependent = Tensor::cat(&[&a.narrow(0, 0, 1).unwrap(); 2], 0).unwrap();
    assert!(matches!(refuse(&q, &dependent), Err(Error::Singular { .. })));
    assert!(matches!(refuse(&q, &wave(&[2, 3], 0.0)), Err(Error::Size { .. })));
}
