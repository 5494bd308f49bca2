//! The loop that every solve runs: [`integrate`].

use ansatz_core::State;

use crate::{
    Controller, Error, ExplicitRungeKutta, Result, Save, Span, Statistics, Status, VectorField,
    first_step::first_step,
};

/// One accepted step, as an observer sees it.
pub(crate) struct Step<'a, Y> {
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
    /// Stage derivatives and, last, the derivative at the end of the step (only if the observer
    /// asked for it; otherwise anything).
    pub(crate) stages: &'a [Y],
}

/// Sees the accepted steps of a solve.
pub(crate) trait Observer<Y> {
    /// Whether the derivative at the end of the step `t0 → t1` will be read.
    fn wants_end_derivative(&self, t1: f64) -> bool;

    /// Called after every accepted step.
    fn accepted(&mut self, step: &Step<'_, Y>) -> Result<()>;
}

/// What remains after the last step.
pub(crate) struct Reached<Y> {
    pub(crate) t: f64,
    pub(crate) y: Y,
    pub(crate) status: Status,
    pub(crate) statistics: Statistics,
}

/// The parts of a problem that do not depend on its method.
pub(crate) struct Problem<'a, F, Y> {
    pub(crate) field: &'a F,
    pub(crate) y0: &'a Y,
    pub(crate) span: &'a Span,
    pub(crate) max_steps: usize,
}

/// Room for the stages of one step and the intermediate state.
pub(crate) struct Workspace<Y> {
    /// Stage derivatives, and one more for the derivative at the end of a step.
    pub(crate) stages: Vec<Y>,
    pub(crate) scratch: Y,
}

