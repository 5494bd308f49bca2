//! Gradients through diagonally implicit methods: the implicit function theorem in their stages.
#![cfg(all(feature = "candle", feature = "stiff"))]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    DiagonallyImplicit, ImplicitEuler, Kvaerno3, Kvaerno4, Kvaerno5, RecursiveCheckpoint, Sparsity,
    TrBdf2, Trapezoidal, Tsit5, WithJacobian, WithSparsity, core::Result, solve,
};
use candle_core::{DType, Device, Tensor, Var};

/// `y′ = tanh(y W) − 5 y³ + sin t` on rows of three: not linear, depends on time.
fn slope(w: &Tensor, t: f64, y: &Tensor) -> Result<Tensor> {
    let cube = (y.sqr()? * y)?;
    Ok(((y.matmul(w)?.tanh()? - (cube * 5.0)?)? + t.sin())?)
}

fn weight() -> Var {
    Var::new(&[[0.3f64, -1.2, 0.4], [0.8, 0.1, -0.5], [-0.7, 0.9, 0.2]], &Device::Cpu).unwrap()
}

fn start() -> Var {
    Var::new(&[[0.5f64, -0.3, 0.8], [1.1, 0.2, -0.6]], &Device::Cpu).unwrap()
}

/// A loss of the states saved at the ends of steps and inside, and at the end.
fn loss<M: DiagonallyImplicit>(
    method: M,
    w: &Tensor,
    y0: &Tensor,
    adjoint: RecursiveCheckpoint,
) -> Tensor {
    let w = w.clone();
    let field = move |t: f64, y: &Tensor| slope(&w, t, y);
    let s = solve(field, y0.clone(), (0.2, 1.4))
        .with(method)
        .steps(12)
        .save_at([0.4, 0.73, 1.27])
        .adjoint(adjoint)
        .run()
        .unwrap();
    let mut sum = s.y_end.sqr().unwrap().sum_all().unwrap();
    for (k, y) in s.ys.iter().enumerate() {
        sum = (sum + (y * (0.7 + k as f64)).unwrap().sin().unwrap().sum_all().unwrap()).unwrap();
    }
    sum
}

