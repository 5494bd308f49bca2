//! A product with the element before, which is what gradients of recurrences are made of:
//! [`shifted_product`].

use std::mem::MaybeUninit;

use candle_core::Tensor;

use super::{Direction, lanes::Lanes};
use crate::{
    Result,
    cpu::{attach, blocks, by_float, collect, values, vectorised},
    pointwise::Real,
};

/// `uₜ vₜ₋₁` along `dim`, where `t − 1` is the position before in `direction`; `first`, or 0, takes
/// the place of the `v` before the first. `first` has the shape of `u` without `dim`.
pub(super) fn shifted_product(
    u: &Tensor,
    v: &Tensor,
    first: Option<&Tensor>,
    dim: usize,
    direction: Direction,
) -> Result<Tensor> {
    let lanes = Lanes::new(u.dims(), dim);
    let (u_data, v_data) = (u.contiguous()?, v.contiguous()?);
    let first_data = first.map(Tensor::contiguous).transpose()?;
    by_float!(u, T => {
        let first_values = first_data.as_ref().map(values::<T>).transpose()?;
        let first_values = first_values.as_deref();
        let out = products::<T>(&values(&u_data)?, &values(&v_data)?, first_values, lanes, direction);
        let (u_again, v_again) = (u.clone(), v.clone());
        let first_again = first.cloned();
        let inputs: Vec<&Tensor> = [u, v].into_iter().chain(first).collect();
        attach("shifted_product", &inputs, out, u.shape(), move |_, g| {
            let (u, v) = (&u_again, &v_again);
            let to_u = shifted_product(g, v, first_again.as_ref(), dim, direction)?;
            let product = (g * u)?;
            let one = product.ones_like()?;
            let to_v = shifted_product(&one, &product, None, dim, direction.reversed())?;
            let mut all = vec![Some(to_u), Some(to_v)];
            if first_again.is_some() {
                all.push(Some(at_start(&product, dim, direction)?));
            }
            Ok(all)
        })
    }, _ => composed(u, v, first, dim, direction))
}

/// The element where a scan in `direction` starts, without `dim`; zeros if there is none.
pub(super) fn at_start(x: &Tensor, dim: usize, direction: Direction) -> Result<Tensor> {
    let n = x.dim(dim)?;
    if n == 0 {
        let mut dims = x.dims().to_vec();
        dims.remove(dim);
        return Ok(Tensor::zeros(dims, x.dtype(), x.device())?);
    }
    let at = if direction == Direction::Forward { 0 } else { n - 1 };
    Ok(x.narrow(dim, at, 1)?.squeeze(dim)?)
}

fn composed(
    u: &Tensor,
    v: &Tensor,
    first: Option<&Tensor>,
    dim: usize,
    direction: Direction,
) -> Result<Tensor> {
    let n = u.dim(dim)?;
    if n == 0 {
        return Ok(u.zeros_like()?);
    }
    let start = match first {
        Some(first) => first.unsqueeze(dim)?,
        None => u.narrow(dim, 0, 1)?.zeros_like()?,
    };
    let before = match direction {
        Direction::Forward => Tensor::cat(&[&start, &v.narrow(dim, 0, n - 1)?], dim)?,
        Direction::Reverse => Tensor::cat(&[&v.narrow(dim, 1, n - 1)?, &start], dim)?,
    };
    Ok((u * before)?)
}

#[inline(always)]
fn kernel<T: Real>((u, v, out): (&[T], &[T], &mut [MaybeUninit<T>])) {
    for ((o, u), v) in out.iter_mut().zip(u).zip(v) {
        o.write(*u * *v);
    }
}

const BLOCK: usize = 1 << 14;
const PARALLEL_FROM: usize = 1 << 16;

fn products<T: Real>(
    u: &[T],
    v: &[T],
    first: Option<&[T]>,
    lanes: Lanes,
    direction: Direction,
) -> Vec<T> {
    let Lanes { n, inner, .. } = lanes;
    let zeros = vec![T::zero(); if first.is_none() { inner } else { 0 }];
    // One sequence of rows after the other; inside it all but one row pair with their neighbour.
    let piece = |start: usize, out: &mut [MaybeUninit<T>]| {
        let mut at = start;
        let mut out = out;
        while !out.is_empty() {
            let (block, offset) = (at / (n * inner), at % (n * inner));
            let edge = match direction {
                Direction::Forward => 0,
                Direction::Reverse => (n - 1) * inner,
            };
            // The next run of elements that are all in the edge row or all outside of it.
            let on_edge = (edge..edge + inner).contains(&offset);
            let end = if on_edge {
                edge + inner
            } else if offset < edge {
                edge
            } else {
                n * inner
            };
            let len = (end - offset).min(out.len());
            let (now, rest) = out.split_at_mut(len);
            let other = match (on_edge, first) {
                (true, Some(first)) => &first[block * inner + offset - edge..][..len],
                (true, None) => &zeros[offset - edge..][..len],
                (false, _) if direction == Direction::Forward => &v[at - inner..][..len],
                (false, _) => &v[at + inner..][..len],
            };
            vectorised!(kernel, (&u[at..at + len], other, now));
            at += len;
            out = rest;
        }
    };
    // SAFETY: the pieces cover the output, and the kernel writes every element of each.
    #[allow(unsafe_code)]
    unsafe {
        collect(u.len(), |out| blocks(out, BLOCK, PARALLEL_FROM, piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradCheck, gradcheck};
    use candle_core::Device;

    fn wave(dims: &[usize], phase: f64) -> Tensor {
        let n = dims.iter().product::<usize>();
        let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7 + phase).sin()).collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    #[test]
    fn kernel_and_composition_agree() {
        for dims in [[2, 5, 3], [1, 1, 1], [3, 4, 1], [1, 7, 40], [2, 0, 3]] {
            let (u, v) = (wave(&dims, 0.0), wave(&dims, 1.0));
            let first = wave(&[dims[0], dims[2]], 2.0);
            for first in [None, Some(&first)] {
                for direction in [Direction::Forward, Direction::Reverse] {
                    let fast = shifted_product(&u, &v, first, 1, direction).unwrap();
                    let slow = composed(&u, &v, first, 1, direction).unwrap();
                    let flat = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
                    assert_eq!(flat(fast), flat(slow));
                }
            }
        }
    }

    #[test]
    fn gradients() {
        let inputs = [wave(&[2, 4, 3], 0.0), wave(&[2, 4, 3], 1.0), wave(&[2, 3], 2.0)];
        for direction in [Direction::Forward, Direction::Reverse] {
            let f = |x: &[Tensor]| shifted_product(&x[0], &x[1], Some(&x[2]), 1, direction);
            gradcheck(f, &inputs, &GradCheck::default()).unwrap();
        }
    }
}