impl<Y: Clone> Workspace<Y> {
    pub(crate) fn new<M: ExplicitRungeKutta>(like: &Y) -> Self {
        let stages = M::TABLEAU.stages() + 1;
        Self { stages: vec![like.clone(); stages], scratch: like.clone() }
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
pub(crate) fn integrate<F, Y, M, C>(
    problem: &Problem<'_, F, Y>,
    controller: &C,
    observer: &mut impl Observer<Y>,
) -> Result<Reached<Y>>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
    C: Controller<M>,
{
    let Problem { field, y0, span, max_steps } = *problem;
    let tableau = &M::TABLEAU;
    let stages = tableau.stages();
    let fsal = tableau.first_same_as_last();
    let direction = span.direction();
    let length = (span.t1 - span.t0).abs();
    let tolerance = controller.tolerance();

    let mut statistics = Statistics::default();
    let mut y = y0.clone();
    // A copy, so that a tensor that candle tracks does not come back attached.
    y.combine(Some(y0), 0.0, &[], &[])?;
    if length == 0.0 {
        return Ok(Reached { t: span.t0, y, status: Status::Finished, statistics });
    }
    let mut y_new = y0.clone();
    let mut work = Workspace::<Y>::new::<M>(y0);
    let mut t = span.t0;

    evaluate(field, t, &y, &mut work.stages[0], 0)?;
    statistics.evaluations += 1;
    y0.check_like("the vector field's value, compared with the state", &work.stages[0])?;
    if !work.stages[0].all_finite()? {
        return Err(Error::NotFinite { what: "the vector field", t, step: 0 });
    }
    let mut h = if let Some(h) = controller.first_step() {
        h
    } else {
        statistics.evaluations += 1;
        first_step::<F, Y, M>(field, span, &y, &mut work, tolerance)?
    };
    // Steps of one length are counted, not added up, so that rounding does not leave a sliver.
    let fixed = if tolerance.is_none() { Some(fixed_steps(length, h)) } else { None };
    let mut history = [1.0f64; 3];

    loop {
        let step = statistics.accepted + statistics.rejected;
        if step >= max_steps {
            let status = Status::StepBudgetExhausted;
            return Ok(Reached { t, y, status, statistics });
        }
        // A step that would stop just short of the end goes all the way.
        let remaining = (span.t1 - t).abs();
        let last = match fixed {
            Some(count) => statistics.accepted + 1 == count,
            None => h >= remaining * (1.0 - 1e-12),
        };
        let t_new = match fixed {
            _ if last => span.t1,
            Some(_) => span.t0 + direction * (statistics.accepted + 1) as f64 * h,
            None => t + direction * h,
        };
        let signed = t_new - t;
        if signed == 0.0 {
            return Err(Error::StepTooSmall { t, h, step });
        }

        run_stages::<F, Y, M>(field, t, signed, &y, &mut work, step, stages)?;
        statistics.evaluations += stages - 1;
        if fsal {
            // The last stage was evaluated at the new state.
            std::mem::swap(&mut y_new, &mut work.scratch);
        } else {
            y_new.combine(Some(&y), signed, tableau.b, &work.stages[..stages])?;
        }

        let next = match tolerance {
            None => {
                if !y_new.all_finite()? {
                    let what = "the state after a step";
                    return Err(Error::NotFinite { what, t: t_new, step });
                }
                h
            }
            Some((rtol, atol)) => {
                work.scratch.combine(None, signed, tableau.error, &work.stages[..stages])?;
                let norm = work.scratch.weighted_rms(&y, &y_new, rtol, atol)?;
                let judgement = controller.judge(signed.abs(), [norm, history[0], history[1]]);
                if !judgement.accept {
                    statistics.rejected += 1;
                    // Below the resolution of time only a value that stays NaN brings us here.
                    if !norm.is_finite() && judgement.next < 1e-14 * length {
                        let what = "the vector field or the state";
                        return Err(Error::NotFinite { what, t, step });
                    }
                    h = judgement.next;
                    // Near the resolution of time the attempted length is rounded up again, so
                    // that shortening it further would change nothing.
                    if h <= 4.0 * f64::EPSILON * t.abs() {
                        return Err(Error::StepTooSmall { t, h, step });
                    }
                    continue;
                }
                history = [norm, history[0], history[1]];
                judgement.next
            }
        };

        statistics.accepted += 1;
        let wanted = observer.wants_end_derivative(t_new);
        if fsal {
            if wanted {
                let (head, tail) = work.stages.split_at_mut(stages);
                tail[0].clone_from(&head[stages - 1]);
            }
        } else if !last || wanted {
            evaluate(field, t_new, &y_new, &mut work.stages[stages], step)?;
            statistics.evaluations += 1;
        }
        observer.accepted(&Step {
            t0: t,
            h: signed,
            t1: t_new,
            y0: &y,
            y1: &y_new,
            stages: &work.stages,
        })?;
        work.stages.swap(0, if fsal { stages - 1 } else { stages });
        std::mem::swap(&mut y, &mut y_new);
        t = t_new;
        h = next;
        if last {
            return Ok(Reached { t, y, status: Status::Finished, statistics });
        }
    }
}

/// Number of steps of length `h` that cover `length`, forgiving rounding in the division.
fn fixed_steps(length: f64, h: f64) -> usize {
    ((length / h) * (1.0 - 1e-12)).ceil().max(1.0) as usize
}

/// Evaluates the field and says when and where it failed.
#[inline]
pub(crate) fn evaluate<F, Y>(field: &F, t: f64, y: &Y, dy: &mut Y, step: usize) -> Result<()>
where
    F: VectorField<Y>,
{
    field.eval_into(t, y, dy).map_err(|source| Error::Field { t, step, source })
}

/// Fills stages `1..count` of a step from `y` at `t`; the first one is there already.
#[inline]
pub(crate) fn run_stages<F, Y, M>(
    field: &F,
    t: f64,
    h: f64,
    y: &Y,
    work: &mut Workspace<Y>,
    step: usize,
    count: usize,
) -> Result<()>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
{
    let tableau = &M::TABLEAU;
    for i in 1..count {
        let (known, rest) = work.stages.split_at_mut(i);
        work.scratch.combine(Some(y), h, tableau.a[i], known)?;
        evaluate(field, t + tableau.c[i] * h, &work.scratch, &mut rest[0], step)?;
    }
    Ok(())
}

/// Collects the states that [`Save`] names.
pub(crate) struct Saver<'a, Y, M> {
    pub(crate) save: &'a Save,
    pub(crate) ts: Vec<f64>,
    pub(crate) ys: Vec<Y>,
    pub(crate) dense: Option<crate::DenseOutput<Y, M>>,
    direction: f64,
    next: usize,
    weights: Vec<f64>,
    method: std::marker::PhantomData<M>,
}

impl<'a, Y: State, M: ExplicitRungeKutta> Saver<'a, Y, M> {
    pub(crate) fn new(save: &'a Save, span: &Span, y0: &Y) -> Result<Self> {
        let mut saver = Self {
            save,
            ts: Vec::new(),
            ys: Vec::new(),
            dense: None,
            direction: span.direction(),
            next: 0,
            weights: vec![0.0; M::TABLEAU.stages() + 1],
            method: std::marker::PhantomData,
        };
        let at_start = match save {
            Save::Times(times) => times.first().is_some_and(|t| *t == span.t0),
            Save::Steps => true,
            Save::End => false,
        };
        if at_start {
            let mut y = y0.clone();
            y.combine(Some(y0), 0.0, &[], &[])?;
            saver.push(span.t0, y);
            saver.next = 1;
        }
        Ok(saver)
    }

    fn push(&mut self, t: f64, y: Y) {
        self.ts.push(t);
        self.ys.push(y);
    }

    /// Adds the end to the list where the list is the end.
    pub(crate) fn finish(&mut self, t: f64, y: &Y) {
        if *self.save == Save::End {
            self.push(t, y.clone());
        }
    }
}

impl<Y: State, M: ExplicitRungeKutta> Observer<Y> for Saver<'_, Y, M> {
    fn wants_end_derivative(&self, t1: f64) -> bool {
        let between = match self.save {
            Save::Times(times) => {
                times.get(self.next).is_some_and(|t| (t1 - t) * self.direction > 0.0)
            }
            _ => false,
        };
        between || self.dense.is_some()
    }

    fn accepted(&mut self, step: &Step<'_, Y>) -> Result<()> {
        match self.save {
            Save::End => {}
            Save::Steps => self.push(step.t1, step.y1.clone()),
            Save::Times(times) => {
                while let Some(&t) = times.get(self.next) {
                    if (step.t1 - t) * self.direction < 0.0 {
                        break;
                    }
                    let y = if t == step.t1 {
                        step.y1.clone()
                    } else {
                        M::dense_weights((t - step.t0) / step.h, &mut self.weights);
                        let mut y = step.y0.clone();
                        y.combine(Some(step.y0), step.h, &self.weights, step.stages)?;
                        y
                    };
                    self.push(t, y);
                    self.next += 1;
                }
            }
        }
        if let Some(dense) = &mut self.dense {
            dense.push(step);
        }
        Ok(())
    }
}
