//! K7: cumulative sums and linear recurrences, forward and backward, f32.
//!
//! `K7.cumsum.rows` is `[64, 4096]`, `K7.cumsum.long` `[1, 2²⁰]`, both along the last axis;
//! `K7.recurrence` is `hₜ = aₜ hₜ₋₁ + bₜ` with gates in (0, 1) along the middle axis of
//! `[16, 4096, 64]`. Backward from the cotangents `w`. candle's own cumsum multiplies with a triangular matrix,
//! which for the long row would have 10¹² elements; its recurrence is the work-efficient associative
//! scan of its operations.
use ansatz::ops::scan::{Direction, associative_scan, cumsum, linear_recurrence};
use candle_core::{Device, Tensor, Var};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, inputs, targets, timed};

/// 2-norms of result and of the gradients of the inputs together, in f64.
type Norms = [f64; 2];
const ROWS: Norms = [423.9424579408731, 664.5251362284113];
const LONG: Norms = [937.054511840146, 1797.2127345395302];
const RECURRENCE: Norms = [22595.81614195251, 255377.11443141472];

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, library, method, run| Variant { workload, library, method, run };
    vec![
        v("K7.cumsum.rows", "ansatz", "", |r| sums(r, 64, 4096, ROWS, ours)),
        v("K7.cumsum.rows", "candle", "", |r| sums(r, 64, 4096, ROWS, |x| Ok(x.cumsum(1)?))),
        v("K7.cumsum.long", "ansatz", "", |r| sums(r, 1, 1 << 20, LONG, ours)),
        v("K7.recurrence", "ansatz", "", |r| {
            recurrence(r, |a, b| Ok(linear_recurrence(a, b, None, 1, Direction::Forward)?))
        }),
        v("K7.recurrence", "candle", "log-depth", |r| recurrence(r, composed)),
    ]
}

fn ours(x: &Tensor) -> Result<Tensor, AnyError> {
    Ok(cumsum(x, 1, Direction::Forward)?)
}

fn composed(a: &Tensor, b: &Tensor) -> Result<Tensor, AnyError> {
    let then = |x: &[Tensor], y: &[Tensor]| Ok(vec![(&x[0] * &y[0])?, ((&x[1] * &y[0])? + &y[1])?]);
    let all = associative_scan(then, &[a.clone(), b.clone()], 1, Direction::Forward)?;
    Ok(all[1].clone())
}

fn single(values: Vec<f64>, dims: &[usize]) -> Result<Tensor, AnyError> {
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

fn squares(x: &Tensor) -> Result<f64, AnyError> {
    let x = x.to_dtype(candle_core::DType::F64)?;
    Ok(x.sqr()?.sum_all()?.to_scalar::<f64>()?)
}

/// Times `f` and its gradient for cotangents `weights`; the errors are those of the norms.
fn measure(
    rules: &Rules,
    variables: &[Var],
    weights: &Tensor,
    steps: usize,
    expected: Norms,
    f: impl Fn() -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let ((y, gradients), timing) = timed(rules, || {
        let y = f()?;
        // candle starts from ones in the shape of the root.
        let gradients = (&y * weights)?.backward()?;
        Ok((y, gradients))
    })?;
    let mut sum = 0.0;
    for x in variables {
        sum += squares(gradients.get(x).ok_or("an input received no gradient")?)?;
    }
    let norms = [squares(&y)?.sqrt(), sum.sqrt()];
    let [value, gradient] = [0, 1].map(|i| (norms[i] / expected[i] - 1.0).abs());
    Ok(Measured::new(timing, Work::Steps(steps), value)
        .with("norm", norms[0])
        .with("grad_norm", norms[1])
        .with("grad_norm_error", gradient))
}

fn sums(
    rules: &Rules,
    rows: usize,
    n: usize,
    expected: Norms,
    f: fn(&Tensor) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let x = Var::from_tensor(&single(inputs(rows, n), &[rows, n])?)?;
    let weights = single(targets(rows, n), &[rows, n])?;
    measure(rules, std::slice::from_ref(&x), &weights, n, expected, || f(&x))
}

fn recurrence(
    rules: &Rules,
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let (batch, n, channels) = (16, 4096, 64);
    let dims = [batch, n, channels];
    let rows = batch * n;
    let gates = inputs(rows, channels).into_iter().map(|x| 0.9 + 0.09 * x).collect();
    let a = Var::from_tensor(&single(gates, &dims)?)?;
    let b = Var::from_tensor(&single(targets(rows, channels), &dims)?)?;
    let weights = single(inputs(rows, channels), &dims)?;
    measure(rules, &[a.clone(), b.clone()], &weights, n, RECURRENCE, || f(&a, &b))
}
