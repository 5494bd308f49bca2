//! Derivatives of networks with respect to their inputs, and training on them.

use ansatz::{
    core::{
        ForwardLaplacian, Jet, Module, Result, TensorLike, jvp, laplacian, mixed_partial,
        mixed_partials,
    },
    nn::{
        Adam, AdamConfig, FourierFeatures, LayerNorm, Mlp, MlpConfig, ResidualMlp,
        ResidualMlpConfig, Schedule, Siren, SirenConfig, fit,
    },
    ops::{GradCheck, gradcheck, vjp},
};
use ansatz_tests::History;
use candle_core::{DType, Device, Tensor};

use crate::{Checked, assert_close, flat, mlp_of, normal, store, values};

/// Layers of several kinds behind one another, written once for all tensor-like types.
struct Composite {
    features: FourierFeatures,
    norm: LayerNorm,
    body: ResidualMlp,
    head: Siren,
}

impl Composite {
    fn new(seed: u64) -> Self {
        let store = store(seed, DType::F64);
        let vb = store.builder();
        let body = ResidualMlpConfig { inputs: 8, outputs: 3, width: 6, ..Default::default() };
        let head =
            SirenConfig { first_omega: 2.0, hidden_omega: 2.0, ..SirenConfig::new([3, 5, 2]) };
        Self {
            features: FourierFeatures::new(2, 4, 0.5, vb.pp("features")).unwrap(),
            norm: LayerNorm::new(8, 1e-2, vb.pp("norm")).unwrap(),
            body: ResidualMlp::new(&body, vb.pp("body")).unwrap(),
            head: Siren::new(&head, vb.pp("head")).unwrap(),
        }
    }
}

impl<T: TensorLike> Module<T> for Composite {
    fn forward(&self, x: &T) -> Result<T> {
        let h = self.norm.forward(&self.features.forward(x)?)?;
        self.head.forward(&self.body.forward(&h)?)
    }
}

/// `∂ᵢ` of a function by central differences.
fn difference(f: impl Fn(&Tensor) -> Vec<f64>, x: &Tensor, i: usize, h: f64) -> Vec<f64> {
    let unit = if i == 0 { [h, 0.0] } else { [0.0, h] };
    let step = Tensor::new(&unit, &Device::Cpu).unwrap();
    let at = |s: &Tensor| f(&x.broadcast_add(s).unwrap());
    let pairs = at(&step).into_iter().zip(at(&step.neg().unwrap()));
    pairs.map(|(p, m)| (p - m) / (2.0 * h)).collect()
}

#[test]
fn mixed_partials_of_composed_layers() -> Checked {
    let model = Composite::new(30);
    let x = normal(31, &[3, 2], DType::F64);
    let jet = |x: &Tensor, axes: &[usize]| flat(&mixed_partial(&model, x, axes).unwrap());
    let plain = |x: &Tensor| flat(&Module::<Tensor>::forward(&model, x).unwrap());
    assert_close(&jet(&x, &[]), &plain(&x), 1e-13);
    for i in 0..2 {
        assert_close(&jet(&x, &[i]), &difference(plain, &x, i, 1e-5), 1e-7);
        for j in 0..2 {
            let lower = |x: &Tensor| jet(x, &[j]);
            assert_close(&jet(&x, &[i, j]), &difference(lower, &x, i, 1e-5), 1e-6);
        }
    }
    let second = |x: &Tensor| jet(x, &[0, 1]);
    assert_close(&jet(&x, &[0, 1, 1]), &difference(second, &x, 1, 1e-5), 1e-5);
    let sum: Vec<f64> = jet(&x, &[0, 0]).iter().zip(jet(&x, &[1, 1])).map(|(a, b)| a + b).collect();
    assert_close(&flat(&laplacian(&model, &x)?), &sum, 1e-10);
    Ok(())
}

/// `u_t + u u_x − ν u_xx` at points `(t, x)`, by jets along the two axes.
fn burgers(model: &impl Module<Jet>, points: &Tensor) -> Result<Tensor> {
    let axes = Tensor::eye(2, points.dtype(), points.device())?;
    let u = model.forward(&Jet::seed(points, &axes, 2)?)?;
    let (u_t, u_x, u_xx) = (u.derivative(1, 0)?, u.derivative(1, 1)?, u.derivative(2, 1)?);
    Ok(((u_t + (u.value()? * u_x)?)? - (u_xx * 0.05)?)?)
}

