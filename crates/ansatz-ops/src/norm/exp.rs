//! The exponential that the softmax kernels vectorise: [`Exp`].

use super::rows::Number;

/// Numbers with a branchless exponential.
pub(super) trait Exp: Number {
    /// `e^x`: within 2 ulp, 0 below the smallest normal number, infinite above the largest.
    fn exponential(self) -> Self;
    /// `ln x`, once for a line: not vectorised.
    fn logarithm(self) -> Self;
    /// A finite number that is nearly the largest.
    const HUGE: Self;
}

/// `e^x = 2ⁿ e^r` with `|r| ≤ ln 2 / 2`, where n is rounded by adding a number whose last digit has
/// the value 1, and `e^r` is the Taylor polynomial.
macro_rules! exp {
    ($t:ident, $magic:expr, $high:expr, $low:expr, [$($c:expr),*], $mantissa:expr, $bias:expr,
     $least:expr, $most:expr, $huge:expr) => {
        impl Exp for $t {
            #[inline(always)]
            fn exponential(self) -> Self {
                let shifted = self * std::$t::consts::LOG2_E + $magic;
                let n = shifted - $magic;
                let r = self - n * $high - n * $low;
                let mut p = 0.0;
                $(p = p * r + $c;)*
                let power = <$t>::from_bits((shifted.to_bits().wrapping_add($bias)) << $mantissa);
                let value = if self < $least { 0.0 } else { p * power };
                let value = if self > $most { $t::INFINITY } else { value };
                if self.is_nan() { self } else { value }
            }

            const HUGE: Self = $huge;

            #[inline(always)]
            fn logarithm(self) -> Self {
                self.ln()
            }
        }
    };
}

exp!(
    f32,
    12_582_912.0, // 1.5 · 2²³
    0.693_359_375,
    -2.121_944_4e-4,
    [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0],
    23,
    127,
    -87.336_54,
    88.376_26,
    1e38
);
exp!(
    f64,
    6_755_399_441_055_744.0, // 1.5 · 2⁵²
    0.693_147_180_369_123_8,
    1.908_214_929_270_587_7e-10,
    [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0
    ],
    52,
    1023,
    -708.396_418_532_264_1,
    709.089_565_712_824,
    1e300
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the standard library in higher precision, in units of the last place.
    #[test]
    fn within_two_units_of_the_last_place() {
        let mut worst = 0.0f64;
        for i in -870_000..=883_000i32 {
            let x = i as f32 * 1e-4;
            let want = f64::from(x).exp();
            let unit = f64::from((want as f32).next_up() - want as f32);
            worst = worst.max((f64::from(x.exponential()) - want).abs() / unit);
        }
        assert!(worst <= 2.0, "f32: {worst}");
        let mut worst = 0.0f64;
        for i in -70_800..=70_900i32 {
            let x = f64::from(i) * 1.000_1e-2;
            let (got, want) = (x.exponential(), x.exp());
            if want.is_normal() && want < 1e308 {
                worst = worst.max((got - want).abs() / (want.next_up() - want));
            }
        }
        assert!(worst <= 2.0, "f64: {worst}");
    }

    #[test]
    fn ends() {
        for x in [-88.0f32, -1e30, f32::NEG_INFINITY] {
            assert_eq!(x.exponential(), 0.0);
        }
        assert_eq!(f32::INFINITY.exponential(), f32::INFINITY);
        assert_eq!(0f32.exponential(), 1.0);
        assert!(f32::NAN.exponential().is_nan());
        for x in [-709.0f64, -1e300, f64::NEG_INFINITY] {
            assert_eq!(x.exponential(), 0.0);
        }
        assert_eq!(1e300f64.exponential(), f64::INFINITY);
        assert_eq!(0f64.exponential(), 1.0);
        assert!(f64::NAN.exponential().is_nan());
    }
}
