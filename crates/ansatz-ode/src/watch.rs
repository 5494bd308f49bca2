//! Looking for events while a solve goes on: [`Watcher`].

use ansatz_core::State;

use crate::{Attempt, Crossing, Error, Event, Result};

/// The state of the search for crossings.
pub(crate) struct Watcher<'a, Y> {
    events: &'a [Event<Y>],
    /// The conditions at the start of the step.
    values: Vec<f64>,
    /// Events that just happened: on which side of zero the solution goes on is only seen a little
    /// later.
    fresh: Vec<bool>,
    counts: Vec<usize>,
    pub(crate) crossings: Vec<Crossing<Y>>,
}

/// Where in a step a crossing was found, on the interpolant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) event: usize,
    /// As a fraction of the step.
    pub(crate) theta: f64,
    /// Slope of the condition there, by that fraction.
    pub(crate) slope: f64,
}

/// What the search for a crossing came to.
pub(crate) enum Search {
    Nothing,
    Found(Found),
    /// This event happens again and again within no time.
    Crowded(usize),
}

/// What the events at one time came to.
pub(crate) struct Outcome<Y> {
    /// The event whose crossing was sought.
    pub(crate) found: usize,
    /// Number of the first of their crossings.
    pub(crate) first: usize,
    /// The state to go on from, where it was changed.
    pub(crate) changed: Option<Y>,
    /// The event that ends the solve.
    pub(crate) stop: Option<usize>,
}

impl<'a, Y: State> Watcher<'a, Y> {
    pub(crate) fn new(events: &'a [Event<Y>], t: f64, y: &Y) -> Result<Self> {
        let none = vec![false; events.len()];
        let mut watcher = Self {
            events,
            values: vec![0.0; events.len()],
            fresh: none,
            counts: vec![0; events.len()],
            crossings: Vec::new(),
        };
        watcher.moved(t, y)?;
        Ok(watcher)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.events.is_empty()
    }

    /// The next step begins at `y`.
    pub(crate) fn moved(&mut self, t: f64, y: &Y) -> Result<()> {
        for ((event, value), fresh) in self.events.iter().zip(&mut self.values).zip(&mut self.fresh)
        {
            *value = event.value(t, y)?;
            *fresh = *value == 0.0;
        }
        Ok(())
    }

    /// Whether the event `i` happens so often that no step shows what is between.
    fn crowds(&self, i: usize, value: f64) -> bool {
        self.fresh[i] && self.counts[i] > 0 && self.events[i].is_past(value)
    }

    /// The earliest crossing in a step; `at` is time and solution at a fraction of it.
    pub(crate) fn first_crossing(&self, at: &impl Fn(f64) -> Result<(f64, Y)>) -> Result<Search> {
        let mut earliest: Option<(usize, f64)> = None;
        for (i, event) in self.events.iter().enumerate() {
            let value = |theta: f64| at(theta).and_then(|(t, y)| event.value(t, &y));
            let parts = event.inner_samples() + 1;
            let regular = (1..=parts).map(|part| part as f64 / parts as f64);
            // On its way from a zero the solution may return soon.
            let leaving = (1..10).rev().map(|k| 10f64.powi(-k)).take_while(|_| self.fresh[i]);
            let mut places: Vec<f64> = leaving.chain(regular).collect();
            places.sort_by(f64::total_cmp);
            let (mut left, mut before) = (0.0, self.values[i]);
            for (place, &right) in places.iter().enumerate() {
                if earliest.is_some_and(|(_, theta)| left >= theta) {
                    break;
                }
                let after = value(right)?;
                let known = !self.fresh[i] || place > 0;
                if !known && self.crowds(i, after) {
                    return Ok(Search::Crowded(i));
                }
                if known && event.crosses(before, after) {
                    let theta = zero_between((left, before), (right, after), &value)?;
                    if earliest.is_none_or(|(_, e)| theta < e) {
                        earliest = Some((i, theta));
                    }
                    break;
                }
                (left, before) = (right, after);
            }
        }
        let Some((event, theta)) = earliest else { return Ok(Search::Nothing) };
        let near = theta - 1e-3f64.min(0.5 * theta);
        let value = |theta: f64| at(theta).and_then(|(t, y)| self.events[event].value(t, &y));
        let slope = (value(theta)? - value(near)?) / (theta - near);
        Ok(Search::Found(Found { event, theta, slope }))
    }

