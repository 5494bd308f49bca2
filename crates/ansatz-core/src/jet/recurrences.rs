//! Power series of pointwise functions of a power series.
//!
//! For `y = f(x(t))` and `g = f′(x(t))`, `y′ = g x′` gives `k yₖ = Σⱼ j xⱼ g₍ₖ₋ⱼ₎`
//! (`1 ≤ j ≤ k`). For each function, `g` obeys a second relation that needs only coefficients
//! already known (A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed. 2008, table 13.2).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use candle_core::Tensor;

use super::series::{Series, multiply};
use crate::{Pointwise, Result};

/// `√(2/π)`, the constant of the tanh approximation of GELU.
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// The cubic coefficient of the tanh approximation of GELU.
const GELU_CUBIC: f64 = 0.044715;

/// `y = f(x)` and, where asked for, `f′(x)`, both to the order of `x`.
pub(crate) struct Evaluated {
    pub(crate) value: Series,
    pub(crate) derivative: Option<Series>,
}

/// Evaluates `function` at the series `x`.
pub(crate) fn evaluate(function: Pointwise, x: &Series, derivative: bool) -> Result<Evaluated> {
    let v = &x.value;
    match function {
        Pointwise::Tanh => tanh(x, derivative),
        // (sin, cos)′ = (cos, −sin) x′ and (cos, −sin)′ = (−sin, −cos) x′: in both cases g′ = −y x′.
        Pointwise::Sin => coupled(x, sin(v)?, cos(v)?, derivative, minus_integral),
        Pointwise::Cos => coupled(x, cos(v)?, sin(v)?.neg()?, derivative, minus_integral),
        Pointwise::Exp => exp(x, derivative),
        Pointwise::Ln => coupled(x, function.apply(v)?, v.recip()?, derivative, |k, p| {
            // g = 1/x, so x g = 1.
            multiply(&p.g.value.neg()?, &x.convolve(p.g, k, 1, k)?)
        }),
        Pointwise::Sqrt => {
            let y = function.apply(v)?;
            let g = y.recip()?.affine(0.5, 0.0)?;
            coupled(x, y, g, derivative, |k, p| {
                // g = 1/(2y), so y g = 1/2.
                multiply(&p.g.value.affine(-2.0, 0.0)?, &p.y.convolve(p.g, k, 1, k)?)
            })
        }
        Pointwise::Recip => {
            let value = recip(x)?;
            let derivative =
                if derivative { Some(value.square()?.affine(-1.0, 0.0)?) } else { None };
            Ok(Evaluated { value, derivative })
        }
        Pointwise::Powf(p) if p.fract() == 0.0 && p.abs() <= f64::from(i32::MAX) => {
            powi(x, p as i64, derivative)
        }
        Pointwise::Powf(p) => powf(x, p, derivative),
        Pointwise::Powi(n) => powi(x, i64::from(n), derivative),
        Pointwise::Sigmoid => sigmoid(x, derivative),
        Pointwise::Softplus => {
            let order = if derivative { x.order() } else { x.order().saturating_sub(1) };
            let g = sigmoid(&x.truncated(order), false)?.value;
            let value = integrate(function.apply(v)?, x, &g)?;
            Ok(Evaluated { value, derivative: derivative.then_some(g) })
        }
        Pointwise::Silu => {
            let s = sigmoid(x, derivative)?;
            times_argument(x, s)
        }
        Pointwise::Gelu => {
            // Φ′(x) = e^(−x²/2) / √(2π)
            let order = if derivative { x.order() } else { x.order().saturating_sub(1) };
            let exponent = x.truncated(order).square()?.affine(-0.5, 0.0)?;
            let density =
                exp(&exponent, false)?.value.affine(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2, 0.0)?;
            let phi = normal_distribution(v)?;
            let value = integrate(phi, x, &density)?;
            times_argument(x, Evaluated { value, derivative: derivative.then_some(density) })
        }
        Pointwise::GeluTanh => {
            let square = x.square()?;
            let inner = x.product(&square.affine(GELU_CUBIC, 1.0)?)?.affine(SQRT_2_OVER_PI, 0.0)?;
            let t = tanh(&inner, derivative)?;
            let value = t.value.affine(0.5, 0.5)?;
            let derivative = match t.derivative {
                Some(g) => {
                    let slope = square.affine(3.0 * GELU_CUBIC, 1.0)?;
                    Some(g.product(&slope)?.affine(0.5 * SQRT_2_OVER_PI, 0.0)?)
                }
                None => None,
            };
            times_argument(x, Evaluated { value, derivative })
        }
        Pointwise::Erf => {
            let order = if derivative { x.order() } else { x.order().saturating_sub(1) };
            let exponent = x.truncated(order).square()?.affine(-1.0, 0.0)?;
            let g = exp(&exponent, false)?.value.affine(FRAC_2_SQRT_PI, 0.0)?;
            let value = integrate(function.apply(v)?, x, &g)?;
            Ok(Evaluated { value, derivative: derivative.then_some(g) })
        }
        Pointwise::Relu => piecewise_linear(function, x, positive_mask(v)?, derivative),
        Pointwise::Abs => piecewise_linear(function, x, sign(v)?, derivative),
    }
}

