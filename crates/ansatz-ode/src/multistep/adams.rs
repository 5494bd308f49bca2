//! Adams' formulas at work: [`AdamsSteps`].

use ansatz_core::State;

use super::{
    history::History,
    order::{Estimates, OrderControl},
    polynomial::{MOST, Weights, integral, newton_integrals, value_at},
};
use crate::{
    Adams, AdaptiveFamily, Attempt, Controller, ErrorNorm, Family, Interpolant, Interpolates,
    Judgement, Made, Needs, Result, Span, Statistics, Stepper, Tolerance, Trial, VectorField,
    field::{check_slope, evaluate},
    first_step::probed_step,
};

/// The family of Adams' formulas as predictor and corrector.
#[derive(Debug, Clone, Copy)]
pub struct AdamsBashforthMoulton;

impl AdaptiveFamily for AdamsBashforthMoulton {
    type Controller = Tolerance;

    fn controller(rtol: f64, atol: f64) -> Tolerance {
        Tolerance::new(rtol, atol)
    }
}

impl<F, Y> Family<Adams, F, Y> for AdamsBashforthMoulton
where
    F: VectorField<Y>,
    Y: State,
{
    type Stepper = AdamsSteps<Y>;

    fn stepper(method: &Adams, _: &F, y0: &Y) -> Result<AdamsSteps<Y>> {
        method.validate()?;
        Ok(AdamsSteps {
            control: OrderControl::new(method.max_order),
            errors: Estimates::NONE,
            history: History::new(y0, method.max_order + 1),
            h: 0.0,
            judged: false,
            evaluated: false,
            value: y0.clone(),
            scratch: y0.clone(),
            gap: y0.clone(),
        })
    }
}

/// The last derivatives of a solve by Adams' formulas.
///
/// A step of order `k` integrates the polynomial through the last `k` derivatives, and corrects
/// that by the derivative found there (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, section
/// III.5).
#[derive(Debug, Clone)]
pub struct AdamsSteps<Y> {
    pub(super) control: OrderControl,
    errors: Estimates,
    /// Derivatives.
    pub(super) history: History<Y>,
    /// Signed length of the step.
    h: f64,
    judged: bool,
    /// The derivative at the end of the step is known.
    evaluated: bool,
    /// The derivative at the predicted state.
    value: Y,
    scratch: Y,
    /// What the integral over the step, with the derivative at its end, lacks of the step.
    gap: Y,
}

impl<Y: State> AdamsSteps<Y> {
    /// Puts `value` less the extrapolation of the last `points` derivatives into `scratch`.
    fn deviation(&mut self, places: &[f64], points: usize) -> Result<()> {
        let mut weights = value_at(&places[..points], 0.0);
        for weight in &mut weights {
            *weight = -*weight;
        }
        let weights = self.history.weights(&weights[..points], 0.0);
        Ok(self.scratch.combine(Some(&self.value), 1.0, &weights, self.history.slots())?)
    }

    /// The weights of the derivatives, those at the ends of the steps before and, in the front,
    /// the one at 0, for the integral from −1 to `x`.
    fn read(&self, x: f64) -> (usize, Weights) {
        let points = self.control.order;
        let places = self.history.positions(self.h);
        (points, inside(&places[..points], x))
    }
}

/// The weights of the derivative at 0 and of those at `places` for the integral from −1 to `x`.
fn inside(places: &[f64], x: f64) -> Weights {
    let mut all = [0.0; MOST];
    all[1..=places.len()].copy_from_slice(places);
    integral(&all[..=places.len()], -1.0, x)
}

