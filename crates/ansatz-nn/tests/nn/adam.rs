//! Adam against the paper, against PyTorch, and in odd situations.

use ansatz_core::candle::{DType, Device, Tensor, Var, backprop::GradStore};
use ansatz_nn::{Adam, AdamConfig, Clip, Error, Linear, Optimizer, Resume, WeightDecay};

use crate::{assert_close, flat, store};

fn var(values: &[f64]) -> Var {
    Var::new(values, &Device::Cpu).unwrap()
}

/// Gradients made by hand.
fn gradients(pairs: &[(&Var, Tensor)]) -> GradStore {
    let mut store = GradStore::default();
    for (var, gradient) in pairs {
        store.insert(var, gradient.clone());
    }
    store
}

fn tensor(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

/// Algorithm 1 of Kingma and Ba for one number, with the decay of Loshchilov and Hutter.
fn by_the_paper(theta: f64, gradients: &[f64], c: &AdamConfig, l2: f64, decoupled: f64) -> f64 {
    let (mut theta, mut m, mut v) = (theta, 0.0, 0.0);
    for (t, g) in (1..).zip(gradients) {
        let g = g + l2 * theta;
        m = c.beta1 * m + (1.0 - c.beta1) * g;
        v = c.beta2 * v + (1.0 - c.beta2) * g * g;
        let m_hat = m / (1.0 - c.beta1.powi(t));
        let v_hat = v / (1.0 - c.beta2.powi(t));
        theta = theta
            - c.learning_rate * m_hat / (v_hat.sqrt() + c.epsilon)
            - c.learning_rate * decoupled * theta;
    }
    theta
}

#[test]
fn agrees_with_the_paper() {
    let sequence: Vec<f64> = (0..50).map(|i| (1.3 * f64::from(i)).sin() + 0.3).collect();
    let base = AdamConfig { learning_rate: 0.05, beta1: 0.8, beta2: 0.95, ..Default::default() };
    for (config, l2, decoupled) in [
        (base, 0.0, 0.0),
        (AdamConfig { epsilon: 0.1, ..base }, 0.0, 0.0),
        (AdamConfig { beta1: 0.0, ..base }, 0.0, 0.0),
        (AdamConfig { weight_decay: WeightDecay::L2(0.3), ..base }, 0.3, 0.0),
        (base.decoupled_decay(0.3), 0.0, 0.3),
    ] {
        let start = [1.0, -2.0, 0.0];
        let expected: Vec<f64> =
            start.iter().map(|&x| by_the_paper(x, &sequence, &config, l2, decoupled)).collect();
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 2e-6)] {
            let x = Var::from_tensor(&tensor(&start).to_dtype(dtype).unwrap()).unwrap();
            let mut adam = Adam::new(vec![x.clone()], config).unwrap();
            for &g in &sequence {
                let g = tensor(&[g; 3]).to_dtype(dtype).unwrap();
                adam.step(&gradients(&[(&x, g)])).unwrap();
            }
            assert_close(&flat(&x), &expected, tolerance);
        }
    }
}

