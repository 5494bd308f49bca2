//! `custom_vjp`: any inputs, any layout, errors out of `backward`, agreement with candle's tape.
#![allow(clippy::unwrap_used)] // in helpers of tests

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ansatz_ops::{Error, Result, custom_vjp, vjp};
use candle_core::{DType, Device, Shape, Tensor, Var};
use proptest::prelude::*;

const CPU: &Device = &Device::Cpu;

/// Deterministic numbers of order one.
fn numbers(n: usize, seed: f64) -> Vec<f64> {
    (0..n).map(|i| (1.3 * i as f64 + seed).sin()).collect()
}

fn var(shape: impl Into<Shape>, seed: f64) -> Var {
    let shape = shape.into();
    let values = numbers(shape.elem_count(), seed);
    Var::from_tensor(&Tensor::from_vec(values, shape, CPU).unwrap()).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} and {y}");
    }
}

/// `Σₖ k ∘ xₖ²`, elementwise, outside the tape; the gradient by hand.
fn weighted_squares(xs: &[Var]) -> Tensor {
    let inputs: Vec<&Tensor> = xs.iter().map(Var::as_tensor).collect();
    let values: Vec<Tensor> = inputs.iter().map(|x| x.detach()).collect();
    let mut output = values[0].zeros_like().unwrap();
    for (k, x) in values.iter().enumerate() {
        output = (output + (x.sqr().unwrap() * k as f64).unwrap()).unwrap();
    }
    custom_vjp(&inputs, &output, move |g| {
        values.iter().enumerate().map(|(k, x)| Ok(Some((g * (x * (2.0 * k as f64))?)?))).collect()
    })
    .unwrap()
}

#[test]
fn any_number_of_inputs() {
    for count in [1, 4, 17] {
        let xs: Vec<Var> = (0..count).map(|k| var((3, 2), k as f64)).collect();
        let y = weighted_squares(&xs);
        let weights = var((3, 2), 0.5).detach();
        let store = (&y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        for (k, x) in xs.iter().enumerate() {
            let want: Vec<f64> =
                flat(x).iter().zip(flat(&weights)).map(|(x, w)| 2.0 * k as f64 * x * w).collect();
            assert_close(&flat(store.get(x).unwrap()), &want, 1e-14);
        }
    }
}

#[test]
fn mixed_dtypes_keep_their_own() {
    let a = Var::new(&[1.5f32, -2.0], CPU).unwrap();
    let b = var(3, 0.0);
    let half =
        Var::from_tensor(&Tensor::new(&[0.5f32], CPU).unwrap().to_dtype(DType::F16).unwrap());
    let bhalf =
        Var::from_tensor(&Tensor::new(&[0.25f32], CPU).unwrap().to_dtype(DType::BF16).unwrap());
    let (half, bhalf) = (half.unwrap(), bhalf.unwrap());
    // An element that f32 cannot hold passes through unchanged.
    let exact = 1.0 + 2f64.powi(-40);
    let run = |inputs: &[&Tensor]| {
        let gradients: Vec<Option<Tensor>> = inputs
            .iter()
            .map(|x| Some((x.ones_like().unwrap().to_dtype(DType::F64).unwrap() * exact).unwrap()))
            .collect();
        custom_vjp(inputs, &Tensor::new(1f64, CPU).unwrap(), move |_| Ok(gradients.clone()))
            .unwrap()
            .backward()
            .unwrap()
    };
    let store = run(&[&a, &b, &half, &bhalf]);
    for (x, dtype) in
        [(&a, DType::F32), (&b, DType::F64), (&half, DType::F16), (&bhalf, DType::BF16)]
    {
        let g = store.get(x).unwrap();
        assert_eq!((g.dtype(), g.shape()), (dtype, x.shape()));
    }
    assert_eq!(flat(store.get(&b).unwrap()), [exact; 3]);
    assert_eq!(flat(store.get(&a).unwrap()), [1.0; 2]);

    // f16 and bf16 alone: neither holds the other, so they are packed as f32.
    let store = run(&[&half, &bhalf]);
    assert_eq!(flat(store.get(&half).unwrap()), [1.0]);
    assert_eq!(flat(store.get(&bhalf).unwrap()), [1.0]);
}

#[test]
fn integer_inputs_are_not_attached() {
    // `to_dtype` of a variable is an integer tensor that candle calls tracked.
    let x = Var::new(&[1f32, 2.0], CPU).unwrap();
    let ids = x.to_dtype(DType::I64).unwrap();
    assert!(ids.track_op());
    let y = custom_vjp(&[&ids, &x], &x.detach(), |g| Ok(vec![None, Some((g * 3.0)?)])).unwrap();
    let store = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(store.get(&x).unwrap()), [3.0, 3.0]);
}

