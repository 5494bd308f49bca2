//! Checkpoints: what goes in comes out, and damage is noticed before anything is changed.

use std::{collections::BTreeMap, fs, path::Path};

use ansatz_core::{
    Key,
    candle::{DType, Device, Tensor, safetensors as candle_safetensors},
};
use ansatz_nn::{
    Adam, AdamConfig, Checkpoint, Error, Init, Linear, Mlp, MlpConfig, Optimizer, Parameters,
    Resume,
};
use proptest::prelude::*;

use crate::{bits, flat, store};

/// A small model with an optimiser that has made a step.
fn trained(seed: u64) -> (Parameters, Adam) {
    let parameters = store(seed);
    let layer = Linear::new(2, 1, parameters.builder()).unwrap();
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::default()).unwrap();
    adam.backward_step(&layer.weight().sqr().unwrap().sum_all().unwrap()).unwrap();
    (parameters, adam)
}

fn state_bits(adam: &Adam) -> Vec<u64> {
    adam.state().unwrap().values().flat_map(flat).map(f64::to_bits).collect()
}

#[test]
fn round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let (parameters, adam) = trained(0);
    let checkpoint = Checkpoint::new(&parameters)
        .unwrap()
        .optimizer(&adam)
        .unwrap()
        .step(17)
        .note("config", r#"{"width": 32, "name": "Müller\n"}"#);
    checkpoint.save(&path).unwrap();

    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(loaded.steps_done(), 17);
    assert_eq!(loaded.notes(), checkpoint.notes());
    assert_eq!(loaded.notes()["config"], r#"{"width": 32, "name": "Müller\n"}"#);
    let (other, mut other_adam) = trained(1);
    assert_ne!(bits(&other), bits(&parameters));
    loaded.restore_with(&other, &mut other_adam).unwrap();
    assert_eq!(bits(&other), bits(&parameters));
    assert_eq!(state_bits(&other_adam), state_bits(&adam));

    // The same contents are the same bytes.
    let again = folder.path().join("b.safetensors");
    loaded.save(&again).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());

    // candle reads it.
    let plain = candle_safetensors::load(&path, &Device::Cpu).unwrap();
    for (name, var) in parameters.names().iter().zip(parameters.vars()) {
        assert_eq!(flat(&plain[name]), flat(&var), "{name}");
    }
}

#[test]
fn every_dtype_and_odd_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c");
    for dtype in [DType::F64, DType::F32, DType::BF16, DType::F16] {
        let make = |seed| {
            let p = Parameters::new(Key::new(seed), dtype, &Device::Cpu).unwrap();
            let vb = p.builder();
            let init = Init::Randn { mean: 0.0, stdev: 1.0 };
            vb.get_with_hints((), "scalar", init).unwrap();
            vb.get_with_hints((3, 0), "empty", init).unwrap();
            vb.get_with_hints((2, 1, 3), "ünïcode \" path", init).unwrap();
            p
        };
        let (from, to) = (make(0), make(1));
        Checkpoint::new(&from).unwrap().save(&path).unwrap();
        Checkpoint::load(&path).unwrap().restore(&to).unwrap();
        assert_eq!(bits(&to), bits(&from));
    }
    // NaN and infinities pass unchanged: a checkpoint judges no values.
    let p = store(0);
    p.builder().get(3, "x").unwrap();
    let odd = Tensor::new(&[f64::NAN, f64::INFINITY, -0.0], &Device::Cpu).unwrap();
    p.get("x").unwrap().set(&odd).unwrap();
    Checkpoint::new(&p).unwrap().save(&path).unwrap();
    let before = bits(&p);
    p.get("x").unwrap().set(&odd.zeros_like().unwrap()).unwrap();
    Checkpoint::load(&path).unwrap().restore(&p).unwrap();
    assert_eq!(bits(&p), before);
    // A model without parameters.
    Checkpoint::new(&store(0)).unwrap().save(&path).unwrap();
    Checkpoint::load(&path).unwrap().restore(&store(0)).unwrap();
}

/// In memory, a checkpoint is a copy that training does not change.
#[test]
fn a_checkpoint_is_a_snapshot() {
    let (parameters, _) = trained(0);
    let before = bits(&parameters);
    let best = Checkpoint::new(&parameters).unwrap();
    let zeros = parameters.flatten().unwrap().zeros_like().unwrap();
    parameters.set_from_flat(&zeros).unwrap();
    assert_ne!(bits(&parameters), before);
    best.restore(&parameters).unwrap();
    assert_eq!(bits(&parameters), before);
}

#[test]
fn mismatches_are_listed_together_and_change_nothing() {
    let stored = store(0);
    let vb = stored.builder();
    for (path, n) in [("same", 2), ("shape", 2), ("dtype", 2), ("old", 2)] {
        vb.get_with_hints(n, path, Init::Const(1.0)).unwrap();
    }
    let checkpoint = Checkpoint::new(&stored).unwrap();
    let model = store(0);
    let vb = model.builder();
    vb.get(2, "same").unwrap();
    vb.get((1, 2), "shape").unwrap();
    vb.to_dtype(DType::F32).get(2, "dtype").unwrap();
    vb.get(2, "new").unwrap();
    match checkpoint.restore(&model) {
        Err(Error::Mismatch { missing, unexpected, different, .. }) => {
            assert_eq!(missing, ["new"]);
            assert_eq!(unexpected, ["old"]);
            assert_eq!(different.len(), 2);
            assert!(different[0].starts_with("dtype") && different[1].starts_with("shape"));
        }
        other => panic!("{other:?}"),
    }
    assert!(bits(&model).iter().all(|&b| b == 0));
}

