//! Layers on Taylor series: derivatives with respect to the input, and training through them.

use std::collections::HashMap;

use ansatz_core::{
    ForwardLaplacian, Jet, Key, Module,
    candle::{DType, Device, Tensor},
    directional_derivatives, laplacian,
};
use ansatz_nn::{
    Activation, FourierFeatures, LayerNorm, Linear, Mlp, MlpConfig, ResidualMlp, ResidualMlpConfig,
    Siren, SirenConfig, VarBuilder,
};
use ansatz_ops::{GradCheck, gradcheck};

use crate::{assert_close, flat, store};

const H: f64 = 1e-5;

fn input(seed: u64) -> Tensor {
    Key::new(seed).normal_tensor((4, 2), 0.0, 1.0, DType::F64, &Device::Cpu).unwrap()
}

/// Central difference of `f` at `x` along `v`.
fn difference(f: impl Fn(&Tensor) -> Tensor, x: &Tensor, v: &Tensor) -> Vec<f64> {
    let at = |h: f64| flat(&f(&(x + v.affine(h, 0.0).unwrap()).unwrap()));
    at(H).iter().zip(at(-H)).map(|(p, m)| (p - m) / (2.0 * H)).collect()
}

/// The jet's value is the plain value, its first derivative the central difference of that, and
/// each further one the central difference of the one before. The Laplacian is the sum of second
/// derivatives along the axes.
fn check<M: Module + Module<Jet> + Module<ForwardLaplacian>>(model: &M) {
    let (x, v) = (input(1), input(2));
    let jet = |x: &Tensor, v: &Tensor, k: usize| {
        directional_derivatives(model, x, v, 3).unwrap().get(k).unwrap()
    };
    let plain = |x: &Tensor| Module::<Tensor>::forward(model, x).unwrap();
    assert_close(&flat(&jet(&x, &v, 0)), &flat(&plain(&x)), 1e-13);
    assert_close(&flat(&jet(&x, &v, 1)), &difference(plain, &x, &v), 1e-7);
    for k in [2, 3] {
        let lower = |x: &Tensor| jet(x, &v, k - 1);
        let expected = difference(lower, &x, &v);
        let size = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
        assert_close(&flat(&jet(&x, &v, k)), &expected, 1e-8 * size);
    }
    let axis = |i: usize| {
        let unit = if i == 0 { [1.0, 0.0] } else { [0.0, 1.0] };
        let unit = Tensor::new(&unit, &Device::Cpu).unwrap().broadcast_as((4, 2)).unwrap();
        flat(&jet(&x, &unit, 2))
    };
    let expected: Vec<f64> = axis(0).iter().zip(axis(1)).map(|(a, b)| a + b).collect();
    assert_close(&flat(&laplacian(model, &x).unwrap()), &expected, 1e-10);
}

#[test]
fn derivatives_with_respect_to_the_input() {
    let vb = store(0).builder();
    check(&Linear::new(2, 3, vb.pp("linear")).unwrap());
    for (name, activation) in [
        ("tanh", Activation::Tanh),
        ("sin", Activation::Sin),
        ("sigmoid", Activation::Sigmoid),
        ("softplus", Activation::Softplus),
        ("silu", Activation::Silu),
        ("gelu", Activation::Gelu),
        ("gelu_tanh", Activation::GeluTanh),
    ] {
        let config = MlpConfig::new([2, 6, 5, 2]).activation(activation);
        check(&Mlp::new(&config, vb.pp(name)).unwrap());
    }
    let residual = ResidualMlpConfig { inputs: 2, width: 5, ..ResidualMlpConfig::default() };
    check(&ResidualMlp::new(&residual, vb.pp("residual")).unwrap());
    let siren = SirenConfig { sizes: vec![2, 6, 6, 1], first_omega: 2.0, hidden_omega: 3.0 };
    check(&Siren::new(&siren, vb.pp("siren")).unwrap());
    check(&FourierFeatures::new(2, 3, 0.3, vb.pp("fourier")).unwrap());
    // Over two features the result is ±1 nearly everywhere unless ε is large.
    check(&LayerNorm::new(2, 1.0, vb.pp("norm")).unwrap());
}

/// What a PINN needs: the gradient of a Laplacian with respect to the parameters.
#[test]
fn laplacian_is_differentiable_by_the_parameters() {
    let config = MlpConfig::new([2, 5, 4, 1]);
    let parameters = store(3);
    Mlp::new(&config, parameters.builder()).unwrap();
    let names = parameters.names();
    let values: Vec<_> = parameters.vars().iter().map(|v| v.as_tensor().detach()).collect();
    let x = input(4);
    let f = |t: &[Tensor]| {
        let named: HashMap<_, _> = names.iter().cloned().zip(t.iter().cloned()).collect();
        let vb = VarBuilder::from_tensors(named, DType::F64, &Device::Cpu);
        Ok(laplacian(&Mlp::new(&config, vb).unwrap(), &x).unwrap())
    };
    let report = gradcheck(f, &values, &GradCheck::default()).unwrap();
    assert_eq!(report.elements, parameters.count());
}