    /// The condition of an event.
    pub(crate) fn value(&self, event: usize, t: f64, y: &Y) -> Result<f64> {
        self.events[event].value(t, y)
    }

    /// Records the crossing `found` at `t`, with those that happen at the same time, and makes the
    /// changes that they ask for.
    pub(crate) fn happen(&mut self, found: usize, t: f64, y: &Y) -> Result<Outcome<Y>> {
        let mut happened = Vec::new();
        for (i, event) in self.events.iter().enumerate() {
            if i == found || (!self.fresh[i] && event.crosses(self.values[i], event.value(t, y)?)) {
                happened.push(i);
            }
        }
        let first = self.crossings.len();
        let mut outcome = Outcome { found, first, changed: None, stop: None };
        for &i in &happened {
            self.crossings.push(Crossing { event: i, t, y: y.clone(), time: None });
            self.counts[i] += 1;
            if outcome.stop.is_none() && self.events[i].limit() == Some(self.counts[i]) {
                outcome.stop = Some(i);
            }
            if let Some(changed) = self.events[i].changed(t, outcome.changed.as_ref().unwrap_or(y))
            {
                let changed = changed?;
                y.check_like("the state after an event's change", &changed)?;
                outcome.changed = Some(changed);
            }
        }
        self.moved(t, outcome.changed.as_ref().unwrap_or(y))?;
        for i in happened {
            self.fresh[i] = true;
        }
        Ok(outcome)
    }
}

/// The zero of a function that changes sign between `a` and `b`: the Illinois rule, guarded by
/// bisection, to the resolution of numbers in [0, 1].
fn zero_between(
    (mut a, mut value_a): (f64, f64),
    (mut b, mut value_b): (f64, f64),
    value: &impl Fn(f64) -> Result<f64>,
) -> Result<f64> {
    let mut side = 0;
    for round in 0..200 {
        if value_b == 0.0 || b - a <= f64::EPSILON * b {
            break;
        }
        let secant = b - value_b * (b - a) / (value_b - value_a);
        let middle = 0.5 * (a + b);
        let c = if round % 3 != 2 && secant > a && secant < b { secant } else { middle };
        let value_c = value(c)?;
        if value_c == 0.0 {
            return Ok(c);
        }
        if value_c.signum() == value_b.signum() {
            (b, value_b) = (c, value_c);
            if side == 1 {
                value_a *= 0.5;
            }
            side = 1;
        } else {
            (a, value_a) = (c, value_c);
            if side == -1 {
                value_b *= 0.5;
            }
            side = -1;
        }
    }
    Ok(b)
}

/// Repeats a step with the length that ends it at the crossing `found` of its interpolant, and
/// corrects that length until the condition is zero to rounding. Returns the signed length.
pub(crate) fn meet<Y>(
    t: f64,
    h: f64,
    found: &Found,
    condition: &impl Fn(f64, &Y) -> Result<f64>,
    y_new: &mut Y,
    attempt: &mut impl FnMut(f64, &mut Y) -> Result<Attempt>,
) -> Result<f64> {
    const ROUNDS: usize = 6;
    // As the difference of two times, by which an adjoint finds it again to the last bit.
    let representable = |length: f64| (t + length) - t;
    let mut length = representable(found.theta * h);
    let mut last_correction = f64::INFINITY;
    for round in 1..=ROUNDS {
        if let Attempt::Failed(_) = attempt(length, y_new)? {
            return Err(Error::NotConverged { t, h: length.abs(), step: 0 });
        }
        let correction = -condition(t + length, y_new)? * h / found.slope;
        let resolution = 2.0 * f64::EPSILON * t.abs().max((t + length).abs());
        // The slope is that of the interpolant: corrections shrink quickly or not at all.
        let shrinks = correction.abs() <= 0.5 * last_correction;
        let useful = correction.abs() > resolution && shrinks && (length + correction) * h > 0.0;
        // The length returned is that of the last attempt.
        if !useful || round == ROUNDS {
            break;
        }
        length = representable(length + correction);
        last_correction = correction.abs();
    }
    Ok(length)
}
