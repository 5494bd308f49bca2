//! Backward differentiation at work: [`BdfSteps`].

use ansatz_linalg::Components;

use super::super::{
    history::History,
    order::{Estimates, OrderControl},
    polynomial::{Weights, slope_at_zero, value_at},
};
use crate::{
    AdaptiveFamily, Attempt, Bdf, Controller, ErrorNorm, Family, Judgement, Made, Needs, Result,
    Span, Statistics, Stepper, Tolerance, Trial,
    field::check_slope,
    first_step::{cautious_step, probed_step},
    implicit::{
        ImplicitField,
        initial::check_consistent,
        linear::{Linear, value},
        newton::{Newton, Stage},
        reuse::Reuse,
    },
};

/// The family of the backward differentiation formulas.
#[derive(Debug, Clone, Copy)]
pub struct BackwardDifferentiation;

impl AdaptiveFamily for BackwardDifferentiation {
    type Controller = Tolerance;

    fn controller(rtol: f64, atol: f64) -> Tolerance {
        Tolerance::new(rtol, atol)
    }
}

/// `1 + 1/2 + … + 1/k`.
const HARMONIC: [f64; 5] = [1.0, 1.5, 11.0 / 6.0, 25.0 / 12.0, 137.0 / 60.0];

/// The error of a step in units of `y − p`, with points at these places: what remains of the formula
/// where the solution is put into it (K. E. Brenan, S. L. Campbell, L. R. Petzold, *Numerical
/// Solution of Initial-Value Problems in Differential-Algebraic Equations*, section 5.2).
fn error_constant(order: usize, places: &[f64]) -> f64 {
    let Some(oldest) = places.get(order) else { return 1.0 / (order as f64 + 1.0) };
    let rates: f64 = places[..=order].iter().map(|s| -1.0 / s).sum();
    (HARMONIC[order - 1] - rates).abs().max(-1.0 / oldest)
}

impl<F, Y> Family<Bdf, F, Y> for BackwardDifferentiation
where
    F: ImplicitField<Y>,
    Y: Components,
{
    type Stepper = BdfSteps<Y>;

    fn stepper(method: &Bdf, field: &F, y0: &Y) -> Result<BdfSteps<Y>> {
        method.validate()?;
        let linear = Linear::new(field, y0)?;
        Ok(BdfSteps {
            control: OrderControl::new(method.max_order),
            errors: Estimates::NONE,
            history: History::new(y0, method.max_order + 2),
            slope: y0.clone(),
            h: 0.0,
            judged: false,
            predicted: y0.clone(),
            known: y0.clone(),
            scratch: y0.clone(),
            z: y0.clone(),
            newton: Newton::new(y0),
            reuse: Reuse::new(linear, y0),
        })
    }
}

/// The last points of a solve by backward differentiation.
///
/// The points stay at the times that they belong to (variable steps), and the leading coefficient is
/// that of steps of one length (K. R. Jackson, R. Sacks-Davis 1980), so that the iteration matrix
/// changes only with the length and the order of the step.
pub struct BdfSteps<Y> {
    pub(in crate::multistep) control: OrderControl,
    errors: Estimates,
    pub(in crate::multistep) history: History<Y>,
    /// `y′` at the first point; zero with a mass matrix.
    slope: Y,
    /// Signed length of the step.
    pub(super) h: f64,
    judged: bool,
    predicted: Y,
    known: Y,
    scratch: Y,
    /// What the step adds to the prediction.
    z: Y,
    newton: Newton<Y>,
    reuse: Reuse<Y>,
}

impl<Y: Components> BdfSteps<Y> {
    /// Puts the polynomial through the last points into `predicted`, `h` times its slope into
    /// `scratch`; returns the weights of the value.
    fn predict(&mut self, h: f64, places: &[f64]) -> Result<Weights> {
        if self.history.count() == 1 {
            let slope = std::slice::from_ref(&self.slope);
            self.predicted.combine(Some(self.history.newest()), h, &[1.0], slope)?;
            self.scratch.combine(None, h, &[1.0], slope)?;
            return Ok(Weights::default());
        }
        let values = value_at(places, 0.0);
        let slopes = slope_at_zero(places, &values);
        let history = &self.history;
        self.predicted.combine(None, 1.0, &history.weights(&values, 0.0), history.slots())?;
        self.scratch.combine(None, 1.0, &history.weights(&slopes, 0.0), history.slots())?;
        Ok(values)
    }

    /// The error of a step of another order: `y_new` against the polynomial of that degree.
    fn error_of<N: ErrorNorm<Y>>(
        &mut self,
        order: usize,
        places: &[f64],
        present: &Weights,
        (y, y_new): (&Y, &Y),
        norm: &N,
    ) -> Result<(f64, f64)> {
        if order == 0 || order >= places.len() {
            return Ok((f64::INFINITY, f64::INFINITY));
        }
        let mut difference = value_at(&places[..=order], 0.0);
        for (weight, present) in difference.iter_mut().zip(present) {
            *weight = present - *weight;
        }
        let weights = self.history.weights(&difference[..places.len()], 0.0);
        self.scratch.combine(Some(&self.z), 1.0, &weights, self.history.slots())?;
        let part = error_constant(order, places);
        let term = norm.norm(&self.scratch, y, y_new)?;
        Ok((part * term, term))
    }

