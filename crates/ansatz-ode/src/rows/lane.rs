//! The control of one row: [`Lane`].

use crate::{Statistics, Status, Trial, leg::Leg};

/// How the lengths of steps are chosen, where the controller has no say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_step: f64,
    pub(super) min_step: f64,
    pub(super) max_steps: usize,
}

/// A row on its way: the decisions that an ordinary solve makes, for each row alone.
pub(super) struct Lane {
    /// Which row of the batch that was given.
    pub(super) row: usize,
    leg: Leg,
    /// Length of the interval.
    length: f64,
    pub(super) t: f64,
    /// Length that the next step wants to have, positive.
    h: f64,
    /// The step that is being tried: its end, its signed length, whether it is the last one.
    pub(super) t_new: f64,
    pub(super) signed: f64,
    pub(super) last: bool,
    previous: [f64; 2],
    previous_h: Option<f64>,
    again: bool,
    /// Save times that were passed.
    pub(super) saved: usize,
    pub(super) statistics: Statistics,
}

impl Lane {
    /// A row that is to go from `t0` to `t1` with a first step of length `h`.
    pub(super) fn new(
        row: usize,
        (t0, t1): (f64, f64),
        h: f64,
        fixed: bool,
        saved: usize,
        evaluations: usize,
    ) -> Self {
        let direction = if t1 < t0 { -1.0 } else { 1.0 };
        Self {
            row,
            leg: Leg::new(t0, t1, direction, fixed.then_some(h)),
            length: (t1 - t0).abs(),
            t: t0,
            h,
            t_new: t0,
            signed: 0.0,
            last: false,
            previous: [1.0; 2],
            previous_h: None,
            again: false,
            saved,
            statistics: Statistics { evaluations, ..Statistics::default() },
        }
    }

    /// Prepares the next step; what ends the row here, if anything does.
    pub(super) fn plan(&mut self, limits: &Limits) -> Option<Status> {
        if self.statistics.attempted() >= limits.max_steps {
            return Some(Status::StepBudgetExhausted);
        }
        self.h = self.h.min(limits.max_step);
        (self.t_new, self.last) = self.leg.next(self.t, self.h);
        self.signed = self.t_new - self.t;
        let too_small = self.signed == 0.0 || (self.h < limits.min_step && !self.last);
        too_small.then_some(Status::StepTooSmall { h: self.h })
    }

    /// The step, for the controller.
    #[inline(always)]
    pub(super) fn trial(&self, error: f64, order: u32) -> Trial {
        let (h, previous) = (self.signed.abs(), self.previous);
        let previous_h = self.previous_h.unwrap_or(h);
        Trial { h, error, order, previous, previous_h, again: self.again }
    }

    /// The step failed its test; what ends the row, if anything does.
    pub(super) fn reject(&mut self, error: f64, next: f64) -> Option<Status> {
        self.statistics.rejected += 1;
        self.again = true;
        self.h = next;
        // Below the resolution of time only a value that stays NaN brings us here.
        if !error.is_finite() && next < 1e-14 * self.length {
            return Some(Status::NotFinite { what: "the vector field or the state" });
        }
        // Near the resolution of time the attempted length is rounded up again, so that shortening it
        // further would change nothing.
        (next <= 4.0 * f64::EPSILON * self.t.abs()).then_some(Status::StepTooSmall { h: next })
    }

    /// The step counts. `judged` holds its error and the length for the next one, where a controller
    /// chooses it.
    pub(super) fn accept(&mut self, judged: Option<(f64, f64)>) -> Option<Status> {
        if let Some((error, next)) = judged {
            self.previous = [error, self.previous[0]];
            self.previous_h = Some(self.signed.abs());
            self.h = next;
        }
        self.again = false;
        self.statistics.accepted += 1;
        self.t = self.t_new;
        self.leg.taken(self.t, false);
        self.last.then_some(Status::Finished)
    }
}