#[test]
fn untracked_inputs_are_skipped() {
    let constant = Tensor::new(&[5f64, 6.0], CPU).unwrap();
    let (a, b) = (var(2, 0.0), var(2, 1.0));
    let c = constant.clone();
    let y = custom_vjp(&[&constant, &a, &constant, &b], &a.detach(), move |g| {
        // What is said about the constants is ignored, even where its shape is wrong.
        Ok(vec![Some(g.sum_all()?), Some((g * &c)?), None, Some((g * 2.0)?)])
    })
    .unwrap();
    let store = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(store.get(&a).unwrap()), [5.0, 6.0]);
    assert_eq!(flat(store.get(&b).unwrap()), [2.0, 2.0]);
    assert!(store.get(&constant).is_none());

    // With nothing to attach to, the output is a plain value and the rule is never called.
    let y = custom_vjp(&[&constant], a.as_tensor(), |_| unreachable!()).unwrap();
    assert!(!y.track_op());
    assert_eq!(flat(&y), flat(&a));
    assert!(!custom_vjp(&[], a.as_tensor(), |_| unreachable!()).unwrap().track_op());
}

#[test]
fn strided_inputs() {
    let base = var((4, 3), 0.0);
    let views: Vec<Tensor> = vec![
        base.t().unwrap(),
        base.narrow(1, 1, 2).unwrap(),
        base.narrow(0, 1, 2).unwrap(),
        base.get(0).unwrap().broadcast_as((5, 3)).unwrap(),
    ];
    for view in &views {
        let weights = var(view.shape(), 2.0).detach();
        let inner = weights.clone();
        let y =
            custom_vjp(&[view], &view.detach(), move |g| Ok(vec![Some((g * &inner)?)])).unwrap();
        assert_eq!(flat(&y), flat(view));
        let ours = y.sum_all().unwrap().backward().unwrap();
        let tape = (view * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        assert_close(&flat(ours.get(&base).unwrap()), &flat(tape.get(&base).unwrap()), 1e-15);
    }
}

#[test]
fn strided_outputs_and_views_into_a_larger_storage() {
    let x = var(1, 0.0);
    let all = var((4, 3), 0.3).detach();
    let outputs = [
        all.t().unwrap(),
        all.narrow(1, 1, 2).unwrap(),
        // Contiguous, but not at the start of its storage.
        all.narrow(0, 2, 2).unwrap(),
        all.get(3).unwrap(),
        // Contiguous, at the start, shorter than its storage.
        all.narrow(0, 0, 1).unwrap(),
        all.get(1).unwrap().get(1).unwrap().broadcast_as((2, 2)).unwrap(),
    ];
    for output in outputs {
        let sum: f64 = flat(&output).iter().sum();
        let shape = output.shape().clone();
        let o = output.clone();
        let y = custom_vjp(&[&x], &output, move |g| {
            assert_eq!(g.shape(), &shape);
            assert!(g.is_contiguous());
            Ok(vec![Some((g * &o)?.sum_all()?.reshape(1)?)])
        })
        .unwrap();
        assert_eq!(flat(&y), flat(&output));
        assert_eq!(y.shape(), output.shape());
        assert!(y.is_contiguous());
        // A transposed use of `y` gives a transposed cotangent.
        let transposed = if y.rank() == 2 { y.t().unwrap() } else { y.clone() };
        let store = (transposed * 2.0).unwrap().sum_all().unwrap().backward().unwrap();
        assert_close(&flat(store.get(&x).unwrap()), &[2.0 * sum], 1e-14);
    }
}

#[test]
fn scalars_and_empty_tensors() {
    let x = Var::new(3f64, CPU).unwrap();
    let y = custom_vjp(&[&x], &Tensor::new(9f64, CPU).unwrap(), |g| Ok(vec![Some((g * 6.0)?)]))
        .unwrap();
    assert_eq!((y.rank(), y.to_scalar::<f64>().unwrap()), (0, 9.0));
    let store = y.backward().unwrap();
    let g = store.get(&x).unwrap();
    assert_eq!((g.rank(), g.to_scalar::<f64>().unwrap()), (0, 6.0));

    let empty = Var::zeros((0, 3), DType::F64, CPU).unwrap();
    let y = custom_vjp(&[&empty, &x], &Tensor::new(1f64, CPU).unwrap(), |g| {
        Ok(vec![Some(Tensor::zeros((0, 3), DType::F64, CPU)?), Some(g.clone())])
    })
    .unwrap();
    let store = y.backward().unwrap();
    assert_eq!(store.get(&x).unwrap().to_scalar::<f64>().unwrap(), 1.0);
    assert_eq!(store.get(&empty).unwrap().dims(), [0, 3]);
}

#[test]
fn none_is_zero() {
    let (a, b) = (var(2, 0.0), var((2, 2), 1.0));
    let y = custom_vjp(&[&a, &b], &a.detach(), |g| Ok(vec![Some(g.clone()), None])).unwrap();
    let store = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(store.get(&a).unwrap()), [1.0; 2]);
    assert_eq!(flat(store.get(&b).unwrap()), [0.0; 4]);
}

