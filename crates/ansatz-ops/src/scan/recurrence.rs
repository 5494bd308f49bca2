//! First-order linear recurrences with gates of their own at every step: [`linear_recurrence`].

use std::ops::Range;

use candle_core::{DType, Tensor, shape::Dim};

use super::{
    Direction, associative_scan,
    lanes::{Lanes, Out, Strip},
    shifted::{at_start, shifted_product},
    working_dtype,
};
use crate::{
    Error, Result, check_like,
    cpu::{attach, by_float, values, vectorised},
    pointwise::Real,
};

/// `hₜ = aₜ hₜ₋₁ + bₜ` along `dim`, elementwise in the other axes: the scan of diagonal state-space
/// models and of gated linear networks. In [`Direction::Reverse`] the step before `t` is `t + 1`.
///
/// `a` and `b` have the shape of the result, for example `[batch, time, channels]` with `dim` 1; a
/// gate that is the same everywhere is `a.broadcast_as(b.shape())?`. `h0`, the state before the
/// first step, has that shape without `dim` (`[batch, channels]`); `None` is zero.
///
/// Linear in time and memory, and so are the gradients, in `a`, `b` and `h0`: with the cotangents
/// `gₜ`, `λₜ = gₜ + aₜ₊₁ λₜ₊₁` gives `∂L/∂bₜ = λₜ`, `∂L/∂aₜ = λₜ hₜ₋₁` and `∂L/∂h₀ = a₁ λ₁`. They are
/// made of operations with gradients, so the second order is right too where candle does it.
///
/// On the CPU each step is one product and one sum in the type of the tensors, as in a loop, with
/// the same infinities and NaN; sequences run beside each other in vectors and on threads, so that
/// a single sequence of one channel is done by one thread. f16 and bf16 are computed in f32.
/// Elsewhere it is an [`associative_scan`] of candle operations, which multiplies gates with each
/// other and may overflow there if `|a|` exceeds 1 by much.
///
/// # Errors
/// When `dim` is not a dimension, [`Error::Shape`], [`Error::DType`] or [`Error::Device`] when the
/// tensors do not fit each other or are not floating point, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::scan::{Direction, linear_recurrence};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // A leaky integrator of one channel: half of the state is kept at each step.
/// let input = Tensor::new(&[[[1f64], [0.0], [4.0]]], &Device::Cpu)?; // [batch, time, channels]
/// let gate = Tensor::new(0.5f64, &Device::Cpu)?.broadcast_as(input.shape())?;
/// let h0 = Tensor::new(&[[2f64]], &Device::Cpu)?;
/// let h = linear_recurrence(&gate, &input, Some(&h0), 1, Direction::Forward)?;
/// assert_eq!(h.flatten_all()?.to_vec1::<f64>()?, [2.0, 1.0, 4.5]);
/// # Ok(())
/// # }
/// ```
pub fn linear_recurrence<D: Dim>(
    a: &Tensor,
    b: &Tensor,
    h0: Option<&Tensor>,
    dim: D,
    direction: Direction,
) -> Result<Tensor> {
    check_like("linear_recurrence: a and b", b, a)?;
    let dim = dim.to_index(b.shape(), "linear_recurrence")?;
    if let Some(h0) = h0 {
        let mut dims = b.dims().to_vec();
        dims.remove(dim);
        if h0.dims() != dims {
            return Err(Error::Shape {
                what: "linear_recurrence: h0, the shape of b without the axis",
                expected: dims.into(),
                got: h0.shape().clone(),
            });
        }
        if h0.dtype() != b.dtype() {
            let what = "linear_recurrence: h0";
            return Err(Error::DType { what, expected: b.dtype(), got: h0.dtype() });
        }
        if !h0.device().same_device(b.device()) {
            return Err(Error::Device {
                what: "linear_recurrence: h0",
                expected: b.device().location(),
                got: h0.device().location(),
            });
        }
    }
    let dtype = working_dtype("linear_recurrence", b)?;
    if dtype == b.dtype() {
        return recurrence(a, b, h0, dim, direction, Gate::Own);
    }
    let wide = |x: &Tensor| -> Result<Tensor> { Ok(x.to_dtype(dtype)?) };
    let h0 = h0.map(wide).transpose()?;
    let h = recurrence(&wide(a)?, &wide(b)?, h0.as_ref(), dim, direction, Gate::Own)?;
    Ok(h.to_dtype(b.dtype())?)
}

