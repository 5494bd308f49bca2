//! `adam_step` against PyTorch, against itself over threads, and its errors.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{AdamRule, AdamSlot, Error, Result, adam_step};
use candle_core::{DType, Device, Tensor, Var};

const CPU: &Device = &Device::Cpu;

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// A variable with its moments.
struct Parameter {
    x: Var,
    first: Var,
    second: Var,
}

impl Parameter {
    fn new(values: &Tensor) -> Self {
        let zeros = || Var::from_tensor(&values.zeros_like().unwrap()).unwrap();
        Self { x: Var::from_tensor(values).unwrap(), first: zeros(), second: zeros() }
    }

    fn slot<'a>(&'a self, gradient: &'a Tensor, step: u64) -> AdamSlot<'a> {
        let Self { x, first, second } = self;
        AdamSlot { parameter: x, gradient, first, second, step }
    }
}

/// `f(0), f(1), …`
fn tensor(n: usize, dtype: DType, f: impl Fn(f64) -> f64) -> Tensor {
    let values: Vec<f64> = (0..n).map(|i| f(i as f64)).collect();
    Tensor::from_vec(values, n, CPU).unwrap().to_dtype(dtype).unwrap()
}

/// A hundred steps on fixed gradients by PyTorch 2.15 in f64:
/// ```python
/// def run(opt, dtype, **kw):
///     i = torch.arange(5, dtype=torch.float64)
///     x = torch.sin(1 + i).to(dtype).requires_grad_()
///     o = opt([x], lr=0.01, **kw)
///     for t in range(100):
///         x.grad = (torch.cos(0.3 * t + i) * (1 + i)).to(dtype)
///         o.step()
///     return x.tolist(), o.state[x]['exp_avg'].tolist(), o.state[x]['exp_avg_sq'].tolist()
/// run(torch.optim.AdamW, torch.float64, weight_decay=0.1)
/// run(torch.optim.Adam, torch.float64, weight_decay=0.1, betas=(0.8, 0.95), eps=1e-3)
/// ```
/// Its own fused version differs from these by 2e-16, its f32 version by 2e-6.
#[test]
fn a_hundred_steps_of_pytorch() {
    let base = AdamRule { learning_rate: 0.01, ..AdamRule::default() };
    for (rule, x, first, second) in [
        (
            AdamRule { decoupled: 0.1, ..base },
            [
                0.7294578671198156,
                0.8741175360340954,
                0.23019834693981,
                -0.6425102325659428,
                -0.9064628209929265,
            ],
            [
                -0.3135695331423481,
                -0.15219995558475377,
                0.6940066385606314,
                1.304328943441789,
                0.6051521084459971,
            ],
            [
                0.04781944190704187,
                0.18431638502402026,
                0.43791765746894395,
                0.7720297514001475,
                1.150276620928411,
            ],
        ),
        (
            AdamRule { l2: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, ..base },
            [
                0.7392982318475985,
                0.9086740569734085,
                0.22006111232447845,
                -0.7153260934066525,
                -0.9818775869560182,
            ],
            [
                -0.4089840310607581,
                0.17093872363285353,
                1.5974989474199435,
                2.036790326787695,
                0.12377382512320631,
            ],
            [
                0.47650001408433873,
                1.825897005001248,
                4.811325243232376,
                8.004673779385774,
                11.30515404950991,
            ],
        ),
    ] {
        for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 4e-6), (DType::BF16, 0.2)] {
            let p = Parameter::new(&tensor(5, dtype, |i| (1.0 + i).sin()));
            for t in 0..100u32 {
                let g = tensor(5, dtype, |i| (0.3 * f64::from(t) + i).cos() * (1.0 + i));
                adam_step(&[p.slot(&g, u64::from(t) + 1)], &rule).unwrap();
            }
            for (got, want) in [(&p.x, x), (&p.first, first), (&p.second, second)] {
                for (got, want) in flat(got).into_iter().zip(want) {
                    let apart = (got - want).abs();
                    assert!(apart <= tolerance * want.abs().max(1.0), "{dtype:?}: {got} {want}");
                }
            }
        }
    }
}

