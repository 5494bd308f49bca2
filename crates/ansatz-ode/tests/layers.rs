//! Differential equations as layers: the same as the solves they stand for, with gradients.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::sync::Arc;

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::core::{Error as CoreError, Module, Result};
use ansatz_ode::{
    Backsolve, ControlPath, Controlled, DataPath, Direct, Error, FixedStep, Interpolation,
    NeuralCde, NeuralOde, Pid, RecursiveCheckpoint, Rk4, Scheme, Tsit5, solve,
};
use ansatz_ops::{GradCheck, gradcheck};

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let count: usize = dims.iter().product();
    let x: Vec<f64> = (0..count).map(|i| 0.8 * (1.3 * i as f64 + phase).sin()).collect();
    Tensor::from_vec(x, dims, &Device::Cpu).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// y ↦ y W.
#[derive(Clone)]
struct Product(Tensor);

impl Module<Tensor> for Product {
    fn forward(&self, y: &Tensor) -> Result<Tensor> {
        Ok(y.matmul(&self.0)?)
    }
}

fn tanh_product(weight: Tensor) -> impl Module<Tensor> + Clone {
    move |y: &Tensor| -> Result<Tensor> { Ok(y.matmul(&weight)?.tanh()?) }
}

const FIXED: Scheme<Rk4, FixedStep, RecursiveCheckpoint> = Scheme {
    method: Rk4,
    controller: FixedStep { step: 0.2 },
    adjoint: RecursiveCheckpoint::new(4),
};

#[test]
fn a_neural_ode_is_the_solve_it_stands_for() {
    let (w, x) = (wave(&[3, 3], 0.4), wave(&[5, 3], 1.0));
    let net = tanh_product(w.clone());
    let plain = |span: (f64, f64)| {
        let net = net.clone();
        let field = move |_: f64, y: &Tensor| net.forward(y);
        solve(field, x.clone(), span).with(Tsit5).tolerance(1e-10, 1e-10)
    };
    let fine = Scheme { controller: Pid::i(1e-10, 1e-10), ..Scheme::default() };
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let layer = NeuralOde::new(net.clone(), span).scheme(fine);
        assert_eq!(values(&layer.forward(&x).unwrap()), values(&plain(span).run().unwrap().y_end));
        let times = if span.0 < span.1 { vec![0.0, 0.7, 2.0] } else { vec![1.1, 0.3] };
        let several = layer.save_at(times.clone()).forward(&x).unwrap();
        assert_eq!(several.dims(), [5, times.len(), 3]);
        let s = plain(span).save_at(times).run().unwrap();
        let expected = s.stacked().unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
        assert_eq!(values(&several), values(&expected));
    }
    // The default tolerance is coarser.
    let coarse = NeuralOde::new(net.clone(), (0.0, 2.0)).forward(&x).unwrap();
    let fine = plain((0.0, 2.0)).run().unwrap().y_end;
    let gap = (coarse - fine).unwrap().abs().unwrap().max_all().unwrap();
    let gap = gap.to_scalar::<f64>().unwrap();
    assert!((1e-9..1e-3).contains(&gap), "{gap}");
}

/// Features that start at zero and are part of the state; time as the last input.
#[test]
fn augmented_features_and_time() {
    // y₁' = y₂, y₂' = t, y₂(0) = 0: y₁(T) = y₁(0) + T³ / 6. Images keep their axes.
    let net = |z: &Tensor| -> Result<Tensor> {
        assert_eq!(z.dims()[1], 3);
        Ok(Tensor::cat(&[z.narrow(1, 1, 1)?, z.narrow(1, 2, 1)?], 1)?)
    };
    for dims in [&[4, 1][..], &[2, 1, 3, 2]] {
        let x = wave(dims, 0.3);
        let layer = NeuralOde::new(net, (0.0, 1.5)).augment(1).with_time();
        let y = layer.forward(&x).unwrap();
        assert_eq!(y.dims()[1], 2);
        let first = values(&y.narrow(1, 0, 1).unwrap());
        for (a, b) in first.iter().zip(values(&x)) {
            assert!((a - b - 1.5f64.powi(3) / 6.0).abs() < 1e-9);
        }
        for a in values(&y.narrow(1, 1, 1).unwrap()) {
            assert!((a - 1.5f64.powi(2) / 2.0).abs() < 1e-9);
        }
    }
}

