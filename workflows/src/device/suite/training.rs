//! Layers, their initial parameters and the optimiser.
use ansatz::core::{Key, Module};
use ansatz::nn::{Adam, AdamConfig, Clip, LayerNorm, Mlp, MlpConfig, Optimizer, Parameters};
use ansatz::nn::{FourierFeatures, ResidualMlp, ResidualMlpConfig, Siren, SirenConfig};
use candle_core::{Device, Tensor, Var};

use crate::AnyError;
use crate::device::Check;
use crate::device::compare::{difference, on_cpu};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("Mlp", &[&[9, 4]], |x| {
            let net = Mlp::new(&MlpConfig::new([4, 32, 32, 3]), store(&x[0])?.builder())?;
            Ok(net.forward(&x[0])?)
        }),
        Check::new("ResidualMlp", &[&[9, 4]], |x| {
            let config =
                ResidualMlpConfig { inputs: 4, width: 16, outputs: 2, ..Default::default() };
            Ok(ResidualMlp::new(&config, store(&x[0])?.builder())?.forward(&x[0])?)
        }),
        Check::new("Siren", &[&[9, 2]], |x| {
            let net = Siren::new(&SirenConfig::new([2, 16, 1]), store(&x[0])?.builder())?;
            Ok(net.forward(&x[0])?)
        })
        .looser(3.0),
        Check::new("FourierFeatures", &[&[9, 2]], |x| {
            Ok(FourierFeatures::new(2, 8, 1.0, store(&x[0])?.builder())?.forward(&x[0])?)
        }),
        Check::new("LayerNorm", &[&[9, 24]], |x| {
            Ok(LayerNorm::new(24, 1e-5, store(&x[0])?.builder())?.forward(&x[0])?)
        }),
        Check::new("Adam, three steps", &[&[7, 5], &[7, 5]], |x| adam(x, AdamConfig::new(0.05)))
            .value_only(),
        Check::new("AdamW with clipping", &[&[7, 5], &[7, 5]], |x| {
            let clip = Clip::Norm(0.5);
            adam(x, AdamConfig::new(0.05).decoupled_decay(0.01).clip(clip))
        })
        .value_only(),
        Check::identical("initial parameters", |device, dtype| {
            let build = |device: &Device| -> Result<Tensor, AnyError> {
                let store = Parameters::new(Key::new(3), dtype, device)?;
                Mlp::new(&MlpConfig::new([3, 8, 2]), store.builder())?;
                Ok(on_cpu(&store.flatten()?)?)
            };
            difference(&build(device)?, &build(&Device::Cpu)?)
        }),
    ]
}

/// Parameters of the dtype and on the device of `x`. They are drawn in f64 and rounded, so that
/// those of the reference differ from those in f32 by rounding alone.
fn store(x: &Tensor) -> Result<Parameters, AnyError> {
    Ok(Parameters::new(Key::new(3), x.dtype(), x.device())?)
}

/// `x[0]` after three steps towards `x[1]`.
fn adam(x: &[Tensor], config: AdamConfig) -> Result<Tensor, AnyError> {
    let var = Var::from_tensor(&x[0].detach())?;
    let mut adam = Adam::new(vec![var.clone()], config)?;
    for _ in 0..3 {
        let apart = (var.as_tensor() - x[1].detach())?;
        adam.backward_step(&((apart.sqr()? + apart.exp()?)?.sum_all()?))?;
    }
    Ok(var.as_tensor().copy()?)
}
