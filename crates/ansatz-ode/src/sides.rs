//! On which side of a jump of the field a step lies: [`Sides`].

use crate::Span;

/// Keeps evaluations of the field off the times at which it jumps.
///
/// A step up to a jump must see the field before it, the step from there the field behind it, and
/// both would evaluate it at the same time. So a step that touches a jump is taken between times a
/// few roundings inside; what it leaves out is shorter than the resolution of time.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    /// Increasing, whatever the direction of the solve.
    jumps: Vec<f64>,
    /// How far inside, with the sign of the direction. Wide enough that `t + h` cannot be rounded
    /// across the jump.
    margin: f64,
}

impl Sides {
    /// `jumps` run in one direction.
    pub(crate) fn new(jumps: &[f64], span: &Span) -> Self {
        let mut jumps = jumps.to_vec();
        if jumps.first() > jumps.last() {
            jumps.reverse();
        }
        let scale = span.t0.abs().max(span.t1.abs());
        Self { jumps, margin: span.direction() * 4.0 * f64::EPSILON * scale }
    }

    /// The jumps between two times, in the order in which one comes by on the way.
    pub(crate) fn between(&self, t0: f64, t1: f64) -> Vec<f64> {
        let (low, high) = (t0.min(t1), t0.max(t1));
        let inside = self.jumps.iter().copied().filter(|s| low < *s && *s < high);
        if t1 < t0 { inside.rev().collect() } else { inside.collect() }
    }

    fn is_jump(&self, t: f64) -> bool {
        self.jumps.get(self.jumps.partition_point(|s| *s < t)) == Some(&t)
    }

    /// Where the field is evaluated for what comes after `t`.
    #[inline]
    pub(crate) fn after(&self, t: f64) -> f64 {
        if self.is_jump(t) { t + self.margin } else { t }
    }

    /// Where the field is evaluated for what comes before `t`.
    #[inline]
    pub(crate) fn before(&self, t: f64) -> f64 {
        if self.is_jump(t) { t - self.margin } else { t }
    }

    /// Start and signed length of the step from `t0` to `t1` as it is taken.
    #[inline]
    pub(crate) fn inside(&self, t0: f64, t1: f64) -> (f64, f64) {
        let start = self.after(t0);
        let h = self.before(t1) - start;
        // A step as short as the margin has no inside.
        if h * self.margin < 0.0 || h == 0.0 { (t0, t1 - t0) } else { (start, h) }
    }
}