#[test]
fn the_residual_has_the_right_gradient() -> Checked {
    let sizes = [2, 5, 5, 1];
    let parameters = store(32, DType::F64);
    let model = Mlp::new(&MlpConfig::new(sizes), parameters.builder())?;
    let names = parameters.names();
    let points = normal(33, &[6, 2], DType::F64);

    // With respect to every weight and bias, and to the points.
    let mut inputs = values(&parameters);
    inputs.push(points.clone());
    let residual = |v: &[Tensor]| {
        let (points, weights) = v.split_last().expect("points");
        Ok(burgers(&mlp_of(&sizes, &names, weights)?, points)?)
    };
    gradcheck(residual, &inputs, &GradCheck::default())?;

    // The residual itself, from partial derivatives by polarisation and by differences.
    let partials = mixed_partials(&model, &points, &[&[], &[0], &[1], &[1, 1]])?;
    let [u, u_t, u_x, u_xx] = [0, 1, 2, 3].map(|i| flat(&partials[i]));
    let expected: Vec<f64> = (0..6).map(|i| u_t[i] + u[i] * u_x[i] - 0.05 * u_xx[i]).collect();
    assert_close(&flat(&burgers(&model, &points)?), &expected, 1e-12);
    let plain = |x: &Tensor| flat(&Module::<Tensor>::forward(&model, x).unwrap());
    assert_close(&u_t, &difference(plain, &points, 0, 1e-5), 1e-8);
    let slope = |x: &Tensor| difference(plain, x, 1, 1e-3);
    assert_close(&u_xx, &difference(slope, &points, 1, 1e-3), 1e-4);
    Ok(())
}

/// The first step goes downhill; thirty lower the loss by half.
#[test]
fn training_on_a_residual() -> Checked {
    for dtype in [DType::F64, DType::F32] {
        let parameters = store(34, dtype);
        let model = Mlp::new(&MlpConfig::new([2, 12, 12, 1]), parameters.builder())?;
        let interior = normal(35, &[32, 2], dtype);
        let initial = interior.narrow(1, 1, 1)?;
        let at_zero = Tensor::cat(&[&initial.zeros_like()?, &initial], 1)?;
        let target = initial.sin()?.neg()?;
        let loss = || -> Result<Tensor> {
            let misfit = (Module::<Tensor>::forward(&model, &at_zero)? - &target)?;
            let residual = burgers(&model, &interior)?;
            Ok((misfit.sqr()?.mean_all()? + residual.sqr()?.mean_all()?)?)
        };
        let mut adam = Adam::for_parameters(&parameters, AdamConfig::default())?;
        let schedule = Schedule::Constant { rate: 0.01 };
        let history = History::default();
        let losses = fit(&mut adam, &schedule, 0..30, |_| loss(), &history)?;
        assert!(losses[1] < losses[0], "{dtype:?}: {losses:?}");
        assert!(losses[29] < 0.5 * losses[0], "{dtype:?}: {losses:?}");
    }
    Ok(())
}

/// `⟨w, J v⟩ = ⟨Jᵀ w, v⟩` with the product from core and the transposed one from ops.
#[test]
fn forward_and_reverse_products_agree() -> Checked {
    for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-4)] {
        let parameters = store(36, dtype);
        let model = Mlp::new(&MlpConfig::new([3, 16, 2]), parameters.builder())?;
        let x = normal(37, &[4, 3], dtype);
        let (v, w) = (normal(38, &[4, 3], dtype), normal(39, &[4, 2], dtype));
        let (y, pushed) = jvp(&model, &x, &v)?;
        let (outputs, pullback) = vjp(|x| Ok(vec![model.forward(&x[0])?]), &[x])?;
        let pulled = pullback.apply(std::slice::from_ref(&w))?;
        assert_close(&flat(&outputs[0]), &flat(&y), tolerance);
        let forwards = flat(&(pushed * &w)?.sum_all()?);
        let backwards = flat(&(&pulled.inputs[0] * &v)?.sum_all()?);
        assert!(forwards[0].abs() > 0.01);
        assert_close(&forwards, &backwards, tolerance);
        // All captured weights have a gradient.
        for var in parameters.vars() {
            assert_eq!(pulled.captured.get(&var).expect("a gradient").dims(), var.dims());
        }
    }
    Ok(())
}

/// Jets of order 2 and forward Laplacians train alike: one loss, one gradient.
#[test]
fn jets_and_forward_laplacians_train_alike() -> Checked {
    let parameters = store(40, DType::F64);
    let model = Mlp::new(&MlpConfig::new([2, 8, 1]), parameters.builder())?;
    let x = normal(41, &[5, 2], DType::F64);
    let axes = Tensor::eye(2, DType::F64, &Device::Cpu)?;
    let u = model.forward(&Jet::seed(&x, &axes, 2)?)?;
    let by_jets = (u.derivative(2, 0)? + u.derivative(2, 1)?)?;
    let by_laplacian = model.forward(&ForwardLaplacian::seed(&x)?)?.laplacian()?;
    let [a, b] = [by_jets, by_laplacian].map(|l| l.sqr().unwrap().mean_all().unwrap());
    assert_close(&flat(&a), &flat(&b), 1e-12);
    let (a, b) = (a.backward()?, b.backward()?);
    for var in parameters.vars() {
        match (a.get(&var), b.get(&var)) {
            (Some(a), Some(b)) => assert_close(&flat(a), &flat(b), 1e-11),
            // The last bias does not enter second derivatives; zero is as good as nothing.
            (a, b) => assert!(a.into_iter().chain(b).all(|g| flat(g).iter().all(|x| *x == 0.0))),
        }
    }
    Ok(())
}
