//! K9: layer norm and softmax over the last axis of `[4096, 256]`, f32, forward and backward.
//!
//! `x = 2 sin(0.1 + 0.05 n + 1.3 d)`, weight `1 + 0.1 cos(0.9 j)`, bias `0.1 cos(0.9 j)`, loss
//! `Σ y t` with `t = cos(0.2 + 0.03 n + 0.7 d)`; gradients with respect to all of them. Reference:
//! the loss in f64.
use ansatz::ops::{layer_norm, softmax};
use candle_core::{D, DType, Device, Tensor, Var};

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

fn measure(rules: &Rules, op: Op) -> Result<Measured, AnyError> {
    let [x, w, b, t] = data();
    let loss =
        |v: &[Tensor], t: &Tensor| -> Result<Tensor, AnyError> { Ok((op(v)? * t)?.sum_all()?) };
    let wide = |values: &[f64], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu);
    let exact = [wide(&x, &[ROWS, WIDTH])?, wide(&w, &[WIDTH])?, wide(&b, &[WIDTH])?];
    let exact = loss(&exact, &wide(&t, &[ROWS, WIDTH])?)?.to_scalar::<f64>()?;

    let narrow =
        |values: &[f64], shape: &[usize]| Tensor::from_vec(single(values), shape, &Device::Cpu);
    let leaf = |values: &[f64], shape: &[usize]| -> candle_core::Result<Tensor> {
        Ok(Var::from_tensor(&narrow(values, shape)?)?.into_inner())
    };
    let v = [leaf(&x, &[ROWS, WIDTH])?, leaf(&w, &[WIDTH])?, leaf(&b, &[WIDTH])?];
    let t = narrow(&t, &[ROWS, WIDTH])?;
    let ((value, gradients), timing) = timed(rules, || {
        let loss = loss(&v, &t)?;
        let gradients = loss.backward()?;
        Ok((loss, gradients))
    })?;
    let gradient = gradients.get(&v[0]).ok_or("the input received no gradient")?;
    let norm = gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt();
    let value = f64::from(value.to_scalar::<f32>()?);
    Ok(Measured::new(timing, Work::Steps(1), (value / exact - 1.0).abs())
        .with("loss", value)
        .with("grad_norm", norm))
}
