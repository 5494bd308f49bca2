//! The passes through cuFFT.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use candle_core::{
    CudaStorage, DType, Layout, Shape,
    backend::BackendStorage,
    cuda_backend::{
        CudaDType, CudaDevice, DeviceId,
        cudarc::{
            cufft::{CudaFft, FftDirection as Sign, result, sys},
            driver::{DevicePtr, DevicePtrMut, DeviceRepr},
        },
    },
};
use rustfft::FftDirection;

use super::passes::{Pass, Shapes};

type Result<T> = candle_core::Result<T>;

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    device: DeviceId,
    kind: sys::cufftType,
    n: i32,
    lines: i32,
}

/// Plans kept: making one takes longer than most transforms. Each holds work space on the device.
const MOST_PLANS: usize = 32;

/// Locked while work is enqueued: a plan has one work space, which the stream of its device then
/// uses for one transform after the other.
static PLANS: LazyLock<Mutex<HashMap<Key, CudaFft>>> = LazyLock::new(Mutex::default);

/// The element types, and cuFFT's functions for them.
trait Element: CudaDType + DeviceRepr {
    const COMPLEX: sys::cufftType;
    const HALF: sys::cufftType;
    const WHOLE: sys::cufftType;

    /// Enqueues a transform.
    ///
    /// # Safety
    /// The plan must be of the kind of `pass` and live, and the addresses lie on its device, of as
    /// many numbers as the plan reads and writes.
    #[allow(unsafe_code)]
    unsafe fn enqueue(pass: Pass, plan: sys::cufftHandle, from: u64, to: u64) -> Result<()>;
}

macro_rules! element {
    ($T:ty, $complex:ident $half:ident $whole:ident, $c2c:ident $r2c:ident $c2r:ident) => {
        impl Element for $T {
            const COMPLEX: sys::cufftType = sys::cufftType::$complex;
            const HALF: sys::cufftType = sys::cufftType::$half;
            const WHOLE: sys::cufftType = sys::cufftType::$whole;

            #[allow(unsafe_code)]
            unsafe fn enqueue(
                pass: Pass,
                plan: sys::cufftHandle,
                from: u64,
                to: u64,
            ) -> Result<()> {
                // SAFETY: the caller's.
                let done = unsafe {
                    match pass {
                        Pass::Complex(FftDirection::Forward) => {
                            result::$c2c(plan, from as _, to as _, Sign::Forward as _)
                        }
                        Pass::Complex(FftDirection::Inverse) => {
                            result::$c2c(plan, from as _, to as _, Sign::Inverse as _)
                        }
                        Pass::Half => result::$r2c(plan, from as _, to as _),
                        Pass::Whole(_) => result::$c2r(plan, from as _, to as _),
                    }
                };
                done.map_err(candle_core::Error::wrap)
            }
        }
    };
}

element!(f32, CUFFT_C2C CUFFT_R2C CUFFT_C2R, exec_c2c exec_r2c exec_c2r);
element!(f64, CUFFT_Z2Z CUFFT_D2Z CUFFT_Z2D, exec_z2z exec_d2z exec_z2d);

/// The pass over contiguous lines.
pub(super) fn run(
    pass: Pass,
    storage: &CudaStorage,
    layout: &Layout,
) -> Result<(CudaStorage, Shape)> {
    match storage.dtype() {
        DType::F32 => typed::<f32>(pass, storage, layout),
        DType::F64 => typed::<f64>(pass, storage, layout),
        other => candle_core::bail!("cuFFT takes f32 and f64 here, not {other:?}"),
    }
}

fn typed<T: Element>(
    pass: Pass,
    storage: &CudaStorage,
    layout: &Layout,
) -> Result<(CudaStorage, Shape)> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("cuFFT takes contiguous lines here");
    };
    let Shapes { n, lines, output } = pass.shapes(layout.dims())?;
    let device: &CudaDevice = storage.device();
    let from = storage.as_cuda_slice::<T>()?.slice(start..end);
    // SAFETY: cuFFT writes all of it.
    #[allow(unsafe_code)]
    let mut to = unsafe { device.alloc::<T>(output.iter().product())? };
    let (Ok(points), Ok(count)) = (i32::try_from(n), i32::try_from(lines)) else {
        candle_core::bail!("cuFFT counts in 32 bits: {lines} lines of {n} points are too many");
    };
    let kind = match pass {
        Pass::Complex(_) => T::COMPLEX,
        Pass::Half => T::HALF,
        Pass::Whole(_) => T::WHOLE,
    };
    let key = Key { device: device.id(), kind, n: points, lines: count };
    let stream = device.cuda_stream();
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    if !plans.contains_key(&key) {
        if plans.len() >= MOST_PLANS {
            // A plan's work space must not go while the device is at work in it.
            stream.synchronize().map_err(candle_core::Error::wrap)?;
            plans.retain(|other, _| other.device != key.device);
        }
        // Lines one after the other.
        let plan =
            CudaFft::plan_many(&[points], None, 1, 0, None, 1, 0, kind, count, stream.clone())
                .map_err(candle_core::Error::wrap)?;
        plans.insert(key, plan);
    }
    {
        let (source, _read) = from.device_ptr(&stream);
        let (target, _written) = to.device_ptr_mut(&stream);
        // SAFETY: the plan is of this pass, and the two have the sizes of its shapes. Where cuFFT
        // uses its input as work space (some transforms to real numbers), that is the product with
        // the weights, which nobody else reads.
        #[allow(unsafe_code)]
        unsafe {
            T::enqueue(pass, plans[&key].handle(), source, target)?;
        }
    }
    Ok((CudaStorage::wrap_cuda_slice(to, device.clone()), output.into()))
}
