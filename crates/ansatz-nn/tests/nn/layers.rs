//! Layers: values by hand, gradients, shapes, dtypes.

use std::collections::HashMap;

use ansatz_core::{
    Error as CoreError, Key, Module,
    candle::{DType, Device, Tensor},
};
use ansatz_nn::{
    Activation, Error, FourierFeatures, Initializer, LayerNorm, Linear, Mlp, MlpConfig, Parameters,
    ResidualMlp, ResidualMlpConfig, Result, Siren, SirenConfig, VarBuilder,
};
use ansatz_ops::{GradCheck, gradcheck};

use crate::{assert_close, flat, store};

/// Generic numbers of the given shape.
fn input(shape: &[usize]) -> Tensor {
    Key::new(99).normal_tensor(shape, 0.0, 1.0, DType::F64, &Device::Cpu).unwrap()
}

/// Checks the gradient of the layer that `build` makes, with respect to its input and to all its
/// parameters, for inputs `[3, n]` and `[2, 2, n]`.
fn check<M: Module>(inputs: usize, build: impl Fn(VarBuilder<'_>) -> Result<M>) {
    let parameters = store(7);
    build(parameters.builder()).unwrap();
    let names = parameters.names();
    // Away from the initial zeros and ones.
    let values = parameters.vars().into_iter().enumerate().map(|(i, v)| {
        let noise = Key::new(i as u64)
            .normal_tensor(v.shape(), 0.0, 0.2, DType::F64, &Device::Cpu)
            .unwrap();
        (v.as_tensor().detach() + noise).unwrap()
    });
    let mut tensors = vec![input(&[3, inputs])];
    tensors.extend(values);
    for x in [input(&[3, inputs]), input(&[2, 2, inputs])] {
        tensors[0] = x;
        let f = |t: &[Tensor]| {
            let named: HashMap<_, _> = names.iter().cloned().zip(t[1..].iter().cloned()).collect();
            let model = build(VarBuilder::from_tensors(named, DType::F64, &Device::Cpu)).unwrap();
            Ok(model.forward(&t[0]).unwrap())
        };
        let report = gradcheck(f, &tensors, &GradCheck::default()).unwrap();
        assert_eq!(report.elements, tensors.iter().map(Tensor::elem_count).sum::<usize>());
    }
}

#[test]
fn gradients() {
    check(3, |vb| Linear::new(3, 2, vb));
    check(3, |vb| Linear::with(3, 2, Initializer::HeNormal, None, vb));
    for activation in [
        Activation::Tanh,
        Activation::Sin,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Relu,
    ] {
        check(2, |vb| Mlp::new(&MlpConfig::new([2, 4, 3, 2]).activation(activation), vb));
    }
    let residual =
        ResidualMlpConfig { inputs: 2, outputs: 2, width: 4, ..ResidualMlpConfig::default() };
    check(2, |vb| ResidualMlp::new(&residual, vb));
    let siren = SirenConfig { first_omega: 2.0, hidden_omega: 1.5, sizes: vec![2, 4, 4, 1] };
    check(2, |vb| Siren::new(&siren, vb));
    check(4, |vb| LayerNorm::new(4, 1e-5, vb));
}

#[test]
fn gradient_of_fourier_features() {
    let parameters = store(0);
    let layer = FourierFeatures::new(2, 3, 0.5, parameters.builder()).unwrap();
    let f = |t: &[Tensor]| Ok(layer.forward(&t[0]).unwrap());
    gradcheck(f, &[input(&[3, 2])], &GradCheck::default()).unwrap();
    // B is stored, but gets no gradient.
    let loss = layer.forward(&input(&[3, 2])).unwrap().sqr().unwrap().sum_all().unwrap();
    assert!(loss.backward().unwrap().get(&parameters.get("frequencies").unwrap()).is_none());
    assert_eq!(parameters.count(), 6);
    // Values loaded into the store reach the layer.
    let ones = Tensor::ones((3, 2), DType::F64, &Device::Cpu).unwrap();
    parameters.get("frequencies").unwrap().set(&ones).unwrap();
    assert_eq!(flat(layer.frequencies()), [1.0; 6]);
}

/// `W x + b` by hand.
fn affine(parameters: &Parameters, layer: &str, x: &[f64]) -> Vec<f64> {
    let weight = flat(&parameters.get(&format!("{layer}.weight")).unwrap());
    let bias = flat(&parameters.get(&format!("{layer}.bias")).unwrap());
    weight
        .chunks(x.len())
        .zip(bias)
        .map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b)
        .collect()
}

fn each(x: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.iter().map(|&x| f(x)).collect()
}

