//! The normal distribution restricted to an interval, far tails included.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::draw::unit;
use super::{Key, Purpose};
use crate::{Error, Result};

impl Key {
    /// `n` standard normal numbers conditioned on lying in [`lo`, `hi`]; either end may be
    /// infinite.
    ///
    /// By rejection (Robert, "Simulation of truncated normal variables", Statistics and
    /// Computing 5, 1995). Around zero the proposals are normal, or uniform on a narrow interval;
    /// beside zero they are exponential, so that an interval 30 standard deviations out costs no
    /// more than a near one. On average less than 2.1 proposals are needed for a number, whatever
    /// the interval.
    ///
    /// For mean μ and standard deviation σ use `μ + σ x` with the interval
    /// `((lo - μ) / σ, (hi - μ) / σ)`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] unless `lo < hi`, so also if one of them is NaN.
    pub fn truncated_normal(&self, n: usize, lo: f64, hi: f64) -> Result<Vec<f64>> {
        if lo.is_nan() || hi.is_nan() || lo >= hi {
            return Err(Error::InvalidArgument {
                what: "interval of a truncated normal draw",
                value: format!("[{lo}, {hi}]"),
                expected: "lo < hi, neither of them NaN",
            });
        }
        let proposal = Proposal::choose(lo, hi);
        Ok(self.blocks(Purpose::TruncatedNormal, n, |rng| {
            loop {
                if let Some(x) = proposal.propose(rng, lo, hi) {
                    return x;
                }
            }
        }))
    }
}

/// Where the proposals of the rejection come from.
enum Proposal {
    /// The whole normal distribution; for wide intervals around zero.
    Normal,
    /// Uniform on the interval; for narrow intervals around zero.
    Uniform,
    /// Exponential from the end nearer to zero, cut at the other; for intervals beside zero.
    Exponential {
        /// −1 if the interval is left of zero and the sample has to be reflected, otherwise 1.
        sign: f64,
        /// The end nearer to zero, made positive.
        near: f64,
        /// Length of the interval.
        width: f64,
        /// Where, seen from the near end, a proposal is accepted with certainty.
        peak: f64,
    },
}

impl Proposal {
    fn choose(lo: f64, hi: f64) -> Self {
        if lo < 0.0 && hi > 0.0 {
            // Of normal proposals the part Φ(hi) − Φ(lo) is accepted, of uniform ones √(2π)/width
            // times that.
            let wide = hi - lo > (2.0 * std::f64::consts::PI).sqrt();
            return if wide { Self::Normal } else { Self::Uniform };
        }
        let (sign, near, far) = if lo >= 0.0 { (1.0, lo, hi) } else { (-1.0, -hi, -lo) };
        // With rate λ, density over proposal is exp(−x²/2 + λx), at its largest for x = λ. Robert
        // derives λ = (near + √(near² + 4))/2 for an infinite interval; in a shorter one it is the
        // far end. Its distance from the near end is written so that nothing cancels.
        let width = far - near;
        let peak = (2.0 / (near + near.hypot(2.0))).min(width);
        Self::Exponential { sign, near, width, peak }
    }

    /// One proposal: `None` if it is rejected.
    fn propose(&self, rng: &mut ChaCha8Rng, lo: f64, hi: f64) -> Option<f64> {
        match *self {
            Self::Normal => Some(StandardNormal.sample(rng)).filter(|&x| lo <= x && x <= hi),
            Self::Uniform => {
                let x = (lo + (hi - lo) * unit(rng)).min(hi);
                (unit(rng) < (-0.5 * x * x).exp()).then_some(x)
            }
            Self::Exponential { sign, near, width, peak } => {
                let rate = near + peak;
                // Probability that the uncut exponential stays inside, with opposite sign.
                let inside = (-rate * width).exp_m1();
                // Inverse of the cut exponential's distribution function, from the near end.
                let d = -(unit(rng) * inside).ln_1p() / rate;
                let accepted = unit(rng) < (-0.5 * (d - peak) * (d - peak)).exp();
                accepted.then(|| (sign * (near + d)).clamp(lo, hi))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean number of proposals per sample, as the documentation promises it.
    #[test]
    fn every_interval_is_cheap() {
        let ends = [-1e9, -30.0, -3.0, -1.0, -1e-3, 0.0, 1e-3, 0.4, 1.0, 3.0, 30.0, 1e9];
        let widths = [1e-6, 0.1, 1.0, 2.4, 2.6, 10.0, f64::INFINITY];
        let mut most: f64 = 0.0;
        for lo in ends {
            for (lo, hi) in widths.map(|w| (lo, lo + w)).into_iter().chain([(-f64::INFINITY, lo)]) {
                let proposal = Proposal::choose(lo, hi);
                let mut rng = Key::new(1).generator(Purpose::TruncatedNormal, 0);
                let tries = 4000;
                let hits = (0..tries).filter_map(|_| proposal.propose(&mut rng, lo, hi)).count();
                most = most.max(f64::from(tries) / hits as f64);
            }
        }
        // 2.1 and five standard deviations of the ratio.
        assert!(most < 2.3, "{most} proposals per sample");
    }
}
