//! The loop that every solve runs: [`integrate`].

use ansatz_core::State;

use crate::{
    Attempt, Controller, Crossing, Error, ErrorNorm, Event, Interpolates, Judgement, Made, Needs,
    Result, Solves, Span, Statistics, Status, Stepper, Trial,
    leg::Leg,
    sides::Sides,
    watch::{Outcome, Search, Watcher, meet},
};

/// One accepted step, as an observer sees it.
pub(crate) struct Step<'a, Y, S> {
    /// Time before.
    pub(crate) t0: f64,
    /// Signed length; the state after belongs to the time `t1`, which need not be `t0 + h` to the
    /// last bit.
    pub(crate) h: f64,
    /// Time after.
    pub(crate) t1: f64,
    /// State before.
    pub(crate) y0: &'a Y,
    /// State after.
    pub(crate) y1: &'a Y,
    /// The method, which knows the solution inside the step if the observer asked for it.
    pub(crate) stepper: &'a S,
}

impl<Y: Clone, S> Step<'_, Y, S> {
    /// The solution at a time inside.
    pub(crate) fn at(&self, t: f64) -> Result<Y>
    where
        S: Interpolates<Y>,
    {
        let mut y = self.y0.clone();
        self.stepper.interpolate((t - self.t0) / self.h, self.y0, self.y1, &mut y)?;
        Ok(y)
    }
}

/// Sees the accepted steps of a solve.
pub(crate) trait Observer<Y, S> {
    /// Whether the solution inside the step `t0 → t1` will be read.
    fn wants_inside(&self, t1: f64) -> bool;

    /// Called after every accepted step.
    fn accepted(&mut self, step: &Step<'_, Y, S>) -> Result<()>;

    /// Called after a step that ended on a crossing.
    fn crossed(&mut self, crossed: &Crossed<'_, Y>) -> Result<()>;
}

/// What happened at the end of a step that ended on a crossing.
#[cfg_attr(not(feature = "candle"), allow(dead_code))] // adjoints read all of it
pub(crate) struct Crossed<'a, Y> {
    /// The event whose condition is zero there.
    pub(crate) found: usize,
    pub(crate) t: f64,
    /// State before any change.
    pub(crate) y: &'a Y,
    /// State after the changes, if there were any.
    pub(crate) changed: Option<&'a Y>,
    /// The events that happened, in their order.
    pub(crate) crossings: &'a [Crossing<Y>],
}

/// What remains after the last step.
pub(crate) struct Reached<Y> {
    pub(crate) t: f64,
    pub(crate) y: Y,
    pub(crate) status: Status,
    pub(crate) statistics: Statistics,
    pub(crate) crossings: Vec<Crossing<Y>>,
}

/// A problem and how it is solved.
pub(crate) struct Problem<'a, F, Y, M, C> {
    pub(crate) field: &'a F,
    pub(crate) y0: &'a Y,
    pub(crate) span: &'a Span,
    pub(crate) method: &'a M,
    pub(crate) controller: &'a C,
    pub(crate) options: &'a Options<Y>,
}

/// The smaller settings of a solve.
#[derive(Debug, Clone)]
pub(crate) struct Options<Y> {
    pub(crate) max_steps: usize,
    /// Times at which the field jumps, in order, from either end.
    pub(crate) jumps: Vec<f64>,
    pub(crate) events: Vec<Event<Y>>,
}

impl<Y> Options<Y> {
    /// Errors unless the jump times run in one direction and the events make sense.
    pub(crate) fn validate(&self) -> Result<()> {
        let direction = if self.jumps.first() > self.jumps.last() { -1.0 } else { 1.0 };
        for (index, &value) in self.jumps.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::invalid("jump time", value, "a finite time"));
            }
            if index > 0 && (value - self.jumps[index - 1]) * direction <= 0.0 {
                return Err(Error::NonMonotone { index, value, previous: self.jumps[index - 1] });
            }
        }
        self.events.iter().try_for_each(Event::validate)
    }
}

