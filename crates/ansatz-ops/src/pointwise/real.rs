//! `f32` and `f64` with the elementary functions that the pointwise functions are made of.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::coefficients::{double, single};
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
    /// Up to this absolute value of the argument, exponentials are normal numbers.
    const EXP_FAR: Self;
    /// Up to this absolute value, `e^(−x²/2)` is a normal number.
    const NORMAL_FAR: Self;
    /// `x φ(x)` rounds to 0 from here on, and so does `x Φ(−x)`.
    const NORMAL_END: Self;
    /// The tanh approximation of GELU rounds to −0 below `−` this.
    const GELU_TANH_END: Self;
    /// [`erf_near`](Self::erf_near) is for arguments below this.
    const ERF_NEAR: Self;
    /// The exponential of this is 0, also times any number that it meets here.
    const EXP_LOW: Self;
    /// `2√(2/π)` as a sum.
    const GELU_A: [Self; 2];
    /// `0.044715 · 2√(2/π)` as a sum.
    const GELU_B: [Self; 2];

    /// The nearest number of this type.
    fn c(value: f64) -> Self;
    /// `self · a + b`, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    fn sqrt(self) -> Self;
    fn powf(self, exponent: Self) -> Self;
    fn tanh(self) -> Self;
    /// `e^(2|self|) − 1` where `2|self| ≤ EXP_FAR`.
    fn exp_m1_of_double(self) -> Self;
    /// Sine and cosine where `|x| ≤ FAR` (or NaN).
    fn sin_cos_near(self) -> (Self, Self);
    /// Sine and cosine of any number, slowly.
    fn sin_cos_far(self) -> (Self, Self);
    fn exp(self) -> Self;
    /// `e^(self + low)` before it is scaled. If `NEAR`, `|self| ≤ EXP_FAR` (or NaN): the bits are
    /// the same, with fewer operations.
    fn exp_parts<const NEAR: bool>(self, low: Self) -> Scaled<Self>;
    fn ln(self) -> Self;
    /// `ln(1 + self)` where `0 ≤ self ≤ 1`.
    fn ln_1p_unit(self) -> Self;
    /// `½ erfcx(self/√2) = e^(self²/2) Φ(−self)` where `0 ≤ self ≤ NORMAL_END`, and most of its
    /// rounding error.
    fn normal_tail(self) -> (Self, Self);
    /// The error function where `|self| < ERF_NEAR`.
    fn erf_near(self) -> Self;
}

/// An exponential as `(1 + rest) · scale · scale`: a factor multiplied in before the scaling does
/// not lose the digits that a subnormal exponential lacks, nor those that `1 + rest` rounds off.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<T> {
    rest: T,
    scale: [T; 2],
}

impl<T: Real> Scaled<T> {
    /// The exponential times `factor`.
    #[inline(always)]
    pub(crate) fn times(self, factor: T) -> T {
        factor.fma(self.rest, factor) * self.scale[0] * self.scale[1]
    }

    /// The exponential times `a (b + low)`, whose rounding error is made good.
    #[inline(always)]
    pub(crate) fn times_product(self, a: T, (b, low): (T, T)) -> T {
        let product = a * b;
        let error = a.fma(low, a.fma(b, -product));
        (product.fma(self.rest, error) + product) * self.scale[0] * self.scale[1]
    }
}

/// `c₀ + c₁ x + c₂ x² + …`
#[inline(always)]
fn horner<T: Real, const N: usize>(x: T, c: [T; N]) -> T {
    let mut sum = c[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum.fma(x, c[k]);
    }
    sum
}

/// `(c₀ + c₁ x) + (c₂ + c₃ x) x² + …`, where `square` is x², and the rounding error of the last
/// operation.
#[inline(always)]
fn by_pairs<T: Real, const N: usize>(x: T, square: T, c: [T; N]) -> (T, T) {
    let top = (N - 1) / 2 * 2;
    let mut sum = if top + 1 < N { c[top + 1].fma(x, c[top]) } else { c[top] };
    for k in (1..top / 2).rev() {
        sum = sum.fma(square, c[2 * k + 1].fma(x, c[2 * k]));
    }
    let last = c[1].fma(x, c[0]);
    let value = sum.fma(square, last);
    (value, sum.fma(square, -value) + last)
}

/// Argument reduction of the exponential.
trait Reduced: Sized {
    type Bits;
    /// The magic number of the type plus the bias of its exponents.
    const BIASED: Self;

