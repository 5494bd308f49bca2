//! What a worker takes from its lanes: saved states, ended trajectories.

use super::{
    EnsembleField,
    lanes::{Steps, outcome},
    rows::{LANES, column},
    worker::{Guest, Worker},
};
use crate::{
    Controller, ExplicitRungeKutta, Interpolates, Made, Needs, Result, Rms, Statistics, Status,
    Stepper,
};

impl<F, M, C, const N: usize, const P: usize> Worker<'_, '_, F, M, C, N, P>
where
    F: EnsembleField<N, P>,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    /// Saves what lies in the steps that were accepted.
    pub(super) fn save(&mut self) -> Result<()> {
        let tableau = &M::TABLEAU;
        for lane in 0..LANES {
            let Self { field, trajectories, lanes, guests, inside, .. } = self;
            let Steps { t, t_new, h, last, .. } = &lanes.steps;
            let (t0, t1, h, direction) = (t[lane], t_new[lane], h[lane], lanes.direction[lane]);
            let passed = |t: f64| (t1 - t) * direction >= 0.0;
            if !(lanes.accept[lane] && passed(lanes.next_save[lane])) {
                continue;
            }
            let Some(guest) = &mut guests[lane] else { continue };
            let times = trajectories.saves.of(guest.index);
            let count = times[guest.saved..].iter().take_while(|t| passed(**t)).count();
            let (y0, y1) = (lanes.state(lane), column(&lanes.y_new, lane));
            if times[guest.saved] != t1 {
                let parameters = column(&lanes.parameters, lane);
                let scalar = |t: f64, y: &[f64; N]| field.eval(t, y, &parameters);
                let made = Made { t0, y0: &y0, t: t0 + h, y: &y1 };
                let needs = Needs { next: false, inside: true };
                inside.take_over(h, lanes.slopes(lane));
                inside.complete(&scalar, &made, needs, &mut Statistics::default())?;
                let end = !tableau.first_same_as_last() && last[lane];
                guest.evaluations += tableau.extra.len() + usize::from(end);
            }
            for &t in &times[guest.saved..guest.saved + count] {
                let mut y = y1;
                if t != t1 {
                    inside.interpolate((t - t0) / h, &y0, &y1, &mut y)?;
                }
                guest.solved.ys.push(y);
            }
            guest.saved += count;
            lanes.next_save[lane] = next_save(times, guest.saved, direction);
        }
        Ok(())
    }

    /// Hands back the trajectory of a lane.
    pub(super) fn finish(&mut self, lane: usize) {
        let Self { lanes, guests, limits, .. } = self;
        let Some(Guest { solved, evaluations, .. }) = guests[lane].take() else { return };
        let steps = &lanes.steps;
        let outcome = steps.outcome[lane];
        solved.t_end = steps.t[lane];
        solved.y_end = lanes.state(lane);
        solved.status = match outcome {
            outcome::FINISHED => Status::Finished,
            outcome::BUDGET => Status::StepBudgetExhausted,
            outcome::TOO_SMALL => Status::StepTooSmall { h: steps.length[lane] },
            _ if limits.fixed => Status::NotFinite { what: "the state after a step" },
            _ => Status::NotFinite { what: "the vector field or the state" },
        };
        let (accepted, rejected) = (steps.accepted[lane] as usize, steps.rejected[lane] as usize);
        let tableau = &M::TABLEAU;
        // A fixed step that failed is no step.
        let attempts =
            accepted + rejected + usize::from(limits.fixed && outcome == outcome::NOT_FINITE);
        let ends = if tableau.first_same_as_last() {
            0
        } else {
            // The last one starts no other step.
            accepted - usize::from(outcome == outcome::FINISHED)
        };
        let evaluations = evaluations + (tableau.stages() - 1) * attempts + ends;
        solved.statistics = Statistics { accepted, rejected, evaluations, ..Default::default() };
    }
}

/// The time to be saved after `saved` others; infinitely late if there is none.
pub(super) fn next_save(times: &[f64], saved: usize, direction: f64) -> f64 {
    times.get(saved).copied().unwrap_or(direction * f64::INFINITY)
}