/// Compares a layer on a batch with a function of one row, in f64 and with a leading axis more.
fn compare(layer: &impl Module, inputs: usize, by_hand: impl Fn(&[f64]) -> Vec<f64>) {
    let x = input(&[4, inputs]);
    let expected: Vec<f64> = flat(&x).chunks(inputs).flat_map(by_hand).collect();
    let y = layer.forward(&x).unwrap();
    assert_close(&flat(&y), &expected, 1e-13);
    let y3 = layer.forward(&x.reshape((2, 2, inputs)).unwrap()).unwrap();
    assert_eq!(y3.dims(), [2, 2, y.dims()[1]]);
    assert_close(&flat(&y3), &expected, 1e-13);
}

#[test]
fn values_by_hand() {
    let p = store(1);
    let init = Initializer::Torch;
    let config = MlpConfig { sizes: vec![2, 5, 4, 3], biases: init, ..MlpConfig::default() };
    let mlp = Mlp::new(&config, p.builder()).unwrap();
    compare(&mlp, 2, |x| {
        let h = each(&affine(&p, "0", x), f64::tanh);
        affine(&p, "2", &each(&affine(&p, "1", &h), f64::tanh))
    });

    let p = store(2);
    let config = ResidualMlpConfig {
        inputs: 2,
        outputs: 3,
        width: 4,
        blocks: 2,
        activation: Activation::Sin,
        weights: init,
        biases: init,
    };
    let residual = ResidualMlp::new(&config, p.builder()).unwrap();
    compare(&residual, 2, |x| {
        let mut h = affine(&p, "input", x);
        for block in ["0", "1"] {
            let inner = each(&affine(&p, &format!("{block}.first"), &h), f64::sin);
            let outer = each(&affine(&p, &format!("{block}.second"), &inner), f64::sin);
            h = h.iter().zip(outer).map(|(h, o)| h + o).collect();
        }
        affine(&p, "output", &h)
    });

    let p = store(3);
    let config = SirenConfig { sizes: vec![2, 5, 4, 3], first_omega: 7.0, hidden_omega: 3.0 };
    let siren = Siren::new(&config, p.builder()).unwrap();
    compare(&siren, 2, |x| {
        let h = each(&affine(&p, "0", x), |a| (7.0 * a).sin());
        affine(&p, "2", &each(&affine(&p, "1", &h), |a| (3.0 * a).sin()))
    });

    let p = store(4);
    let fourier = FourierFeatures::new(2, 3, 1.5, p.builder()).unwrap();
    let b = flat(fourier.frequencies());
    compare(&fourier, 2, |x| {
        let phase = |i: usize| std::f64::consts::TAU * (b[2 * i] * x[0] + b[2 * i + 1] * x[1]);
        (0..3).map(|i| phase(i).cos()).chain((0..3).map(|i| phase(i).sin())).collect()
    });

    let p = store(5);
    let norm = LayerNorm::new(4, 1e-3, p.builder()).unwrap();
    let (w, c) = ([1.0, -2.0, 0.5, 3.0], [0.1, 0.2, 0.3, 0.4]);
    p.get("weight").unwrap().set(&Tensor::new(&w, &Device::Cpu).unwrap()).unwrap();
    p.get("bias").unwrap().set(&Tensor::new(&c, &Device::Cpu).unwrap()).unwrap();
    compare(&norm, 4, |x| {
        let mean = x.iter().sum::<f64>() / 4.0;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0;
        (0..4).map(|i| (x[i] - mean) / (variance + 1e-3).sqrt() * w[i] + c[i]).collect()
    });
}

/// Hidden layers of a sine network see inputs of the same spread at any depth (V. Sitzmann et al.
/// 2020, supplement, theorem 1.8: sin of the pre-activation has variance near 1/2).
#[test]
fn siren_keeps_its_spread() {
    let p = store(6);
    let sizes = vec![1, 256, 256, 256, 256, 256];
    Siren::new(&SirenConfig::new(sizes), p.builder()).unwrap();
    let mut h: Vec<Vec<f64>> =
        Key::new(0).uniform(64).iter().map(|u| vec![2.0 * u - 1.0]).collect();
    for layer in 0..4 {
        for row in &mut h {
            *row = each(&affine(&p, &layer.to_string(), row), |a| (30.0 * a).sin());
        }
        let variance = h.iter().flatten().map(|x| x * x).sum::<f64>() / (64.0 * 256.0);
        assert!((variance - 0.5).abs() < 0.04, "layer {layer}: {variance}");
    }
}

