//! Continuous normalising flows against closed forms, and estimates of the trace.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::core::{Error, Key, Module, Result, TensorLike};
use ansatz_ode::{Cnf, Pid, Scheme, Trace};
use ansatz_ops::{GradCheck, gradcheck};

/// z ↦ z W.
struct Linear(Tensor);

impl<T: TensorLike> Module<T> for Linear {
    fn forward(&self, z: &T) -> Result<T> {
        z.dense(&self.0, None)
    }
}

/// (z, t) ↦ tanh((z, t) W) V.
#[derive(Clone)]
struct Network(Tensor, Tensor);

impl<T: TensorLike> Module<T> for Network {
    fn forward(&self, z: &T) -> Result<T> {
        z.dense(&self.0, None)?.tanh()?.dense(&self.1, None)
    }
}

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let count: usize = dims.iter().product();
    let x: Vec<f64> = (0..count).map(|i| 0.8 * (1.3 * i as f64 + phase).sin()).collect();
    Tensor::from_vec(x, dims, &Device::Cpu).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn fine() -> Scheme {
    Scheme { controller: Pid::i(1e-10, 1e-10), ..Scheme::default() }
}

fn network() -> Network {
    Network(wave(&[5, 3], 0.3), wave(&[2, 5], 1.1))
}

/// z' = A z carries N(0, 1) to N(0, e^A e^Aᵀ); for A = [[a, −b], [b, a]] that is e^2a times the identity.
#[test]
fn a_linear_flow_has_a_normal_density() {
    let (a, b) = (0.4f64, 1.3);
    let flow = Cnf::new(Linear(Tensor::new(&[[a, -b], [b, a]], &Device::Cpu).unwrap()), (0.0, 2.0));
    let flow = flow.scheme(fine());
    let x = wave(&[7, 2], 0.2);
    let found = flow.evaluate(&x, &Trace::Exact).unwrap();
    for (i, got) in values(&found.log_density).iter().enumerate() {
        let row = values(&x.get(i).unwrap());
        let square: f64 = row.iter().map(|x| x * x).sum();
        let variance = (4.0 * a).exp();
        let want = -0.5 * square / variance - (std::f64::consts::TAU * variance).ln();
        assert!((got - want).abs() < 1e-8, "{got} {want}");
        // ‖f‖² = (a² + b²) ‖z‖², which grows to that of the data; ‖A‖² = 2 (a² + b²).
        let speed = (a * a + b * b) * square * (1.0 - (-4.0 * a).exp()) / (2.0 * a);
        let kinetic = values(&found.kinetic_energy)[i];
        assert!((kinetic - speed).abs() < 1e-8, "{kinetic} {speed}");
        assert!((values(&found.jacobian_norm)[i] - 4.0 * (a * a + b * b)).abs() < 1e-8);
    }
    let again = flow.sample(&found.base).unwrap();
    for (x, again) in values(&x).iter().zip(values(&again)) {
        assert!((x - again).abs() < 1e-8);
    }
}

/// The density integrates to one, whatever the network, in either direction of time.
#[test]
fn densities_integrate_to_one() {
    for span in [(0.0, 1.0), (1.0, -0.5)] {
        let flow = Cnf::new(network(), span).with_time().scheme(fine());
        let (n, width) = (121, 18.0);
        let at = |i: usize| width * ((i as f64 + 0.5) / n as f64 - 0.5);
        let points: Vec<f64> = (0..n * n).flat_map(|k| [at(k / n), at(k % n)]).collect();
        let x = Tensor::from_vec(points, (n * n, 2), &Device::Cpu).unwrap();
        let density = flow.log_density(&x, &Trace::Exact).unwrap().exp().unwrap();
        let total = values(&density).iter().sum::<f64>() * (width / n as f64).powi(2);
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }
}

/// Hutchinson's estimate of one trace has the right mean, with the standard error that was measured.
#[test]
fn the_estimate_has_no_bias() {
    let flow = Cnf::new(network(), (0.0, 0.7)).with_time().scheme(fine());
    let x = wave(&[3, 2], 0.9);
    let exact = values(&flow.log_density(&x, &Trace::Exact).unwrap());
    let draws = 400;
    let mut sums = [[0.0f64; 2]; 3];
    for draw in 0..draws {
        let trace = Trace::hutchinson(&Key::new(7).fold_in(draw), 1, &x).unwrap();
        let found = values(&flow.log_density(&x, &trace).unwrap());
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum = [sum[0] + found, sum[1] + found * found];
        }
    }
    let n = draws as f64;
    for ([sum, squares], exact) in sums.into_iter().zip(exact) {
        let mean = sum / n;
        let deviation = (squares / n - mean * mean).sqrt();
        assert!(deviation > 1e-3, "the estimate is none");
        let z = (mean - exact) / (deviation / n.sqrt());
        assert!(z.abs() < 4.0, "{z}: {mean} {exact}");
    }
    // All sign vectors of the plane together are exact.
    let signs = Tensor::new(&[[[1f64, 1.0]], [[1.0, -1.0]]], &Device::Cpu).unwrap();
    let noise = signs.broadcast_as((2, 3, 2)).unwrap().contiguous().unwrap();
    let all = values(&flow.log_density(&x, &Trace::Hutchinson(noise)).unwrap());
    for (all, exact) in all.iter().zip(values(&flow.log_density(&x, &Trace::Exact).unwrap())) {
        assert!((all - exact).abs() < 1e-9);
    }
}

#[test]
fn gradients() {
    let x = Var::from_tensor(&wave(&[3, 2], 0.9)).unwrap();
    let [w, v] = [wave(&[5, 3], 0.3), wave(&[2, 5], 1.1)].map(|w| Var::from_tensor(&w).unwrap());
    let trace = Trace::hutchinson(&Key::new(3), 2, &x).unwrap();
    for trace in [Trace::Exact, trace] {
        let loss = |inputs: &[Tensor]| -> ansatz_ops::Result<Tensor> {
            let network = Network(inputs[1].clone(), inputs[2].clone());
            let flow = Cnf::new(network, (0.0, 0.8)).with_time().scheme(Scheme {
                method: ansatz_ode::Rk4,
                controller: ansatz_ode::FixedStep { step: 0.2 },
                adjoint: ansatz_ode::RecursiveCheckpoint::default(),
            });
            let all = flow.evaluate(&inputs[0], &trace)?;
            let sum = (all.log_density + (all.kinetic_energy * 0.3)?)?;
            Ok((sum + (all.jacobian_norm * 0.2)?)?.sum_all()?)
        };
        let inputs = [&x, &w, &v].map(|v| v.as_tensor().clone());
        gradcheck(loss, &inputs, &GradCheck::default()).unwrap();
    }
}

#[test]
fn shapes_that_do_not_fit() {
    let flow = Cnf::new(network(), (0.0, 1.0)).with_time();
    let x = wave(&[3, 2], 0.9);
    for wrong in [wave(&[3], 0.1), wave(&[3, 2, 1], 0.1)] {
        let found = flow.log_density(&wrong, &Trace::Exact);
        assert!(matches!(found, Err(Error::Shape { .. })), "{found:?}");
    }
    for wrong in [wave(&[1, 2, 2], 0.1), wave(&[3, 2], 0.1)] {
        let found = flow.log_density(&x, &Trace::Hutchinson(wrong));
        assert!(matches!(found, Err(Error::Shape { .. })), "{found:?}");
    }
    // A network with other outputs than components.
    let wide = Cnf::new(Linear(wave(&[3, 2], 0.1)), (0.0, 1.0));
    assert!(wide.log_density(&x, &Trace::Exact).is_err());
}
