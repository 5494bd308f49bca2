//! Norms of errors, in one pass: [`weighted_rms`], [`sum_of_squares`].
//!
//! Sums are formed in f64, in lanes over blocks of fixed length whose sums are then added in
//! order: the bits depend neither on the number of threads nor on the machine.

use candle_core::{D, DType, Device, Tensor};

use super::{Real, check_like, real::kernels::Kernels};
use crate::{
    Error, Result,
    cpu::{Float, blocks, by_float, values, vectorised},
};

/// Elements whose squares are added up together.
pub(super) const BLOCK: usize = 8192;

/// Lanes of a sum.
const LANES: usize = 8;

/// Elements from which threads pay for themselves.
pub(super) const PARALLEL_FROM: usize = 1 << 16;

/// The weighted root mean square `√(mean ((eᵢ / (atol + rtol·max(|aᵢ|, |bᵢ|)))²))` over all
/// elements (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, eq. II.4.11); 0 for empty tensors.
///
/// Summed in f64 on the CPU; elsewhere in the tensors' own precision, at least f32. A NaN in any
/// of the three gives NaN.
///
/// # Errors
/// When shapes, dtypes or devices differ, or candle fails.
pub fn weighted_rms(error: &Tensor, a: &Tensor, b: &Tensor, rtol: f64, atol: f64) -> Result<f64> {
    let [error, a, b] = load(error, a, b)?;
    let n = error.elem_count().max(1) as f64;
    let sum = by_float!(error, T => {
        let (e, a, b) = (values::<T>(&error)?, values::<T>(&a)?, values::<T>(&b)?);
        T::weighted_squares(&e, &a, &b, rtol, atol)
    }, _ => composed(&error.flatten_all()?, &a.flatten_all()?, &b.flatten_all()?, rtol, atol)?[0]);
    Ok((sum / n).sqrt())
}

/// [`weighted_rms`] of plain numbers.
///
/// # Errors
/// [`Error::Shape`] when the lengths differ.
pub fn weighted_rms_slices<T: Real>(
    error: &[T],
    a: &[T],
    b: &[T],
    rtol: f64,
    atol: f64,
) -> Result<f64> {
    for other in [a, b] {
        if other.len() != error.len() {
            return Err(Error::Shape {
                what: "weighted_rms_slices",
                expected: error.len().into(),
                got: other.len().into(),
            });
        }
    }
    let sum = T::weighted_squares(error, a, b, rtol, atol);
    Ok((sum / error.len().max(1) as f64).sqrt())
}

/// `Σ (scale·xᵢ)²` over all elements.
///
/// Summed in f64 on the CPU; elsewhere in the tensor's own precision, at least f32. `scale` keeps
/// squares in range; use 1 where that is no concern.
///
/// # Errors
/// When candle fails.
pub fn sum_of_squares(x: &Tensor, scale: f64) -> Result<f64> {
    let x = wide(x)?;
    by_float!(x, T => Ok(T::scaled_squares(&values::<T>(&x)?, scale)),
        _ => Ok(numbers(&x.affine(scale, 0.0)?.sqr()?.sum_all()?.reshape(1)?)?[0]))
}

pub(super) fn load(error: &Tensor, a: &Tensor, b: &Tensor) -> Result<[Tensor; 3]> {
    check_like("weighted_rms", error, a)?;
    check_like("weighted_rms", error, b)?;
    Ok([wide(error)?, wide(a)?, wide(b)?])
}

/// Detached, contiguous, f32 or f64: squares of half-precision numbers overflow soon.
fn wide(x: &Tensor) -> Result<Tensor> {
    let dtype = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    Ok(x.detach().to_dtype(dtype)?.contiguous()?)
}

/// The sums under the roots by candle operations, along the last axis.
fn composed(error: &Tensor, a: &Tensor, b: &Tensor, rtol: f64, atol: f64) -> Result<Vec<f64>> {
    let scale = a.abs()?.maximum(&b.abs()?)?.affine(rtol, atol)?;
    let sums = (error / scale)?.sqr()?.sum(D::Minus1)?;
    numbers(&sums.flatten_all()?)
}

