//! `f32` and `f64` with the elementary functions that the pointwise functions are made of.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::cpu::Float;

/// Arithmetic and elementary functions of one element, each inlined and branchless.
pub(crate) trait Real:
    Float
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Arguments beyond this go through [`sin_cos_far`](Self::sin_cos_far).
    const FAR: Self;
    /// `x Φ(−x)` rounds to 0 from here on.
    const NORMAL_END: Self;
    /// The tanh approximation of GELU rounds to −0 below `−` this.
    const GELU_TANH_END: Self;
    /// [`erf_near`](Self::erf_near) is for arguments below this.
    const ERF_NEAR: Self;

    /// The nearest number of this type.
    fn c(value: f64) -> Self;
    /// `high + low` as a sum of two numbers of this type.
    fn split(high: f64, low: f64) -> (Self, Self);
    /// `self · a + b`, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    fn sqrt(self) -> Self;
    fn powf(self, exponent: Self) -> Self;
    fn tanh(self) -> Self;
    /// Sine and cosine where `|x| ≤ FAR` (or NaN).
    fn sin_cos_near(self) -> (Self, Self);
    /// Sine and cosine of any number, slowly.
    fn sin_cos_far(self) -> (Self, Self);
    fn exp(self) -> Self;
    /// `e^(self + low)` before it is scaled.
    fn exp_parts(self, low: Self) -> Scaled<Self>;
    fn ln(self) -> Self;
    /// `ln(1 + self)` where `0 ≤ self ≤ 1`.
    fn ln_1p_unit(self) -> Self;
    /// `½ erfcx(self/√2) = e^(self²/2) Φ(−self)` where `0 ≤ self ≤ NORMAL_END`.
    fn normal_tail(self) -> Self;
    /// The error function where `|self| < ERF_NEAR`.
    fn erf_near(self) -> Self;
}

/// An exponential as `mantissa · scale · scale`: a factor multiplied in before the scaling does not
/// lose the digits that a subnormal exponential lacks.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<T> {
    mantissa: T,
    scale: [T; 2],
}

impl<T: Real> Scaled<T> {
    /// The exponential times `factor`.
    #[inline(always)]
    pub(crate) fn times(self, factor: T) -> T {
        factor * self.mantissa * self.scale[0] * self.scale[1]
    }
}

macro_rules! plain {
    ($T:ident) => {
        impl Real for $T {
            const FAR: Self = 1e5;
            const NORMAL_END: Self = 39.0;
            const GELU_TANH_END: Self = 30.0;
            const ERF_NEAR: Self = 1.0;
            #[inline(always)]
            fn c(value: f64) -> Self {
                value as $T
            }
            #[inline(always)]
            fn split(high: f64, low: f64) -> (Self, Self) {
                (high as $T, (high - (high as $T) as f64 + low) as $T)
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                self.copysign(sign)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn powf(self, e: Self) -> Self {
                self.powf(e)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                self.tanh()
            }
            #[inline(always)]
            fn sin_cos_near(self) -> (Self, Self) {
                self.sin_cos()
            }
            #[inline(always)]
            fn sin_cos_far(self) -> (Self, Self) {
                self.sin_cos()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline(always)]
            fn exp_parts(self, low: Self) -> Scaled<$T> {
                Scaled { mantissa: (self + low).exp(), scale: [1.0; 2] }
            }
            #[inline(always)]
            fn ln(self) -> Self {
                self.ln()
            }
            #[inline(always)]
            fn ln_1p_unit(self) -> Self {
                self.ln_1p()
            }
            #[inline(always)]
            fn normal_tail(self) -> Self {
                (0.5 * ((0.5 * (self as f64) * (self as f64)).exp()) * (1.0 - 1.0 - self as f64))
                    as $T
            }
            #[inline(always)]
            fn erf_near(self) -> Self {
                self as $T
            }
        }
    };
}
plain!(f32);
plain!(f64);