#[test]
fn errors_come_out_of_backward_by_variant() {
    let (a, b) = (var(2, 0.0), var(3, 1.0));
    let failure = |rule: fn(&Tensor) -> Result<Vec<Option<Tensor>>>| -> Error {
        let y = custom_vjp(&[&a, &b], &a.detach(), rule).unwrap();
        y.sum_all().unwrap().backward().unwrap_err().into()
    };
    assert!(matches!(failure(|_| Ok(vec![None])), Error::Count { expected: 2, got: 1, .. }));
    assert!(matches!(failure(|_| Ok(vec![None; 3])), Error::Count { expected: 2, got: 3, .. }));
    match failure(|g| Ok(vec![Some(g.clone()), Some(g.clone())])) {
        Error::Shape { expected, got, .. } => {
            assert_eq!((expected.dims(), got.dims()), (&[3usize][..], &[2usize][..]));
        }
        other => panic!("{other:?}"),
    }
    // The right number of elements in another shape is still wrong.
    assert!(matches!(failure(|g| Ok(vec![Some(g.reshape((1, 2))?), None])), Error::Shape { .. }));
    // The rule's own error, of any type.
    match failure(|_| Err(Error::custom(std::fmt::Error))) {
        Error::Custom(inner) => assert!(inner.downcast_ref::<std::fmt::Error>().is_some()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(failure(|g| Ok(vec![Some(g.get(7)?), None])), Error::Candle(_)));
    // Through two custom gradients, one inside the other.
    let inner = var(2, 2.0);
    let y = custom_vjp(&[&a], &a.detach(), move |_| {
        let z = custom_vjp(&[&inner], &inner.detach(), |_| Ok(vec![]))?;
        z.sum_all()?.backward()?;
        Ok(vec![None])
    })
    .unwrap();
    let error: Error = y.sum_all().unwrap().backward().unwrap_err().into();
    assert!(matches!(error, Error::Count { expected: 1, got: 0, .. }));
}

#[test]
fn backward_can_be_repeated() {
    let x = var(3, 0.0);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let y = custom_vjp(&[&x], &x.detach(), move |g| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Some((g * 3.0)?)])
    })
    .unwrap();
    let loss = y.sum_all().unwrap();
    for round in 1..=3 {
        let store = loss.backward().unwrap();
        assert_eq!(flat(store.get(&x).unwrap()), [3.0; 3]);
        assert_eq!(calls.load(Ordering::Relaxed), round);
    }
    // Used twice in one loss: one call, with the sum of the cotangents.
    let twice = ((&y * 2.0).unwrap() + y.sqr().unwrap()).unwrap().sum_all().unwrap();
    let store = twice.backward().unwrap();
    let want: Vec<f64> = flat(&x).iter().map(|x| 3.0 * (2.0 + 2.0 * x)).collect();
    assert_close(&flat(store.get(&x).unwrap()), &want, 1e-15);
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}