/// What is known when the next coefficient of `g` is due: `j xⱼ`, `y` to order `k`, `g` to `k − 1`.
struct Known<'a> {
    dx: &'a Series,
    y: &'a Series,
    g: &'a Series,
}

/// Runs `y′ = g x′` together with the relation `next` for the coefficients of `g`.
fn coupled(
    x: &Series,
    y: Tensor,
    g: Tensor,
    derivative: bool,
    next: impl Fn(usize, &Known<'_>) -> Result<Tensor>,
) -> Result<Evaluated> {
    let order = x.order();
    let dx = weighted(x)?;
    let mut y = Series { value: y, terms: Vec::with_capacity(order) };
    let mut g = Series { value: g, terms: Vec::with_capacity(order) };
    for k in 1..=order {
        let term = integral(&dx, &g, k, 1.0)?;
        y.terms.push(term);
        if k < order || derivative {
            let term = next(k, &Known { dx: &dx, y: &y, g: &g })?;
            g.terms.push(term);
        }
    }
    Ok(Evaluated { value: y, derivative: derivative.then_some(g) })
}

/// The coefficients `j xⱼ` of `t x′(t)`, at their places.
fn weighted(x: &Series) -> Result<Series> {
    let terms = x
        .terms
        .iter()
        .enumerate()
        .map(|(i, t)| if i == 0 { Ok(t.clone()) } else { t.affine((i + 1) as f64, 0.0) })
        .collect::<candle_core::Result<_>>()?;
    Ok(Series { value: x.value.clone(), terms })
}

/// Coefficient `k ≥ 1` of `factor · ∫ g x′ dt`.
fn integral(dx: &Series, g: &Series, k: usize, factor: f64) -> Result<Tensor> {
    let sum = dx.convolve(g, k, 1, k)?;
    let factor = factor / k as f64;
    Ok(if factor == 1.0 { sum } else { sum.affine(factor, 0.0)? })
}

fn minus_integral(k: usize, known: &Known<'_>) -> Result<Tensor> {
    integral(known.dx, known.y, k, -1.0)
}

/// `value + ∫ g x′ dt`.
fn integrate(value: Tensor, x: &Series, g: &Series) -> Result<Series> {
    let dx = weighted(x)?;
    let terms = (1..=x.order()).map(|k| integral(&dx, g, k, 1.0)).collect::<Result<_>>()?;
    Ok(Series { value, terms })
}

/// `x f(x)` and its derivative `f(x) + x f′(x)`.
fn times_argument(x: &Series, f: Evaluated) -> Result<Evaluated> {
    let derivative = match f.derivative {
        Some(g) => Some(f.value.plus(&x.product(&g)?)?),
        None => None,
    };
    Ok(Evaluated { value: x.product(&f.value)?, derivative })
}

/// `a − b`, where `b` may be absent.
fn minus(a: Tensor, b: Option<Tensor>) -> Result<Tensor> {
    Ok(match b {
        Some(b) => (a - b)?,
        None => a,
    })
}

fn exp(x: &Series, derivative: bool) -> Result<Evaluated> {
    let y = Pointwise::Exp.apply(&x.value)?;
    coupled(x, y.clone(), y, derivative, |k, p| Ok(p.y.at(k).clone()))
}

fn tanh(x: &Series, derivative: bool) -> Result<Evaluated> {
    let y = Pointwise::Tanh.apply(&x.value)?;
    if x.order() == 0 && !derivative {
        return Ok(Evaluated { value: Series { value: y, terms: Vec::new() }, derivative: None });
    }
    // g = 1 − y² = 4e/(1 + e)² with e = e^(−2|x|), which stays right where y rounds to ±1.
    let e = Pointwise::Exp.apply(&x.value.abs()?.affine(-2.0, 0.0)?)?;
    let g = (e.affine(4.0, 0.0)? / e.affine(1.0, 1.0)?.sqr()?)?;
    let minus_two_y = y.affine(-2.0, 0.0)?;
    coupled(x, y, g, derivative, |k, p| {
        minus(multiply(&minus_two_y, p.y.at(k))?, p.y.inner_square(k)?)
    })
}

fn sigmoid(x: &Series, derivative: bool) -> Result<Evaluated> {
    let y = Pointwise::Sigmoid.apply(&x.value)?;
    // The complement 1 − y = sigmoid(−x) is computed as such: it stays right where y rounds to 1.
    let complement = Pointwise::Sigmoid.apply(&x.value.neg()?)?;
    let g = (&y * &complement)?;
    let slope = (complement - &y)?;
    coupled(x, y, g, derivative, |k, p| minus(multiply(&slope, p.y.at(k))?, p.y.inner_square(k)?))
}

fn recip(x: &Series) -> Result<Series> {
    let y0 = x.value.recip()?;
    let minus_y0 = y0.neg()?;
    let mut y = Series { value: y0, terms: Vec::with_capacity(x.order()) };
    for k in 1..=x.order() {
        let term = multiply(&minus_y0, &x.convolve(&y, k, 1, k)?)?;
        y.terms.push(term);
    }
    Ok(y)
}

/// A power that is not an integer; `x > 0`.
fn powf(x: &Series, p: f64, derivative: bool) -> Result<Evaluated> {
    let g = x.value.powf(p - 1.0)?.affine(p, 0.0)?;
    let recip = if x.order() > 1 || derivative { Some(x.value.recip()?) } else { None };
    coupled(x, x.value.powf(p)?, g, derivative, |k, known| {
        // g = p x^(p−1), so x g′ = (p − 1) g x′: k x₀ gₖ = Σⱼ (p j − k) xⱼ g₍ₖ₋ⱼ₎.
        let mut sum: Option<Tensor> = None;
        for j in 1..=k {
            let factor = p * j as f64 / k as f64 - 1.0;
            let product = multiply(x.at(j), known.g.at(k - j))?.affine(factor, 0.0)?;
            sum = Some(match sum {
                Some(s) => (s + product)?,
                None => product,
            });
        }
        match (sum, &recip) {
            (Some(s), Some(r)) => multiply(r, &s),
            // k ≥ 1, and the caller asks for g beyond g₀ only where `recip` was computed.
            _ => Ok(known.g.value.zeros_like()?),
        }
    })
}

/// An integer power by repeated squaring: no division by the value, which may be zero.
fn powi(x: &Series, n: i64, derivative: bool) -> Result<Evaluated> {
    let value = power(x, n)?;
    let derivative = match n {
        _ if !derivative => None,
        0 => Some(value.affine(0.0, 0.0)?),
        _ => Some(power(x, n - 1)?.affine(n as f64, 0.0)?),
    };
    Ok(Evaluated { value, derivative })
}

fn power(x: &Series, n: i64) -> Result<Series> {
    if n == 0 {
        let terms = x.terms.iter().map(Tensor::zeros_like).collect::<candle_core::Result<_>>()?;
        return Ok(Series { value: x.value.ones_like()?, terms });
    }
    let mut base = if n < 0 { recip(x)? } else { x.clone() };
    let mut exponent = n.unsigned_abs();
    let mut result: Option<Series> = None;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = Some(match result {
                Some(r) => r.product(&base)?,
                None => base.clone(),
            });
        }
        exponent >>= 1;
        if exponent > 0 {
            base = base.square()?;
        }
    }
    Ok(result.unwrap_or(base))
}

