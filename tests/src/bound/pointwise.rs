//! Affine enclosures of pointwise functions.
//!
//! On the range `[l, u]` of an element, `f(x) = λx + m ± δ`; the error becomes a new symbol.

use ansatz::core::{Error, Jet, Module, Pointwise, Result, TensorLike};
use candle_core::{DType, Tensor};

use super::Bound;

pub(super) fn apply(x: &Bound, function: Pointwise) -> Result<Bound> {
    use Pointwise::{
        Abs, Cos, Erf, Exp, Gelu, GeluTanh, Ln, Powf, Powi, Recip, Relu, Sigmoid, Silu, Sin,
        Softplus, Sqrt, Tanh,
    };
    match function {
        Tanh | Sigmoid | Erf | Exp | Softplus => between_ends(x, function),
        // 1/x = −1/(−x), so only one sign has to be positive.
        Recip if positive(&x.neg()?).is_ok() => on_positive(&x.neg()?, Recip)?.neg(),
        Powf(p) if p.fract() == 0.0 && p.abs() < 64.0 => apply(x, Powi(p as i32)),
        Ln | Sqrt | Recip | Powf(_) => on_positive(x, function),
        Powi(n) => integer_power(x, n),
        Sin => around_centre(x, Sin, &x.centre.cos()?),
        Cos => around_centre(x, Cos, &x.centre.sin()?.neg()?),
        Relu => rectified(x),
        // |x| = 2 max(x, 0) − x
        Abs => rectified(x)?.scale(2.0)?.sub(x),
        Silu => x.mul(&x.sigmoid()?),
        Gelu => {
            let erf = x.scale(std::f64::consts::FRAC_1_SQRT_2)?.erf()?;
            x.mul(&erf.scale(0.5)?.add_scalar(0.5)?)
        }
        GeluTanh => {
            let inner = x.sqr()?.scale(0.044715)?.add_scalar(1.0)?.mul(x)?;
            let tanh = inner.scale((2.0 / std::f64::consts::PI).sqrt())?.tanh()?;
            x.mul(&tanh.scale(0.5)?.add_scalar(0.5)?)
        }
    }
}

/// `λx + m ± half`.
fn affine(x: &Bound, slope: &Tensor, offset: &Tensor, half: &Tensor) -> Result<Bound> {
    x.mul_constant(slope)?.add_constant(offset)?.widened(half)
}

/// For functions whose derivative takes its smallest absolute value on an interval at one of the
/// ends (`f″` of one sign, or `f′` a positive bell): with that slope λ, `f − λx` is monotone.
fn between_ends(x: &Bound, function: Pointwise) -> Result<Bound> {
    let ends = Tensor::stack(&[x.lower()?, x.upper()?], 0)?;
    let (f, df) = value_and_slope(function, &ends)?;
    let (dl, du) = (df.get(0)?, df.get(1)?);
    let slope = dl.abs()?.le(&du.abs()?)?.where_cond(&dl, &du)?;
    let rest = (f - ends.broadcast_mul(&slope)?)?;
    let (a, b) = (rest.get(0)?, rest.get(1)?);
    let half = (&a - &b)?.abs()?.affine(0.5, 0.0)?;
    affine(x, &slope, &(a + b)?.affine(0.5, 0.0)?, &half)
}

/// [`between_ends`] for functions that bend one way on the positive numbers, and are needed there.
fn on_positive(x: &Bound, function: Pointwise) -> Result<Bound> {
    positive(x)?;
    between_ends(x, function)
}

/// `f` and `f′` at every element, by a jet along the direction of ones.
fn value_and_slope(function: Pointwise, at: &Tensor) -> Result<(Tensor, Tensor)> {
    let direction = at.ones_like()?.detach().unsqueeze(0)?;
    let model = |x: &Jet| x.pointwise(function);
    let y = model.forward(&Jet::seed(at, &direction, 1)?)?;
    Ok((y.value()?, y.coefficient(1, 0)?))
}

/// For functions with `|f| ≤ 1` and `|f″| ≤ 1`: Taylor at the centre while that says more than the
/// first.
fn around_centre(x: &Bound, function: Pointwise, slope: &Tensor) -> Result<Bound> {
    let half = x.radius()?.sqr()?.affine(0.5, 0.0)?;
    let narrow = half.lt(1.0)?;
    let zero = half.zeros_like()?.detach();
    let slope = narrow.where_cond(slope, &zero)?;
    let offset = (function.apply(&x.centre)? - (&slope * &x.centre)?)?;
    let offset = narrow.where_cond(&offset, &zero)?;
    affine(x, &slope, &offset, &narrow.where_cond(&half, &zero.ones_like()?)?)
}

/// `max(x, 0)`: exact on one side of 0, the chord and half the gap below it across.
fn rectified(x: &Bound) -> Result<Bound> {
    let (l, u) = (x.lower()?, x.upper()?);
    let zero = l.zeros_like()?.detach();
    let one = zero.ones_like()?;
    let across = (l.lt(0.0)? * u.gt(0.0)?)?;
    let width = across.where_cond(&(&u - &l)?, &one)?;
    let positive = l.ge(0.0)?.where_cond(&one, &zero)?;
    let slope = across.where_cond(&(&u / width)?, &positive)?;
    let half = across.where_cond(&(&slope * l.affine(-0.5, 0.0)?)?, &zero)?;
    affine(x, &slope, &half, &half)
}

fn integer_power(x: &Bound, n: i32) -> Result<Bound> {
    if n < 0 {
        return integer_power(&x.recip()?, -n);
    }
    let mut power = x.constant(&x.centre.ones_like()?)?;
    for k in 0..n {
        power = if k == 0 { x.clone() } else { power.mul(x)? };
    }
    Ok(power)
}

fn positive(x: &Bound) -> Result<()> {
    let lowest = x.lower()?.detach().to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    match lowest.iter().find(|l| l.is_nan() || **l <= 0.0) {
        Some(l) => Err(Error::invalid("lower bound of the argument", l, "a positive number")),
        None => Ok(()),
    }
}
