//! What a thread does: takes trajectories from the queue, advances them, hands them back.

use std::{
    marker::PhantomData,
    sync::{Mutex, PoisonError},
};

use pulp::Arch;
use rayon::prelude::*;

use super::{
    Ensemble, EnsembleField, Trajectory,
    early::Early,
    harvest::next_save,
    kernels::{Combine, Commit, Evaluate, Judge, WeightedRms},
    lanes::{Lanes, Limits, Start, Steps, Terms, Way, outcome},
    rows::{LANES, Row, column},
    trajectories::Trajectories,
};
use crate::{
    Controller, ExplicitRungeKutta, Result, Rms, Stages, Status,
    explicit::{error_order, of_both},
    leg,
};

/// Solves for all trajectories of an ensemble that was validated.
pub(super) fn run<F, M, C, const N: usize, const P: usize>(
    ensemble: &Ensemble<F, N, P, M, C>,
) -> Result<Vec<Trajectory<N>>>
where
    F: EnsembleField<N, P>,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
    const { assert!(M::TABLEAU.takes(M::SECOND_ESTIMATE), "the second estimate does not fit") };
    // The lanes live on the stack.
    const { assert!(N + P <= 256, "an ensemble takes at most 256 state components and parameters") };
    let count = ensemble.trajectories.y0s.len();
    let mut solved = vec![Trajectory::unsolved(); count];
    let queue = Mutex::new(solved.chunks_mut(LANES).enumerate());
    let threads = rayon::current_num_threads().min(count.div_ceil(LANES));
    (0..threads)
        .into_par_iter()
        .with_max_len(1)
        .try_for_each(|_| Worker::new(ensemble, &queue).work())?;
    Ok(solved)
}

type Chunks<'a, const N: usize> = std::iter::Enumerate<std::slice::ChunksMut<'a, Trajectory<N>>>;

/// A trajectory that is to be solved, and where to leave it.
struct Task<'a, const N: usize, const P: usize> {
    index: usize,
    start: Start<N, P>,
    solved: &'a mut Trajectory<N>,
}

/// A trajectory in a lane.
pub(super) struct Guest<'a, const N: usize> {
    pub(super) index: usize,
    pub(super) solved: &'a mut Trajectory<N>,
    /// Save times that were passed.
    pub(super) saved: usize,
    /// Evaluations of the field beside those of the stages.
    pub(super) evaluations: usize,
}

pub(super) struct Worker<'a, 'q, F, M, C, const N: usize, const P: usize> {
    pub(super) field: &'a F,
    controller: &'a C,
    pub(super) trajectories: &'a Trajectories<N, P>,
    queue: &'q Mutex<Chunks<'a, N>>,
    pub(super) limits: Limits,
    /// Whether any trajectory has save times.
    saves: bool,
    /// Evaluations before the first step.
    first_evaluations: usize,
    terms: Terms,
    arch: Arch,
    pub(super) lanes: Lanes<N, P>,
    pub(super) guests: Vec<Option<Guest<'a, N>>>,
    waiting: Vec<Task<'a, N, P>>,
    /// Room for the solution inside a step.
    pub(super) inside: Stages<[f64; N], M>,
}

