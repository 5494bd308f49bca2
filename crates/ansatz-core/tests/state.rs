//! States that are added to in place.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_core::{Error, Result, State};

/// `0.5 · x + 2 · a − 3 · b`, and what the parts count for where a factor is zero.
fn check<Y: State>(make: impl Fn(f64) -> Y, read: impl Fn(&Y) -> Vec<f64>) {
    let (a, b) = (make(1.0), make(2.0));
    let sum = |factor: f64, c: f64, start: &Y, x: &Y| {
        let mut y = start.clone();
        y.accumulate(factor, &[(2.0, &a), (c, x)]).unwrap();
        read(&y)
    };
    let expected = |factor: f64, c: f64| -> Vec<f64> {
        let (x, a, b) = (read(&make(0.0)), read(&a), read(&b));
        (0..x.len()).map(|i| factor * x[i] + 2.0 * a[i] + c * b[i]).collect()
    };
    for (factor, c) in [(0.5, -3.0), (1.0, -3.0), (0.0, -3.0), (0.5, 0.0), (0.0, 0.0)] {
        for (got, want) in sum(factor, c, &make(0.0), &b).iter().zip(expected(factor, c)) {
            assert!((got - want).abs() < 1e-15 * want.abs().max(1.0), "{factor} {c}: {got} {want}");
        }
    }
    // What is left out may hold anything.
    let nothing = make(f64::NAN);
    assert_eq!(sum(0.0, -3.0, &nothing, &b), sum(0.0, -3.0, &make(0.0), &b));
    assert_eq!(sum(0.5, 0.0, &make(0.0), &nothing), sum(0.5, 0.0, &make(0.0), &b));
    let mut empty = make(0.7);
    empty.accumulate(0.0, &[]).unwrap();
    assert!(read(&empty).iter().all(|x| *x == 0.0));
}

fn numbers(n: usize, s: f64) -> Vec<f64> {
    (0..n).map(|i| (0.3 * i as f64 + s).sin()).collect()
}

#[test]
fn every_state_adds_in_place() {
    check(|s: f64| (0.3 + s).sin(), |y| vec![*y]);
    check(|s| [0, 1, 2].map(|i| (f64::from(i) + s).sin()), |y: &[f64; 3]| y.to_vec());
    for n in [1, 63, 64, 511, 512, 513, 2000] {
        check(|s| numbers(n, s), Vec::clone);
    }
}

/// A state that only says how it is combined.
#[derive(Clone)]
struct Plain(Vec<f64>);

impl State for Plain {
    fn combine(&mut self, base: Option<&Self>, h: f64, c: &[f64], terms: &[Self]) -> Result<()> {
        let terms: Vec<Vec<f64>> = terms.iter().map(|x| x.0.clone()).collect();
        self.0.combine(base.map(|b| &b.0), h, c, &terms)
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        self.0.weighted_rms(&a.0, &b.0, rtol, atol)
    }

    fn all_finite(&self) -> Result<bool> {
        self.0.all_finite()
    }

    fn dimension(&self) -> usize {
        self.0.len()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        self.0.check_like(what, &other.0)
    }
}

#[test]
fn so_does_one_that_only_knows_sums() {
    check(|s| Plain(numbers(20, s)), |y| y.0.clone());
}

#[cfg(feature = "candle")]
#[test]
fn so_do_tensors() {
    use candle_core::{Device, Tensor};
    check(|s| Tensor::new(numbers(20, s), &Device::Cpu).unwrap(), |y| y.to_vec1().unwrap());
}

#[test]
fn other_lengths_are_refused() {
    let mut y = vec![1.0; 3];
    let result = y.accumulate(1.0, &[(1.0, &vec![1.0; 4])]);
    assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
}
