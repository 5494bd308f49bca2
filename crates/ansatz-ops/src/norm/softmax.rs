//! Softmax, its logarithm, and the logarithm of a sum of exponentials along an axis.

mod kernel;

use candle_core::{DType, Tensor, shape::Dim};

use self::kernel::Lines;
use crate::{
    Result,
    cpu::{attach, by_float, values},
};

/// `exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x)` along `dim`; same shape as `x`.
///
/// A line with a NaN or a positive infinity, or of negative infinities only, is NaN; other negative
/// infinities give 0. Relative error below 1e-6 in f32, 1e-15 in f64.
///
/// # Errors
/// When `dim` is not a dimension of `x`, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::softmax;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[0f64, 0.0], [1e3, 0.0]], &Device::Cpu)?;
/// assert_eq!(softmax(&x, 1)?.to_vec2::<f64>()?, [[0.5, 0.5], [1.0, 0.0]]);
/// # Ok(())
/// # }
/// ```
pub fn softmax<I: Dim>(x: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "softmax")?;
    let lines = Lines::new(x.shape(), dim);
    by_float!(x, T => {
        let out = kernel::softmax::<T>(&values(&x.detach().contiguous()?)?, lines);
        attach("softmax", &[x], out, x.shape(), move |y, g| {
            Ok(vec![Some(softmax_gradient(y, g, dim)?)])
        })
    }, _ => composed_softmax(x, dim))
}

/// `xᵢ − max x − ln Σⱼ exp(xⱼ − max x)` along `dim`; same shape as `x`.
///
/// NaN as in [`softmax`]; other negative infinities stay.
///
/// # Errors
/// When `dim` is not a dimension of `x`, or candle fails.
pub fn log_softmax<I: Dim>(x: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "log_softmax")?;
    let lines = Lines::new(x.shape(), dim);
    by_float!(x, T => {
        let out = kernel::log_softmax::<T>(&values(&x.detach().contiguous()?)?, lines);
        attach("log_softmax", &[x], out, x.shape(), move |y, g| {
            Ok(vec![Some(log_softmax_gradient(y, g, dim)?)])
        })
    }, _ => composed_log_softmax(x, dim))
}

/// `ln Σⱼ exp(xⱼ)` along `dim`, which disappears, without overflow.
///
/// −∞ for lines of negative infinities and for empty ones, ∞ for a line with a positive infinity,
/// NaN for one with a NaN.
///
/// # Errors
/// When `dim` is not a dimension of `x`, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::logsumexp;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1e3f64, 1e3], &Device::Cpu)?;
/// assert_eq!(logsumexp(&x, 0)?.to_scalar::<f64>()?, 1e3 + 2f64.ln());
/// # Ok(())
/// # }
/// ```
pub fn logsumexp<I: Dim>(x: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "logsumexp")?;
    let lines = Lines::new(x.shape(), dim);
    let mut shape = x.dims().to_vec();
    shape.remove(dim);
    let count = shape.iter().product();
    by_float!(x, T => {
        let out = kernel::logsumexp::<T>(&values(&x.detach().contiguous()?)?, lines, count);
        let input = x.clone();
        attach("logsumexp", &[x], out, shape, move |_, g| {
            Ok(vec![Some(softmax(&input, dim)?.broadcast_mul(&g.unsqueeze(dim)?)?)])
        })
    }, _ => composed_logsumexp(x, dim))
}

/// `y (g − Σ g y)`: linear in g; `y` and `g` may be tracked.
fn softmax_gradient(y: &Tensor, g: &Tensor, dim: usize) -> Result<Tensor> {
    let lines = Lines::new(y.shape(), dim);
    by_float!(y, T => {
        let out = kernel::softmax_gradient::<T>(&values(y)?, &values(g)?, lines);
        let (first, second) = (y.clone(), g.clone());
        attach("gradient of softmax", &[y, g], out, y.shape(), move |_, h| {
            let (y, g) = (&first, &second);
            let along = |a: &Tensor| (a * y)?.sum_keepdim(dim);
            let inner = h.broadcast_mul(&along(g)?)?;
            let dy = (((h * g)? - inner)? - g.broadcast_mul(&along(h)?)?)?;
            Ok(vec![Some(dy), Some(softmax_gradient(y, h, dim)?)])
        })
    }, _ => {
        let along = (g * y)?.sum_keepdim(dim)?;
        Ok((y * g.broadcast_sub(&along)?)?)
    })
}

