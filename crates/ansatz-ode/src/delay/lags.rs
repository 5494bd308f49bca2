//! How far back a delay equation looks: [`Lags`].

use std::sync::Arc;

use crate::{Error, Result};

/// Lags as a function of time and state.
type OfState<Y> = Arc<dyn Fn(f64, &Y, &mut [f64]) + Send + Sync>;

/// The lags `τ₁, τ₂, …` of a delay equation, all positive.
#[derive(Clone)]
pub struct Lags<Y>(Kind<Y>);

#[derive(Clone)]
enum Kind<Y> {
    Constant(Vec<f64>),
    OfState(usize, OfState<Y>),
}

impl<Y> Lags<Y> {
    /// Lags that do not change. The kinks that travel from the start are known: steps end there.
    pub fn constant(lags: impl Into<Vec<f64>>) -> Self {
        Self(Kind::Constant(lags.into()))
    }

    /// `count` lags that `lags(t, y, out)` writes. Where one is shorter than a step, the step is tried
    /// again, shorter; a lag that vanishes ends the solve. Kinks are found by the error control alone.
    pub fn of_state(
        count: usize,
        lags: impl Fn(f64, &Y, &mut [f64]) + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::OfState(count, Arc::new(lags)))
    }

    pub(super) fn validate(&self) -> Result<()> {
        let Kind::Constant(lags) = &self.0 else { return Ok(()) };
        match lags.iter().find(|lag| !(**lag > 0.0 && lag.is_finite())) {
            Some(lag) => Err(Error::invalid("lag", lag, "a positive finite time")),
            None => Ok(()),
        }
    }

    pub(super) fn count(&self) -> usize {
        match &self.0 {
            Kind::Constant(lags) => lags.len(),
            Kind::OfState(count, _) => *count,
        }
    }

    pub(super) fn at(&self, t: f64, y: &Y, out: &mut [f64]) {
        match &self.0 {
            Kind::Constant(lags) => out.copy_from_slice(lags),
            Kind::OfState(_, lags) => lags(t, y, out),
        }
    }

    /// The shortest and the longest, where they do not change.
    pub(super) fn bounds(&self) -> Option<(f64, f64)> {
        let Kind::Constant(lags) = &self.0 else { return None };
        let longest = lags.iter().copied().fold(0.0, f64::max);
        Some((lags.iter().copied().fold(f64::INFINITY, f64::min), longest))
    }

    /// Where between `t0` and `t1` the solution has kinks in its derivatives up to `order`: at the start
    /// and up to `order` lags after it.
    pub(super) fn kinks(&self, t0: f64, t1: f64, order: u32) -> Vec<f64> {
        let Kind::Constant(lags) = &self.0 else { return Vec::new() };
        let mut all = vec![t0];
        let mut last = vec![t0];
        for _ in 0..order {
            let next = last.iter().flat_map(|t| lags.iter().map(move |lag| t + lag));
            last = sorted(next.filter(|t| *t < t1).collect());
            all.extend(&last);
        }
        all = sorted(all);
        all.retain(|t| *t > t0);
        all
    }
}

/// In order, once each: sums of lags in another order differ by rounding.
fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times.dedup_by(|b, a| (*b - *a).abs() <= 16.0 * f64::EPSILON * a.abs().max(b.abs()));
    times
}

impl<Y> std::fmt::Debug for Lags<Y> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Constant(lags) => f.debug_tuple("Lags").field(lags).finish(),
            Kind::OfState(count, _) => write!(f, "Lags({count} of the state)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lags;

    #[test]
    fn kinks_are_sums_of_lags() {
        let lags = Lags::<f64>::constant([0.5, 0.3]);
        let kinks = lags.kinks(1.0, 2.05, 3);
        let want = [1.3, 1.5, 1.6, 1.8, 1.9, 2.0];
        assert_eq!(kinks.len(), want.len(), "{kinks:?}");
        assert!(kinks.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-14), "{kinks:?}");
        assert!(lags.kinks(1.0, 2.0, 0).is_empty());
        assert_eq!(lags.bounds(), Some((0.3, 0.5)));
    }
}
