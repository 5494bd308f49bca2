//! The operations on all lanes, compiled for the vector instructions of the machine.
//!
//! Each is as little generic as it can be, so that a program with many fields and methods compiles
//! most of them once.

use std::{hint::select_unpredictable, marker::PhantomData};

use pulp::NullaryFnOnce;

use super::{
    EnsembleField,
    lanes::{Lanes, Limits, Steps, Way, outcome},
    rows::{LANES, Row, Rows, Term, Tolerances, column, set_column, sum_up},
};
use crate::{Controller, Judgement, Trial};

/// `out ← base + h · Σ c k`, without `base` the sum alone.
pub(super) struct Combine<'a, const N: usize> {
    pub(super) base: Option<&'a Rows<N>>,
    pub(super) h: &'a Row,
    pub(super) terms: &'a [Term],
    pub(super) slopes: &'a [Rows<N>],
    pub(super) out: &'a mut Rows<N>,
}

impl<const N: usize> NullaryFnOnce for Combine<'_, N> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { base, h, terms, slopes, out } = self;
        let sum = sum_up(terms, slopes);
        for i in 0..N {
            for lane in 0..LANES {
                let scaled = h[lane] * sum[i][lane];
                out[i][lane] = base.map_or(scaled, |base| base[i][lane] + scaled);
            }
        }
    }
}

/// The slopes `f(t + c h, y, p)`.
pub(super) struct Evaluate<'a, F, const N: usize, const P: usize> {
    pub(super) field: &'a F,
    pub(super) t: &'a Row,
    pub(super) c: f64,
    pub(super) h: &'a Row,
    pub(super) y: &'a Rows<N>,
    pub(super) parameters: &'a Rows<P>,
    pub(super) slopes: &'a mut Rows<N>,
}

impl<F, const N: usize, const P: usize> NullaryFnOnce for Evaluate<'_, F, N, P>
where
    F: EnsembleField<N, P>,
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { field, t, c, h, y, parameters, slopes } = self;
        // In rows of their own, which nothing that the field captured can overlap.
        let mut out = [Row::of(0.0); N];
        for lane in 0..LANES {
            let t = t[lane] + c * h[lane];
            let slope = field.eval(t, &column(y, lane), &column(parameters, lane));
            set_column(&mut out, lane, &slope);
        }
        *slopes = out;
    }
}

/// The root mean square of `eᵢ / (atol + rtol·max(|aᵢ|, |bᵢ|))`.
pub(super) struct WeightedRms<'a, const N: usize> {
    pub(super) e: &'a Rows<N>,
    pub(super) a: &'a Rows<N>,
    pub(super) b: &'a Rows<N>,
    pub(super) tolerances: &'a Tolerances,
}

impl<const N: usize> NullaryFnOnce for WeightedRms<'_, N> {
    type Output = Row;

    #[inline(always)]
    fn call(self) -> Row {
        let Self { e, a, b, tolerances } = self;
        // Eight partial sums, added up as `State` does.
        let mut sums = [Row::of(0.0); 8];
        for i in 0..N {
            let sum = &mut sums[i % 8];
            for lane in 0..LANES {
                let (a, b) = (a[i][lane].abs(), b[i][lane].abs());
                // Unlike `f64::max`, keeps a NaN of either.
                let larger = if a > b || a.is_nan() { a } else { b };
                let scaled = e[i][lane] / (tolerances.atol[lane] + tolerances.rtol[lane] * larger);
                sum[lane] += scaled * scaled;
            }
        }
        let mut norm = Row::of(0.0);
        for lane in 0..LANES {
            let [s0, s1, s2, s3, s4, s5, s6, s7] = &sums;
            let even = (s0[lane] + s4[lane]) + (s2[lane] + s6[lane]);
            let odd = (s1[lane] + s5[lane]) + (s3[lane] + s7[lane]);
            norm[lane] = ((even + odd) / N as f64).sqrt();
        }
        norm
    }
}

/// Judges the step of every lane: which are accepted, and how long the next ones are.
pub(super) struct Judge<'a, M, C> {
    pub(super) controller: &'a C,
    pub(super) steps: &'a Steps,
    pub(super) error: &'a Row,
    /// The power of the step length in the error estimate.
    pub(super) order: u32,
    pub(super) method: PhantomData<M>,
}

