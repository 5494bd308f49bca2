//! The same key gives the same bits: initial values, solution, gradient, on any number of threads.

use std::process::Command;

use ansatz::{
    core::{Jet, Key, Module},
    nn::{Adam, AdamConfig, Mlp, MlpConfig, Optimizer, Parameters},
    ode::{Tsit5, solve},
};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, bits, checkpoint::file};

const OUTPUT: &str = "ANSATZ_TESTS_DIGEST";

/// Bits of everything a small study computes: initial values, a solve, its gradient, a jet, the
/// parameters after a step. Large enough for products and pointwise functions to go parallel.
fn study(key: Key, dtype: DType) -> Checked<Vec<u64>> {
    let [weights, data] = key.split();
    let parameters = Parameters::new(weights, dtype, &Device::Cpu)?;
    let model = Mlp::new(&MlpConfig::new([8, 256, 256, 8]), parameters.builder())?;
    let mut all = bits(&parameters.flatten()?);
    let y0 = data.normal_tensor((300, 8), 0.0, 1.0, dtype, &Device::Cpu)?;

    let net = model.clone();
    let field = move |_t: f64, y: &Tensor| net.forward(y);
    let run = solve(field, y0.clone(), (0.0, 0.5)).with(Tsit5).tolerance(1e-2, 1e-2).run()?;
    all.extend(bits(&run.y_end));
    let loss = run.y_end.sqr()?.mean_all()?;
    let store = loss.backward()?;
    for var in parameters.vars() {
        all.extend(bits(store.get(&var).expect("a gradient")));
    }
    let directions = data.fold_in(1).normal_tensor((2, 300, 8), 0.0, 1.0, dtype, &Device::Cpu)?;
    all.extend(bits(model.forward(&Jet::seed(&y0, &directions, 2)?)?.stack()));
    Adam::for_parameters(&parameters, AdamConfig::new(0.01))?.backward_step(&loss)?;
    all.extend(bits(&parameters.flatten()?));
    Ok(all)
}

fn both() -> Checked<Vec<u64>> {
    Ok([study(Key::new(60), DType::F64)?, study(Key::new(60), DType::F32)?].concat())
}

#[test]
fn the_same_bits_on_any_number_of_threads() -> Checked {
    // The number of threads is fixed when a process starts, so this test runs itself again.
    if let Some(path) = std::env::var_os(OUTPUT) {
        let bytes: Vec<u8> = both()?.iter().flat_map(|b| b.to_le_bytes()).collect();
        return Ok(std::fs::write(path, bytes)?);
    }
    let here: Vec<u8> = both()?.iter().flat_map(|b| b.to_le_bytes()).collect();
    assert!(here.len() > 1_000_000);
    for threads in ["1", "2", "5"] {
        let path = file("digest");
        let output = Command::new(std::env::current_exe()?)
            .args(["determinism::the_same_bits_on_any_number_of_threads", "--exact"])
            .env(OUTPUT, &path)
            .env("RAYON_NUM_THREADS", threads)
            .env("CANDLE_NUM_THREADS", threads)
            .output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(std::fs::read(&path)? == here, "other bits with {threads} threads");
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

#[test]
fn keys_decide_everything() -> Checked {
    let small = |key: Key| -> Checked<Vec<u64>> {
        let parameters = Parameters::new(key, DType::F64, &Device::Cpu)?;
        let model = Mlp::new(&MlpConfig::new([2, 4, 2]), parameters.builder())?;
        let y0 =
            key.fold_in_str("data").normal_tensor((3, 2), 0.0, 1.0, DType::F64, &Device::Cpu)?;
        let field = move |_t: f64, y: &Tensor| model.forward(y);
        Ok(bits(&solve(field, y0, (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run()?.y_end))
    };
    assert_eq!(small(Key::new(1))?, small(Key::new(1))?);
    assert_ne!(small(Key::new(1))?, small(Key::new(2))?);
    Ok(())
}