impl<F, Y> Stepper<F, Y> for AdamsSteps<Y>
where
    F: VectorField<Y>,
    Y: State,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        evaluate(field, t, y, self.history.next(), statistics)?;
        self.history.restart();
        self.control.restart();
        self.judged = false;
        check_slope(y, self.history.newest(), t, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        let room = (&mut self.scratch, &mut self.value);
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            evaluate(field, t, y, f, statistics)
        };
        probed_step(at, span, y, self.history.newest(), room, 1, norm, statistics)
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
        (self.h, self.evaluated) = (h, false);
        let k = self.control.order;
        let places = self.history.positions(h);
        let places = &places[..self.history.count()];
        let predictor = integral(&places[..k], -1.0, 0.0);
        let predictor = self.history.weights(&predictor[..k], 0.0);
        self.gap.combine(Some(y), h, &predictor, self.history.slots())?;
        evaluate(field, t + h, &self.gap, &mut self.value, statistics)?;
        let g = newton_integrals(places);
        self.deviation(places, k)?;
        let correction = std::slice::from_ref(&self.scratch);
        y_new.combine(Some(&self.gap), h, &[g[k]], correction)?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        let part = |m: usize| (h * (g[m] - g[m - 1])).abs();
        let present = part(k) * norm.norm(&self.scratch, y, y_new)?;
        let mut other = |m: usize| {
            if m == 0 || m > places.len() {
                return Ok(f64::INFINITY);
            }
            self.deviation(places, m)?;
            Ok::<_, crate::Error>(part(m) * norm.norm(&self.scratch, y, y_new)?)
        };
        let (lower, higher) = (other(k - 1)?, other(k + 1)?);
        self.errors = Estimates { lower, present, higher, rough: false };
        Ok(Attempt::Made(Some(present)))
    }

    fn error_order(&self) -> u32 {
        self.control.order as u32 + 1
    }

    fn judge<M, C: Controller<M>>(&mut self, _: &C, trial: &Trial) -> Judgement {
        self.judged = true;
        self.control.judge(trial.h, &self.errors)
    }

    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if (needs.next || needs.inside) && !self.evaluated {
            evaluate(field, made.t, made.y, self.history.next(), statistics)?;
            self.evaluated = true;
        }
        if needs.inside {
            let (points, weights) = self.read(0.0);
            let mut weights = self.history.weights(&weights[1..=points], weights[0]);
            for weight in &mut weights {
                *weight *= -self.h;
            }
            self.scratch.combine(Some(made.y), 1.0, &weights, self.history.slots())?;
            self.gap.combine(Some(&self.scratch), -1.0, &[1.0], std::slice::from_ref(made.y0))?;
        }
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
            self.control.climb(self.history.count());
        }
    }
}

impl<Y: State> Interpolates<Y> for AdamsSteps<Y> {
    type Interpolant = AdamsInterpolant<Y>;

    fn interpolate(&self, theta: f64, y: &Y, _: &Y, out: &mut Y) -> Result<()> {
        let (points, weights) = self.read(theta - 1.0);
        let weights = self.history.weights(&weights[1..=points], weights[0]);
        let mut start = y.clone();
        start.combine(Some(y), theta, &[1.0], std::slice::from_ref(&self.gap))?;
        Ok(out.combine(Some(&start), self.h, &weights, self.history.slots())?)
    }

    fn interpolant(&self, y: &Y, _: &Y) -> AdamsInterpolant<Y> {
        let points = self.control.order;
        let places = self.history.positions(self.h)[..points].to_vec();
        let mut terms = self.history.kept(points);
        terms.push(self.gap.clone());
        AdamsInterpolant { h: self.h, y0: y.clone(), places, terms }
    }
}

/// The dense output of one step by Adams' formulas, kept: the integral of the polynomial through
/// the derivatives.
#[derive(Debug, Clone)]
pub struct AdamsInterpolant<Y> {
    h: f64,
    y0: Y,
    /// Where the derivatives before are, in units of the step, which ends at 0.
    places: Vec<f64>,
    /// The derivatives, and what is lacking at the end.
    terms: Vec<Y>,
}

impl<Y: State> Interpolant<Y> for AdamsInterpolant<Y> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        let mut weights = inside(&self.places, theta - 1.0);
        for weight in &mut weights {
            *weight *= self.h;
        }
        weights[self.terms.len() - 1] = theta;
        y.combine(Some(&self.y0), 1.0, &weights[..self.terms.len()], &self.terms)?;
        Ok(y)
    }
}