    /// `(r, n)` with `self = n ln 2 + r` and `|r| ≤ ½ ln 2`; `n` in the lowest bits, for
    /// [`scales`](Self::scales). Arguments that overflow or underflow are cut.
    fn reduced_exp(self) -> (Self, Self::Bits);

    /// The same for arguments that do neither.
    fn reduced_exp_near(self) -> (Self, Self::Bits);

    /// 2ⁿ where that is a normal number.
    fn scale(n: Self::Bits) -> Self;

    /// Two normal numbers whose product is 2ⁿ.
    fn scales(n: Self::Bits) -> [Self; 2];
}

/// The implementation for one type. `$magic` is 1.5 · 2^(digits − 1): added to a number, it rounds
/// it to an integer, which then stands in the lowest bits. (`as` would saturate, and does not
/// become a vector instruction.)
macro_rules! real {
    (
        $T:ident, $Bits:ident, $Int:ident, $c:ident, magic: $magic:expr, digits: $digits:expr,
        bias: $bias:expr, half_bits: $half:expr, tiny: $tiny:expr, tiny_scale: $tiny_scale:expr,
        exp_range: $low:expr, $high:expr; saturates: $saturates:expr;
        far: $far:expr, exp_far: $exp_far:expr, normal_far: $normal_far:expr; normal_end: $normal_end:expr, gelu_tanh_end: $gelu_tanh_end:expr
    ) => {
        impl Reduced for $T {
            type Bits = $Bits;
            const BIASED: Self = $magic + ((1 << (<$Bits>::BITS - $digits - 1)) - 1) as Self;

            #[inline(always)]
            fn reduced_exp(self) -> (Self, $Bits) {
                // NaN stays NaN.
                let x = if self < $low { $low } else { self };
                let x = if x > $high { $high } else { x };
                x.reduced_exp_near()
            }

            #[inline(always)]
            fn reduced_exp_near(self) -> (Self, $Bits) {
                let t = self.fma(std::$T::consts::LOG2_E, Self::BIASED);
                let n = t - Self::BIASED;
                // The first product is exact.
                let r = (-n).fma($c::LN_2_LOW, (-n).fma($c::LN_2_HIGH, self));
                (r, t.to_bits())
            }

            #[inline(always)]
            fn scale(n: $Bits) -> Self {
                // The shift leaves nothing of the magic number, and the bias is in already.
                <$T>::from_bits(n << ($digits - 1))
            }

            #[inline(always)]
            fn scales(n: $Bits) -> [Self; 2] {
                let n = n.wrapping_sub(Self::BIASED.to_bits());
                let half = ((n as $Int) >> 1) as $Bits;
                let power = |k: $Bits| <$T>::from_bits((k << ($digits - 1)).wrapping_add($bias));
                [power(half), power(n.wrapping_sub(half))]
            }
        }

        impl Real for $T {
            const FAR: Self = $far;
            const EXP_FAR: Self = $exp_far;
            const NORMAL_FAR: Self = $normal_far;
            const NORMAL_END: Self = $normal_end;
            const GELU_TANH_END: Self = $gelu_tanh_end;
            const ERF_NEAR: Self = 0.75;
            const EXP_LOW: Self = $low;
            const GELU_A: [Self; 2] = $c::GELU_A;
            const GELU_B: [Self; 2] = $c::GELU_B;

            #[inline(always)]
            fn c(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                <$T>::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                <$T>::copysign(self, sign)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                <$T>::sqrt(self)
            }

            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                <$T>::powf(self, exponent)
            }

            #[inline(always)]
            fn tanh(self) -> Self {
                // e/(e + 2) with e = e^(2|x|) − 1
                let t = self.abs();
                let t = if t > $saturates { $saturates } else { t };
                let e = t.exp_m1_of_double();
                (e / (e + 2.0)).copysign(self)
            }

            #[inline(always)]
            fn exp_m1_of_double(self) -> Self {
                // 2^n (e^r − 1) + (2^n − 1): exact where small.
                let (r, k) = (self.abs() * 2.0).reduced_exp_near();
                let rest = (r * r).fma(horner(r, $c::EXP), r);
                let scale = Self::scale(k);
                rest.fma(scale, scale - 1.0)
            }

            #[inline(always)]
            fn sin_cos_near(self) -> (Self, Self) {
                let [high, middle, low] = $c::HALF_PI;
                let x = self.abs();
                let t = x.fma(std::$T::consts::FRAC_2_PI, $magic);
                let n = t - $magic;
                let quarter = t.to_bits();
                // The first difference is exact: both terms are multiples of the last digit of π/2.
                let r = (-n).fma(low, (-n).fma(middle, (-n).fma(high, x)));
                let z = r * r;
                let s = (r * z).fma(horner(z, $c::SIN), r);
                let c = z.fma(z.fma(horner(z, $c::COS), -0.5), 1.0);
                let (s, c) = if quarter & 1 == 0 { (s, c) } else { (c, s) };
                let top = <$Bits>::BITS - 1;
                let sign = (quarter >> 1) << top;
                let s_sign = sign ^ (self.to_bits() & (1 << top));
                let c_sign = sign ^ (quarter << top);
                (<$T>::from_bits(s.to_bits() ^ s_sign), <$T>::from_bits(c.to_bits() ^ c_sign))
            }

            #[inline(always)]
            fn sin_cos_far(self) -> (Self, Self) {
                let (s, c) = f64::sin_cos(self as f64);
                (s as Self, c as Self)
            }

            #[inline(always)]
            fn exp(self) -> Self {
                let (r, k) = self.reduced_exp();
                let p = (r * r).fma(horner(r, $c::EXP), r) + 1.0;
                let [a, b] = Self::scales(k);
                p * a * b
            }

            #[inline(always)]
            fn exp_parts<const NEAR: bool>(self, low: Self) -> Scaled<Self> {
                let (r, k) = if NEAR { self.reduced_exp_near() } else { self.reduced_exp() };
                let r = r + low;
                let rest = (r * r).fma(horner(r, $c::EXP), r);
                let scale = if NEAR { [Self::scale(k), 1.0] } else { Self::scales(k) };
                Scaled { rest, scale }
            }

            #[inline(always)]
            fn ln(self) -> Self {
                let subnormal = self < $tiny;
                let x = if subnormal { self * $tiny_scale } else { self };
                let shift: Self = if subnormal { -($digits as Self) } else { 0.0 };
                // x = 2^k m with √½ ≤ m < √2
                let bits = x.to_bits().wrapping_sub($half);
                let k = ((bits as $Int) >> ($digits - 1)) as $Bits;
                let m = <$T>::from_bits((bits & ((1 << ($digits - 1)) - 1)).wrapping_add($half));
                let magic: Self = $magic;
                let k = <$T>::from_bits(magic.to_bits().wrapping_add(k)) - $magic + shift;
                let s = (m - 1.0) / (m + 1.0);
                let z = s * s;
                let log = (s * z).fma(horner(z, $c::LN), s * 2.0);
                let log = k.fma($c::LN_2_HIGH, k.fma($c::LN_2_LOW, log));
                let log = if self == Self::INFINITY { self } else { log };
                let log = if self == 0.0 { -Self::INFINITY } else { log };
                if self >= 0.0 { log } else { Self::NAN }
            }

            #[inline(always)]
            fn ln_1p_unit(self) -> Self {
                let twice = self * 2.0 / (self + 2.0);
                let s = twice * 0.5;
                let z = s * s;
                (s * z).fma(horner(z, $c::LN_1P), twice)
            }

            #[inline(always)]
            fn normal_tail(self) -> (Self, Self) {
                // The rounding error of the square cancels in the quotient.
                let square = self * self;
                let (p, p_low) = by_pairs(self, square, $c::TAIL_P);
                let (q, q_low) = by_pairs(self, square, $c::TAIL_Q);
                let inverse = 1.0 / q;
                let ratio = p * inverse;
                let low = (-ratio).fma(q_low, (-ratio).fma(q, p) + p_low) * inverse;
                (ratio, low)
            }

            #[inline(always)]
            fn erf_near(self) -> Self {
                self * horner(self * self, $c::ERF)
            }
        }
    };
}

real! {
    f32, u32, i32, single, magic: 12_582_912.0, digits: 24, bias: 0x3f80_0000,
    half_bits: 0x3f35_04f3, tiny: f32::MIN_POSITIVE, tiny_scale: 16_777_216.0,
    exp_range: -120.0, 89.0; saturates: 10.0;
    far: 1e5, exp_far: 87.0, normal_far: 13.0; normal_end: 15.0, gelu_tanh_end: 11.0
}

real! {
    f64, u64, i64, double, magic: 6_755_399_441_055_744.0, digits: 53,
    bias: 0x3ff0_0000_0000_0000, half_bits: 0x3fe6_a09e_667f_3bcd, tiny: f64::MIN_POSITIVE,
    tiny_scale: 9_007_199_254_740_992.0,
    exp_range: -800.0, 710.0; saturates: 20.0;
    far: 1e9, exp_far: 708.0, normal_far: 37.0; normal_end: 39.0, gelu_tanh_end: 21.7
}