impl<'a, 'q, F, M, C, const N: usize, const P: usize> Worker<'a, 'q, F, M, C, N, P>
where
    F: EnsembleField<N, P>,
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    fn new(ensemble: &'a Ensemble<F, N, P, M, C>, queue: &'q Mutex<Chunks<'a, N>>) -> Self {
        let Ensemble { field, trajectories, controller, .. } = ensemble;
        let fixed = controller.norm().is_none();
        let limits = Limits {
            fixed,
            max_step: controller.max_step(),
            min_step: controller.min_step(),
            max_steps: trajectories.max_steps as f64,
        };
        let probes = usize::from(!fixed && controller.first_step().is_none());
        Self {
            field,
            controller,
            trajectories,
            queue,
            limits,
            saves: trajectories.any_saves(),
            first_evaluations: 1 + probes,
            terms: Terms::new::<M>(),
            arch: Arch::new(),
            lanes: Lanes::new::<M>(),
            guests: (0..LANES).map(|_| None).collect(),
            waiting: Vec::with_capacity(LANES),
            inside: Stages::new(&[0.0; N]),
        }
    }

    fn work(&mut self) -> Result<()> {
        let mut busy = (0..LANES).filter(|&lane| self.refill(lane)).count();
        if busy == 0 {
            return Ok(());
        }
        for lane in busy..LANES {
            self.lanes.imitate(lane, 0);
        }
        while busy > 0 {
            self.attempt();
            if self.saves {
                self.save()?;
            }
            let Self { arch, limits, lanes, .. } = self;
            let end = Stages::<[f64; N], M>::last_slope();
            let changed = arch.dispatch(Commit { limits, lanes, end });
            if changed != outcome::GOES_ON {
                for lane in 0..LANES {
                    if self.lanes.steps.outcome[lane] != outcome::GOES_ON {
                        self.finish(lane);
                        if !self.refill(lane) {
                            busy -= 1;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Tries a step in every lane and judges it.
    fn attempt(&mut self) {
        let tableau = &M::TABLEAU;
        let Self { arch, field, controller, terms, lanes, .. } = self;
        let Lanes { y, y_new, point, slopes, parameters, steps, tolerances, .. } = lanes;
        let Steps { t, h, .. } = &*steps;
        let (stages, ends) = (tableau.stages(), tableau.first_same_as_last());
        for (i, (c, terms)) in (1..).zip(&terms.stages) {
            // The last stage may be evaluated at the new state.
            let out = if ends && i + 1 == stages { &mut *y_new } else { &mut *point };
            arch.dispatch(Combine { base: Some(y), h, terms, slopes, out });
            let (y, c, slopes) = (&*out, *c, &mut slopes[i]);
            arch.dispatch(Evaluate { field: *field, t, c, h, y, parameters, slopes });
        }
        if !ends {
            arch.dispatch(Combine { base: Some(y), h, terms: &terms.step, slopes, out: y_new });
            let (y, c, slopes) = (&*y_new, 1.0, &mut slopes[stages]);
            arch.dispatch(Evaluate { field: *field, t, c, h, y, parameters, slopes });
        }
        if controller.norm().is_some() {
            arch.dispatch(Combine { base: None, h, terms: &terms.error, slopes, out: point });
            let norm = WeightedRms { e: point, a: y, b: y_new, tolerances };
            lanes.error = arch.dispatch(norm);
            if let Some(terms) = &terms.second {
                arch.dispatch(Combine { base: None, h, terms, slopes, out: point });
                let second = arch.dispatch(WeightedRms { e: point, a: y, b: y_new, tolerances });
                for lane in 0..LANES {
                    lanes.error[lane] = of_both(lanes.error[lane], second[lane]);
                }
            }
            let order = error_order::<M>();
            let (error, method) = (&lanes.error, PhantomData::<M>);
            let judge = Judge { controller: *controller, steps, error, order, method };
            (lanes.accept, lanes.next) = arch.dispatch(judge);
        } else {
            for lane in 0..LANES {
                lanes.accept[lane] = y_new.iter().all(|row| row[lane].is_finite());
            }
            lanes.next = steps.length;
        }
    }

    /// Puts the next trajectory into a lane that has none, if there is one.
    fn refill(&mut self, lane: usize) -> bool {
        loop {
            if self.waiting.is_empty() {
                self.fetch();
            }
            let Some(Task { index, start, solved }) = self.waiting.pop() else {
                self.lanes.rest(lane);
                return false;
            };
            let times = self.trajectories.saves.of(index);
            let saved = usize::from(times.first() == Some(&start.way.start));
            solved.ys.reserve_exact(times.len());
            solved.ys.extend((saved == 1).then_some(start.y));
            let evaluations = self.first_evaluations;
            self.guests[lane] = Some(Guest { index, solved, saved, evaluations });
            self.lanes.load(lane, &start, &self.limits);
            self.lanes.next_save[lane] = next_save(times, saved, start.way.direction);
            if self.lanes.steps.outcome[lane] == outcome::GOES_ON {
                return true;
            }
            self.finish(lane);
        }
    }

    /// Takes some trajectories from the queue, unless it is empty.
    fn fetch(&mut self) {
        while self.waiting.is_empty() {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((chunk, solved)) = next else { return };
            self.prepare(chunk * LANES, solved);
        }
    }

    /// Readies the trajectories from `first` on, and deals with those that need no step.
    fn prepare(&mut self, first: usize, solved: &'a mut [Trajectory<N>]) {
        let Self { field, controller, trajectories, .. } = *self;
        let tolerances = controller.norm().map_or((0.0, 1.0), |norm| (norm.rtol, norm.atol));
        let mut early = Early::of(trajectories, tolerances, first, solved.len());
        early.evaluate(self.arch, field);
        if let Some(length) = controller.first_step() {
            early.length = Row::of(length);
        } else if controller.norm().is_some() {
            early.choose_first_steps(self.arch, field, M::TABLEAU.order);
        }
        for (lane, solved) in solved.iter_mut().enumerate() {
            let (start, target) = (early.start[lane], early.target[lane]);
            let y = column(&early.y, lane);
            (solved.t_end, solved.y_end) = (start, y);
            if start == target {
                let times = trajectories.saves.of(first + lane);
                solved.ys = vec![y; times.len()];
                continue;
            }
            let slope = column(&early.slope, lane);
            if !slope.iter().all(|k| k.is_finite()) {
                solved.status = Status::NotFinite { what: "the vector field" };
                solved.statistics.evaluations = 1;
                continue;
            }
            let length = early.length[lane];
            let steps =
                if self.limits.fixed { leg::count((target - start).abs(), length) } else { 0 };
            let direction = early.direction[lane];
            let start = Start {
                way: Way { start, target, direction, count: steps as f64 },
                rtol: early.tolerances.rtol[lane],
                atol: early.tolerances.atol[lane],
                y,
                slope,
                parameters: column(&early.parameters, lane),
                length,
            };
            self.waiting.push(Task { index: first + lane, start, solved });
        }
    }
}