/// `g − exp(y) Σ g`: linear in g; `y` and `g` may be tracked.
fn log_softmax_gradient(y: &Tensor, g: &Tensor, dim: usize) -> Result<Tensor> {
    let lines = Lines::new(y.shape(), dim);
    by_float!(y, T => {
        let out = kernel::log_softmax_gradient::<T>(&values(y)?, &values(g)?, lines);
        let (first, second) = (y.clone(), g.clone());
        attach("gradient of log_softmax", &[y, g], out, y.shape(), move |_, h| {
            let (y, g) = (&first, &second);
            let weighted = (h * y.exp()?)?;
            let dy = weighted.broadcast_mul(&g.sum_keepdim(dim)?)?.neg()?;
            let dg = h.broadcast_sub(&weighted.sum_keepdim(dim)?)?;
            Ok(vec![Some(dy), Some(dg)])
        })
    }, _ => Ok((g - y.exp()?.broadcast_mul(&g.sum_keepdim(dim)?)?)?))
}

/// The shift of a line. It cancels in value and in gradient; detached, candle need not
/// differentiate a maximum (whose ties it would count twice).
fn shift(x: &Tensor, dim: usize) -> Result<Tensor> {
    Ok(x.max_keepdim(dim)?.detach())
}

/// [`softmax`] by candle operations.
fn composed_softmax(x: &Tensor, dim: usize) -> Result<Tensor> {
    let exp = x.broadcast_sub(&shift(x, dim)?)?.exp()?;
    Ok(exp.broadcast_div(&exp.sum_keepdim(dim)?)?)
}

/// [`log_softmax`] by candle operations.
fn composed_log_softmax(x: &Tensor, dim: usize) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&shift(x, dim)?)?;
    Ok(shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(dim)?.log()?)?)
}

/// [`logsumexp`] by candle operations. The shift is bounded, so that infinities come out right.
fn composed_logsumexp(x: &Tensor, dim: usize) -> Result<Tensor> {
    let huge = if x.dtype() == DType::F16 { 6e4 } else { 1e38 };
    let shift = shift(x, dim)?.clamp(-huge, huge)?;
    let sum = x.broadcast_sub(&shift)?.exp()?.sum_keepdim(dim)?.log()?;
    Ok((sum + shift)?.squeeze(dim)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::{GradCheck, gradcheck};

    fn tensor(shape: &[usize], seed: f64) -> Tensor {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n).map(|i| 2.0 * (1.7 * i as f64 + seed).sin()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn flat(x: &Tensor) -> Vec<f64> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// What runs on GPUs, run on the CPU.
    #[test]
    fn kernels_equal_the_compositions() {
        type Op = fn(&Tensor, usize) -> Result<Tensor>;
        let pairs: [(Op, Op); 3] = [
            (softmax, composed_softmax),
            (log_softmax, composed_log_softmax),
            (logsumexp, composed_logsumexp),
        ];
        let x = tensor(&[3, 5, 70], 0.3);
        for (kernel, composed) in pairs {
            for dim in 0..3 {
                let (a, b) = (kernel(&x, dim).unwrap(), composed(&x, dim).unwrap());
                assert_eq!(a.shape(), b.shape());
                for (a, b) in flat(&a).into_iter().zip(flat(&b)) {
                    assert!((a - b).abs() < 1e-14 * (1.0 + b.abs()), "{a} {b}");
                }
                let small = tensor(&[2, 3, 2], 0.1);
                for op in [kernel, composed] {
                    gradcheck(|v| op(&v[0], dim), &[small.clone()], &GradCheck::default()).unwrap();
                }
            }
        }
    }

    /// The gradients have gradients.
    #[test]
    fn second_order() {
        let [x, g] = [0.2, 0.9].map(|s| tensor(&[2, 3, 4], s));
        for dim in 0..3 {
            let inputs = [x.clone(), g.clone()];
            gradcheck(|v| softmax_gradient(&v[0], &v[1], dim), &inputs, &GradCheck::default())
                .unwrap();
            let f = |v: &[Tensor]| log_softmax_gradient(&v[0], &v[1], dim);
            gradcheck(f, &inputs, &GradCheck::default()).unwrap();
        }
    }
}