/// Which gate acts between two steps: the adjoint of a recurrence has the other one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// `hₜ = aₜ hₜ₋₁ + bₜ`.
    Own,
    /// `hₜ = aₜ₋₁ hₜ₋₁ + bₜ`; there is no state before the first step.
    Previous,
}

/// The recurrence, for f32 and f64 tensors of fitting shapes.
pub(super) fn recurrence(
    a: &Tensor,
    b: &Tensor,
    h0: Option<&Tensor>,
    dim: usize,
    direction: Direction,
    gate: Gate,
) -> Result<Tensor> {
    let lanes = Lanes::new(b.dims(), dim);
    let (a_data, b_data) = (a.contiguous()?, b.contiguous()?);
    let h0_data = h0.map(Tensor::contiguous).transpose()?;
    debug_assert!(matches!(b.dtype(), DType::F32 | DType::F64));
    by_float!(b, T => {
        let (a_values, b_values) = (values::<T>(&a_data)?, values::<T>(&b_data)?);
        let h0_values = h0_data.as_ref().map(values::<T>).transpose()?;
        let data = Data { a: &a_values, b: &b_values, h0: h0_values.as_deref() };
        let work = |strips, out| vectorised!(kernel, (data, out, lanes, strips, direction, gate));
        // SAFETY: the kernel walks every element of its strips once, and writes there.
        #[allow(unsafe_code)]
        let out = unsafe { lanes.fill(work) };
        let (a_again, h0_again) = (a.clone(), h0.cloned());
        let inputs: Vec<&Tensor> = [a, b].into_iter().chain(h0).collect();
        attach("linear_recurrence", &inputs, out, b.shape(), move |h, g| {
            vjp(&a_again, h, h0_again.as_ref(), g, dim, direction, gate)
        })
    }, _ => composed(a, b, h0, dim, direction, gate))
}

/// The gradients in `a`, `b` and, where given, `h0`.
fn vjp(
    a: &Tensor,
    h: &Tensor,
    h0: Option<&Tensor>,
    g: &Tensor,
    dim: usize,
    direction: Direction,
    gate: Gate,
) -> Result<Vec<Option<Tensor>>> {
    let back = direction.reversed();
    let other = if gate == Gate::Own { Gate::Previous } else { Gate::Own };
    let lambda = recurrence(a, g, None, dim, back, other)?;
    let to_a = match (a.track_op(), gate) {
        (false, _) => None,
        (true, Gate::Own) => Some(shifted_product(&lambda, h, h0, dim, direction)?),
        (true, Gate::Previous) => Some(shifted_product(h, &lambda, None, dim, back)?),
    };
    let mut all = vec![to_a, Some(lambda.clone())];
    if h0.is_some() {
        let first = at_start(a, dim, direction)?;
        all.push(Some((first * at_start(&lambda, dim, direction)?)?));
    }
    Ok(all)
}

