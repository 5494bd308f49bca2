//! Cumulative sums, products and log-sum-exps: [`cumsum`], [`cumprod`], [`logcumsumexp`].

use candle_core::{Tensor, shape::Dim};

use super::{
    Direction, associative_scan,
    lanes::Lanes,
    recurrence::{Gate, recurrence},
    shifted::shifted_product,
    steps::{LogSumExp, Product, ProductBefore, scan, sums},
    working_dtype,
};
use crate::{
    Result,
    cpu::{attach, by_float, values},
};

/// `yᵢ = Σⱼ≤ᵢ xⱼ` along `dim` (`j ≥ i` in [`Direction::Reverse`]); same shape as `x`.
///
/// Summed in f64 on the CPU, so that f32 results are off by one rounding (relative to the largest
/// partial sum: 6e-8) however long the axis; f64 sums like a loop does.
///
/// # Errors
/// When `dim` is not a dimension of `x`, [`Error::DType`](crate::Error::DType) when `x` is not
/// floating point, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::scan::{Direction, cumsum};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[1f32, 2.0, 3.0]], &Device::Cpu)?;
/// assert_eq!(cumsum(&x, 1, Direction::Forward)?.to_vec2::<f32>()?, [[1.0, 3.0, 6.0]]);
/// assert_eq!(cumsum(&x, 1, Direction::Reverse)?.to_vec2::<f32>()?, [[6.0, 5.0, 3.0]]);
/// # Ok(())
/// # }
/// ```
pub fn cumsum<D: Dim>(x: &Tensor, dim: D, direction: Direction) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "cumsum")?;
    widened("cumsum", x, |x| {
        let lanes = Lanes::new(x.dims(), dim);
        let data = x.contiguous()?;
        by_float!(x, T => {
            let out = sums(&values::<T>(&data)?, lanes, direction);
            attach("cumsum", &[x], out, x.shape(), move |_, g| {
                Ok(vec![Some(cumsum(g, dim, direction.reversed())?)])
            })
        }, _ => composed(x, dim, direction, |a, b| Ok((a + b)?)))
    })
}

/// `yᵢ = Πⱼ≤ᵢ xⱼ` along `dim` (`j ≥ i` in [`Direction::Reverse`]); same shape as `x`.
///
/// On the CPU the products are f64, rounded at the end. The gradient divides by nothing:
/// `∂L/∂xⱼ = (Πₖ<ⱼ xₖ) uⱼ` with the recurrence `uⱼ = gⱼ + xⱼ₊₁ uⱼ₊₁`.
///
/// # Errors
/// As [`cumsum`].
///
/// # Example
/// ```
/// use ansatz_ops::scan::{Direction, cumprod};
/// use candle_core::{Device, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Var::new(&[2f64, 0.0, 5.0], &Device::Cpu)?;
/// let y = cumprod(&x, 0, Direction::Forward)?;
/// assert_eq!(y.to_vec1::<f64>()?, [2.0, 0.0, 0.0]);
/// let grads = y.sum_all()?.backward()?; // 1 + x₂ + x₂x₃, x₁ + x₁x₃, x₁x₂
/// assert_eq!(grads.get(&x).unwrap().to_vec1::<f64>()?, [1.0, 12.0, 0.0]);
/// # Ok(())
/// # }
/// ```
pub fn cumprod<D: Dim>(x: &Tensor, dim: D, direction: Direction) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "cumprod")?;
    product(x, dim, direction, Factors::UpTo)
}

/// Which factors the product at `i` has.
#[derive(Clone, Copy)]
enum Factors {
    /// Those up to `i`.
    UpTo,
    /// Those before `i`.
    Before,
}

fn product(x: &Tensor, dim: usize, direction: Direction, factors: Factors) -> Result<Tensor> {
    widened("cumprod", x, |x| {
        let lanes = Lanes::new(x.dims(), dim);
        let data = x.contiguous()?;
        by_float!(x, T => {
            let data = values::<T>(&data)?;
            let out = match factors {
                Factors::UpTo => scan::<T, Product>(&data, lanes, direction),
                Factors::Before => scan::<T, ProductBefore>(&data, lanes, direction),
            };
            let x_again = x.clone();
            attach("cumprod", &[x], out, x.shape(), move |_, g| {
                Ok(vec![Some(product_vjp(&x_again, g, dim, direction, factors)?)])
            })
        }, _ => {
            // Of the kernel's own gradient only: other devices differentiate the composition.
            debug_assert!(matches!(factors, Factors::UpTo));
            composed(x, dim, direction, |a, b| Ok((a * b)?))
        })
    })
}