#[test]
fn f32_agrees_with_f64() {
    let run = |dtype| {
        let p = Parameters::new(Key::new(8), dtype, &Device::Cpu).unwrap();
        let vb = p.builder();
        let x = input(&[5, 3]).to_dtype(dtype).unwrap();
        let residual = ResidualMlpConfig { inputs: 3, ..ResidualMlpConfig::default() };
        let layers: Vec<Box<dyn Module>> = vec![
            Box::new(Linear::new(3, 2, vb.pp("linear")).unwrap()),
            Box::new(Mlp::new(&MlpConfig::new([3, 8, 2]), vb.pp("mlp")).unwrap()),
            Box::new(ResidualMlp::new(&residual, vb.pp("residual")).unwrap()),
            Box::new(Siren::new(&SirenConfig::new([3, 8, 1]), vb.pp("siren")).unwrap()),
            Box::new(FourierFeatures::new(3, 4, 1.0, vb.pp("fourier")).unwrap()),
            Box::new(LayerNorm::new(3, 1e-5, vb.pp("norm")).unwrap()),
        ];
        layers
            .iter()
            .flat_map(|layer| {
                let y = layer.forward(&x).unwrap();
                assert_eq!(y.dtype(), dtype);
                flat(&y)
            })
            .collect::<Vec<f64>>()
    };
    assert_close(&run(DType::F32), &run(DType::F64), 2e-5);
}

#[test]
fn wrong_inputs_are_errors() {
    let vb = store(0).builder();
    let layers: Vec<Box<dyn Module>> = vec![
        Box::new(Linear::new(3, 2, vb.pp("linear")).unwrap()),
        Box::new(Mlp::new(&MlpConfig::new([3, 8, 2]), vb.pp("mlp")).unwrap()),
        Box::new(Siren::new(&SirenConfig::new([3, 8, 1]), vb.pp("siren")).unwrap()),
        Box::new(FourierFeatures::new(3, 4, 1.0, vb.pp("fourier")).unwrap()),
        Box::new(LayerNorm::new(3, 1e-5, vb.pp("norm")).unwrap()),
    ];
    for (i, layer) in layers.iter().enumerate() {
        for shape in [&[5, 4][..], &[5, 1], &[3, 5], &[]] {
            let y = layer.forward(&input(shape));
            assert!(matches!(y, Err(CoreError::Shape { .. })), "layer {i}, {shape:?}: {y:?}");
        }
        // Mixed dtypes are an error, not a silent conversion.
        assert!(layer.forward(&input(&[5, 3]).to_dtype(DType::F32).unwrap()).is_err());
        // An empty batch is no error.
        let empty = Tensor::zeros((0, 3), DType::F64, &Device::Cpu).unwrap();
        assert_eq!(layer.forward(&empty).unwrap().dims()[0], 0, "layer {i}");
    }
}

#[test]
fn wrong_configurations_are_errors() {
    fn refused<M>(result: Result<M>) {
        assert!(matches!(result, Err(Error::InvalidArgument { .. })));
    }
    let vb = || store(0).builder();
    refused(Linear::new(0, 1, vb()));
    for sizes in [vec![], vec![3], vec![3, 0, 1]] {
        refused(Mlp::new(&MlpConfig::new(sizes.clone()), vb()));
        refused(Siren::new(&SirenConfig::new(sizes), vb()));
    }
    for omega in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let default = SirenConfig::default;
        refused(Siren::new(&SirenConfig { first_omega: omega, ..default() }, vb()));
        refused(Siren::new(&SirenConfig { hidden_omega: omega, ..default() }, vb()));
        refused(FourierFeatures::new(1, 1, omega, vb()));
        refused(LayerNorm::new(1, omega, vb()));
    }
    let default = ResidualMlpConfig::default;
    refused(ResidualMlp::new(&ResidualMlpConfig { width: 0, ..default() }, vb()));
    refused(ResidualMlp::new(&ResidualMlpConfig { inputs: 0, ..default() }, vb()));
    refused(ResidualMlp::new(&ResidualMlpConfig { outputs: 0, ..default() }, vb()));
    refused(FourierFeatures::new(0, 1, 1.0, vb()));
    refused(LayerNorm::new(0, 1e-5, vb()));
}

#[test]
fn configurations_are_serialisable() {
    let mlp: MlpConfig = serde_json::from_str(r#"{"sizes": [2, 8, 1]}"#).unwrap();
    assert_eq!(mlp, MlpConfig::new([2, 8, 1]));
    let text = serde_json::to_string(&mlp).unwrap();
    assert_eq!(serde_json::from_str::<MlpConfig>(&text).unwrap(), mlp);
    assert!(serde_json::from_str::<MlpConfig>(r#"{"size": [2, 8, 1]}"#).is_err());
    let siren = SirenConfig::default();
    let text = serde_json::to_string(&siren).unwrap();
    assert_eq!(serde_json::from_str::<SirenConfig>(&text).unwrap(), siren);
    let residual = ResidualMlpConfig::default();
    let text = serde_json::to_string(&residual).unwrap();
    assert_eq!(serde_json::from_str::<ResidualMlpConfig>(&text).unwrap(), residual);
}
