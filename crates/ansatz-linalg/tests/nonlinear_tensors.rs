//! Nonlinear systems and minima of tensors.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_linalg::core::{
    Module, TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz_linalg::{
    Anderson, Broyden, Chord, Components, DampedLsmr, DampedQr, Direct, Error, FixedPoint,
    FixedPointMethod, GaussNewton, Gmres, Iterative, Lbfgs, LevenbergMarquardt, Newton,
    NonlinearStopping, Outcome, RootFinder, TrustRegion, Vector, WithExactJacobian,
};

/// `x + 0.3 tanh(x W) + 0.1 x³ − b`: its Jacobian is not symmetric, and never singular.
#[derive(Clone)]
struct Curved {
    weight: Tensor,
    right: Tensor,
}

impl<T: TensorLike> Module<T> for Curved {
    fn forward(&self, x: &T) -> ansatz_linalg::core::Result<T> {
        let bent = x.matmul_constant(&self.weight)?.tanh()?.scale(0.3)?;
        x.add(&bent)?.add(&x.powi(3)?.scale(0.1)?)?.add_constant(&self.right.neg()?)
    }
}

fn wave(dims: &[usize], phase: f64, dtype: DType) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> =
        (0..n).map(|i| (phase + 1.3 * i as f64 + 0.1 * (i * i) as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn problem(dtype: DType) -> Curved {
    Curved { weight: wave(&[4, 4], 0.2, dtype), right: wave(&[3, 4], 0.9, dtype) }
}

#[test]
fn roots_of_every_dtype() {
    let krylov = Iterative::new(Gmres::default()).relative(1e-2);
    let finders: [Box<dyn RootFinder<Tensor>>; 6] = [
        Box::new(Newton::new(krylov)),
        Box::new(Newton::new(Direct)),
        Box::new(Chord::new(krylov)),
        Box::new(Broyden::new(krylov)),
        Box::new(Broyden::multiple(0.8)),
        Box::new(TrustRegion::new(krylov)),
    ];
    let mut reference: Option<Vec<f64>> = None;
    for (dtype, relative) in [(DType::F64, 1e-11), (DType::F32, 2e-6)] {
        let f = problem(dtype);
        let start = Tensor::zeros((3, 4), dtype, &Device::Cpu).unwrap();
        let stopping = NonlinearStopping { relative, ..NonlinearStopping::default() };
        for (i, finder) in finders.iter().enumerate() {
            let root = finder.solve(&WithExactJacobian(f.clone()), &start, &stopping).unwrap();
            assert_eq!((root.x.dtype(), root.x.dims()), (dtype, &[3, 4][..]));
            let value = Module::<Tensor>::forward(&f, &root.x).unwrap();
            assert_eq!(value.norm2().unwrap(), root.residual());
            let want = reference.get_or_insert_with(|| root.x.components().unwrap());
            let off = wide(&root.x.components().unwrap(), want);
            assert!(off < 10.0 * relative, "{i} {dtype:?} {off:e}");
            // By differences, of the precision that the numbers have.
            if i < 4 {
                let plain = |x: &Tensor| Ok(Module::<Tensor>::forward(&f, x)?);
                let again = finder.solve(&plain, &start, &stopping).unwrap();
                assert!(wide(&again.x.components().unwrap(), want) < 10.0 * relative);
                assert!(again.iterations() <= root.iterations() + 3, "{i} {dtype:?}");
            }
        }
        // x = b − 0.3 tanh(x W) − 0.1 x³.
        let map = |x: &Tensor| Ok((x - Module::<Tensor>::forward(&f, x)?)?);
        let methods: [&dyn FixedPointMethod<Tensor>; 2] =
            [&FixedPoint { damping: 0.8 }, &Anderson::default()];
        for method in methods {
            let root = method.solve(&map, &start, &stopping).unwrap();
            let off = wide(&root.x.components().unwrap(), reference.as_ref().unwrap());
            assert!(off < 10.0 * relative, "{} {dtype:?} {off:e}", method.name());
        }
    }
    // More than the precision can give.
    let f = problem(DType::F32);
    let start = Tensor::zeros((3, 4), DType::F32, &Device::Cpu).unwrap();
    let stopping = NonlinearStopping { relative: 1e-12, ..NonlinearStopping::default() };
    let root = Newton::new(Direct).run(&WithExactJacobian(f.clone()), &start, &stopping).unwrap();
    assert_eq!(root.outcome, Outcome::Stagnation);
    assert!(root.residual() < 1e-6);
}

fn wide(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// No graph grows from one iteration to the next: candle would overflow its stack in dropping it.
#[test]
fn graphs_are_not_kept() {
    let start = Var::from_tensor(&wave(&[3, 4], 0.1, DType::F64)).unwrap();
    let scale = Var::new(0.999f64, &Device::Cpu).unwrap();
    let map = |x: &Tensor| Ok(x.broadcast_mul(&scale)?);
    let stopping = NonlinearStopping { iterations: 20_000, ..NonlinearStopping::default() };
    let root = FixedPoint::default().solve(&map, &start, &stopping).unwrap();
    assert!(root.iterations() > 15_000);
    assert!(!root.x.track_op() && !root.value.track_op());
    let f = |x: &Tensor| Ok((x.sqr()?.broadcast_mul(&scale)? - 2.0)?);
    for finder in [&Newton::new(Direct) as &dyn RootFinder<Tensor>, &Broyden::new(Direct)] {
        let root = finder.solve(&f, &start.ones_like().unwrap(), &stopping).unwrap();
        assert!(!root.x.track_op() && !root.value.track_op());
    }
    let other = |x: &Tensor| Ok(x.to_dtype(DType::F32)?);
    assert!(Newton::new(Direct).run(&other, &start, &stopping).is_err());
    let shorter = |x: &Tensor| Ok(x.narrow(0, 0, 1)?);
    let failed = Newton::new(Direct).run(&shorter, &start, &stopping);
    assert!(matches!(failed, Err(Error::Size { .. })));
}

#[test]
fn minima_of_every_dtype() {
    for (dtype, relative) in [(DType::F64, 1e-9), (DType::F32, 1e-4)] {
        let f = problem(dtype);
        let start = Tensor::zeros((3, 4), dtype, &Device::Cpu).unwrap();
        let stopping = NonlinearStopping { relative, ..NonlinearStopping::default() };
        let reference = Newton::new(Direct).run(&WithExactJacobian(f.clone()), &start, &stopping);
        let want = reference.unwrap().x.components().unwrap();
        // The gradient is that of candle.
        let objective = |x: &Tensor| {
            let x = Var::from_tensor(x)?;
            let r = Module::<Tensor>::forward(&f, x.as_tensor())?;
            let half = (r.sqr()?.sum_all()? * 0.5)?;
            let gradient = half.backward()?.get(&x).unwrap().clone();
            Ok((half.to_dtype(DType::F64)?.to_scalar::<f64>()?, gradient))
        };
        let found = Lbfgs::default().solve(&objective, &start, &stopping).unwrap();
        assert_eq!((found.x.dtype(), found.x.dims()), (dtype, &[3, 4][..]));
        assert!(!found.x.track_op());
        assert!(wide(&found.x.components().unwrap(), &want) < 100.0 * relative);
        let exact = WithExactJacobian(f.clone());
        for found in [
            LevenbergMarquardt::new(DampedQr).solve(&exact, &start, &stopping).unwrap(),
            LevenbergMarquardt::new(DampedLsmr::default())
                .solve(&exact, &start, &stopping)
                .unwrap(),
            GaussNewton::new(DampedQr).solve(&exact, &start, &stopping).unwrap(),
        ] {
            assert_eq!(found.x.dims(), [3, 4]);
            assert!(wide(&found.x.components().unwrap(), &want) < 100.0 * relative);
        }
        // As many steps as single precision allows, and then an honest end.
        let endless = NonlinearStopping { relative: 1e-30, ..stopping };
        let found = Lbfgs::default().run(&objective, &start, &endless).unwrap();
        assert_ne!(found.outcome, Outcome::Converged);
        assert!(found.gradient() < 100.0 * relative * found.gradients[0]);
    }
}

/// Components go out and come back.
#[test]
fn components() {
    let x = wave(&[2, 3], 0.4, DType::F32);
    let back = x.with_components(x.components().unwrap()).unwrap();
    assert_eq!((back.dims(), back.dtype()), (x.dims(), x.dtype()));
    assert_eq!(back.components().unwrap(), x.components().unwrap());
    assert!(matches!(x.with_components(vec![0.0; 5]), Err(Error::Size { .. })));
    assert_eq!(x.epsilon(), f64::from(f32::EPSILON));
}
