//! K9: layer norm and softmax over the last axis of `[4096, 256]`, f32, forward and backward.
//!
//! `x = 2 sin(0.1 + 0.05 n + 1.3 d)`, weight `1 + 0.1 cos(0.9 j)`, bias `0.1 cos(0.9 j)`; the
//! cotangent of the output is `t = cos(0.2 + 0.03 n + 0.7 d)`; gradients with respect to all of
//! them. Reference: the norm of the gradient of x in f64.
use ansatz::ops::{custom_vjp, layer_norm, softmax};
use candle_core::{D, DType, Device, Tensor, Var, backprop::GradStore};

use super::single;
use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, bias, inputs, targets, timed};

pub(super) fn variants() -> Vec<Variant> {
    let variant = |workload, library, run| Variant { workload, library, method: "", run };
    vec![
        variant("K9.layer_norm", "ansatz", |r| {
            measure(r, |v| Ok(layer_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-5)?))
        }),
        variant("K9.layer_norm", "candle", |r| {
            measure(r, |v| Ok(candle_nn::ops::layer_norm_slow(&v[0], &v[1], &v[2], 1e-5)?))
        }),
        variant("K9.softmax", "ansatz", |r| measure(r, |v| Ok(softmax(&v[0], 1)?))),
        variant("K9.softmax", "candle", |r| {
            measure(r, |v| Ok(candle_nn::ops::softmax(&v[0], D::Minus1)?))
        }),
    ]
}

const ROWS: usize = 4096;
const WIDTH: usize = 256;

/// Input, weight, bias, target.
fn data() -> [Vec<f64>; 4] {
    let x = inputs(ROWS, WIDTH).into_iter().map(|x| 2.0 * x).collect();
    let b = bias(WIDTH, 0);
    [x, b.iter().map(|b| 1.0 + b).collect(), b, targets(ROWS, WIDTH)]
}

type Op = fn(&[Tensor]) -> Result<Tensor, AnyError>;

/// The backward pass from `y` with the cotangent `t`.
fn pull_back(y: &Tensor, t: &Tensor) -> Result<GradStore, AnyError> {
    let (one, t) = (Tensor::ones((), y.dtype(), y.device())?, t.clone());
    Ok(custom_vjp(&[y], &one, move |_| Ok(vec![Some(t.clone())]))?.backward()?)
}

fn norm(gradients: &GradStore, x: &Tensor) -> Result<f64, AnyError> {
    let gradient = gradients.get(x).ok_or("the input received no gradient")?;
    Ok(gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt())
}

fn measure(rules: &Rules, op: Op) -> Result<Measured, AnyError> {
    const SHAPES: [&[usize]; 4] = [&[ROWS, WIDTH], &[WIDTH], &[WIDTH], &[ROWS, WIDTH]];
    let (mut exact, mut v) = (Vec::new(), Vec::new());
    for (values, shape) in data().iter().zip(SHAPES) {
        let leaf =
            |x: Tensor| -> candle_core::Result<Tensor> { Ok(Var::from_tensor(&x)?.into_inner()) };
        exact.push(leaf(Tensor::from_slice(values, shape, &Device::Cpu)?)?);
        v.push(leaf(Tensor::from_vec(single(values), shape, &Device::Cpu)?)?);
    }
    let exact = norm(&pull_back(&op(&exact)?, &exact[3].detach())?, &exact[0])?;
    let t = v[3].detach();
    let (gradients, timing) = timed(rules, || pull_back(&op(&v)?, &t))?;
    let (_, forward) = timed(&Rules { budget_s: 2.0, ..*rules }, || op(&v))?;
    let value = norm(&gradients, &v[0])?;
    Ok(Measured::new(timing, Work::Steps(1), (value / exact - 1.0).abs())
        .with("grad_norm", value)
        .with("forward_median_s", forward.median_s)
        .with("forward_min_s", forward.min_s))
}