#[test]
fn parameters_and_optimiser_are_restored_together_or_not_at_all() {
    let (parameters, adam) = trained(0);
    let (other, mut other_adam) = trained(1);
    let before = (bits(&other), state_bits(&other_adam));
    // No optimiser state in the checkpoint.
    let without = Checkpoint::new(&parameters).unwrap();
    let result = without.restore_with(&other, &mut other_adam);
    assert!(matches!(result, Err(Error::Mismatch { what: "optimiser state", .. })), "{result:?}");
    assert_eq!((bits(&other), state_bits(&other_adam)), before);
    // Parameters that do not fit: the optimiser stays as well.
    let larger = store(1);
    Linear::new(2, 1, larger.builder()).unwrap();
    Linear::new(2, 1, larger.builder().pp("more")).unwrap();
    let with = without.optimizer(&adam).unwrap();
    let result = with.restore_with(&larger, &mut other_adam);
    assert!(matches!(result, Err(Error::Mismatch { what: "parameters", .. })), "{result:?}");
    assert_eq!(state_bits(&other_adam), before.1);
    // Restoring parameters alone ignores the state.
    with.restore(&other).unwrap();
    assert_eq!(bits(&other), bits(&parameters));
    assert_eq!(state_bits(&other_adam), before.1);
}

fn assert_corrupt(path: &Path, what: &str) {
    match Checkpoint::load(path) {
        Err(Error::Corrupt { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{what}: {other:?}"),
    }
}

/// Through files; every length and every bit are tried in memory, beside the decoder.
#[test]
fn damaged_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let (parameters, adam) = trained(0);
    Checkpoint::new(&parameters).unwrap().optimizer(&adam).unwrap().save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 7, 8, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_corrupt(&path, &format!("{length} of {} bytes", whole.len()));
    }
    let mut bytes = whole.clone();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_corrupt(&path, "a flipped bit");
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert_corrupt(&path, "a byte more");
    fs::write(&path, &whole).unwrap();
    Checkpoint::load(&path).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Random bytes, and random bytes in place of a part of a good file.
    #[test]
    fn hostile_files(junk in proptest::collection::vec(any::<u8>(), 1..64), at in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, &junk).unwrap();
        assert_corrupt(&path, "junk");

        let (parameters, _) = trained(0);
        Checkpoint::new(&parameters).unwrap().save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let start = at.index(whole.len());
        for (b, j) in bytes[start..].iter_mut().zip(&junk) {
            *b = *j;
        }
        if bytes != whole {
            fs::write(&path, &bytes).unwrap();
            assert_corrupt(&path, "overwritten part");
        }
    }
}

#[test]
fn files_of_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain");
    let (parameters, _) = trained(0);
    let tensors: std::collections::HashMap<_, _> = parameters
        .names()
        .into_iter()
        .zip(parameters.vars().iter().map(|v| v.as_tensor().copy().unwrap()))
        .collect();
    candle_safetensors::save(&tensors, &path).unwrap();
    assert_corrupt(&path, "no entry of ours");

    let (other, _) = trained(1);
    let plain = candle_safetensors::load(&path, &Device::Cpu).unwrap();
    Checkpoint::from_tensors(plain).unwrap().restore(&other).unwrap();
    assert_eq!(bits(&other), bits(&parameters));

    for name in ["__metadata__", "optimizer/adam.steps"] {
        let reserved = BTreeMap::from([(name.to_owned(), tensors["weight"].clone())]);
        let result = Checkpoint::from_tensors(reserved);
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{name}");
    }
}

#[test]
fn paths_that_cannot_be_written_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let (parameters, _) = trained(0);
    let checkpoint = Checkpoint::new(&parameters).unwrap();

    let missing = folder.path().join("missing").join("file");
    let result = checkpoint.save(&missing);
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    assert!(matches!(Checkpoint::load(&missing), Err(Error::Io { .. })));

    let directory = folder.path().join("directory");
    fs::create_dir(&directory).unwrap();
    let result = checkpoint.save(&directory);
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    assert!(matches!(Checkpoint::load(&directory), Err(Error::Io { .. })));
    assert!(checkpoint.save("").is_err());
    // No temporary file is left anywhere.
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["directory"]);
}

/// An older checkpoint stays in force until the new one is whole.
#[test]
fn saving_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latest");
    for seed in 0..3 {
        let p = store(seed);
        Mlp::new(&MlpConfig::new([1, 4, 1]), p.builder()).unwrap();
        Checkpoint::new(&p).unwrap().step(seed).save(&path).unwrap();
        let loaded = Checkpoint::load(&path).unwrap();
        assert_eq!(loaded.steps_done(), seed);
        let weight = flat(&p.get("0.weight").unwrap());
        assert_eq!(flat(&loaded.parameters()["0.weight"]), weight);
    }
}