#[test]
fn a_neural_ode_passes_gradients_to_input_and_network() {
    let run = |v: &[Tensor]| -> ansatz_ops::Result<Tensor> {
        let net = tanh_product(v[1].clone());
        let layer = NeuralOde::new(net, (0.0, 1.0)).augment(1).with_time().save_at([0.5, 1.0]);
        Ok(layer.scheme(FIXED).forward(&v[0])?.sqr()?)
    };
    // Weights captured by the network must be variables, which those of the check are not.
    let weight = Var::from_tensor(&wave(&[4, 3], 0.1)).unwrap();
    let input = |v: &[Tensor]| run(&[v[0].clone(), weight.as_tensor().clone()]);
    gradcheck(input, &[wave(&[2, 2], 0.9)], &GradCheck::default()).unwrap();
    let x = wave(&[2, 2], 0.9);
    let loss = || run(&[x.clone(), weight.as_tensor().clone()]).unwrap().sum_all().unwrap();
    let gradient = values(loss().backward().unwrap().get(&weight).unwrap());
    let before = values(&weight);
    for (i, g) in gradient.iter().enumerate() {
        let at = |shift: f64| {
            let mut w = before.clone();
            w[i] += shift;
            weight.set(&Tensor::from_vec(w, (4, 3), &Device::Cpu).unwrap()).unwrap();
            loss().to_scalar::<f64>().unwrap()
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((g - difference).abs() < 1e-8, "{g} {difference}");
    }
}

fn data() -> Tensor {
    let mut x = values(&wave(&[3, 5, 2], 0.0));
    (x[3], x[10], x[29]) = (f64::NAN, f64::NAN, f64::NAN);
    Tensor::from_vec(x, (3, 5, 2), &Device::Cpu).unwrap()
}

#[test]
fn a_neural_cde_is_the_solve_it_stands_for() {
    let times = [0.0, 0.3, 1.0, 1.1, 2.0];
    for interpolation in [
        Interpolation::Linear,
        Interpolation::Rectilinear,
        Interpolation::NaturalCubic,
        Interpolation::Hermite,
    ] {
        let path = DataPath::new(interpolation, &times, &data()).unwrap();
        let channels = path.channels();
        let (u, v) = (wave(&[channels, 4], 0.4), wave(&[4, 4 * channels], 1.0));
        let net = Product(v.clone());
        let field = Controlled::new(path.clone(), move |_: f64, y: &Tensor| {
            net.forward(y)?.tanh()?.reshape((3, 4, channels))
        });
        let y0 = path.value(0.0).unwrap().matmul(&u).unwrap();
        let s = solve(field, y0, path.interval()).with(Rk4).step(0.2);
        let s = s.jumps(path.jumps()).save_at(vec![0.0, 1.0, 1.5, 2.0]).run().unwrap();
        let layer = NeuralCde::new(Product(u), Product(v));
        let layer = layer.times(times).interpolation(interpolation);
        // The defaults are to a coarse tolerance.
        let fine = Scheme { controller: Pid::i(1e-9, 1e-9), ..Scheme::default() };
        let fine = layer.clone().scheme(fine).forward(&data()).unwrap();
        let gap = (layer.forward(&data()).unwrap() - fine).unwrap().abs().unwrap();
        let gap = gap.max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!((1e-7..2e-2).contains(&gap), "{gap}");
        let layer = layer.scheme(FIXED);
        let close = |a: &Tensor, b: &Tensor| {
            // Two implementations of tanh, which differ by roundings.
            values(a).iter().zip(values(b)).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        assert!(close(&layer.forward(&data()).unwrap(), &s.y_end));
        assert!(close(&layer.along(path.clone()).unwrap(), &s.y_end));
        assert!(close(&layer.along(Arc::new(path)).unwrap(), &s.y_end));
        let several = layer.save_at([0.0, 1.0, 1.5, 2.0]).forward(&data()).unwrap();
        assert_eq!(several.dims(), [3, 4, 4]);
        for (i, y) in s.ys.iter().enumerate() {
            assert!(close(&several.get_on_dim(1, i).unwrap().contiguous().unwrap(), y));
        }
    }
}

/// Without times they are 0, 1, 2, …
#[test]
fn times_are_counted_unless_given() {
    let layer = NeuralCde::new(Product(wave(&[2, 3], 0.4)), Product(wave(&[3, 6], 1.0)));
    let counted = layer.clone().forward(&data()).unwrap();
    let given = layer.times([0.0, 1.0, 2.0, 3.0, 4.0]).forward(&data()).unwrap();
    assert_eq!(values(&counted), values(&given));
}

#[test]
fn a_neural_cde_passes_gradients_to_networks_and_data() {
    fn all<A>(adjoint: A) -> Vec<f64>
    where
        A: ansatz_ode::Adjoint<
                Controlled<DataPath, ansatz_ode::CdeField<Product>>,
                Tensor,
                Tsit5,
                Pid,
            > + Clone,
    {
        let u = Var::from_tensor(&wave(&[2, 3], 0.4)).unwrap();
        let v = Var::from_tensor(&wave(&[3, 6], 1.0)).unwrap();
        let x = Var::from_tensor(&wave(&[3, 5, 2], 0.0)).unwrap();
        let scheme = Scheme { method: Tsit5, controller: Pid::i(1e-9, 1e-9), adjoint };
        let layer = NeuralCde::new(Product(u.as_tensor().clone()), Product(v.as_tensor().clone()))
            .interpolation(Interpolation::NaturalCubic)
            .scheme(scheme);
        let loss = layer.forward(&x).unwrap().sqr().unwrap().sum_all().unwrap();
        let store = loss.backward().unwrap();
        [&u, &v, &x].iter().flat_map(|p| values(store.get(p).unwrap())).collect()
    }
    let exact = all(RecursiveCheckpoint::default());
    assert!(exact.iter().all(|g| g.abs() > 1e-6));
    for (a, b) in exact.iter().zip(all(Direct)) {
        assert!((a - b).abs() < 1e-11);
    }
    for (a, b) in exact.iter().zip(all(Backsolve)) {
        assert!((a - b).abs() < 1e-5 * a.abs().max(1.0), "{a} {b}");
    }
    let run = |p: &[Tensor]| -> ansatz_ops::Result<Tensor> {
        let layer = NeuralCde::new(Product(p[0].clone()), Product(wave(&[3, 6], 1.0)));
        Ok(layer.scheme(FIXED).forward(&p[1])?.sqr()?)
    };
    gradcheck(run, &[wave(&[2, 3], 0.4), wave(&[3, 5, 2], 0.0)], &GradCheck::default()).unwrap();
}

#[test]
fn layers_are_modules_of_either_precision() {
    let f32 = |t: Tensor| t.to_dtype(DType::F32).unwrap();
    let ode = NeuralOde::new(Product(f32(wave(&[2, 2], 0.4))), (0.0, 1.0));
    let cde = NeuralCde::new(Product(f32(wave(&[2, 3], 0.4))), Product(f32(wave(&[3, 6], 1.0))));
    let layers: [(Box<dyn Module<Tensor>>, Tensor); 2] =
        [(Box::new(ode), f32(wave(&[3, 2], 0.0))), (Box::new(cde), f32(data()))];
    for (layer, x) in layers {
        let y = layer.forward(&x).unwrap();
        assert_eq!(y.dtype(), DType::F32);
        assert!(values(&y).iter().all(|y| y.is_finite()));
    }
}

#[test]
fn misfits_are_named() {
    let shape = |r: Result<Tensor>| matches!(r, Err(CoreError::Shape { .. }));
    let ode = NeuralOde::new(Product(wave(&[2, 2], 0.4)), (0.0, 1.0));
    assert!(shape(ode.forward(&wave(&[4], 0.0))));
    // Too many or too few outputs for hidden units and channels.
    for outputs in [5, 9] {
        let cde = NeuralCde::new(Product(wave(&[2, 3], 0.4)), Product(wave(&[3, outputs], 1.0)));
        let found: ansatz_ode::Result<Tensor> = cde.forward(&data()).map_err(Error::from);
        let named = match &found {
            Err(Error::Field { source, .. }) => matches!(source, CoreError::Shape { .. }),
            _ => false,
        };
        assert!(named, "{found:?}");
    }
    let cde = NeuralCde::new(Product(wave(&[2, 3], 0.4)), Product(wave(&[3, 6], 1.0)));
    assert!(shape(cde.forward(&wave(&[2, 3], 0.0))));
    assert!(shape(cde.clone().times([0.0, 1.0]).forward(&data())));
    let late = cde.save_at([3.0, 5.0]).forward(&data()).map_err(Error::from);
    assert!(matches!(late, Err(Error::OutsideInterval { value: 5.0, .. })), "{late:?}");
}
