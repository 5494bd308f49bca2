//! Functions of elements, alone, in pairs and broadcast.
#![allow(clippy::manual_clamp)] // an independent formula

use candle_core::{D, DType, Tensor};

use crate::{
    array::Array,
    check::{Op, Traits::ValuesOnly},
};

const X: &[&[usize]] = &[&[3, 4]];
const XY: &[&[usize]] = &[&[3, 4], &[3, 4]];

/// The Maclaurin series.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    2.0 / std::f64::consts::PI.sqrt() * sum
}

fn zip(v: &[Array], f: fn(f64, f64) -> f64) -> Array {
    Array::from_fn(&v[0].shape, |i| f(v[0].at(i), v[1].at(i)))
}

/// Both operands broadcast to `shape`.
fn over(shape: &[usize], v: &[Array], f: fn(f64, f64) -> f64) -> Array {
    Array::from_fn(shape, |i| f(v[0].broadcast_at(i), v[1].broadcast_at(i)))
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[test]
fn functions_of_one_element() {
    let table = [
        Op::new(
            "affine",
            X,
            0.0,
            |v| Ok(v[0].affine(-1.7, 0.3)?),
            |v| v[0].map(|x| -1.7 * x + 0.3),
        ),
        Op::new("neg", X, 0.0, |v| Ok(v[0].neg()?), |v| v[0].map(|x| -x)),
        Op::new("x + number", X, 0.0, |v| Ok((&v[0] + 0.3)?), |v| v[0].map(|x| x + 0.3)),
        Op::new("x * number", X, 0.0, |v| Ok((&v[0] * 0.3)?), |v| v[0].map(|x| x * 0.3)),
        Op::new("tanh", X, 0.0, |v| Ok(v[0].tanh()?), |v| v[0].map(f64::tanh)),
        Op::new("sin", X, 0.0, |v| Ok(v[0].sin()?), |v| v[0].map(f64::sin)),
        Op::new("cos", X, 0.0, |v| Ok(v[0].cos()?), |v| v[0].map(f64::cos)),
        Op::new("exp", X, 0.0, |v| Ok(v[0].exp()?), |v| v[0].map(f64::exp)),
        Op::new("log", X, 1.5, |v| Ok(v[0].log()?), |v| v[0].map(f64::ln)),
        Op::new("sqrt", X, 1.5, |v| Ok(v[0].sqrt()?), |v| v[0].map(f64::sqrt)),
        Op::new("recip", X, 2.0, |v| Ok(v[0].recip()?), |v| v[0].map(|x| 1.0 / x)),
        Op::new("sqr", X, 0.0, |v| Ok(v[0].sqr()?), |v| v[0].map(|x| x * x)),
        Op::new("powf(3)", X, 0.0, |v| Ok(v[0].powf(3.0)?), |v| v[0].map(|x| x * x * x)),
        Op::new(
            "powf(-1.5)",
            X,
            2.0,
            |v| Ok(v[0].powf(-1.5)?),
            |v| v[0].map(|x| 1.0 / (x * x.sqrt())),
        ),
        Op::new("erf", X, 0.0, |v| Ok(v[0].erf()?), |v| v[0].map(erf)),
        Op::new(
            "relu away from 0",
            X,
            0.0,
            |v| Ok(v[0].relu()?),
            |v| v[0].map(|x| if x > 0.0 { x } else { 0.0 }),
        ),
        Op::new(
            "abs away from 0",
            X,
            0.0,
            |v| Ok(v[0].abs()?),
            |v| v[0].map(|x| if x > 0.0 { x } else { -x }),
        ),
        Op::new(
            "clamp",
            X,
            0.0,
            |v| Ok(v[0].clamp(-0.4, 0.5)?),
            |v| {
                v[0].map(|x| {
                    if x < -0.4 {
                        -0.4
                    } else if x > 0.5 {
                        0.5
                    } else {
                        x
                    }
                })
            },
        ),
        Op::new("silu", X, 0.0, |v| Ok(v[0].silu()?), |v| v[0].map(|x| x / (1.0 + (-x).exp()))),
        Op::new(
            "sigmoid",
            X,
            0.0,
            |v| Ok(candle_nn::ops::sigmoid(&v[0])?),
            |v| v[0].map(|x| 1.0 / (1.0 + (-x).exp())),
        ),
        Op::new("sign", X, 0.0, |v| Ok(v[0].sign()?), |v| v[0].map(f64::signum)).but(ValuesOnly),
        Op::new("floor", X, 3.0, |v| Ok(v[0].floor()?), |v| v[0].map(f64::floor)).but(ValuesOnly),
        Op::new("round", X, 3.0, |v| Ok(v[0].round()?), |v| v[0].map(f64::round)).but(ValuesOnly),
        Op::new("detach", X, 0.0, |v| Ok(v[0].detach()), |v| v[0].clone()).but(ValuesOnly),
        Op::new("zeros_like", X, 0.0, |v| Ok(v[0].zeros_like()?), |v| v[0].map(|_| 0.0))
            .but(ValuesOnly),
        Op::new("ones_like", X, 0.0, |v| Ok(v[0].ones_like()?), |v| v[0].map(|_| 1.0))
            .but(ValuesOnly),
        Op::new(
            "to_dtype by way of f32",
            X,
            0.0,
            |v| Ok(v[0].to_dtype(DType::F32)?.to_dtype(v[0].dtype())?),
            |v| v[0].map(|x| f64::from(x as f32)),
        )
        .but(ValuesOnly),
        Op::new(
            "to_dtype u32",
            X,
            7.5,
            |v| Ok(v[0].to_dtype(DType::U32)?.to_dtype(v[0].dtype())?),
            |v| v[0].map(f64::trunc),
        )
        .but(ValuesOnly),
    ];
    table.iter().for_each(Op::check);
}

#[test]
fn functions_of_two_elements() {
    let compare = |name, candle: fn(&[Tensor]) -> ansatz_ops::Result<Tensor>, reference| {
        Op::new(name, XY, 0.0, candle, reference).but(ValuesOnly)
    };
    let table = [
        Op::new("add", XY, 0.0, |v| Ok((&v[0] + &v[1])?), |v| zip(v, |x, y| x + y)),
        Op::new("sub", XY, 0.0, |v| Ok((&v[0] - &v[1])?), |v| zip(v, |x, y| x - y)),
        Op::new("mul", XY, 0.0, |v| Ok((&v[0] * &v[1])?), |v| zip(v, |x, y| x * y)),
        Op::new("div", XY, 2.0, |v| Ok((&v[0] / &v[1])?), |v| zip(v, |x, y| x / y)),
        Op::new("x * x", X, 0.0, |v| Ok((&v[0] * &v[0])?), |v| v[0].map(|x| x * x)),
        Op::new(
            "maximum",
            XY,
            0.0,
            |v| Ok(v[0].maximum(&v[1])?),
            |v| zip(v, |x, y| if x > y { x } else { y }),
        ),
        Op::new(
            "minimum",
            XY,
            0.0,
            |v| Ok(v[0].minimum(&v[1])?),
            |v| zip(v, |x, y| if x < y { x } else { y }),
        ),
        Op::new(
            "where_cond",
            XY,
            0.0,
            |v| Ok(v[0].ge(&v[1])?.where_cond(&v[0], &v[1])?),
            |v| zip(v, |x, y| if x >= y { x } else { y }),
        ),
        compare(
            "eq",
            |v| Ok(v[0].eq(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x == y)),
        ),
        compare(
            "ne",
            |v| Ok(v[0].ne(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x != y)),
        ),
        compare(
            "lt",
            |v| Ok(v[0].lt(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x < y)),
        ),
        compare(
            "le",
            |v| Ok(v[0].le(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x <= y)),
        ),
        compare(
            "gt",
            |v| Ok(v[0].gt(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x > y)),
        ),
        compare(
            "ge",
            |v| Ok(v[0].ge(&v[1])?.to_dtype(v[0].dtype())?),
            |v| zip(v, |x, y| truth(x >= y)),
        ),
        compare(
            "gt number",
            |v| Ok(v[0].gt(0.2)?.to_dtype(v[0].dtype())?),
            |v| v[0].map(|x| truth(x > 0.2)),
        ),
    ];
    table.iter().for_each(Op::check);
}

#[test]
fn broadcasts() {
    const ROW: &[&[usize]] = &[&[4], &[3, 4]];
    const COLUMN: &[&[usize]] = &[&[2, 3, 4], &[3, 1]];
    const OUTER: &[&[usize]] = &[&[3, 1], &[1, 4]];
    let table = [
        Op::new(
            "broadcast_add",
            ROW,
            0.0,
            |v| Ok(v[0].broadcast_add(&v[1])?),
            |v| over(&[3, 4], v, |x, y| x + y),
        ),
        Op::new(
            "broadcast_sub",
            COLUMN,
            0.0,
            |v| Ok(v[0].broadcast_sub(&v[1])?),
            |v| over(&[2, 3, 4], v, |x, y| x - y),
        ),
        Op::new(
            "broadcast_mul",
            OUTER,
            0.0,
            |v| Ok(v[0].broadcast_mul(&v[1])?),
            |v| over(&[3, 4], v, |x, y| x * y),
        ),
        Op::new(
            "broadcast_div",
            COLUMN,
            2.0,
            |v| Ok(v[0].broadcast_div(&v[1])?),
            |v| over(&[2, 3, 4], v, |x, y| x / y),
        ),
        Op::new(
            "broadcast_mul of a scalar",
            &[&[], &[3, 4]],
            0.0,
            |v| Ok(v[0].broadcast_mul(&v[1])?),
            |v| over(&[3, 4], v, |x, y| x * y),
        ),
        Op::new(
            "broadcast_as",
            &[&[1, 4]],
            0.0,
            |v| Ok(v[0].broadcast_as((2, 3, 4))?),
            |v| Array::from_fn(&[2, 3, 4], |i| v[0].broadcast_at(i)),
        ),
        Op::new(
            "expand",
            &[&[3, 1]],
            0.0,
            |v| Ok(v[0].expand((3, 4))?),
            |v| Array::from_fn(&[3, 4], |i| v[0].broadcast_at(i)),
        ),
        Op::new(
            "candle_nn softmax",
            X,
            0.0,
            |v| Ok(candle_nn::ops::softmax(&v[0], D::Minus1)?),
            |v| {
                let sums = v[0].along(1, true, |line| line.iter().map(|x| x.exp()).sum());
                Array::from_fn(&[3, 4], |i| v[0].at(i).exp() / sums.broadcast_at(i))
            },
        ),
    ];
    table.iter().for_each(Op::check);
}
