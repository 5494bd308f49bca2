//! A line search for the strong Wolfe conditions.

use crate::Result;

/// A function along a line.
#[derive(Debug, Clone)]
pub(super) struct Sample<P> {
    pub(super) length: f64,
    pub(super) value: f64,
    pub(super) slope: f64,
    /// Whatever belongs to the point.
    pub(super) point: P,
}

/// The conditions: `φ(t) ≤ φ(0) + c₁ t φ'(0)` and `|φ'(t)| ≤ c₂ |φ'(0)|`.
///
/// Differences of `φ` below `noise` are taken for rounding: there the first condition is asked of the
/// slopes, `φ'(t) ≤ (2 c₁ − 1) φ'(0)`, which is the same for a parabola (W. Hager, H. Zhang, SIAM J.
/// Optim. 16, 2005, eq. 4.1).
pub(super) struct StrongWolfe {
    pub(super) value: f64,
    /// Negative.
    pub(super) slope: f64,
    pub(super) noise: f64,
}

/// `c₁` and `c₂` as recommended for quasi-Newton methods (J. Nocedal, S. Wright, *Numerical
/// Optimization*, 2nd ed., 2006, §3.1).
pub(super) const DECREASE: f64 = 1e-4;
pub(super) const CURVATURE: f64 = 0.9;
/// Evaluations of one search.
const MOST: usize = 40;

impl StrongWolfe {
    fn decreases<P>(&self, at: &Sample<P>) -> bool {
        at.value <= self.value + DECREASE * at.length * self.slope
            || (at.value - self.value).abs() <= self.noise
                && at.slope <= (2.0 * DECREASE - 1.0) * self.slope
    }

    fn is_flat<P>(&self, at: &Sample<P>) -> bool {
        at.slope.abs() <= -CURVATURE * self.slope
    }

    /// A point that fulfils the conditions, tried from the length `first` on; when rounding hides
    /// it, the lowest, if any is lower (Nocedal & Wright, algorithms 3.5 and 3.6, with
    /// cubic interpolation); and whether it fulfils them. `sample` may give values that are not
    /// finite.
    pub(super) fn search<P: Clone>(
        &self,
        origin: P,
        first: f64,
        mut sample: impl FnMut(f64) -> Result<Sample<P>>,
    ) -> Result<Option<(Sample<P>, bool)>> {
        let zero = Sample { length: 0.0, value: self.value, slope: self.slope, point: origin };
        let mut before = zero;
        let mut length = first;
        // Beyond it the function is not finite.
        let mut limit = f64::INFINITY;
        for trial in 0..MOST {
            let now = sample(length)?;
            if !(now.value.is_finite() && now.slope.is_finite()) {
                limit = length;
                length = 0.5 * (before.length + length);
                continue;
            }
            let left = MOST - trial;
            if !self.decreases(&now) || now.value > before.value + self.noise {
                return self.zoom(before, now, left, sample);
            }
            if self.is_flat(&now) {
                return Ok(Some((now, true)));
            }
            if now.slope >= 0.0 {
                return self.zoom(now, before, left, sample);
            }
            // As far as Moré and Thuente extrapolate.
            let width = now.length - before.length;
            let [least, most] = [now.length + 1.1 * width, now.length + 4.0 * width];
            length = match cubic(&before, &now) {
                Some(best) if best > now.length => best.clamp(least, most),
                _ => most,
            };
            length = length.min(0.5 * (now.length + limit));
            before = now;
        }
        Ok((before.value < self.value).then_some((before, false)))
    }

    /// Between `low`, the lowest that decreases enough, and `high`; there is a point that fulfils
    /// the conditions between them.
    fn zoom<P: Clone>(
        &self,
        mut low: Sample<P>,
        mut high: Sample<P>,
        trials: usize,
        mut sample: impl FnMut(f64) -> Result<Sample<P>>,
    ) -> Result<Option<(Sample<P>, bool)>> {
        let mut halve = false;
        for _ in 0..trials {
            let width = high.length - low.length;
            if width.abs() <= 4.0 * f64::EPSILON * low.length.max(high.length) {
                break;
            }
            let margin = 0.1 * width.abs();
            let middle = 0.5 * (low.length + high.length);
            let length = match cubic(&low, &high) {
                Some(best) if !halve => best.clamp(
                    low.length.min(high.length) + margin,
                    low.length.max(high.length) - margin,
                ),
                _ => middle,
            };
            let now = sample(length)?;
            let finite = now.value.is_finite() && now.slope.is_finite();
            if !finite || !self.decreases(&now) || now.value > low.value + self.noise {
                high = now;
            } else {
                if self.is_flat(&now) {
                    return Ok(Some((now, true)));
                }
                let old = std::mem::replace(&mut low, now);
                if low.slope * width >= 0.0 {
                    high = old;
                }
            }
            // One end that stays where it is.
            halve = (high.length - low.length).abs() > 0.66 * width.abs();
        }
        Ok((low.value < self.value).then_some((low, false)))
    }
}

/// The minimum of the cubic through both values and slopes (Nocedal & Wright, eq. 3.59).
fn cubic<P>(a: &Sample<P>, b: &Sample<P>) -> Option<f64> {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length);
    let d2 = (b.length - a.length).signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    let best =
        b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    best.is_finite().then_some(best)
}