/// The elements of a tensor with one axis, in f64 and on the CPU (converted there: Metal has none).
pub(super) fn numbers(x: &Tensor) -> Result<Vec<f64>> {
    Ok(x.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}

/// Adds up `part(i)` over the blocks that begin at the elements `i` of `n`.
fn over_blocks(n: usize, part: impl Fn(std::ops::Range<usize>) -> f64 + Sync + Send) -> f64 {
    if n <= BLOCK {
        return part(0..n);
    }
    let mut parts = vec![0.0; n.div_ceil(BLOCK)];
    blocks(&mut parts, 1, PARALLEL_FROM / BLOCK, |k, out| {
        out[0] = part(k * BLOCK..n.min((k + 1) * BLOCK));
    });
    parts.iter().sum()
}

pub(super) fn weighted_squares<T: Float>(
    error: &[T],
    a: &[T],
    b: &[T],
    rtol: f64,
    atol: f64,
) -> f64 {
    over_blocks(error.len(), |r| {
        vectorised!(weighted_block, (&error[r.clone()], &a[r.clone()], &b[r], rtol, atol))
    })
}

pub(super) fn scaled_squares<T: Float>(x: &[T], scale: f64) -> f64 {
    over_blocks(x.len(), |r| vectorised!(scaled_block, (&x[r], scale)))
}

#[inline(always)]
fn square<T: Float>(e: T, a: T, b: T, rtol: f64, atol: f64) -> f64 {
    let (a, b) = (a.wide().abs(), b.wide().abs());
    // Unlike `f64::max`, keeps a NaN of either.
    let larger = if a > b || a.is_nan() { a } else { b };
    let scaled = e.wide() / (atol + rtol * larger);
    scaled * scaled
}

#[inline(always)]
pub(super) fn weighted_block<T: Float>((e, a, b, rtol, atol): (&[T], &[T], &[T], f64, f64)) -> f64 {
    let ((e, e_tail), (a, a_tail), (b, b_tail)) =
        (e.as_chunks::<LANES>(), a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for ((e, a), b) in e.iter().zip(a).zip(b) {
        for l in 0..LANES {
            sums[l] += square(e[l], a[l], b[l], rtol, atol);
        }
    }
    for (l, ((e, a), b)) in e_tail.iter().zip(a_tail).zip(b_tail).enumerate() {
        sums[l] += square(*e, *a, *b, rtol, atol);
    }
    tree(sums)
}

#[inline(always)]
fn scaled_block<T: Float>((x, scale): (&[T], f64)) -> f64 {
    let (x, tail) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for x in x {
        for l in 0..LANES {
            let scaled = scale * x[l].wide();
            sums[l] += scaled * scaled;
        }
    }
    for (l, x) in tail.iter().enumerate() {
        let scaled = scale * x.wide();
        sums[l] += scaled * scaled;
    }
    tree(sums)
}

/// The sum of the lanes, as a tree.
#[inline(always)]
fn tree(s: [f64; LANES]) -> f64 {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of other devices, run on the CPU: f64 keeps its digits.
    #[test]
    fn composed_rms_equals_the_kernel() {
        let make = |scale: f64| {
            let v: Vec<f64> = (0..1025).map(|i| scale * (0.3 * i as f64).sin()).collect();
            Tensor::from_vec(v, (5, 205), &Device::Cpu).unwrap()
        };
        let (e, a, b) = (make(1e-6), make(2.0), make(-3.0));
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-5)] {
            let [e, a, b] = [&e, &a, &b].map(|x| x.to_dtype(dtype).unwrap());
            let flat = |x: &Tensor| x.flatten_all().unwrap();
            let total = composed(&flat(&e), &flat(&a), &flat(&b), 1e-6, 1e-9).unwrap();
            let ours = weighted_rms(&e, &a, &b, 1e-6, 1e-9).unwrap();
            assert!((ours / (total[0] / 1025.0).sqrt() - 1.0).abs() < tolerance);
        }
    }
}
