//! An exponential that the compiler turns into vector instructions: [`Exp`].

/// eˣ without a branch. Results below 2.5 times the smallest normal number are 0; NaN stays NaN.
pub(super) trait Exp: Sized {
    /// eˣ, to 2 units in the last place.
    fn fast_exp(self) -> Self;
    /// ln x, by the standard library.
    fn ln(self) -> Self;
}

/// x = n ln 2 + r with |r| ≤ ln(2) / 2, ln 2 in two parts so that n·high is exact; Taylor series
/// of eʳ to below half a unit; 2ⁿ through the exponent bits.
macro_rules! implement {
    ($T:ty, $low:literal, $up:literal, $high:literal, $rest:literal, $round:literal,
     $bits:literal, $bias:literal, $($coefficient:literal),+) => {
        impl Exp for $T {
            #[inline(always)]
            fn fast_exp(self) -> Self {
                let x = if self < $low { $low } else { self };
                let x = if x > $up { $up } else { x };
                // Adding 1.5·2^bits rounds to an integer and leaves it in the low bits.
                let shifted = x * std::f64::consts::LOG2_E as $T + $round;
                let n = shifted - $round;
                let r = (x - n * $high) - n * $rest;
                let mut p: $T = 0.0;
                $( p = p * r + 1.0 / $coefficient; )+
                // 2ⁿ as 2·2ⁿ⁻¹, so that the largest results do not overflow on the way.
                let power = (shifted.to_bits().wrapping_add($bias - 1)) << $bits;
                let y = p * <$T>::from_bits(power) * 2.0;
                let y = if self < $low { 0.0 } else { y };
                if self > $up { <$T>::INFINITY } else { y }
            }

            #[inline(always)]
            fn ln(self) -> Self {
                <$T>::ln(self)
            }
        }
    };
}

implement!(
    f32,
    -86.6,
    88.722_83,
    0.693_359_375,
    -2.121_944_4e-4,
    12_582_912.0,
    23,
    127,
    5040.0,
    720.0,
    120.0,
    24.0,
    6.0,
    2.0,
    1.0,
    1.0
);
implement!(
    f64,
    -707.7,
    709.782_712_893_384,
    0.693_147_180_369_123_8,
    1.908_214_929_270_587_7e-10,
    6_755_399_441_055_744.0,
    52,
    1023,
    6227020800.0,
    479001600.0,
    39916800.0,
    3628800.0,
    362880.0,
    40320.0,
    5040.0,
    720.0,
    120.0,
    24.0,
    6.0,
    2.0,
    1.0,
    1.0
);