/// Errors unless the initial state is one that can be solved for.
pub(crate) fn check_initial<Y: State>(y0: &Y, t0: f64) -> Result<()> {
    if y0.dimension() == 0 {
        return Err(Error::EmptyState);
    }
    if !y0.all_finite()? {
        return Err(Error::NotFinite { what: "the initial state", t: t0, step: 0 });
    }
    Ok(())
}

/// Solves and shows every accepted step to `observer`.
pub(crate) fn integrate<F, Y, M, C, O>(
    problem: &Problem<'_, F, Y, M, C>,
    observer: &mut O,
) -> Result<Reached<Y>>
where
    Y: State,
    M: Solves<F, Y>,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
    O: Observer<Y, M::Stepper>,
{
    let &Problem { field, y0, span, method, controller, options } = problem;
    let direction = span.direction();
    let sides = Sides::new(&options.jumps, span);
    let norm = controller.norm();

    let mut statistics = Statistics::default();
    let mut y = y0.clone();
    // A copy, so that a tensor that candle tracks does not come back attached.
    y.combine(Some(y0), 0.0, &[], &[])?;
    let mut watcher = Watcher::new(&options.events, span.t0, &y)?;
    let mut t = span.t0;
    let end = |t, y, status, statistics, watcher: Watcher<'_, Y>| {
        Ok(Reached { t, y, status, statistics, crossings: watcher.crossings })
    };
    if span.t0 == span.t1 {
        return end(t, y, Status::Finished, statistics, watcher);
    }
    let mut y_new = y0.clone();
    let mut stepper = method.stepper(field, y0)?;
    stepper.restart(field, sides.after(t), &y, &mut statistics)?;
    let mut h = match (controller.first_step(), norm) {
        (Some(h), _) => h,
        (None, Some(norm)) => stepper.first_step(field, span, &y, norm, &mut statistics)?,
        (None, None) => (span.t1 - span.t0).abs(),
    };
    let fixed = norm.is_none().then_some(h);
    // Steps of this length lead nowhere; near the time zero, where all numbers are close, they do, but
    // not to the end.
    let smallest = |t: f64| {
        let length = (span.t1 - span.t0).abs();
        4.0 * f64::EPSILON * t.abs().max(f64::EPSILON * length)
    };
    let mut previous = [1.0f64; 2];
    let mut previous_h = None;
    let mut again = false;

    for target in sides.between(t, span.t1).into_iter().chain([span.t1]) {
        let mut leg = Leg::new(t, target, direction, fixed);
        loop {
            let step = statistics.attempted();
            if step >= options.max_steps {
                return end(t, y, Status::StepBudgetExhausted, statistics, watcher);
            }
            h = h.min(controller.max_step());
            let (mut t_new, mut last) = leg.next(t, h);
            let (start, mut signed) = sides.inside(t, t_new);
            if t_new == t || (h < controller.min_step() && !last) {
                return end(t, y, Status::StepTooSmall { h }, statistics, watcher);
            }
            let error = match stepper.attempt(
                field,
                start,
                signed,
                &y,
                &mut y_new,
                norm,
                &mut statistics,
            )? {
                Attempt::Made(error) => error,
                Attempt::Failed(factor) => {
                    statistics.rejected += 1;
                    statistics.not_converged += 1;
                    h = signed.abs() * factor;
                    if fixed.is_some() || h <= smallest(t) {
                        let status = Status::NotConverged { h: signed.abs() };
                        return end(t, y, status, statistics, watcher);
                    }
                    again = true;
                    continue;
                }
            };
            let next = match error {
                None => {
                    if !y_new.all_finite()? {
                        let status = Status::NotFinite { what: "the state after a step" };
                        return end(t, y, status, statistics, watcher);
                    }
                    h
                }
                Some(error) => {
                    let trial = Trial {
                        h: signed.abs(),
                        error,
                        order: stepper.error_order(),
                        previous,
                        previous_h: previous_h.unwrap_or(signed.abs()),
                        again,
                    };
                    let Judgement { accept, next } = stepper.judge(controller, &trial);
                    if !accept {
                        statistics.rejected += 1;
                        again = true;
                        h = next;
                        // Below the resolution of time only a value that stays NaN brings us here.
                        if !error.is_finite() && h < 1e-14 * (span.t1 - span.t0).abs() {
                            let status =
                                Status::NotFinite { what: "the vector field or the state" };
                            return end(t, y, status, statistics, watcher);
                        }
                        // Near the resolution of time the attempted length is rounded up again, so
                        // that shortening it further would change nothing.
                        if h <= smallest(t) {
                            return end(t, y, Status::StepTooSmall { h }, statistics, watcher);
                        }
                        continue;
                    }
                    previous = [error, previous[0]];
                    previous_h = Some(signed.abs());
                    // A step cut short by its target says little about the next one.
                    if last { next.max(h) } else { next }
                }
            };
            again = false;

            let mut outcome = None;
            if !watcher.is_idle() {
                let made = Made { t0: start, y0: &y, t: start + signed, y: &y_new };
                stepper.complete(
                    field,
                    &made,
                    Needs { next: false, inside: true },
                    &mut statistics,
                )?;
                let at = |theta: f64| -> Result<(f64, Y)> {
                    let mut inside = y.clone();
                    stepper.interpolate(theta, &y, &y_new, &mut inside)?;
                    Ok((start + theta * signed, inside))
                };
                match watcher.first_crossing(&at)? {
                    Search::Nothing => watcher.moved(t_new, &y_new)?,
                    Search::Crowded(event) => {
                        return end(t, y, Status::Crowded { event }, statistics, watcher);
                    }
                    Search::Found(found) => {
                        if found.theta < 1.0 {
                            let condition = |t: f64, y: &Y| watcher.value(found.event, t, y);
                            let mut attempt = |h: f64, y_new: &mut Y| {
                                stepper.attempt(field, start, h, &y, y_new, norm, &mut statistics)
                            };
                            signed =
                                meet(start, signed, &found, &condition, &mut y_new, &mut attempt)?;
                            t_new = start + signed;
                            last = false;
                        }
                        outcome = Some(watcher.happen(&found, t_new, &y_new)?);
                    }
                }
            }

            statistics.accepted += 1;
            let over = last && target == span.t1;
            let stop = outcome.as_ref().and_then(|o| o.stop);
            let crossed = outcome.is_some();
            let restarts = last || outcome.as_ref().is_some_and(|o| o.changed.is_some());
            let needs =
                Needs { next: stop.is_none() && !restarts, inside: observer.wants_inside(t_new) };
            let made = Made { t0: start, y0: &y, t: start + signed, y: &y_new };
            stepper.complete(field, &made, needs, &mut statistics)?;
            let step = Step { t0: t, h: signed, t1: t_new, y0: &y, y1: &y_new, stepper: &stepper };
            observer.accepted(&step)?;
            std::mem::swap(&mut y, &mut y_new);
            t = t_new;
            h = next;
            if let Some(Outcome { found, first, changed, .. }) = outcome {
                let crossings = &watcher.crossings[first..];
                let changed_to = changed.as_ref();
                observer.crossed(&Crossed { found, t, y: &y, changed: changed_to, crossings })?;
                y = changed.unwrap_or(y);
            }
            leg.taken(t, crossed);
            if let Some(event) = stop {
                return end(t, y, Status::Stopped { event }, statistics, watcher);
            }
            if over {
                return end(t, y, Status::Finished, statistics, watcher);
            }
            if restarts {
                stepper.restart(field, sides.after(t), &y, &mut statistics)?;
            } else {
                stepper.advance();
            }
            if last {
                break;
            }
        }
    }
    end(t, y, Status::Finished, statistics, watcher)
}