impl<M, C: Controller<M>> NullaryFnOnce for Judge<'_, M, C> {
    type Output = (Row<bool>, Row);

    #[inline(always)]
    fn call(self) -> (Row<bool>, Row) {
        let Self { controller, steps, error, order, .. } = self;
        let (mut accepted, mut following) = (Row::of(false), Row::of(0.0));
        let trial = |lane| {
            let (h, before) = (steps.h[lane].abs(), steps.previous_h[lane]);
            Trial {
                h,
                error: error[lane],
                order,
                previous: [steps.previous[0][lane], steps.previous[1][lane]],
                previous_h: if before > 0.0 { before } else { h },
                again: steps.again[lane],
            }
        };
        controller.judge_each(LANES, trial, |lane, Judgement { accept, next }| {
            accepted[lane] = accept;
            following[lane] = next;
        });
        (accepted, following)
    }
}

/// Goes on from the steps that were accepted, and plans the next ones. Returns 0 if every lane goes
/// on.
pub(super) struct Commit<'a, const N: usize, const P: usize> {
    pub(super) limits: &'a Limits,
    pub(super) lanes: &'a mut Lanes<N, P>,
    /// Which slope the next step begins with.
    pub(super) end: usize,
}

impl<const N: usize, const P: usize> NullaryFnOnce for Commit<'_, N, P> {
    type Output = u8;

    #[inline(always)]
    fn call(self) -> u8 {
        let Self { limits, lanes, end } = self;
        let Lanes { y, y_new, accept, slopes, .. } = lanes;
        let (first, rest) = slopes.split_at_mut(1);
        take(&mut first[0], &rest[end - 1], accept);
        take(y, y_new, accept);

        let (old, adaptive) = (&lanes.steps, !limits.fixed);
        // In rows of their own: nothing that is read is written.
        let mut new = Steps::none();
        for lane in 0..LANES {
            let (accept, busy, last) = (lanes.accept[lane], lanes.busy[lane], old.last[lane]);
            let (next, error) = (lanes.next[lane], lanes.error[lane]);
            let reject = busy && !accept;
            let over = accept && last;
            let (t_old, t_new) = (old.t[lane], old.t_new[lane]);
            let t = if accept { t_new } else { t_old };
            let accepted = old.accepted[lane] + if accept { 1.0 } else { 0.0 };
            let rejected = old.rejected[lane] + if reject && adaptive { 1.0 } else { 0.0 };
            new.t[lane] = t;
            new.accepted[lane] = accepted;
            new.rejected[lane] = rejected;
            let [newer, older] = [old.previous[0][lane], old.previous[1][lane]];
            new.previous[0][lane] = if accept { error } else { newer };
            new.previous[1][lane] = if accept { newer } else { older };
            let (h, before) = (old.h[lane].abs(), old.previous_h[lane]);
            new.previous_h[lane] = if accept { h } else { before };
            new.again[lane] = reject;

            let way = Way {
                start: lanes.start[lane],
                target: lanes.target[lane],
                direction: lanes.direction[lane],
                count: lanes.count[lane],
            };
            let plan = limits.plan(next, t, accepted, &way);
            new.length[lane] = if busy { plan.length } else { 0.0 };
            new.t_new[lane] = if busy { plan.t_new } else { t };
            new.h[lane] = if busy { plan.t_new - t } else { 0.0 };
            new.last[lane] = plan.last;
            // Below the resolution of time only a value that stays NaN brings a step.
            let short = next < 1e-14 * (way.target - way.start).abs();
            let lost = reject && (!adaptive || (!error.is_finite() && short));
            // A shorter step would be rounded up again.
            let tiny = reject && next <= 4.0 * f64::EPSILON * t.abs();
            let spent = accepted + rejected >= limits.max_steps;
            let mut outcome = if plan.too_small { outcome::TOO_SMALL } else { outcome::GOES_ON };
            outcome = if spent { outcome::BUDGET } else { outcome };
            outcome = if tiny { outcome::TOO_SMALL } else { outcome };
            outcome = if lost { outcome::NOT_FINITE } else { outcome };
            outcome = if over { outcome::FINISHED } else { outcome };
            new.outcome[lane] = if busy { outcome } else { outcome::GOES_ON };
        }
        lanes.steps = new;
        (0..LANES).fold(outcome::GOES_ON, |any, lane| any | new.outcome[lane])
    }
}

/// Replaces `old` where the step was accepted.
#[inline(always)]
fn take<const N: usize>(old: &mut Rows<N>, new: &Rows<N>, accept: &Row<bool>) {
    let mut taken = [Row::of(0.0); N];
    for i in 0..N {
        for lane in 0..LANES {
            // Not `if`, which would become a choice of where to read, in each lane alone.
            taken[i][lane] = select_unpredictable(accept[lane], new[i][lane], old[i][lane]);
        }
    }
    *old = taken;
}
