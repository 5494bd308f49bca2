//! Pointwise functions of tensors, on candle's graph: [`pointwise`].

use std::mem::MaybeUninit;

use candle_core::{DType, Tensor};

use super::{Pointwise, Real, composed::composed, map, needs_input, pull_back, taylor};
use crate::cpu::{attach, blocks, by_float, collect, values};
use crate::{Error, Result};

/// Elements that one thread takes at a time.
const BLOCK: usize = 8192;
/// Elements from which on several threads pay.
const PARALLEL_FROM: usize = 65_536;
/// The highest derivative with a kernel.
const MAX_ORDER: usize = 4;

/// `function` of every element of `x`; same shape, dtype and device.
///
/// On the CPU, f32 and f64 run through vector kernels of our own: at most 4 ulp (f32) and relative
/// 2e-15 (f64) off over the whole range, subnormal numbers and huge arguments included, with the
/// same bits for any number of threads. NaN gives NaN. Elsewhere, and for half precision, a
/// composition of candle's operations. The gradient is one fused pass, and can itself be
/// differentiated (to the fourth derivative where candle keeps graphs of gradients). For tanh and
/// sigmoid it is computed from the value, like PyTorch's: where that rounds to a limit, the
/// gradient is 0.
///
/// # Errors
/// [`Error::DType`] for integer tensors; when candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::{Pointwise, candle::{Device, Tensor, Var}, pointwise};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Var::new(&[-1f64, 0.0, 2.0], &Device::Cpu)?;
/// let y = pointwise(Pointwise::Tanh, &x)?;
/// assert!((y.to_vec1::<f64>()?[2] - 2f64.tanh()).abs() < 1e-15);
/// let gradient = y.sum_all()?.backward()?.get(&x).unwrap().to_vec1::<f64>()?;
/// assert_eq!(gradient[1], 1.0);
/// # Ok(())
/// # }
/// ```
pub fn pointwise(function: Pointwise, x: &Tensor) -> Result<Tensor> {
    if !x.dtype().is_float() {
        let (expected, got) = (DType::F32, x.dtype());
        return Err(Error::DType { what: "pointwise function", expected, got });
    }
    by_float!(x, T => value::<T>(function, x), _ => composed(function, x))
}

fn value<T: Real>(function: Pointwise, x: &Tensor) -> Result<Tensor> {
    let source = x.detach().contiguous()?;
    let out = {
        let source = values::<T>(&source)?;
        let source: &[T] = &source;
        let fill = |out: &mut [MaybeUninit<T>]| {
            blocks(out, BLOCK, PARALLEL_FROM, |start, out| {
                map(function, &source[start..start + out.len()], out);
            });
        };
        // SAFETY: the blocks cover the output, and `map` writes every element of each.
        #[allow(unsafe_code)]
        unsafe {
            collect(source.len(), fill)
        }
    };
    let again = x.clone();
    attach("pointwise", &[x], out, x.shape(), move |y, g| {
        Ok(vec![Some(derivative::<T>(function, 1, &again, Some(y), g)?)])
    })
}

/// `g · f⁽ᵒʳᵈᵉʳ⁾(x)`, where `y = f(x)` may be given if `order` is 1.
fn derivative<T: Real>(
    function: Pointwise,
    order: usize,
    x: &Tensor,
    y: Option<&Tensor>,
    g: &Tensor,
) -> Result<Tensor> {
    if order > MAX_ORDER {
        return Err(Error::InvalidArgument {
            what: "order of the derivative of a pointwise function",
            value: order.to_string(),
            expected: "at most 4; for higher ones use jets",
        });
    }
    let by_value = y.filter(|_| order == 1 && !needs_input(function));
    let source = by_value.unwrap_or(x).detach().contiguous()?;
    let weight = g.detach().contiguous()?;
    let out = {
        let (source, weight) = (values::<T>(&source)?, values::<T>(&weight)?);
        let (source, weight): (&[T], &[T]) = (&source, &weight);
        let fill = |out: &mut [MaybeUninit<T>]| {
            blocks(out, BLOCK, PARALLEL_FROM, |start, out| {
                let range = start..start + out.len();
                let (s, g) = (&source[range.clone()], &weight[range]);
                match order {
                    1 if by_value.is_some() || needs_input(function) => {
                        pull_back(function, s, s, g, out);
                    }
                    1 => nth::<T, 2>(function, s, g, out),
                    2 => nth::<T, 3>(function, s, g, out),
                    3 => nth::<T, 4>(function, s, g, out),
                    _ => nth::<T, 5>(function, s, g, out),
                }
            });
        };
        // SAFETY: the blocks cover the output, and each kernel writes every element of its block.
        #[allow(unsafe_code)]
        unsafe {
            collect(source.len(), fill)
        }
    };
    let (x_again, g_again) = (x.clone(), g.clone());
    let (x_tracked, g_tracked) = (x.track_op(), g.track_op());
    attach("pointwise derivative", &[x, g], out, x.shape(), move |_, w| {
        let for_x = if x_tracked {
            let weight = (&g_again * w)?;
            Some(derivative::<T>(function, order + 1, &x_again, None, &weight)?)
        } else {
            None
        };
        let for_g = if g_tracked {
            Some(derivative::<T>(function, order, &x_again, None, w)?)
        } else {
            None
        };
        Ok(vec![for_x, for_g])
    })
}

/// `out = g · f⁽ᴺ⁻¹⁾(x)`; every element of `out` is written.
fn nth<T: Real, const N: usize>(function: Pointwise, x: &[T], g: &[T], out: &mut [MaybeUninit<T>]) {
    const SPAN: usize = 256;
    let factorial = T::c((1..N).map(|k| k as f64).product());
    let mut columns = [[T::c(0.0); SPAN]; N];
    for ((x, g), out) in x.chunks(SPAN).zip(g.chunks(SPAN)).zip(out.chunks_mut(SPAN)) {
        taylor(function, x, columns.each_mut().map(|column| &mut column[..x.len()]));
        for ((o, g), c) in out.iter_mut().zip(g).zip(&columns[N - 1]) {
            o.write(*g * factorial * *c);
        }
    }
}
