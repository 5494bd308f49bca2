//! The trajectories that are advanced together: [`Lanes`].

use super::rows::{Row, Rows, Term, Tolerances, column, set_column};
use crate::{ExplicitRungeKutta, leg};

/// The coefficients of a method, without those that are zero.
pub(super) struct Terms {
    /// Of each stage but the first.
    pub(super) stages: Vec<(f64, Vec<Term>)>,
    /// Of the step, where it is no stage.
    pub(super) step: Vec<Term>,
    pub(super) error: Vec<Term>,
    /// Of the second error estimate, where there is one.
    pub(super) second: Option<Vec<Term>>,
}

impl Terms {
    pub(super) fn new<M: ExplicitRungeKutta>() -> Self {
        let terms = |row: &[f64]| row.iter().copied().enumerate().filter(|t| t.1 != 0.0).collect();
        let tableau = &M::TABLEAU;
        let stages = tableau.c.iter().zip(tableau.a).skip(1);
        Self {
            stages: stages.map(|(c, row)| (*c, terms(row))).collect(),
            step: if tableau.first_same_as_last() { Vec::new() } else { terms(tableau.b) },
            error: terms(tableau.error),
            second: M::SECOND_ESTIMATE.map(|second| terms(second.error)),
        }
    }
}

/// What became of a lane's step.
pub(super) mod outcome {
    pub(crate) const GOES_ON: u8 = 0;
    pub(crate) const FINISHED: u8 = 1;
    pub(crate) const BUDGET: u8 = 2;
    pub(crate) const TOO_SMALL: u8 = 4;
    pub(crate) const NOT_FINITE: u8 = 8;
}

/// How the lengths of steps are chosen, where the controller has no say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Steps of one length are counted, not added up.
    pub(super) fixed: bool,
    pub(super) max_step: f64,
    pub(super) min_step: f64,
    pub(super) max_steps: f64,
}

/// A step that is to be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Length, positive.
    pub(super) length: f64,
    /// Its end.
    pub(super) t_new: f64,
    /// Whether that is the end of the trajectory.
    pub(super) last: bool,
    /// Whether it is too short to be tried.
    pub(super) too_small: bool,
}

impl Limits {
    /// The step from `t`, after `taken` others, that wants to be as long as `wanted`.
    #[inline(always)]
    pub(super) fn plan(&self, wanted: f64, t: f64, taken: f64, way: &Way) -> Plan {
        let length = wanted.min(self.max_step);
        let last =
            if self.fixed { taken + 1.0 == way.count } else { leg::reaches(t, length, way.target) };
        let inside = if self.fixed {
            way.start + way.direction * (taken + 1.0) * length
        } else {
            t + way.direction * length
        };
        let t_new = if last { way.target } else { inside };
        let too_small = t_new - t == 0.0 || (length < self.min_step && !last);
        Plan { length, t_new, last, too_small }
    }
}

/// From where to where a trajectory goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) start: f64,
    pub(super) target: f64,
    /// 1 forwards, −1 backwards.
    pub(super) direction: f64,
    /// Number of steps, where they have one length.
    pub(super) count: f64,
}

/// A trajectory that is ready to start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<const N: usize, const P: usize> {
    pub(super) way: Way,
    pub(super) rtol: f64,
    pub(super) atol: f64,
    pub(super) y: [f64; N],
    pub(super) slope: [f64; N],
    pub(super) parameters: [f64; P],
    /// Length of the first step.
    pub(super) length: f64,
}

/// Where the trajectories are and what they are about to try: what changes at every step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) t: Row,
    /// The step that is tried: length, end, signed length, whether it is the last.
    pub(super) length: Row,
    pub(super) t_new: Row,
    pub(super) h: Row,
    pub(super) last: Row<bool>,
    /// What the controller remembers.
    pub(super) previous: [Row; 2],
    pub(super) previous_h: Row,
    pub(super) again: Row<bool>,
    /// Steps so far.
    pub(super) accepted: Row,
    pub(super) rejected: Row,
    pub(super) outcome: Row<u8>,
}

impl Steps {
    pub(super) const fn none() -> Self {
        let zero = Row::of(0.0);
        Self {
            t: zero,
            length: zero,
            t_new: zero,
            h: zero,
            last: Row::of(false),
            previous: [Row::of(1.0); 2],
            previous_h: zero,
            again: Row::of(false),
            accepted: zero,
            rejected: zero,
            outcome: Row::of(outcome::GOES_ON),
        }
    }