/// A function that is `slope · x` around each value.
fn piecewise_linear(
    function: Pointwise,
    x: &Series,
    slope: Tensor,
    derivative: bool,
) -> Result<Evaluated> {
    let terms = x.terms.iter().map(|t| multiply(&slope, t)).collect::<Result<_>>()?;
    let value = Series { value: function.apply(&x.value)?, terms };
    let derivative = if derivative {
        let zeros = x.terms.iter().map(Tensor::zeros_like).collect::<candle_core::Result<_>>()?;
        Some(Series { value: slope, terms: zeros })
    } else {
        None
    };
    Ok(Evaluated { value, derivative })
}

fn sin(x: &Tensor) -> Result<Tensor> {
    Ok(Pointwise::Sin.apply(x)?)
}

fn cos(x: &Tensor) -> Result<Tensor> {
    Ok(Pointwise::Cos.apply(x)?)
}

/// The normal distribution function `Φ(x)`.
fn normal_distribution(x: &Tensor) -> Result<Tensor> {
    let erf = Pointwise::Erf.apply(&x.affine(FRAC_1_SQRT_2, 0.0)?)?;
    Ok(erf.affine(0.5, 0.5)?)
}

/// 1 where `x > 0`, else 0, as a constant of the dtype of `x`.
fn positive_mask(x: &Tensor) -> Result<Tensor> {
    Ok(x.detach().gt(0.0)?.to_dtype(x.dtype())?)
}

/// The sign of `x` as a constant, 0 at 0.
fn sign(x: &Tensor) -> Result<Tensor> {
    Ok(x.detach().sign()?)
}
