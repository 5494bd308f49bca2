//! The element types of the kernels, and tensors seen as slices of them.

use std::ops::{Deref, Range};

use candle_core::{CpuStorage, Storage, Tensor, WithDType};

use crate::{Error, Result};

/// `f32` or `f64`.
pub(crate) trait Float: WithDType {
    /// The values of a storage of this type.
    fn slice(storage: &CpuStorage) -> Option<&[Self]>;
    /// The same, to be written.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
    /// The storage that owns `values`.
    fn storage(values: Vec<Self>) -> CpuStorage;
    /// The same number, for sums.
    fn wide(self) -> f64;
    /// The nearest number of this type.
    fn nearest(x: f64) -> Self;
}

impl Float for f32 {
    fn slice(storage: &CpuStorage) -> Option<&[Self]> {
        match storage {
            CpuStorage::F32(values) => Some(values),
            _ => None,
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        match storage {
            CpuStorage::F32(values) => Some(values),
            _ => None,
        }
    }

    fn storage(values: Vec<Self>) -> CpuStorage {
        CpuStorage::F32(values)
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn nearest(x: f64) -> Self {
        x as Self
    }
}

impl Float for f64 {
    fn slice(storage: &CpuStorage) -> Option<&[Self]> {
        match storage {
            CpuStorage::F64(values) => Some(values),
            _ => None,
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        match storage {
            CpuStorage::F64(values) => Some(values),
            _ => None,
        }
    }

    fn storage(values: Vec<Self>) -> CpuStorage {
        CpuStorage::F64(values)
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn nearest(x: f64) -> Self {
        x
    }
}

/// The elements of a contiguous CPU tensor. Holds the lock of its storage, of type `S`.
struct Values<S, T> {
    storage: S,
    range: Range<usize>,
    slice: fn(&CpuStorage) -> Option<&[T]>,
}

/// The elements of `x` in order. `x` must be contiguous (`x.contiguous()?` copies only where
/// needed), on the CPU, and of type `T`.
///
/// # Errors
/// [`Error::DType`] otherwise.
pub(crate) fn values<T: Float>(x: &Tensor) -> Result<impl Deref<Target = [T]>> {
    let (storage, layout) = x.storage_and_layout();
    let start = layout.start_offset();
    let range = start..start + layout.shape().elem_count();
    let fits = match &*storage {
        Storage::Cpu(cpu) => T::slice(cpu).is_some_and(|all| range.end <= all.len()),
        _ => false,
    };
    if !fits || !layout.is_contiguous() {
        return Err(Error::DType {
            what: "elements of a contiguous CPU tensor",
            expected: T::DTYPE,
            got: x.dtype(),
        });
    }
    Ok(Values { storage, range, slice: T::slice })
}

impl<S: Deref<Target = Storage>, T> Deref for Values<S, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &*self.storage {
            Storage::Cpu(cpu) => (self.slice)(cpu).map_or(&[], |all| &all[self.range.clone()]),
            _ => &[],
        }
    }
}

/// Runs `$body` with the type `$T` standing for the dtype of the tensor `$x`, where that is `f32`
/// or `f64` and the tensor is on the CPU; otherwise, and in
/// [`without_kernels`](crate::without_kernels), `$fallback`, the composition of candle operations.
macro_rules! by_float {
    ($x:expr, $T:ident => $body:expr, _ => $fallback:expr) => {
        match ($crate::cpu::kernels_take(&$x), $x.dtype()) {
            (true, candle_core::DType::F32) => {
                type $T = f32;
                $body
            }
            (true, candle_core::DType::F64) => {
                type $T = f64;
                $body
            }
            _ => $fallback,
        }
    };
}
pub(crate) use by_float;