#[test]
fn gradients_add_to_those_of_other_uses() {
    let x = var((2, 3), 0.0);
    // x goes in twice as itself, once through another node, and is used outside as well.
    let sine = x.sin().unwrap();
    let y = custom_vjp(&[&x, &sine, &x], &x.detach(), |g| {
        Ok(vec![Some(g.clone()), Some((g * 10.0)?), Some((g * 100.0)?)])
    })
    .unwrap();
    let loss = (y.sum_all().unwrap() + x.exp().unwrap().sum_all().unwrap()).unwrap();
    let loss = (loss + sine.sum_all().unwrap()).unwrap();
    let store = loss.backward().unwrap();
    let want: Vec<f64> = flat(&x).iter().map(|x| 101.0 + 11.0 * x.cos() + x.exp()).collect();
    assert_close(&flat(store.get(&x).unwrap()), &want, 1e-14);
}

/// Only a machine with a GPU has a second device to disagree with.
#[cfg(feature = "cuda")]
#[test]
fn devices_must_agree() {
    let Ok(cuda) = Device::new_cuda(0) else { return };
    let x = Var::zeros(2, DType::F32, CPU).unwrap();
    let output = Tensor::zeros(2, DType::F32, &cuda).unwrap();
    let refused = custom_vjp(&[&x], &output, |g| Ok(vec![Some(g.clone())]));
    assert!(matches!(refused, Err(Error::Device { .. })));
}

/// A composition of smooth functions, chosen by `picks`, of two matrices.
fn composition(picks: &[u8], a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mut x = (a + b)?;
    for pick in picks {
        x = match pick % 7 {
            0 => x.tanh()?,
            1 => (x * a)?,
            2 => x.sin()?.add(&b.cos()?)?,
            3 => x.matmul(&a.t()?)?.tanh()?.matmul(b)?.affine(0.3, 0.1)?,
            4 => x.sqr()?.affine(0.5, 1.0)?.recip()?,
            5 => x.broadcast_sub(&x.mean_keepdim(1)?)?,
            _ => x.t()?.sin()?.t()?,
        };
    }
    Ok(x)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn equals_the_tape_of_a_composition(
        picks in prop::collection::vec(any::<u8>(), 1..6),
        rows in 1usize..5,
        columns in 1usize..5,
        seed in 0f64..100.0,
    ) {
        let (a, b) = (var((rows, columns), seed), var((rows, columns), seed + 0.7));
        let weights = var((rows, columns), seed + 1.9).detach();
        let inner = picks.clone();
        let f = move |v: &[Tensor]| Ok(vec![composition(&inner, &v[0], &v[1])?]);
        let inputs = [a.detach(), b.detach()];
        let value = composition(&picks, &inputs[0], &inputs[1]).unwrap();
        let y = custom_vjp(&[&a, &b], &value, move |g| {
            let (_, pullback) = vjp(&f, &inputs)?;
            Ok(pullback.apply(std::slice::from_ref(g))?.inputs.into_iter().map(Some).collect())
        })
        .unwrap();
        let ours = y.mul(&weights).unwrap().sum_all().unwrap().backward().unwrap();
        let tape = composition(&picks, &a, &b).unwrap();
        prop_assert_eq!(flat(&tape), flat(&y));
        let tape = tape.mul(&weights).unwrap().sum_all().unwrap().backward().unwrap();
        for x in [&a, &b] {
            // The order in which candle adds up contributions may differ.
            let scale = flat(tape.get(x).unwrap()).iter().fold(1.0, |m: f64, g| m.max(g.abs()));
            for (p, q) in flat(ours.get(x).unwrap()).iter().zip(flat(tape.get(x).unwrap())) {
                prop_assert!((p - q).abs() <= 1e-12 * scale, "{} {}", p, q);
            }
        }
    }
}
