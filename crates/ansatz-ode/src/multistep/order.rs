//! Which order and step length come next: [`OrderControl`].

use crate::Judgement;

/// Errors that a step of each order would have made, in the norm of the tolerances; infinite where
/// they are not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimates {
    pub(super) lower: f64,
    pub(super) present: f64,
    pub(super) higher: f64,
    /// Terms of higher order are not the smaller ones: the solution is rough, or the method is not
    /// stable.
    pub(super) rough: bool,
}

impl Estimates {
    pub(super) const NONE: Self =
        Self { lower: f64::INFINITY, present: 0.0, higher: f64::INFINITY, rough: false };
}

/// Chooses the order and the length of steps by which of them promises the longest next step.
#[derive(Debug, Clone)]
pub(super) struct OrderControl {
    /// The order of the step at hand.
    pub(super) order: usize,
    most: usize,
    /// The order of the step after it.
    next: usize,
    /// Steps since the order or the length was changed.
    since: usize,
    /// Rejected attempts at the step at hand.
    failures: usize,
    /// No step was rejected yet, nor did the length stop growing.
    starting: bool,
    /// Length of the step at hand when it was accepted.
    accepted: f64,
}

impl OrderControl {
    pub(super) fn new(most: usize) -> Self {
        Self { order: 1, most, next: 1, since: 0, failures: 0, starting: true, accepted: 0.0 }
    }

    /// Begins again, at order 1.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.most);
    }

    /// The error of a step of length `h` is known.
    pub(super) fn judge(&mut self, h: f64, errors: &Estimates) -> Judgement {
        if errors.present <= 1.0 {
            return Judgement { accept: true, next: h * self.accept(h, errors) };
        }
        Judgement { accept: false, next: h * self.reject(errors) }
    }

    /// The most that a step of this order could be longer.
    fn factor(error: f64, order: usize) -> f64 {
        1.0 / ((BIAS * error).powf(1.0 / (order as f64 + 1.0)) + 1e-6)
    }

    fn accept(&mut self, h: f64, errors: &Estimates) -> f64 {
        self.failures = 0;
        self.since += 1;
        self.accepted = h;
        let k = self.order;
        self.next = k;
        if k > 1 && errors.rough {
            self.next = k - 1;
            self.since = 0;
            return Self::factor(errors.lower, k - 1).clamp(0.5, 1.0);
        }
        if self.since <= k {
            return 1.0;
        }
        let mut best = (k, Self::factor(errors.present, k));
        let mut consider = |order: usize, error: f64| {
            let factor = Self::factor(error, order);
            if factor > best.1 {
                best = (order, factor);
            }
        };
        if k > 1 {
            consider(k - 1, errors.lower);
        }
        if k < self.most {
            consider(k + 1, errors.higher);
        }
        let (order, factor) = best;
        self.next = order;
        let most = if self.starting && k == 1 { 100.0 } else { 10.0 };
        if order == k && (0.9..LONGER).contains(&factor) {
            return 1.0;
        }
        self.since = 0;
        factor.min(most)
    }

    fn reject(&mut self, errors: &Estimates) -> f64 {
        self.failures += 1;
        self.since = 0;
        self.starting = false;
        let k = self.order;
        if !errors.present.is_finite() {
            return 0.2;
        }
        match self.failures {
            1 => {
                let here = Self::factor(errors.present, k);
                let lower = if k > 1 { Self::factor(errors.lower, k - 1) } else { 0.0 };
                if lower > here {
                    self.order = k - 1;
                }
                here.max(lower).clamp(0.2, 0.9)
            }
            2 => {
                self.order = (k - 1).max(1);
                0.25
            }
            _ => {
                self.order = 1;
                0.25
            }
        }
    }

    /// Whether the error of the next higher order may be asked for.
    #[cfg(feature = "stiff")]
    pub(super) fn may_climb(&self) -> bool {
        self.order < self.most && self.since >= self.order
    }

    /// The equations of an attempt could not be solved.
    #[cfg(feature = "stiff")]
    pub(super) fn failed(&mut self) {
        self.since = 0;
        self.starting = false;
    }

    /// Goes on to the next step.
    pub(super) fn advance(&mut self) {
        self.order = self.next;
    }

    /// Whether a step of length `h` was cut short after it had been accepted.
    pub(super) fn was_cut(&self, h: f64) -> bool {
        h < 0.5 * self.accepted
    }

    /// Goes on without any judgement, with the highest order that there is room for.
    pub(super) fn climb(&mut self, room: usize) {
        self.order = room.clamp(1, self.most);
        self.next = self.order;
    }
}

/// A step is meant to have this part of the error that it may have.
const BIAS: f64 = 2.0;

/// Lengths that would grow by less than this stay.
const LONGER: f64 = 1.2;

#[cfg(test)]
mod tests {
    use super::*;

    fn control(order: usize) -> OrderControl {
        let mut control = OrderControl::new(5);
        control.climb(order);
        control
    }

    fn errors(lower: f64, present: f64, higher: f64) -> Estimates {
        Estimates { lower, present, higher, rough: false }
    }

    #[test]
    fn failures_in_a_row_lower_the_order_to_one() {
        let mut c = control(4);
        // The same order first, with the length that its error asks for.
        let first = c.judge(1.0, &errors(100.0, 3.0, f64::INFINITY));
        assert!(!first.accept && (first.next - 6f64.powf(-0.2)).abs() < 1e-5, "{first:?}");
        assert_eq!(c.order, 4);
        let second = c.judge(1.0, &errors(100.0, 3.0, f64::INFINITY));
        assert_eq!((second.accept, second.next, c.order), (false, 0.25, 3));
        let third = c.judge(1.0, &errors(100.0, 3.0, f64::INFINITY));
        assert_eq!((third.accept, third.next, c.order), (false, 0.25, 1));
        // A step that is accepted ends the row.
        assert!(c.judge(1.0, &errors(f64::INFINITY, 0.5, f64::INFINITY)).accept);
        assert_eq!(c.failures, 0);
    }

    #[test]
    fn a_failure_takes_the_lower_order_where_that_is_longer() {
        let mut c = control(4);
        let j = c.judge(1.0, &errors(2.0, 30.0, f64::INFINITY));
        assert!(!j.accept && c.order == 3 && (j.next - 4f64.powf(-0.25)).abs() < 1e-5, "{j:?}");
        assert_eq!(control(4).judge(1.0, &errors(2.0, f64::NAN, 0.0)).next, 0.2);
    }

    #[test]
    fn the_order_of_the_longest_next_step_is_taken() {
        for (estimates, order) in [
            (errors(1e-2, 1e-2, 1e-9), 4),
            (errors(1e-9, 1e-2, 1e-2), 2),
            (errors(1e-2, 1e-9, 1e-2), 3),
            (Estimates { rough: true, ..errors(0.5, 0.1, 1e-9) }, 2),
        ] {
            let mut c = control(3);
            c.since = 3;
            assert!(c.judge(1.0, &estimates).accept);
            c.advance();
            assert_eq!(c.order, order, "{estimates:?}");
        }
        // Neither the order nor the length changes before there are enough steps.
        let mut c = control(3);
        let j = c.judge(1.0, &errors(1e-9, 1e-9, 1e-9));
        c.advance();
        assert_eq!((j.next, c.order), (1.0, 3));
    }
}