fn product_vjp(
    x: &Tensor,
    g: &Tensor,
    dim: usize,
    direction: Direction,
    factors: Factors,
) -> Result<Tensor> {
    let before = product(x, dim, direction, Factors::Before)?;
    let back = direction.reversed();
    // The sum over the later values of their cotangents times the factors between.
    let later = match factors {
        Factors::UpTo => recurrence(x, g, None, dim, back, Gate::Previous)?,
        Factors::Before => {
            let from_here = recurrence(x, g, None, dim, back, Gate::Own)?;
            shifted_product(&from_here.ones_like()?, &from_here, None, dim, back)?
        }
    };
    Ok((before * later)?)
}

/// `yᵢ = ln Σⱼ≤ᵢ exp xⱼ` along `dim` (`j ≥ i` in [`Direction::Reverse`]); same shape as `x`.
///
/// Stable for numbers of any size: each sum is taken relative to the largest element so far.
/// Elements −∞ count as nothing (their gradient is 0; a value before the first other element is
/// −∞); +∞ gives +∞ and NaN gives NaN from there on, with gradients NaN.
///
/// On the CPU the sums are f64, rounded at the end. The gradient is made of differences `x − y`, so
/// its relative error is the rounding error of `y`: `|y|` times 1e-16 (f32: 6e-8).
///
/// # Errors
/// As [`cumsum`].
///
/// # Example
/// ```
/// use ansatz_ops::scan::{Direction, logcumsumexp};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1000f64, 1000.0, f64::NEG_INFINITY], &Device::Cpu)?;
/// let y = logcumsumexp(&x, 0, Direction::Forward)?.to_vec1::<f64>()?;
/// assert_eq!(y, [1000.0, 1000.0 + 2f64.ln(), 1000.0 + 2f64.ln()]);
/// # Ok(())
/// # }
/// ```
pub fn logcumsumexp<D: Dim>(x: &Tensor, dim: D, direction: Direction) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "logcumsumexp")?;
    widened("logcumsumexp", x, |x| {
        let lanes = Lanes::new(x.dims(), dim);
        let data = x.contiguous()?;
        by_float!(x, T => {
            let out = scan::<T, LogSumExp>(&values::<T>(&data)?, lanes, direction);
            let x_again = x.clone();
            attach("logcumsumexp", &[x], out, x.shape(), move |y, g| {
                Ok(vec![Some(log_vjp(&x_again, y, g, dim, direction)?)])
            })
        }, _ => composed(x, dim, direction, log_add_exp))
    })
}

/// `exp(xⱼ − yⱼ) uⱼ` with `uⱼ = gⱼ + exp(yⱼ − yⱼ₊₁) uⱼ₊₁`: no exponential exceeds 1.
fn log_vjp(x: &Tensor, y: &Tensor, g: &Tensor, dim: usize, direction: Direction) -> Result<Tensor> {
    let n = x.dim(dim)?;
    if n == 0 {
        return Ok(x.zeros_like()?);
    }
    // −∞ − (−∞) is replaced before it reaches an exponential, so that no NaN enters a gradient.
    let zeros = y.zeros_like()?;
    let empty = y.eq(f64::NEG_INFINITY)?;
    let nothing = empty.where_cond(&zeros.affine(0.0, f64::NEG_INFINITY)?, &zeros)?;
    let (x, y) = (empty.where_cond(&zeros, x)?, empty.where_cond(&zeros, y)?);
    let (from, to) = match direction {
        Direction::Forward => (0, 1),
        Direction::Reverse => (1, 0),
    };
    let step = (y.narrow(dim, from, n - 1)? - y.narrow(dim, to, n - 1)?)?;
    let (empty, zeros) = (empty.narrow(dim, from, n - 1)?, zeros.narrow(dim, from, n - 1)?);
    let gates = empty.contiguous()?.where_cond(&zeros.contiguous()?, &step)?.exp()?;
    // The recurrence starts at the other end, where the gate has nothing to act on.
    let mut dims = x.dims().to_vec();
    dims[dim] = 1;
    let unused = Tensor::ones(dims, x.dtype(), x.device())?;
    let gates = match direction {
        Direction::Forward => Tensor::cat(&[&gates, &unused], dim)?,
        Direction::Reverse => Tensor::cat(&[&unused, &gates], dim)?,
    };
    let sums = recurrence(&gates, g, None, dim, direction.reversed(), Gate::Own)?;
    let weights = ((x - y)? + nothing)?.exp()?;
    Ok((weights * sums)?)
}

