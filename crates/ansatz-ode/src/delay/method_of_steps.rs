//! Solving a delay equation while its past grows: [`MethodOfSteps`].

use ansatz_core::State;

use super::Delayed;
use crate::{
    Adjoint, Controller, Error, ErrorNorm, Interpolates, Judgement, Result, Solution, Solve,
    Solves, Trial,
    integrate::{Crossed, Observer, Problem, Step, integrate},
    saver::Saver,
};

/// How delay equations are solved: every step is remembered for those that come. Values only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MethodOfSteps;

/// Derivatives up to this order are followed from kink to kink: no method here sees more.
const ORDERS: u32 = 10;

/// Most kinks at which steps end. More of them lie closer together than steps.
const MOST_KINKS: usize = 10_000;

impl<F, P, Y, M, C> Adjoint<Delayed<F, P, Y>, Y, M, C> for MethodOfSteps
where
    P: Fn(f64) -> Y,
    Y: State,
    M: Solves<Delayed<F, P, Y>, Y>,
    <M::Stepper as Interpolates<Y>>::Interpolant: 'static,
    C: Controller<M>,
    C::Norm: ErrorNorm<Y>,
{
    fn run(mut solve: Solve<Delayed<F, P, Y>, Y, M, C, Self>) -> Result<Solution<Y>> {
        let (t0, t1) = (solve.span.t0, solve.span.t1);
        if t1 < t0 {
            let expected = "at least t0: delay equations run forwards";
            return Err(Error::invalid("t1", t1, expected));
        }
        let field = &solve.field;
        field.lags.validate()?;
        let mut jumps = field.lags.kinks(t0, t1, ORDERS);
        jumps.truncate(MOST_KINKS);
        jumps.append(&mut solve.options.jumps);
        jumps.sort_by(f64::total_cmp);
        jumps.dedup();
        solve.options.jumps = jumps;
        let longest = field.lags.bounds().map_or(f64::INFINITY, |(shortest, _)| shortest);
        let controller = Capped { controller: solve.controller.clone(), longest };
        let saver = Saver::new(&solve.save, &solve.span, &solve.y0)?;
        let mut watch = Watch { saver, field };
        let problem = Problem {
            field,
            y0: &solve.y0,
            span: &solve.span,
            method: &solve.method,
            controller: &controller,
            options: &solve.options,
        };
        let reached = integrate(&problem, &mut watch)?;
        Ok(watch.saver.finish(reached).0)
    }
}

/// Saves what is asked for, and remembers everything.
struct Watch<'a, F, P, Y, I> {
    saver: Saver<'a, Y, I>,
    field: &'a Delayed<F, P, Y>,
}

impl<F, P, Y, S> Observer<Y, S> for Watch<'_, F, P, Y, S::Interpolant>
where
    Y: State,
    S: Interpolates<Y>,
    S::Interpolant: 'static,
{
    fn wants_inside(&self, _: f64) -> bool {
        true
    }

    fn accepted(&mut self, step: &Step<'_, Y, S>) -> Result<()> {
        self.saver.see(step)?;
        let inside = step.stepper.interpolant(step.y0, step.y1);
        self.field.remember(step.t0, step.h, step.t1, inside);
        Ok(())
    }

    fn crossed(&mut self, crossed: &Crossed<'_, Y>) -> Result<()> {
        self.saver.see_crossed(crossed);
        Ok(())
    }
}

/// A controller whose steps are no longer than the shortest lag.
#[derive(Clone)]
struct Capped<C> {
    controller: C,
    longest: f64,
}

impl<M, C: Controller<M>> Controller<M> for Capped<C> {
    type Norm = C::Norm;

    fn validate(&self) -> Result<()> {
        self.controller.validate()
    }

    fn norm(&self) -> Option<&C::Norm> {
        self.controller.norm()
    }

    fn first_step(&self) -> Option<f64> {
        self.controller.first_step()
    }

    fn max_step(&self) -> f64 {
        self.controller.max_step().min(self.longest)
    }

    fn min_step(&self) -> f64 {
        self.controller.min_step()
    }

    fn judge(&self, trial: &Trial) -> Judgement {
        self.controller.judge(trial)
    }
}