    fn set_plan(&mut self, lane: usize, plan: &Plan) {
        self.length[lane] = plan.length;
        self.t_new[lane] = plan.t_new;
        self.h[lane] = plan.t_new - self.t[lane];
        self.last[lane] = plan.last;
    }
}

/// The trajectories that are advanced together, each with its own time and step.
pub(super) struct Lanes<const N: usize, const P: usize> {
    /// Whether there is a trajectory in the lane that goes on.
    pub(super) busy: Row<bool>,
    pub(super) start: Row,
    pub(super) target: Row,
    pub(super) direction: Row,
    pub(super) count: Row,
    pub(super) tolerances: Tolerances,
    pub(super) parameters: Rows<P>,
    pub(super) steps: Steps,
    pub(super) y: Rows<N>,
    /// The step that was tried: its result, stages and the slope at its end, the norm of its error,
    /// the verdict, the length of the next.
    pub(super) y_new: Rows<N>,
    /// Where a stage is evaluated; afterwards the error estimate.
    pub(super) point: Rows<N>,
    pub(super) slopes: Vec<Rows<N>>,
    pub(super) error: Row,
    pub(super) accept: Row<bool>,
    pub(super) next: Row,
    /// The next time to be saved; infinitely late if there is none.
    pub(super) next_save: Row,
}

impl<const N: usize, const P: usize> Lanes<N, P> {
    pub(super) fn new<M: ExplicitRungeKutta>() -> Self {
        let zero = Row::of(0.0);
        Self {
            busy: Row::of(false),
            start: zero,
            target: zero,
            direction: zero,
            count: zero,
            tolerances: Tolerances { rtol: zero, atol: Row::of(1.0) },
            parameters: [zero; P],
            steps: Steps::none(),
            y: [zero; N],
            y_new: [zero; N],
            point: [zero; N],
            slopes: vec![[zero; N]; M::TABLEAU.stages() + 1],
            error: zero,
            accept: Row::of(false),
            next: zero,
            next_save: Row::of(f64::INFINITY),
        }
    }

    /// Puts a trajectory into a lane.
    pub(super) fn load(&mut self, lane: usize, start: &Start<N, P>, limits: &Limits) {
        let Way { start: t0, target, direction, count } = start.way;
        self.start[lane] = t0;
        self.target[lane] = target;
        self.direction[lane] = direction;
        self.count[lane] = count;
        self.tolerances.rtol[lane] = start.rtol;
        self.tolerances.atol[lane] = start.atol;
        set_column(&mut self.parameters, lane, &start.parameters);
        set_column(&mut self.y, lane, &start.y);
        set_column(&mut self.slopes[0], lane, &start.slope);
        self.next_save[lane] = f64::INFINITY;
        self.busy[lane] = true;
        let plan = limits.plan(start.length, t0, 0.0, &start.way);
        let steps = &mut self.steps;
        steps.t[lane] = t0;
        steps.previous[0][lane] = 1.0;
        steps.previous[1][lane] = 1.0;
        steps.previous_h[lane] = 0.0;
        steps.again[lane] = false;
        steps.accepted[lane] = 0.0;
        steps.rejected[lane] = 0.0;
        steps.set_plan(lane, &plan);
        steps.outcome[lane] = if limits.max_steps == 0.0 {
            outcome::BUDGET
        } else if plan.too_small {
            outcome::TOO_SMALL
        } else {
            outcome::GOES_ON
        };
    }

    /// Leaves a lane without a trajectory. It stays where it is, so that the field goes on to be
    /// evaluated at a place where it was evaluated before.
    pub(super) fn rest(&mut self, lane: usize) {
        self.busy[lane] = false;
        let t = self.steps.t[lane];
        let plan = Plan { length: 0.0, t_new: t, last: false, too_small: false };
        self.steps.set_plan(lane, &plan);
    }

    /// Rests in a lane that never had a trajectory, at the place of another one.
    pub(super) fn imitate(&mut self, lane: usize, other: usize) {
        self.steps.t[lane] = self.steps.t[other];
        for i in 0..N {
            self.y[i][lane] = self.y[i][other];
        }
        for i in 0..P {
            self.parameters[i][lane] = self.parameters[i][other];
        }
        self.rest(lane);
    }

    /// The state in a lane.
    pub(super) fn state(&self, lane: usize) -> [f64; N] {
        column(&self.y, lane)
    }

    /// The slopes in a lane.
    pub(super) fn slopes(&self, lane: usize) -> impl Iterator<Item = [f64; N]> + '_ {
        self.slopes.iter().map(move |rows| column(rows, lane))
    }
}