fn entries(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// Central differences of `f` in each entry of `x`.
fn differences(x: &Tensor, f: impl Fn(&Tensor) -> f64) -> Vec<f64> {
    let (at, shape) = (entries(x), x.shape().clone());
    let moved = |i: usize, by: f64| {
        let mut all = at.clone();
        all[i] += by;
        f(&Tensor::from_vec(all, shape.clone(), &Device::Cpu).unwrap())
    };
    let h = 1e-5;
    (0..at.len()).map(|i| (moved(i, h) - moved(i, -h)) / (2.0 * h)).collect()
}

fn assert_close(got: &Tensor, want: &[f64], tolerance: f64, what: &str) {
    let scale = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (got, want) in entries(got).iter().zip(want) {
        assert!((got - want).abs() <= tolerance * scale, "{what}: {got} {want}");
    }
}

fn agrees_with_differences<M: DiagonallyImplicit + std::fmt::Debug>(method: M) {
    let (w, y0) = (weight(), start());
    for checkpoints in [1, 2, 64] {
        let adjoint = RecursiveCheckpoint::new(checkpoints);
        let gradients = loss(method, &w, &y0, adjoint).backward().unwrap();
        let value = |w: &Tensor, y0: &Tensor| {
            loss(method, &w.detach(), &y0.detach(), adjoint).to_scalar::<f64>().unwrap()
        };
        let of_w = differences(&w, |w| value(w, &y0));
        assert_close(gradients.get(&w).unwrap(), &of_w, 1e-8, &format!("{method:?} w"));
        let of_y0 = differences(&y0, |y0| value(&w, y0));
        assert_close(gradients.get(&y0).unwrap(), &of_y0, 1e-8, &format!("{method:?} y0"));
    }
}

#[test]
fn differences_agree() {
    agrees_with_differences(ImplicitEuler);
    agrees_with_differences(Trapezoidal);
    agrees_with_differences(TrBdf2);
    agrees_with_differences(Kvaerno3);
    agrees_with_differences(Kvaerno4);
    agrees_with_differences(Kvaerno5);
}

/// With small steps of a tolerance every method gives the gradient of the problem itself.
#[test]
fn explicit_and_implicit_methods_agree() {
    let (w, y0) = (weight(), start());
    let field = || {
        let w = w.as_tensor().clone();
        move |t: f64, y: &Tensor| slope(&w, t, y)
    };
    let explicit = solve(field(), y0.as_tensor().clone(), (0.0, 1.0)).with(Tsit5);
    let explicit = explicit.tolerance(1e-10, 1e-10).run().unwrap();
    let implicit = solve(field(), y0.as_tensor().clone(), (0.0, 1.0)).with(Kvaerno5);
    let implicit = implicit.tolerance(1e-9, 1e-9).run().unwrap();
    let gradient = |y: &Tensor, of: &Var| {
        let loss = y.sqr().unwrap().sum_all().unwrap();
        loss.backward().unwrap().get(of).unwrap().clone()
    };
    for of in [&w, &y0] {
        let want = entries(&gradient(&explicit.y_end, of));
        assert_close(&gradient(&implicit.y_end, of), &want, 1e-7, "tolerance");
    }
}

/// `y′ = −λ (y − p cos t) − p sin t` follows `p cos t`, however large λ is, and so does the gradient;
/// that of the initial value is gone.
#[test]
fn very_stiff() {
    let p = Var::new(&[0.7f64], &Device::Cpu).unwrap();
    let y0 = Var::new(&[0.7f64], &Device::Cpu).unwrap();
    let q = p.as_tensor().clone();
    let field = move |t: f64, y: &Tensor| -> Result<Tensor> {
        Ok((((y - (&q * t.cos())?)? * -1e6)? - (&q * t.sin())?)?)
    };
    let s = solve(field, y0.as_tensor().clone(), (0.0, 1.0)).with(Kvaerno5);
    let s = s.tolerance(1e-8, 1e-8).run().unwrap();
    let gradients = s.y_end.sum_all().unwrap().backward().unwrap();
    let of_p = entries(gradients.get(&p).unwrap())[0];
    assert!((of_p - 1f64.cos()).abs() < 1e-7, "{of_p}");
    assert!(entries(gradients.get(&y0).unwrap())[0].abs() < 1e-9);
    assert!(s.statistics.accepted < 100, "{:?}", s.statistics);
}

/// Jacobians given, wrong by far, and sparse ones: they serve the iterations, not the result.
#[test]
fn whatever_the_jacobian() {
    let c = Var::new(&[1.3f64, 0.4, 2.0], &Device::Cpu).unwrap();
    let field = |c: &Var| {
        let c = c.as_tensor().clone();
        move |_: f64, y: &Tensor| -> Result<Tensor> { Ok(((y * &c)?.sin()? - (y * 3.0)?)?) }
    };
    let y0 = Tensor::new(&[0.3f64, -0.8, 1.0], &Device::Cpu).unwrap();
    let gradient = |y: &Tensor| {
        let loss = y.sqr().unwrap().sum_all().unwrap();
        entries(loss.backward().unwrap().get(&c).unwrap())
    };
    let plain = solve(field(&c), y0.clone(), (0.0, 1.0)).with(Kvaerno3).steps(8).run().unwrap();
    let want = gradient(&plain.y_end);
    let rough = WithJacobian::new(field(&c), |_: f64, _: &Tensor| {
        [[-2.5, 0.3, 0.0], [0.0, -2.5, 0.0], [0.0, 0.0, -2.5]]
    });
    let rough = solve(rough, y0.clone(), (0.0, 1.0)).with(Kvaerno3).steps(8).run().unwrap();
    assert_close(
        &Tensor::new(want.clone(), &Device::Cpu).unwrap(),
        &gradient(&rough.y_end),
        1e-10,
        "given",
    );
    let sparse = WithSparsity::new(field(&c), Sparsity::banded(3, 0, 0).unwrap());
    let sparse = solve(sparse, y0, (0.0, 1.0)).with(Kvaerno3).steps(8).run().unwrap();
    assert_close(
        &Tensor::new(want, &Device::Cpu).unwrap(),
        &gradient(&sparse.y_end),
        1e-10,
        "sparse",
    );
}

/// More than 48 components, where another factorisation is used; and numbers of 32 bits.
#[test]
fn larger_states_and_single_precision() {
    for (dtype, tolerance) in [(DType::F64, 1e-7f64), (DType::F32, 2e-4)] {
        let n = 60;
        let values: Vec<f64> = (0..n * n).map(|k| (0.37 * k as f64).sin() / 8.0).collect();
        let w = Tensor::from_vec(values, (n, n), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let y0 = Tensor::ones((1, n), dtype, &Device::Cpu).unwrap();
        let y0 = Var::from_tensor(&y0).unwrap();
        let v = w.clone();
        let field =
            move |_: f64, y: &Tensor| -> Result<Tensor> { Ok((y.matmul(&v)?.tanh()? - y)?) };
        let run = |implicit: bool| {
            let s = solve(field.clone(), y0.as_tensor().clone(), (0.0, 0.5));
            let s = if implicit {
                s.with(Kvaerno5).steps(10).run().unwrap()
            } else {
                s.with(Tsit5).steps(40).run().unwrap()
            };
            let loss = s.y_end.sqr().unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            gradients.get(&y0).unwrap().to_dtype(DType::F64).unwrap()
        };
        assert_close(&run(true), &entries(&run(false)), tolerance, "large");
    }
}