/// `ln(exp a + exp b)` from candle operations, without NaN for infinite numbers.
fn log_add_exp(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let largest = a.maximum(b)?.detach();
    let zeros = largest.zeros_like()?;
    let empty = largest.eq(f64::NEG_INFINITY)?;
    let shift = largest.abs()?.eq(f64::INFINITY)?.where_cond(&zeros, &largest)?;
    let sum = ((a - &shift)?.exp()? + (b - &shift)?.exp()?)?;
    let sum = empty.where_cond(&zeros.ones_like()?, &sum)?;
    Ok(empty.where_cond(&largest, &(sum.log()? + shift)?)?)
}

/// `f` of `x` in a type that has a kernel, and back.
fn widened(
    what: &'static str,
    x: &Tensor,
    f: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let dtype = working_dtype(what, x)?;
    if dtype == x.dtype() { f(x) } else { Ok(f(&x.to_dtype(dtype)?)?.to_dtype(x.dtype())?) }
}

/// The path of other devices.
fn composed(
    x: &Tensor,
    dim: usize,
    direction: Direction,
    op: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let all = associative_scan(
        |a, b| Ok(vec![op(&a[0], &b[0])?]),
        std::slice::from_ref(x),
        dim,
        direction,
    )?;
    Ok(all[0].clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn flat(x: &Tensor) -> Vec<f64> {
        x.flatten_all().unwrap().to_vec1::<f64>().unwrap()
    }

    #[test]
    fn kernels_and_compositions_agree_in_value_and_gradient() {
        for dims in [[2, 9, 3], [1, 1, 1], [3, 16, 1], [1, 7, 45], [2, 0, 3]] {
            let n = dims.iter().product::<usize>();
            let mut values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
            values.iter_mut().step_by(7).for_each(|x| *x = 0.0);
            let x = Tensor::from_vec(values, &dims, &Device::Cpu).unwrap();
            let x = candle_core::Var::from_tensor(&x).unwrap();
            let weights: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
            let weights = Tensor::from_vec(weights, &dims, &Device::Cpu).unwrap();
            for direction in [Direction::Forward, Direction::Reverse] {
                let pairs = [
                    (cumsum(&x, 1, direction), composed(&x, 1, direction, |a, b| Ok((a + b)?))),
                    (cumprod(&x, 1, direction), composed(&x, 1, direction, |a, b| Ok((a * b)?))),
                    (logcumsumexp(&x, 1, direction), composed(&x, 1, direction, log_add_exp)),
                ];
                for (fast, slow) in pairs {
                    let grad = |y: &Tensor| {
                        let loss = (y * &weights).unwrap().sum_all().unwrap();
                        flat(loss.backward().unwrap().get(&x).unwrap())
                    };
                    let (fast, slow) = (fast.unwrap(), slow.unwrap());
                    let pairs = flat(&fast).into_iter().zip(flat(&slow));
                    let grads = grad(&fast).into_iter().zip(grad(&slow));
                    for (x, y) in pairs.chain(grads) {
                        assert!((x - y).abs() < 1e-12, "{x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_composition_knows_infinities() {
        let x = [f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0, f64::NEG_INFINITY, f64::INFINITY, 2.0];
        let x = candle_core::Var::new(&x, &Device::Cpu).unwrap();
        let y = composed(&x, 0, Direction::Forward, log_add_exp).unwrap();
        let inf = f64::INFINITY;
        assert_eq!(flat(&y), [-inf, -inf, 1.0, 1.0, inf, inf]);
        let x = candle_core::Var::new(&[-inf, -inf, 1.0, -inf, 2.0], &Device::Cpu).unwrap();
        let y = composed(&x, 0, Direction::Forward, log_add_exp).unwrap();
        let head = y.narrow(0, 2, 2).unwrap().sum_all().unwrap();
        assert_eq!(flat(head.backward().unwrap().get(&x).unwrap()), [0.0, 0.0, 2.0, 0.0, 0.0]);
    }
}
