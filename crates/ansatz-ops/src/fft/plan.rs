//! Plans of transforms, one for each length, shared by all threads.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};

use crate::cpu::Float;

/// The element types of the transforms.
pub(crate) trait FftFloat: Float + FftNum {
    /// The plan of a complex transform.
    fn complex_plan(n: usize, direction: FftDirection) -> Arc<dyn Fft<Self>>;
    /// The plan of the transform of real numbers.
    fn real_plan(n: usize) -> Arc<dyn RealToComplex<Self>>;
    /// The plan of its inverse.
    fn inverse_plan(n: usize) -> Arc<dyn ComplexToReal<Self>>;
}

macro_rules! fft_float {
    ($($T:ty, $COMPLEX:ident, $REAL:ident);*) => {$(
        static $COMPLEX: LazyLock<Mutex<FftPlanner<$T>>> =
            LazyLock::new(|| Mutex::new(FftPlanner::new()));
        static $REAL: LazyLock<Mutex<RealFftPlanner<$T>>> =
            LazyLock::new(|| Mutex::new(RealFftPlanner::new()));

        impl FftFloat for $T {
            fn complex_plan(n: usize, direction: FftDirection) -> Arc<dyn Fft<Self>> {
                $COMPLEX.lock().unwrap_or_else(PoisonError::into_inner).plan_fft(n, direction)
            }

            fn real_plan(n: usize) -> Arc<dyn RealToComplex<Self>> {
                $REAL.lock().unwrap_or_else(PoisonError::into_inner).plan_fft_forward(n)
            }

            fn inverse_plan(n: usize) -> Arc<dyn ComplexToReal<Self>> {
                $REAL.lock().unwrap_or_else(PoisonError::into_inner).plan_fft_inverse(n)
            }
        }
    )*};
}

fft_float!(f32, COMPLEX_F32, REAL_F32; f64, COMPLEX_F64, REAL_F64);

/// `x` in the type of the elements.
pub(crate) fn cast<T: Float>(x: f64) -> T {
    <T as candle_core::WithDType>::from_f64(x)
}
