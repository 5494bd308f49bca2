//! The distributions of initial values.

use ansatz_core::candle::{DType, Device, Tensor};
use ansatz_nn::{Error, Init, Initializer, Linear};
use candle_nn::init::{FanInOut, NonLinearity, NormalOrUniform};

use crate::{flat, store};

/// Mean, variance and largest magnitude.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, variance, values.iter().fold(0.0, |a, x| x.abs().max(a)))
}

/// Checks a sample against a mean and a variance at five standard errors, and against the bound
/// of a uniform distribution (`√3 σ` from the mean) where it is one.
fn matches(values: &[f64], mean: f64, variance: f64, uniform: bool) -> bool {
    let (m, v, _) = moments(values);
    let largest = values.iter().fold(0.0, |a: f64, x| (x - mean).abs().max(a));
    let n = values.len() as f64;
    // Var(s²) ≈ (κ − 1)σ⁴/n with kurtosis 3 (normal) or 9/5 (uniform).
    let kurtosis = if uniform { 1.8 } else { 3.0 };
    let bound = (3.0 * variance).sqrt();
    let shape = if uniform {
        largest <= bound && largest > 0.999 * bound
    } else {
        // 60,000 normal numbers practically always reach 3.5σ.
        largest > 3.5 * variance.sqrt()
    };
    (m - mean).abs() < 5.0 * (variance / n).sqrt()
        && (v / variance - 1.0).abs() < 5.0 * ((kurtosis - 1.0) / n).sqrt()
        && shape
}

fn sample(init: Init, shape: (usize, usize)) -> Vec<f64> {
    flat(&store(11).builder().get_with_hints(shape, "w", init).unwrap())
}

#[test]
fn variances() {
    // 200 inputs, 300 outputs.
    let shape = (300, 200);
    for (init, variance, uniform) in [
        (Initializer::GlorotUniform, 2.0 / 500.0, true),
        (Initializer::GlorotNormal, 2.0 / 500.0, false),
        (Initializer::HeUniform, 2.0 / 200.0, true),
        (Initializer::HeNormal, 2.0 / 200.0, false),
        (Initializer::LecunUniform, 1.0 / 200.0, true),
        (Initializer::LecunNormal, 1.0 / 200.0, false),
        (Initializer::Torch, 1.0 / 600.0, true),
        (Initializer::SirenFirst, 1.0 / 120_000.0, true),
        (Initializer::Siren { omega: 30.0 }, 2.0 / 200.0 / 900.0, true),
    ] {
        let values = sample(init.for_weight(shape).unwrap(), shape);
        assert!(matches(&values, 0.0, variance, uniform), "{init:?}: {:?}", moments(&values));
        // Negative control: a variance off by a twentieth, or the other shape, is noticed.
        assert!(!matches(&values, 0.0, 1.05 * variance, uniform), "{init:?}");
        assert!(!matches(&values, 0.0, variance, !uniform), "{init:?}");
    }
    assert_eq!(sample(Initializer::Zeros.for_weight(shape).unwrap(), (1, 2)), [0.0, 0.0]);
    assert_eq!(sample(Initializer::Constant(0.5).for_weight(shape).unwrap(), (1, 2)), [0.5, 0.5]);
}

#[test]
fn inits_of_candle() {
    let shape = (300, 200);
    assert_eq!(sample(Init::Const(-1.5), (1, 2)), [-1.5, -1.5]);
    let normal = sample(Init::Randn { mean: 3.0, stdev: 0.5 }, shape);
    assert!(matches(&normal, 3.0, 0.25, false));
    let uniform = sample(Init::Uniform { lo: -1.0, up: 2.0 }, shape);
    assert!(matches(&uniform, 0.5, 9.0 / 12.0, true));
    assert_eq!(sample(Init::Uniform { lo: 2.0, up: 2.0 }, (1, 1)), [2.0]);
    for (fan, n) in [(FanInOut::FanIn, 200.0), (FanInOut::FanOut, 300.0)] {
        for (non_linearity, gain) in [
            (NonLinearity::ReLU, 2f64.sqrt()),
            (NonLinearity::Tanh, 5.0 / 3.0),
            (NonLinearity::ExplicitGain(0.3), 0.3),
        ] {
            for (dist, is_uniform) in
                [(NormalOrUniform::Normal, false), (NormalOrUniform::Uniform, true)]
            {
                let values = sample(Init::Kaiming { dist, fan, non_linearity }, shape);
                assert!(
                    matches(&values, 0.0, gain * gain / n, is_uniform),
                    "{dist:?} {fan:?} {non_linearity:?}"
                );
            }
        }
    }
}

/// The window of a kernel counts for both fans.
#[test]
fn kernels() {
    let Init::Uniform { up, .. } = Initializer::GlorotUniform.for_weight((8, 4, 3, 5)).unwrap()
    else {
        panic!("not uniform")
    };
    assert!((up - (6.0 / ((4 + 8) * 15) as f64).sqrt()).abs() < 1e-15);
}

/// A bias takes its bound from the weight's inputs, as in PyTorch.
#[test]
fn torch_bias() {
    let parameters = store(0);
    Linear::new(400, 2000, parameters.builder()).unwrap();
    let bias = flat(&parameters.get("bias").unwrap());
    let (_, _, largest) = moments(&bias);
    assert!(largest <= 0.05 && largest > 0.0495, "{largest}");
}

#[test]
fn wrong_parameters_are_errors() {
    for init in [
        Initializer::Constant(f64::NAN),
        Initializer::Siren { omega: 0.0 },
        Initializer::Siren { omega: f64::INFINITY },
    ] {
        assert!(matches!(init.for_weight((2, 2)), Err(Error::InvalidArgument { .. })), "{init:?}");
    }
    for shape in [(0, 3), (3, 0)] {
        let init = Initializer::Torch.for_weight(shape);
        assert!(matches!(init, Err(Error::InvalidArgument { .. })), "{shape:?}");
    }
    let vb = store(0).builder();
    for init in [
        Init::Randn { mean: 0.0, stdev: -1.0 },
        Init::Uniform { lo: 1.0, up: 0.0 },
        Init::Uniform { lo: f64::NAN, up: 0.0 },
    ] {
        let error = Error::from(vb.get_with_hints(2, "w", init).unwrap_err());
        assert!(matches!(error, Error::Core(_)), "{init:?}: {error:?}");
    }
    // Nothing was stored.
    assert!(!vb.contains_tensor("w"));
}

#[test]
fn serde_round_trip() {
    for init in [Initializer::GlorotNormal, Initializer::Siren { omega: 20.0 }] {
        let text = serde_json::to_string(&init).unwrap();
        assert_eq!(serde_json::from_str::<Initializer>(&text).unwrap(), init);
    }
    assert!(serde_json::from_str::<Initializer>("\"xavier\"").is_err());
}

#[test]
fn constants_in_half_precision() {
    let vb = store(0).builder().to_dtype(DType::BF16);
    let ones = vb.get_with_hints((2, 2), "w", Init::Const(1.0)).unwrap();
    let expected = Tensor::ones((2, 2), DType::BF16, &Device::Cpu).unwrap();
    assert_eq!(flat(&ones), flat(&expected));
}