/// The path of other devices.
fn composed(
    a: &Tensor,
    b: &Tensor,
    h0: Option<&Tensor>,
    dim: usize,
    direction: Direction,
    gate: Gate,
) -> Result<Tensor> {
    let n = b.dim(dim)?;
    if n == 0 {
        return Ok(b.clone());
    }
    let a = match (gate, direction) {
        (Gate::Own, _) => a.clone(),
        // The first gate has nothing to act on.
        (Gate::Previous, Direction::Forward) => {
            Tensor::cat(&[&a.narrow(dim, 0, 1)?, &a.narrow(dim, 0, n - 1)?], dim)?
        }
        (Gate::Previous, Direction::Reverse) => {
            Tensor::cat(&[&a.narrow(dim, 1, n - 1)?, &a.narrow(dim, n - 1, 1)?], dim)?
        }
    };
    let then = |first: &[Tensor], second: &[Tensor]| {
        Ok(vec![(&first[0] * &second[0])?, ((&first[1] * &second[0])? + &second[1])?])
    };
    let all = associative_scan(then, &[a, b.clone()], dim, direction)?;
    match h0 {
        Some(h0) => Ok((all[0].broadcast_mul(&h0.unsqueeze(dim)?)? + &all[1])?),
        None => Ok(all[1].clone()),
    }
}

/// The inputs of the kernel.
struct Data<'a, T> {
    a: &'a [T],
    b: &'a [T],
    h0: Option<&'a [T]>,
}

impl<T> Clone for Data<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Data<'_, T> {}

#[inline(always)]
fn strip<T: Real, const W: usize>(
    data: Data<'_, T>,
    out: Out<T>,
    lanes: Lanes,
    base: usize,
    direction: Direction,
    gate: Gate,
) {
    let mut h = [T::zero(); W];
    if let Some(h0) = data.h0 {
        // `h0` is the data without their middle axis.
        let block = base / (lanes.n * lanes.inner);
        let at = block * lanes.inner + base % (lanes.n * lanes.inner);
        for (h, start) in h.iter_mut().zip(&h0[at..at + W]) {
            *h = *start;
        }
    }
    let (mut at, distance) = lanes.walk(base, direction);
    if gate == Gate::Own {
        for _ in 0..lanes.n {
            let (a, b) = (&data.a[at..at + W], &data.b[at..at + W]);
            for ((h, a), b) in h.iter_mut().zip(a).zip(b) {
                *h = *a * *h + *b;
            }
            out.write(at, h);
            at = at.wrapping_add(distance);
        }
    } else {
        let mut gates = [T::zero(); W];
        for _ in 0..lanes.n {
            let (a, b) = (&data.a[at..at + W], &data.b[at..at + W]);
            for (((h, gate), a), b) in h.iter_mut().zip(&mut gates).zip(a).zip(b) {
                *h = *gate * *h + *b;
                *gate = *a;
            }
            out.write(at, h);
            at = at.wrapping_add(distance);
        }
    }
}

type Arguments<'a, T> = (Data<'a, T>, Out<T>, Lanes, Range<usize>, Direction, Gate);

#[inline(always)]
fn kernel<T: Real>((data, out, lanes, strips, direction, gate): Arguments<'_, T>) {
    for k in strips {
        let Strip { base, width } = lanes.strip(k);
        match width {
            32 => strip::<T, 32>(data, out, lanes, base, direction, gate),
            8 => strip::<T, 8>(data, out, lanes, base, direction, gate),
            _ => strip::<T, 1>(data, out, lanes, base, direction, gate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn wave(dims: &[usize], phase: f64) -> Tensor {
        let n = dims.iter().product::<usize>();
        let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7 + phase).sin()).collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    #[test]
    fn kernel_and_composition_agree() {
        for dims in [[2, 9, 3], [1, 1, 1], [3, 16, 1], [1, 7, 45], [2, 0, 3]] {
            let (a, b) = (wave(&dims, 0.0), wave(&dims, 1.0));
            let first = wave(&[dims[0], dims[2]], 2.0);
            for direction in [Direction::Forward, Direction::Reverse] {
                for (gate, h0) in
                    [(Gate::Own, None), (Gate::Own, Some(&first)), (Gate::Previous, None)]
                {
                    let fast = recurrence(&a, &b, h0, 1, direction, gate).unwrap();
                    let slow = composed(&a, &b, h0, 1, direction, gate).unwrap();
                    let flat = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
                    for (x, y) in flat(fast).into_iter().zip(flat(slow)) {
                        assert!((x - y).abs() < 1e-13, "{x} {y}");
                    }
                }
            }
        }
    }
}