/// Many parameters of all sizes at once: each gets what it would get alone, on any thread count.
#[test]
fn a_set_of_parameters_on_any_number_of_threads() {
    let rule = AdamRule { decoupled: 0.01, ..AdamRule::default() };
    let sizes: Vec<usize> =
        [200_001, 0, 1, 7, 65_536].into_iter().chain((0..30).map(|i| 3000 + i)).collect();
    for dtype in [DType::F32, DType::F64] {
        let start = |n: usize| tensor(n, dtype, |i| (0.1 * i).sin());
        let gradient = |n: usize| tensor(n, dtype, |i| (0.7 * i + n as f64).cos());
        let together = || {
            let all: Vec<_> =
                sizes.iter().map(|&n| (Parameter::new(&start(n)), gradient(n))).collect();
            for step in 1..=2 {
                let slots: Vec<_> = all.iter().map(|(p, g)| p.slot(g, step)).collect();
                adam_step(&slots, &rule).unwrap();
            }
            all.iter().map(|(p, _)| flat(&p.x)).collect::<Vec<_>>()
        };
        let on = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(together)
        };
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(one, on(3));
        for (&n, got) in sizes.iter().zip(&one) {
            // Piece by piece: the kernel sees other lengths.
            let mut alone = Vec::new();
            for from in (0..n).step_by(999) {
                let length = 999.min(n - from);
                let p = Parameter::new(&start(n).narrow(0, from, length).unwrap());
                let g = gradient(n).narrow(0, from, length).unwrap();
                for step in 1..=2 {
                    adam_step(&[p.slot(&g, step)], &rule).unwrap();
                }
                alone.extend(flat(&p.x));
            }
            assert_eq!(*got, alone, "{n}");
        }
    }
}

/// A strided gradient, and gradients that are views of what the step overwrites.
#[test]
fn views_as_gradients() {
    let matrix = tensor(6, DType::F64, |i| i - 2.5).reshape((2, 3)).unwrap();
    let rule = AdamRule::default();
    let (p, q) = (Parameter::new(&matrix), Parameter::new(&matrix));
    let strided = matrix.reshape((3, 2)).unwrap().t().unwrap();
    adam_step(&[p.slot(&strided, 1)], &rule).unwrap();
    adam_step(&[q.slot(&strided.contiguous().unwrap(), 1)], &rule).unwrap();
    assert_eq!(flat(&p.x), flat(&q.x));

    let run = |view: bool| -> Result<Vec<f64>> {
        let (p, q) = (Parameter::new(&matrix), Parameter::new(&(&matrix * 2.0)?));
        for step in 1..=3 {
            // Each has the other for its gradient; the own moment of one is another's.
            let of = |x: &Var| if view { Ok(x.as_tensor().clone()) } else { x.as_tensor().copy() };
            let (g, h) = (of(&q.x)?, of(&p.x)?);
            adam_step(&[p.slot(&g, step), q.slot(&h, step)], &rule)?;
        }
        Ok([flat(&p.x), flat(&q.x)].concat())
    };
    assert_eq!(run(true).unwrap(), run(false).unwrap());
}

#[test]
fn limits_and_factors() {
    let rule = AdamRule {
        beta1: 0.0,
        beta2: 0.0,
        learning_rate: 1.0,
        epsilon: 0.0,
        ..AdamRule::default()
    };
    let p = Parameter::new(&tensor(3, DType::F64, |_| 0.0));
    let g = Tensor::new(&[4.0, -0.5, -8.0], CPU).unwrap();
    adam_step(&[p.slot(&g, 1)], &AdamRule { factor: 0.5, limit: 1.5, ..rule }).unwrap();
    assert_eq!(flat(&p.first), [1.5, -0.25, -1.5]);
    assert_eq!(flat(&p.second), [2.25, 0.0625, 2.25]);
    assert_eq!(flat(&p.x), [-1.0, 1.0, 1.0]);
}

#[test]
fn bad_slots_change_nothing() {
    let rule = AdamRule::default();
    let good = tensor(3, DType::F64, |i| i + 1.0);
    let (p, q) = (Parameter::new(&good), Parameter::new(&good));
    let wrong = [tensor(4, DType::F64, |i| i), tensor(3, DType::F32, |i| i)];
    let error = adam_step(&[p.slot(&good, 1), q.slot(&wrong[0], 1)], &rule).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error:?}");
    let error = adam_step(&[p.slot(&good, 1), q.slot(&wrong[1], 1)], &rule).unwrap_err();
    assert!(matches!(error, Error::DType { .. }), "{error:?}");
    let short = Parameter::new(&wrong[0]);
    let error = adam_step(&[AdamSlot { first: &short.first, ..p.slot(&good, 1) }], &rule);
    assert!(matches!(error, Err(Error::Shape { .. })));
    for slots in [
        vec![p.slot(&good, 0)],
        vec![p.slot(&good, 1), p.slot(&good, 1)],
        vec![AdamSlot { first: &q.first, ..p.slot(&good, 1) }, q.slot(&good, 1)],
    ] {
        let error = adam_step(&slots, &rule).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
    assert_eq!([flat(&p.x), flat(&q.x), flat(&p.first)], [flat(&good), flat(&good), vec![0.0; 3]]);
    adam_step(&[], &rule).unwrap();
}