    /// The equations of an attempt could not be solved: the Jacobian that it leaves behind belongs
    /// to the end of too long a step.
    fn failed(&mut self, factor: f64) -> Attempt {
        self.control.failed();
        self.reuse.restart();
        Attempt::Failed(factor)
    }
}

impl<F, Y> Stepper<F, Y> for BdfSteps<Y>
where
    F: ImplicitField<Y>,
    Y: Components,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        value(field, t, y, &mut self.slope, statistics)?;
        check_slope(y, &self.slope, t, statistics)?;
        self.history.next().clone_from(y);
        self.history.restart();
        self.control.restart();
        self.newton.restart();
        self.reuse.restart();
        self.judged = false;
        if self.reuse.linear.mass().is_some() {
            // The derivative is not at hand.
            self.slope.combine(None, 1.0, &[], &[])?;
        }
        Ok(())
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        if self.reuse.linear.mass().is_some() {
            check_consistent(field, span.t0, y, &mut self.reuse.linear, norm, statistics)?;
            value(field, span.t0, y, &mut self.scratch, statistics)?;
            return cautious_step(span, y, &self.scratch, norm);
        }
        let room = (&mut self.scratch, &mut self.known);
        let evaluate = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            value(field, t, y, f, statistics)
        };
        probed_step(evaluate, span, y, &self.slope, room, 1, norm, statistics)
    }

    fn attempt<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        h: f64,
        y: &Y,
        y_new: &mut Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<Attempt> {
        self.h = h;
        let k = self.control.order;
        let all = self.history.positions(h);
        let all = &all[..self.history.count()];
        let places = &all[..all.len().min(k + 1)];
        let alpha = HARMONIC[k - 1];
        let gamma_h = h / alpha;
        let values = self.predict(h, places)?;
        // M z − γh f(t, p + z) = −M h p′ / α
        self.reuse.linear.mass_times(&self.scratch, &mut self.z)?;
        let image = std::slice::from_ref(&self.z);
        self.known.combine(None, -1.0 / alpha, &[1.0], image)?;
        loop {
            if !self.reuse.prepare(field, t + h, &self.predicted, gamma_h, statistics)? {
                return Ok(self.failed(0.5));
            }
            self.z.combine(None, 1.0, &[], &[])?;
            self.newton.slowest = 0.0;
            let stage = Stage { t: t + h, y: &self.predicted, gamma_h, known: &self.known };
            let linear = &mut self.reuse.linear;
            if self.newton.solve(field, linear, &stage, &mut self.z, norm, statistics)? {
                break;
            }
            if !self.reuse.can_renew(gamma_h) {
                return Ok(self.failed(0.25));
            }
        }
        y_new.combine(Some(&self.predicted), 1.0, &[1.0], std::slice::from_ref(&self.z))?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        let term = norm.norm(&self.z, y, y_new)?;
        let present = error_constant(k, all) * term;
        let ends = (y, &*y_new);
        let lower = self.error_of(k - 1, all, &values, ends, norm)?;
        let higher = if self.control.may_climb() { k + 1 } else { 0 };
        let higher = self.error_of(higher, all, &values, ends, norm)?;
        // The terms of a smooth solution fall from order to order (Brenan, Campbell, Petzold).
        let least = |order: usize| if order == 1 { 0.5 * term } else { term };
        self.errors = Estimates {
            lower: lower.0,
            present,
            higher: if higher.1 < least(k) { higher.0 } else { f64::INFINITY },
            rough: k > 1 && lower.1 <= least(k - 1),
        };
        Ok(Attempt::Made(Some(present)))
    }

    fn error_order(&self) -> u32 {
        self.control.order as u32 + 1
    }

    fn judge<M, C: Controller<M>>(&mut self, _: &C, trial: &Trial) -> Judgement {
        self.judged = true;
        self.control.judge(trial.h, &self.errors)
    }

    fn complete(&mut self, _: &F, made: &Made<'_, Y>, _: Needs, _: &mut Statistics) -> Result<()> {
        self.history.next().clone_from(made.y);
        Ok(())
    }

    fn advance(&mut self) {
        let cut = !self.judged || self.control.was_cut(self.h.abs());
        if cut && self.history.is_sliver(self.h) {
            self.history.advance_merging(self.h);
        } else {
            self.history.advance(self.h);
        }
        if self.judged {
            self.control.advance();
        } else {
            self.control.climb(self.history.count() - 1);
        }
        self.reuse.accepted(self.newton.slowest);
    }
}