/// Ten steps of PyTorch 2.15 in f64, by
/// ```python
/// torch.set_default_dtype(torch.float64)
/// def run(opt, clip=None, value=None, **kw):
///     a = torch.tensor([0.5, -1.5, 2.0], requires_grad=True)
///     b = torch.tensor([[1.0, -0.5]], requires_grad=True)
///     w = torch.tensor([1.0, 2.0, 3.0])
///     o = opt([a, b], lr=0.1, **kw)
///     for _ in range(10):
///         o.zero_grad()
///         ((w * (a - 0.3) ** 2).sum() + (b[0, 0] * b[0, 1] - 1) ** 2).backward()
///         if clip: torch.nn.utils.clip_grad_norm_([a, b], clip)
///         if value: torch.nn.utils.clip_grad_value_([a, b], value)
///         o.step()
///     return a.tolist() + b.flatten().tolist()
/// run(torch.optim.Adam); run(torch.optim.Adam, weight_decay=0.1)
/// run(torch.optim.AdamW, weight_decay=0.1); run(torch.optim.AdamW, weight_decay=0.1, clip=1.0)
/// run(torch.optim.Adam, weight_decay=0.1, clip=1.0); run(torch.optim.Adam, value=0.5)
/// ```
#[test]
fn agrees_with_pytorch() {
    let base = AdamConfig::new(0.1);
    let l2 = AdamConfig { weight_decay: WeightDecay::L2(0.1), ..base };
    for (config, expected) in [
        (
            base,
            [
                0.336067594120769,
                -0.5286805874758085,
                1.031252193828732,
                0.3296125253261484,
                0.3938680986091223,
            ],
        ),
        (
            l2,
            [
                0.3060846616032459,
                -0.5288550193960758,
                1.0311155775432914,
                0.3027788527385509,
                0.38992929368835394,
            ],
        ),
        (
            base.decoupled_decay(0.1),
            [
                0.3353479825647904,
                -0.43375268213408985,
                0.8916999971736821,
                0.28606015878738045,
                0.3904689615686706,
            ],
        ),
        (
            base.decoupled_decay(0.1).clip(Clip::Norm(1.0)),
            [
                0.36013442944715623,
                -0.3969102588294775,
                0.8527430090491697,
                0.3384969341768458,
                0.44618245894940844,
            ],
        ),
        (
            l2.clip(Clip::Norm(1.0)),
            [
                0.16727592278704911,
                -0.5027471771066253,
                1.002921207277629,
                0.19443914722995959,
                0.4028609029085565,
            ],
        ),
        (
            base.clip(Clip::Value(0.5)),
            [
                0.336067594120769,
                -0.5000000200000014,
                1.0000000200000017,
                0.3417300192548837,
                0.49999997999999873,
            ],
        ),
    ] {
        let a = var(&[0.5, -1.5, 2.0]);
        let b = Var::new(&[[1.0, -0.5]], &Device::Cpu).unwrap();
        let mut adam = Adam::new(vec![a.clone(), b.clone()], config).unwrap();
        for _ in 0..10 {
            let distance = (a.as_tensor() - 0.3).unwrap().sqr().unwrap();
            let quadratic = (distance * tensor(&[1.0, 2.0, 3.0])).unwrap().sum_all().unwrap();
            let product = (b.narrow(1, 0, 1).unwrap() * b.narrow(1, 1, 1).unwrap()).unwrap();
            let other = (product - 1.0).unwrap().sqr().unwrap().sum_all().unwrap();
            adam.backward_step(&(quadratic + other).unwrap()).unwrap();
        }
        let got = [flat(&a), flat(&b)].concat();
        assert_close(&got, &expected, 1e-14);
    }
}

/// A parameter without gradient stays, and its bias correction starts when it gets one.
#[test]
fn parameters_without_gradient_are_passed_over() {
    let config = AdamConfig::new(0.1).decoupled_decay(0.5);
    let (a, b) = (var(&[1.0]), var(&[2.0]));
    let mut adam = Adam::new(vec![a.clone(), b.clone()], config).unwrap();
    for _ in 0..3 {
        adam.step(&gradients(&[(&a, tensor(&[1.0]))])).unwrap();
    }
    assert_eq!(flat(&b), [2.0]);
    adam.step(&gradients(&[(&b, tensor(&[0.7]))])).unwrap();
    assert_close(&flat(&b), &[by_the_paper(2.0, &[0.7], &config, 0.0, 0.5)], 1e-14);
    assert_close(&flat(&a), &[by_the_paper(1.0, &[1.0; 3], &config, 0.0, 0.5)], 1e-14);
}

#[test]
fn no_gradient_at_all_is_an_error() {
    let (a, b) = (var(&[1.0]), var(&[2.0]));
    let mut adam = Adam::new(vec![a], AdamConfig::default()).unwrap();
    let error = Error::from(adam.step(&gradients(&[(&b, tensor(&[1.0]))])).unwrap_err());
    assert!(matches!(error, Error::NoGradient), "{error:?}");
    // An optimiser of nothing has nothing to miss.
    Adam::empty(AdamConfig::default()).unwrap().step(&GradStore::default()).unwrap();
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let parameters = store(0);
    Linear::new(2, 2, parameters.builder().pp("layer")).unwrap();
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::new(0.1)).unwrap();
    let vars = parameters.vars();
    let good = [tensor(&[1.0, 2.0]), tensor(&[1.0; 4]).reshape((2, 2)).unwrap()];
    adam.step(&gradients(&[(&vars[0], good[0].clone()), (&vars[1], good[1].clone())])).unwrap();
    let (before, state) = (crate::bits(&parameters), adam.state().unwrap());
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for dtype in [DType::F64, DType::F32, DType::BF16] {
            // In other dtypes through stores of their own.
            let a = Var::ones(2, dtype, &Device::Cpu).unwrap();
            let b = Var::ones(3, dtype, &Device::Cpu).unwrap();
            let mut other = Adam::new(vec![a.clone(), b.clone()], AdamConfig::default()).unwrap();
            let good = Tensor::ones(2, dtype, &Device::Cpu).unwrap();
            let wrong = tensor(&[1.0, bad, 1.0]).to_dtype(dtype).unwrap();
            let result = other.step(&gradients(&[(&a, good), (&b, wrong)]));
            match Error::from(result.unwrap_err()) {
                Error::NonFiniteGradient { index: 1, name } => assert_eq!(name, "1"),
                error => panic!("{error:?}"),
            }
            assert_eq!((flat(&a), flat(&b)), (vec![1.0; 2], vec![1.0; 3]));
        }
        let wrong = tensor(&[1.0, 1.0, bad, 1.0]).reshape((2, 2)).unwrap();
        let result = adam.step(&gradients(&[(&vars[0], good[0].clone()), (&vars[1], wrong)]));
        match Error::from(result.unwrap_err()) {
            Error::NonFiniteGradient { index: 1, name } => assert_eq!(name, "layer.weight"),
            error => panic!("{error:?}"),
        }
        assert_eq!(crate::bits(&parameters), before);
        for (name, tensor) in adam.state().unwrap() {
            assert_eq!(flat(&tensor), flat(&state[&name]), "{name}");
        }
    }
}

