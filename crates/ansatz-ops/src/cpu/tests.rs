//! The parts together, on a kernel small enough to check by hand.

use std::mem::MaybeUninit;

use candle_core::{Device, Tensor, Var};

use super::*;
use crate::{Error, GradCheck, Result, gradcheck};

/// `x² + y` with the index of its block added, so that a wrong cut shows.
#[inline(always)]
fn kernel<T: Float + std::ops::Mul<Output = T> + std::ops::Add<Output = T>>(
    (x, y, out): (&[T], &[T], &mut [MaybeUninit<T>]),
) {
    for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
        o.write(*x * *x + *y);
    }
}

fn square_plus(x: &Tensor, y: &Tensor, parallel_from: usize) -> Result<Tensor> {
    let (a, b) = (x.contiguous()?, y.contiguous()?);
    by_float!(a, T => {
        let (a_values, b_values) = (values::<T>(&a)?, values::<T>(&b)?);
        let (a, b): (&[T], &[T]) = (&a_values, &b_values);
        let fill = |out: &mut [MaybeUninit<T>]| blocks(out, 7, parallel_from, |start, out| {
            let range = start..start + out.len();
            vectorised!(kernel, (&a[range.clone()], &b[range], out));
        });
        // SAFETY: the blocks cover the output, and the kernel writes every element of each.
        #[allow(unsafe_code)]
        let out = unsafe { collect(a.len(), fill) };
        let again = x.clone();
        attach("square_plus", &[x, y], out, x.shape(), move |_, g| {
            Ok(vec![Some((g * (&again * 2.0)?)?), Some(g.clone())])
        })
    }, _ => Ok((x.sqr()? + y)?))
}

fn ramp(n: usize) -> Tensor {
    let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    Tensor::from_vec(values, n, &Device::Cpu).unwrap()
}

#[test]
fn value_and_gradient() {
    for n in [0, 1, 6, 7, 8, 50] {
        let (x, y) = (ramp(n), ramp(n + 3).narrow(0, 3, n).unwrap());
        let got = square_plus(&x, &y, usize::MAX).unwrap().to_vec1::<f64>().unwrap();
        let want = (x.sqr().unwrap() + &y).unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(got, want);
    }
    let f = |v: &[Tensor]| square_plus(&v[0], &v[1], 1);
    gradcheck(f, &[ramp(9), ramp(9)], &GradCheck::default()).unwrap();
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (x, y) = (ramp(100), ramp(100));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| square_plus(&x, &y, 1)).unwrap().to_vec1::<f64>().unwrap()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn one_input_twice_and_an_untracked_one() {
    let x = Var::from_tensor(&ramp(4)).unwrap();
    let grads = square_plus(&x, &x, 1).unwrap().backward().unwrap();
    let got = grads.get(&x).unwrap().to_vec1::<f64>().unwrap();
    let want = ramp(4).affine(2.0, 1.0).unwrap().to_vec1::<f64>().unwrap();
    assert_eq!(got, want);
    assert!(!square_plus(&ramp(4), &ramp(4), 1).unwrap().track_op());
}

#[test]
fn a_rule_that_returns_the_wrong_thing_is_an_error() {
    let x = Var::from_tensor(&ramp(4)).unwrap();
    let y = attach("wrong shape", &[&x], vec![0.0f64; 2], 2, |_, g| Ok(vec![Some(g.clone())]));
    let error = Error::from(y.unwrap().backward().unwrap_err());
    assert!(matches!(error, Error::Shape { what: "wrong shape", .. }), "{error:?}");
    let y = attach("wrong count", &[&x], vec![0.0f64; 2], 2, |_, _| Ok(Vec::new()));
    let error = Error::from(y.unwrap().backward().unwrap_err());
    assert!(matches!(error, Error::Count { expected: 1, got: 0, .. }), "{error:?}");
}

#[test]
fn more_than_three_inputs_are_packed() {
    let vars: Vec<Var> = (1..=5).map(|n| Var::from_tensor(&ramp(n)).unwrap()).collect();
    let inputs: Vec<&Tensor> = vars.iter().map(|v| &**v).collect();
    let y = attach("five", &inputs, vec![1.0f64], 1, |_, g| {
        (1..=5).map(|n| Ok(Some(g.broadcast_as(n)?.affine(n as f64, 0.0)?))).collect()
    });
    let grads = y.unwrap().backward().unwrap();
    for (n, v) in (1..=5).zip(&vars) {
        assert_eq!(grads.get(v).unwrap().to_vec1::<f64>().unwrap(), vec![n as f64; n]);
    }
}

#[test]
fn values_of_another_type_are_refused() {
    assert!(matches!(values::<f32>(&ramp(2)), Err(Error::DType { .. })));
    let transposed = ramp(6).reshape((2, 3)).unwrap().t().unwrap();
    assert!(values::<f64>(&transposed).is_err());
}
