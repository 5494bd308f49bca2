//! Draws of plain numbers from a key: uniform, normal, signs, categories, permutations.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Key, Purpose};
use crate::{Error, Result};

/// Values per block. Each block has a ChaCha stream of its own, so rejection inside one block
/// does not move the values of the next: blocks can be drawn in any order or in parallel, and
/// a longer draw continues a shorter one. Changing this number changes all normal draws.
pub(super) const BLOCK: usize = 4096;

impl Key {
    /// `n` numbers uniform on [0, 1): the multiples of 2⁻⁵³.
    pub fn uniform(&self, n: usize) -> Vec<f64> {
        self.blocks(Purpose::Uniform, n, unit)
    }

    /// `n` standard normal numbers, by the ziggurat method of Doornik (2005).
    pub fn normal(&self, n: usize) -> Vec<f64> {
        self.blocks(Purpose::Normal, n, |rng| StandardNormal.sample(rng))
    }

    /// `n` signs, −1 or +1 with equal probability: Rademacher's distribution, as in Hutchinson's
    /// trace estimator.
    pub fn rademacher(&self, n: usize) -> Vec<f64> {
        let mut out = vec![0.0; n];
        for (b, block) in out.chunks_mut(BLOCK).enumerate() {
            let mut rng = self.generator(Purpose::Rademacher, b as u64);
            for group in block.chunks_mut(64) {
                let bits = rng.next_u64();
                for (i, value) in group.iter_mut().enumerate() {
                    *value = if bits >> i & 1 == 0 { -1.0 } else { 1.0 };
                }
            }
        }
        out
    }

    /// `n` indices into `weights`, index `i` with probability `weights[i] / Σ weights`, drawn
    /// with replacement.
    ///
    /// The weights need not sum to one. An index of weight zero is never drawn.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if `weights` is empty or all zero, or if a weight is negative,
    /// infinite or NaN.
    pub fn categorical(&self, weights: &[f64], n: usize) -> Result<Vec<usize>> {
        let invalid = |value: String, expected| Error::InvalidArgument {
            what: "weights of a categorical draw",
            value,
            expected,
        };
        if let Some((i, w)) =
            weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0))
        {
            return Err(invalid(format!("{w} at index {i}"), "finite numbers, none negative"));
        }
        let Some(last) = weights.iter().rposition(|&w| w > 0.0) else {
            return Err(invalid(
                format!("{} weights, none positive", weights.len()),
                "at least one positive weight",
            ));
        };
        // Relative to the largest weight, so that the sum cannot overflow.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let cumulative: Vec<f64> = weights[..=last]
            .iter()
            .scan(0.0, |sum, w| {
                *sum += w / largest;
                Some(*sum)
            })
            .collect();
        let total = cumulative[last];
        // The first index whose cumulative weight exceeds the threshold: an index of weight zero
        // has the cumulative weight of its predecessor and is passed over. `min(last)` covers a
        // threshold rounded up to the total.
        Ok(self.blocks(Purpose::Categorical, n, |rng| {
            let threshold = unit(rng) * total;
            cumulative.partition_point(|&c| c <= threshold).min(last)
        }))
    }

    /// A permutation of `0..n`, each of the `n!` equally likely, by the Fisher–Yates shuffle
    /// (Durstenfeld 1964).
    ///
    /// Unlike the other draws, a longer permutation does not continue a shorter one.
    pub fn permutation(&self, n: usize) -> Vec<usize> {
        let mut rng = self.generator(Purpose::Permutation, 0);
        let mut out: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            out.swap(i, below(&mut rng, i as u64 + 1) as usize);
        }
        out
    }

    /// `n` values, block after block, each block from its own generator.
    pub(super) fn blocks<T>(
        &self,
        purpose: Purpose,
        n: usize,
        mut sample: impl FnMut(&mut ChaCha8Rng) -> T,
    ) -> Vec<T> {
        let mut out = Vec::with_capacity(n);
        for start in (0..n).step_by(BLOCK) {
            let mut rng = self.generator(purpose, (start / BLOCK) as u64);
            out.extend((start..n.min(start + BLOCK)).map(|_| sample(&mut rng)));
        }
        out
    }
}

/// A multiple of 2⁻⁵³ uniform on [0, 1).
pub(super) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (f64::EPSILON / 2.0)
}

/// An unbiased integer in `0..bound`, by multiplication with rejection (Lemire, "Fast random
/// integer generation in an interval", ACM TOMACS 29, 2019, algorithm 5).
fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    let mut product = u128::from(rng.next_u64()) * u128::from(bound);
    if (product as u64) < bound {
        let rejected = bound.wrapping_neg() % bound; // 2⁶⁴ mod bound
        while (product as u64) < rejected {
            product = u128::from(rng.next_u64()) * u128::from(bound);
        }
    }
    (product >> 64) as u64
}