/// Gradients whose squares overflow are finite all the same, and are clipped to the right length.
#[test]
fn huge_gradients() {
    for (dtype, size) in [(DType::F64, 1e250), (DType::F32, 3e38), (DType::BF16, 1e38)] {
        let x = Var::zeros(2, dtype, &Device::Cpu).unwrap();
        // With these values the first step is −η g/(|g| + 1), which shows the clipped gradient.
        let config = AdamConfig { epsilon: 1.0, ..AdamConfig::new(1.0) };
        let mut adam = Adam::new(vec![x.clone()], config.clip(Clip::Norm(1.0))).unwrap();
        let g = tensor(&[0.6 * size, -0.8 * size]).to_dtype(dtype).unwrap();
        adam.step(&gradients(&[(&x, g)])).unwrap();
        let tolerance = if dtype == DType::BF16 { 1e-2 } else { 1e-6 };
        assert_close(&flat(&x), &[-0.6 / 1.6, 0.8 / 1.8], tolerance);
    }
}

/// A gradient may be a broadcast view, or a view of another parameter.
#[test]
fn views_as_gradients() {
    let x = var(&[1.0, 2.0]);
    let mut adam = Adam::new(vec![x.clone()], AdamConfig::new(0.1)).unwrap();
    let view = tensor(&[3.0]).broadcast_as(2).unwrap();
    adam.step(&gradients(&[(&x, view)])).unwrap();
    assert_close(&flat(&x), &[0.9, 1.9], 1e-8);

    let run = |alias: bool| {
        let (a, b) = (var(&[1.0, -3.0]), var(&[2.0, 5.0]));
        let mut adam = Adam::new(vec![a.clone(), b.clone()], AdamConfig::new(0.1)).unwrap();
        for _ in 0..2 {
            let of_b = if alias { a.as_tensor().clone() } else { a.as_tensor().copy().unwrap() };
            adam.step(&gradients(&[(&a, tensor(&[1.0, 1.0])), (&b, of_b)])).unwrap();
        }
        [flat(&a), flat(&b)]
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn half_precision_moves_the_right_way() {
    for dtype in [DType::BF16, DType::F16] {
        let x = Var::ones(2, dtype, &Device::Cpu).unwrap();
        // f16 has no 1e-8.
        let config = AdamConfig { epsilon: 1e-4, ..AdamConfig::new(0.1) };
        let mut adam = Adam::new(vec![x.clone()], config).unwrap();
        let g = tensor(&[1.0, -1.0]).to_dtype(dtype).unwrap();
        adam.step(&gradients(&[(&x, g)])).unwrap();
        assert_close(&flat(&x), &[0.9, 1.1], 1e-2);
    }
}

/// Two halves with the state carried over are one whole, to the bit; without the state they are
/// not.
#[test]
fn resumes_to_the_bit() {
    for dtype in [DType::F64, DType::F32] {
        let start = tensor(&[1.0, -2.0, 3.0]).to_dtype(dtype).unwrap();
        let config = AdamConfig::new(0.03).decoupled_decay(0.01).clip(Clip::Norm(1.0));
        let steps = |adam: &mut Adam, x: &Var, range: std::ops::Range<u32>| {
            for k in range {
                let g: Vec<f64> =
                    (0..3).map(|i| (f64::from(k) * 0.7 + f64::from(i)).cos()).collect();
                let g = tensor(&g).to_dtype(dtype).unwrap();
                adam.step(&gradients(&[(x, g)])).unwrap();
            }
        };
        let whole = Var::from_tensor(&start.copy().unwrap()).unwrap();
        let mut adam = Adam::new(vec![whole.clone()], config).unwrap();
        steps(&mut adam, &whole, 0..20);

        let x = Var::from_tensor(&start.copy().unwrap()).unwrap();
        let mut first = Adam::new(vec![x.clone()], config).unwrap();
        steps(&mut first, &x, 0..8);
        let state = first.state().unwrap();
        let values = x.as_tensor().copy().unwrap();
        // The state is a copy: later steps do not change it.
        steps(&mut first, &x, 8..12);
        for carried in [true, false] {
            let y = Var::from_tensor(&values.copy().unwrap()).unwrap();
            let mut second = Adam::new(vec![y.clone()], config).unwrap();
            if carried {
                second.load_state(&state).unwrap();
            }
            steps(&mut second, &y, 8..20);
            assert_eq!(flat(&y) == flat(&whole), carried);
        }
    }
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() {
    let x = var(&[1.0, 2.0]);
    let mut adam = Adam::new(vec![x.clone()], AdamConfig::default()).unwrap();
    adam.step(&gradients(&[(&x, tensor(&[1.0, 1.0]))])).unwrap();
    let good = adam.state().unwrap();
    let mut missing = good.clone();
    missing.remove("adam.second_moment.0").unwrap();
    let mut unexpected = good.clone();
    unexpected.insert("adam.first_moment.1".to_owned(), tensor(&[9.0]));
    let mut shape = good.clone();
    shape.insert("adam.first_moment.0".to_owned(), tensor(&[9.0]));
    let mut dtype = good.clone();
    let single = tensor(&[9.0, 9.0]).to_dtype(DType::F32).unwrap();
    dtype.insert("adam.first_moment.0".to_owned(), single);
    for (case, expected) in [(missing, 0), (unexpected, 1), (shape, 2), (dtype, 2)] {
        match adam.load_state(&case) {
            Err(Error::Mismatch { missing, unexpected, different, .. }) => {
                let counts = [missing.len(), unexpected.len(), different.len()];
                let mut wanted = [0; 3];
                wanted[expected] = 1;
                assert_eq!(counts, wanted);
            }
            other => panic!("{other:?}"),
        }
        for (name, tensor) in adam.state().unwrap() {
            assert_eq!(flat(&tensor), flat(&good[&name]), "{name}");
        }
    }
    let mut negative = good.clone();
    negative.insert("adam.steps".to_owned(), Tensor::new(&[-1i64], &Device::Cpu).unwrap());
    assert!(matches!(adam.load_state(&negative), Err(Error::InvalidArgument { .. })));
}

#[test]
fn bad_settings_and_parameters_are_errors() {
    let base = AdamConfig::default();
    let x = var(&[1.0]);
    for config in [
        AdamConfig { learning_rate: f64::NAN, ..base },
        AdamConfig { learning_rate: -1.0, ..base },
        AdamConfig { beta1: 1.0, ..base },
        AdamConfig { beta2: -0.1, ..base },
        AdamConfig { epsilon: f64::INFINITY, ..base },
        base.decoupled_decay(-0.1),
        AdamConfig { weight_decay: WeightDecay::L2(f64::NAN), ..base },
        base.clip(Clip::Norm(0.0)),
        base.clip(Clip::Value(f64::NAN)),
    ] {
        let error = Error::from(Adam::new(vec![x.clone()], config).unwrap_err());
        assert!(matches!(error, Error::InvalidArgument { .. }), "{config:?}: {error:?}");
    }
    let integer = Var::new(&[1i64], &Device::Cpu).unwrap();
    for vars in [vec![x.clone(), x.clone()], vec![x.clone(), integer]] {
        let error = Error::from(Adam::new(vars, base).unwrap_err());
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
    let mut adam = Adam::new(vec![x.clone()], base).unwrap();
    for wrong in [tensor(&[1.0, 2.0]), tensor(&[1.0]).to_dtype(DType::F32).unwrap()] {
        let error = Error::from(adam.step(&gradients(&[(&x, wrong)])).unwrap_err());
        assert!(matches!(error, Error::Core(_)), "{error:?}");
        assert_eq!(flat(&x), [1.0]);
    }
    adam.set_learning_rate(f64::NAN);
    let error = Error::from(adam.step(&gradients(&[(&x, tensor(&[1.0]))])).unwrap_err());
    assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    assert_eq!(flat(&x), [1.0]);
    let text = serde_json::to_string(&base.decoupled_decay(0.1).clip(Clip::Value(2.0))).unwrap();
    let back: AdamConfig = serde_json::from_str(&text).unwrap();
    assert_eq!(back, base.decoupled_decay(0.1).clip(Clip::Value(2.0)));
}
