//! Whether all numbers are finite.

use candle_core::{DType, Tensor};
use rayon::prelude::*;

use super::{Real, real::kernels::Kernels};
use crate::{
    Result,
    cpu::{by_float, values, vectorised},
};

/// Elements looked at before the search may end early.
const BLOCK: usize = 16 * 1024;

/// Elements from which threads pay for themselves.
const PARALLEL_FROM: usize = 1 << 19;

/// Whether every element is finite.
///
/// # Errors
/// When candle fails.
pub fn is_finite(x: &Tensor) -> Result<bool> {
    if x.is_contiguous() {
        by_float!(x, T => return Ok(T::all_finite(&values::<T>(x)?)), _ => {});
    }
    // x·0 is 0 for finite numbers and NaN for the others; a NaN survives the sum.
    let probe = x.detach().affine(0.0, 0.0)?.sum_all()?.to_dtype(DType::F32)?;
    Ok(probe.to_scalar::<f32>()? == 0.0)
}

/// [`is_finite`] for plain numbers.
pub fn is_finite_slice<T: Real>(x: &[T]) -> bool {
    T::all_finite(x)
}

/// Numbers whose exponent shows whether they are finite.
pub(super) trait Bits: Copy + Sync {
    fn not_finite(self) -> u32;
}

impl Bits for f32 {
    #[inline(always)]
    fn not_finite(self) -> u32 {
        const EXPONENT: u32 = 0x7f80_0000;
        u32::from(self.to_bits() & EXPONENT == EXPONENT)
    }
}

impl Bits for f64 {
    #[inline(always)]
    fn not_finite(self) -> u32 {
        const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
        u32::from(self.to_bits() & EXPONENT == EXPONENT)
    }
}

pub(super) fn all_finite<T: Bits>(x: &[T]) -> bool {
    let good = |block: &[T]| vectorised!(any_not_finite, block) == 0;
    if x.len() < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        x.chunks(BLOCK).all(good)
    } else {
        x.par_chunks(BLOCK).all(good)
    }
}

#[inline(always)]
fn any_not_finite<T: Bits>(x: &[T]) -> u32 {
    let mut found = 0;
    for x in x {
        found |= x.not_finite();
    }
    found
}
