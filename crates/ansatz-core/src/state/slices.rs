//! The arithmetic of states that are plain numbers: ansatz-ops' kernels where that crate is there
//! and the state is long enough, otherwise loops with the same result to the last bit.

use crate::Result;

/// Length from which a kernel is worth its call.
pub(super) const KERNEL_FROM: usize = 64;

/// `out ← base + h · Σⱼ cⱼ xⱼ` without the terms whose coefficient is zero.
///
/// All others have the length of `out`.
#[cfg_attr(not(feature = "candle"), allow(clippy::unnecessary_wraps))] // the kernels may fail
pub(super) fn combine<'a>(
    out: &mut [f64],
    base: Option<&[f64]>,
    h: f64,
    coefficients: &[f64],
    terms: impl Iterator<Item = &'a [f64]> + Clone,
) -> Result<()> {
    let terms = coefficients.iter().zip(terms).filter(|(c, _)| **c != 0.0).map(|(c, x)| (h * c, x));
    #[cfg(feature = "candle")]
    if out.len() >= KERNEL_FROM {
        const MOST: usize = 16;
        let empty: &[f64] = &[];
        let mut few = [(0.0, empty); MOST];
        let count = terms.clone().count();
        let many: Vec<(f64, &[f64])>;
        let terms = if count <= MOST {
            for (slot, term) in few.iter_mut().zip(terms) {
                *slot = term;
            }
            &few[..count]
        } else {
            many = terms.collect();
            &many
        };
        return Ok(ansatz_ops::combine_slices(out, base, terms)?);
    }
    plain_combine(out, base, terms);
    Ok(())
}

/// Elements that stay in the first cache while the terms pass over them.
const BLOCK: usize = 512;

fn plain_combine<'a>(
    out: &mut [f64],
    base: Option<&[f64]>,
    terms: impl Iterator<Item = (f64, &'a [f64])> + Clone,
) {
    match base {
        Some(base) => out.copy_from_slice(base),
        None => out.fill(0.0),
    }
    let n = out.len();
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        for (factor, x) in terms.clone() {
            for (s, x) in out[start..end].iter_mut().zip(&x[start..end]) {
                *s += factor * x;
            }
        }
    }
}

/// `out ← factor · out + Σⱼ cⱼ xⱼ` without the terms whose coefficient is zero.
///
/// All others have the length of `out`.
#[inline]
pub(super) fn accumulate<'a>(
    out: &mut [f64],
    factor: f64,
    terms: impl Iterator<Item = (f64, &'a [f64])> + Clone,
) {
    let terms = terms.filter(|(c, _)| *c != 0.0);
    let n = out.len();
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        let block = &mut out[start..end];
        if factor == 0.0 {
            block.fill(0.0);
        } else if factor != 1.0 {
            for s in &mut *block {
                *s *= factor;
            }
        }
        for (c, x) in terms.clone() {
            for (s, x) in block.iter_mut().zip(&x[start..end]) {
                *s += c * x;
            }
        }
    }
}

/// The root mean square of `eᵢ / (atol + rtol·max(|aᵢ|, |bᵢ|))`; the lengths are equal.
#[inline]
#[cfg_attr(not(feature = "candle"), allow(clippy::unnecessary_wraps))] // the kernels may fail
pub(super) fn weighted_rms(e: &[f64], a: &[f64], b: &[f64], rtol: f64, atol: f64) -> Result<f64> {
    #[cfg(feature = "candle")]
    if e.len() >= KERNEL_FROM {
        return Ok(ansatz_ops::weighted_rms_slices(e, a, b, rtol, atol)?);
    }
    Ok(plain_weighted_rms(e, a, b, rtol, atol))
}

/// Elements whose squares are added up together, and lanes of such a sum: those of ansatz-ops.
const SUM_BLOCK: usize = 8192;
const LANES: usize = 8;

#[inline]
fn plain_weighted_rms(e: &[f64], a: &[f64], b: &[f64], rtol: f64, atol: f64) -> f64 {
    let blocks = e.chunks(SUM_BLOCK).zip(a.chunks(SUM_BLOCK)).zip(b.chunks(SUM_BLOCK));
    let mut total = 0.0;
    for ((e, a), b) in blocks {
        let mut sums = [0.0; LANES];
        for ((e, a), b) in e.chunks(LANES).zip(a.chunks(LANES)).zip(b.chunks(LANES)) {
            for (sum, ((e, a), b)) in sums.iter_mut().zip(e.iter().zip(a).zip(b)) {
                let (a, b) = (a.abs(), b.abs());
                // Unlike `f64::max`, keeps a NaN of either.
                let larger = if a > b || a.is_nan() { a } else { b };
                let scaled = e / (atol + rtol * larger);
                *sum += scaled * scaled;
            }
        }
        let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
        total += ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7));
    }
    (total / e.len().max(1) as f64).sqrt()
}

#[inline]
pub(super) fn all_finite(x: &[f64]) -> bool {
    #[cfg(feature = "candle")]
    if x.len() >= KERNEL_FROM {
        return ansatz_ops::is_finite_slice(x);
    }
    x.iter().all(|x| x.is_finite())
}

#[cfg(all(test, feature = "candle"))]
mod tests {
    use super::*;

    /// With or without the tensor library, the same steps of a solver.
    #[test]
    fn the_loops_give_the_bits_of_the_kernels() {
        for n in [0, 1, 7, 63, 64, 1000, 8191, 8192, 20_001] {
            let make = |s: f64| (0..n).map(|i| (0.3 * i as f64 + s).sin()).collect::<Vec<f64>>();
            let [e, a, b] = [0.0, 1.0, 2.0].map(make);
            let kernel = ansatz_ops::weighted_rms_slices(&e, &a, &b, 1e-3, 1e-6).unwrap();
            assert_eq!(plain_weighted_rms(&e, &a, &b, 1e-3, 1e-6).to_bits(), kernel.to_bits());
            for base in [Some(&e[..]), None] {
                for count in [0, 1, 2, 7, 20] {
                    let terms = [&a[..], &b[..]].into_iter().cycle().take(count);
                    let terms = terms.enumerate().map(|(j, x)| (0.1 * (j as f64 - 3.5), x));
                    let (mut plain, mut kernel) = (vec![f64::NAN; n], vec![f64::NAN; n]);
                    plain_combine(&mut plain, base, terms.clone());
                    ansatz_ops::combine_slices(&mut kernel, base, &terms.collect::<Vec<_>>())
                        .unwrap();
                    assert_eq!(plain, kernel);
                }
            }
        }
    }

    #[test]
    fn any_number_of_terms() {
        let (n, count) = (100, 40);
        let terms: Vec<Vec<f64>> = (0..count).map(|j| vec![f64::from(j); n]).collect();
        let coefficients: Vec<f64> = (0..count).map(|j| f64::from(j % 3)).collect();
        let mut out = vec![0.0; n];
        combine(&mut out, None, 2.0, &coefficients, terms.iter().map(Vec::as_slice)).unwrap();
        let want: f64 = (0..count).map(|j| f64::from(2 * j * (j % 3))).sum();
        assert_eq!(out, vec![want; n]);
    }
}
