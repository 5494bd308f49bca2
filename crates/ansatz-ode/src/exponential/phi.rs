//! The φ-functions of a number: [`phi`].

use ansatz_linalg::nalgebra_sparse::na::Complex;

/// Numbers up to this size are summed as a series.
const SERIES: f64 = 2.0;

/// Enough terms: 2³⁰ is below the last digit of 30!.
const TERMS: u32 = 30;

/// Writes `φ₀(z), …` to `out`: `φ₀(z) = e^z`, `φₖ(z) = Σⱼ zʲ/(j + k)!`, so that
/// `φₖ₊₁(z) = (φₖ(z) − 1/k!)/z`. That quotient is used where nothing cancels, away from zero;
/// elsewhere the series of the last function, and the recurrence downwards.
pub(crate) fn phi(z: Complex<f64>, out: &mut [Complex<f64>]) {
    let Some(last) = out.len().checked_sub(1) else { return };
    let inverse_factorial = |k: usize| (1..=k).map(|i| 1.0 / i as f64).product::<f64>();
    if z.norm() > SERIES {
        out[0] = z.exp();
        for k in 0..last {
            out[k + 1] = (out[k] - inverse_factorial(k)) / z;
        }
        return;
    }
    let mut sum = Complex::new(0.0, 0.0);
    for j in (0..TERMS).rev() {
        sum = sum * z / f64::from(j + 1 + last as u32) + 1.0;
    }
    out[last] = sum * inverse_factorial(last);
    for k in (0..last).rev() {
        out[k] = out[k + 1] * z + inverse_factorial(k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// φ₀ to φ₄ at a number, against integrals `φₖ(z) = ∫₀¹ e^{(1−s)z} s^{k−1}/(k−1)! ds` by a fine
    /// Gauss rule.
    #[test]
    fn agree_with_their_integrals() {
        let nodes = [
            (0.183_434_642_495_649_8, 0.362_683_783_378_362),
            (0.525_532_409_916_329, 0.313_706_645_877_887_3),
            (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
            (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
        ];
        let points = [
            (0.0, 0.0),
            (1e-9, 1e-7),
            (-0.5, 0.3),
            (1.999, 0.0),
            (2.001, 0.0),
            (-1.4, 1.43),
            (-1.4, 1.41),
            (0.0, -7.0),
            (-20.0, 3.0),
            (4.0, 2.0),
        ];
        for (re, im) in points {
            let z = Complex::new(re, im);
            let mut got = [Complex::new(0.0, 0.0); 5];
            phi(z, &mut got);
            assert!((got[0] - z.exp()).norm() < 1e-15 * (1.0 + z.exp().norm()), "{z} {}", got[0]);
            for k in 1..5 {
                let mut want = Complex::new(0.0, 0.0);
                let cells = 64;
                for cell in 0..cells {
                    for (x, w) in nodes.iter().flat_map(|(x, w)| [(*x, *w), (-x, *w)]) {
                        let s = (f64::from(cell) + 0.5 + 0.5 * x) / f64::from(cells);
                        let factorial: f64 = (1..k).map(f64::from).product();
                        let density = s.powi(k - 1) / factorial * 0.5 * w / f64::from(cells);
                        want += (z * (1.0 - s)).exp() * density;
                    }
                }
                let off = (got[k as usize] - want).norm();
                assert!(off < 3e-15 * (1.0 + want.norm()), "{z} {k}: {off}");
            }
        }
    }
}
