//! Powers, fast enough for one at every step: [`power`].

/// `xᵉ` for a finite `x` of at least the smallest normal number, to about 1e-12 (relative), between
/// 2⁻¹⁰⁰⁰ and 2¹⁰⁰⁰.
///
/// The step size control of every solve takes a root of the error. This one has no branches, so that
/// many of them are computed together where many solves go side by side, and is the same function
/// everywhere, so that a solve takes the same steps alone and among others.
#[inline(always)]
pub(crate) fn power(x: f64, exponent: f64) -> f64 {
    const FRACTION_BITS: u32 = 52;
    /// Keeps the shifted exponent positive: vector units shift unsigned numbers only.
    const BIAS: u64 = 2000;
    /// Adding it leaves an integer in the low bits.
    const SHIFTER: f64 = 6755399441055744.0; // 1.5 · 2⁵²
    // x = 2ᵏ m with m between √½ and √2.
    let bits = x.to_bits();
    let above = bits.wrapping_sub(std::f64::consts::FRAC_1_SQRT_2.to_bits());
    let biased = above.wrapping_add(BIAS << FRACTION_BITS) >> FRACTION_BITS;
    let m = f64::from_bits(
        bits.wrapping_sub(biased << FRACTION_BITS).wrapping_add(BIAS << FRACTION_BITS),
    );
    let k = f64::from_bits(biased | (4503599627370496.0f64).to_bits())
        - (4503599627370496.0 + BIAS as f64);
    // ln m = 2 artanh s, with |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = polynomial(&ARTANH, square);
    let log2 = k + s * series * (2.0 * std::f64::consts::LOG2_E);
    let y = (exponent * log2).clamp(-1000.0, 1000.0);
    // 2ʸ = 2ⁿ eʳ with |r| < 0.347.
    let shifted = y + SHIFTER;
    let r = (y - (shifted - SHIFTER)) * std::f64::consts::LN_2;
    let scale = shifted.to_bits().wrapping_add(1023).wrapping_sub(SHIFTER.to_bits());
    polynomial(&EXPONENTIAL, r) * f64::from_bits(scale << FRACTION_BITS)
}

/// Coefficients of artanh(s)/s in s².
const ARTANH: [f64; 8] = {
    let mut c = [0.0; 8];
    let mut i = 0;
    while i < 8 {
        c[i] = 1.0 / (2 * i + 1) as f64;
        i += 1;
    }
    c
};

/// Coefficients of eʳ in r.
const EXPONENTIAL: [f64; 12] = {
    let mut c = [1.0; 12];
    let mut i = 1;
    while i < 12 {
        c[i] = c[i - 1] / i as f64;
        i += 1;
    }
    c
};

/// Horner's rule for the even and the odd powers at the same time: half the waiting.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let (mut even, mut odd) = (0.0, 0.0);
    for i in (0..N / 2).rev() {
        even = even * square + coefficients[2 * i];
        odd = odd * square + coefficients[2 * i + 1];
    }
    even + odd * x
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn agrees_with_the_standard_library() {
        let mut worst = 0.0f64;
        for i in -3000..3000 {
            let x = 1.01f64.powi(i) * (1.0 + f64::from(i).sin() * 0.3);
            for exponent in [-0.2, -1.0 / 3.0, 0.7 / 5.0, 0.0, -1.0, 2.0, 0.5, -1.0 / 9.0] {
                let expected = x.powf(exponent);
                worst = worst.max((power(x, exponent) / expected - 1.0).abs());
            }
        }
        assert!(worst < 2e-12, "{worst}");
    }

    #[test]
    fn is_exact_where_that_is_easy_and_bounded_elsewhere() {
        assert_eq!(power(1.0, -0.2), 1.0);
        assert_eq!(power(16.0, 0.25), 2.0);
        assert_eq!(power(0.25, 1.0), 0.25);
        assert_eq!(power(1e30, 100.0), 2f64.powi(1000));
        assert_eq!(power(1e30, -100.0), 2f64.powi(-1000));
        for x in [f64::MIN_POSITIVE, f64::MAX] {
            assert!((power(x, -0.2) / x.powf(-0.2) - 1.0).abs() < 2e-12, "{x}");
        }
    }
}
