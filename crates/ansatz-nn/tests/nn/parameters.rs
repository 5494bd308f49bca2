//! The store: order, seeds, sharing, errors.

use ansatz_core::{
    Key,
    candle::{DType, Device, Tensor},
};
use ansatz_nn::{Error, Init, LayerNorm, Linear, Mlp, MlpConfig, Parameters};

use crate::{bits, flat, store};

#[test]
fn paths_are_in_order_whatever_the_order_of_making() {
    let parameters = store(0);
    let vb = parameters.builder();
    for name in ["z", "a", "m"] {
        Linear::new(2, 3, vb.pp(name)).unwrap();
    }
    assert_eq!(
        parameters.names(),
        ["a.bias", "a.weight", "m.bias", "m.weight", "z.bias", "z.weight"]
    );
    let vars = parameters.vars();
    assert_eq!(vars.len(), 6);
    for (name, var) in parameters.names().iter().zip(&vars) {
        assert_eq!(parameters.get(name).unwrap().id(), var.id());
    }
    assert_eq!(parameters.count(), 3 * (6 + 3));
}

#[test]
fn a_key_gives_the_same_values_and_another_key_others() {
    let make = |seed, order: [&str; 2]| {
        let parameters = store(seed);
        for name in order {
            Linear::new(4, 4, parameters.builder().pp(name)).unwrap();
        }
        bits(&parameters)
    };
    assert_eq!(make(1, ["a", "b"]), make(1, ["b", "a"]));
    assert_ne!(make(1, ["a", "b"]), make(2, ["a", "b"]));
    // Two layers of one store differ as well.
    let values = make(1, ["a", "b"]);
    assert_ne!(values[..20], values[20..]);
}

#[test]
fn adding_a_layer_leaves_the_others() {
    let small = store(3);
    Mlp::new(&MlpConfig::new([2, 8, 8]), small.builder().pp("net")).unwrap();
    let large = store(3);
    Linear::new(5, 5, large.builder().pp("before")).unwrap();
    Mlp::new(&MlpConfig::new([2, 8, 8, 3]), large.builder().pp("net")).unwrap();
    for name in small.names() {
        assert_eq!(flat(&small.get(&name).unwrap()), flat(&large.get(&name).unwrap()), "{name}");
    }
    assert_eq!(large.names().len(), small.names().len() + 4);
}

/// Every dtype holds the rounded numbers of f64.
#[test]
fn dtypes_share_their_draws() {
    let values = |dtype| {
        let parameters = Parameters::new(Key::new(0), dtype, &Device::Cpu).unwrap();
        Linear::new(3, 7, parameters.builder()).unwrap();
        let var = parameters.get("weight").unwrap();
        assert_eq!(var.dtype(), dtype);
        var.as_tensor().to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>()
    };
    assert_eq!(values(DType::F32).unwrap(), values(DType::F64).unwrap());
}

#[test]
fn one_path_is_one_parameter() {
    let parameters = store(0);
    let vb = parameters.builder();
    let first = vb.get_with_hints((2, 3), "w", Init::Const(1.0)).unwrap();
    // The second initialisation is not used.
    let second = vb.get_with_hints((2, 3), "w", Init::Const(2.0)).unwrap();
    let third = vb.get_unchecked("w").unwrap();
    assert_eq!([first.id(), first.id()], [second.id(), third.id()]);
    assert_eq!(flat(&second), [1.0; 6]);
    assert!(vb.contains_tensor("w") && !vb.contains_tensor("v"));

    let other_shape = Error::from(vb.get((3, 2), "w").unwrap_err());
    assert!(matches!(other_shape, Error::ParameterMismatch { .. }), "{other_shape:?}");
    let other_dtype = Error::from(vb.to_dtype(DType::F32).get((2, 3), "w").unwrap_err());
    assert!(matches!(other_dtype, Error::ParameterMismatch { .. }), "{other_dtype:?}");
    let unknown = Error::from(vb.get_unchecked("v").unwrap_err());
    assert!(matches!(unknown, Error::UnknownParameter { .. }), "{unknown:?}");
    assert_eq!(parameters.names(), ["w"]);

    // Through a layer the error is of this crate without any conversion.
    LayerNorm::new(3, 1e-5, vb.pp("n")).unwrap();
    let clash = LayerNorm::new(4, 1e-5, vb.pp("n"));
    assert!(matches!(clash, Err(Error::ParameterMismatch { .. })), "{clash:?}");
}

/// candle's own layers take the builder.
#[test]
fn candle_layers_work() {
    let parameters = store(0);
    let layer = candle_nn::linear(3, 2, parameters.builder().pp("candle")).unwrap();
    let x = Tensor::ones((4, 3), DType::F64, &Device::Cpu).unwrap();
    let loss = candle_nn::Module::forward(&layer, &x).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    for (name, var) in parameters.names().iter().zip(parameters.vars()) {
        assert!(grads.get(&var).is_some(), "{name}");
    }
}

#[test]
fn a_clone_is_another_handle() {
    let parameters = store(0);
    let clone = parameters.clone();
    Linear::new(1, 1, clone.builder()).unwrap();
    assert_eq!(parameters.names(), clone.names());
    assert_eq!(parameters.count(), 2);
}

#[test]
fn flat_and_back() {
    let parameters = store(5);
    Mlp::new(&MlpConfig::new([2, 3, 1]), parameters.builder()).unwrap();
    let before = bits(&parameters);
    let copy = parameters.flatten().unwrap();
    assert_eq!(copy.dims(), [parameters.count()]);
    assert_eq!(flat(&copy).into_iter().map(f64::to_bits).collect::<Vec<_>>(), before);

    let other = copy.affine(2.0, 1.0).unwrap();
    parameters.set_from_flat(&other).unwrap();
    assert_eq!(flat(&parameters.flatten().unwrap()), flat(&other));
    // The copy has not followed.
    parameters.set_from_flat(&copy).unwrap();
    assert_eq!(bits(&parameters), before);

    for wrong in [
        copy.narrow(0, 0, 4).unwrap(),
        copy.unsqueeze(0).unwrap(),
        copy.to_dtype(DType::F32).unwrap(),
    ] {
        assert!(matches!(parameters.set_from_flat(&wrong), Err(Error::Core(_))));
        assert_eq!(bits(&parameters), before);
    }
    assert!(matches!(store(0).flatten(), Err(Error::InvalidArgument { .. })));

    // A single parameter: the copy must not share its storage.
    let single = store(0);
    single.builder().get(2, "w").unwrap();
    let copy = single.flatten().unwrap();
    single.get("w").unwrap().set(&Tensor::ones(2, DType::F64, &Device::Cpu).unwrap()).unwrap();
    assert_eq!(flat(&copy), [0.0, 0.0]);
}

#[test]
fn integers_are_no_parameters() {
    for dtype in [DType::U8, DType::I64] {
        let store = Parameters::new(Key::new(0), dtype, &Device::Cpu);
        assert!(matches!(store, Err(Error::InvalidArgument { .. })), "{dtype:?}");
    }
    let vb = store(0).builder();
    let one = vb.to_dtype(DType::U32).get(1, "w");
    assert!(matches!(Error::from(one.unwrap_err()), Error::InvalidArgument { .. }));
}
