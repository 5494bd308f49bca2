//! A low-storage method at work: [`Registers`].

use std::marker::PhantomData;

use ansatz_core::State;

use super::{LowStorage, LowStorageRungeKutta};
use crate::{
    Attempt, Error, ErrorNorm, Family, HermiteInterpolant, Interpolates, Made, Needs, Result, Span,
    Statistics, Stepper, VectorField,
    field::{check_slope, evaluate},
    first_step::probed_step,
    hermite::hermite,
};

impl<M, F, Y> Family<M, F, Y> for LowStorage
where
    M: LowStorageRungeKutta,
    F: VectorField<Y>,
    Y: State,
{
    type Stepper = Registers<Y, M>;

    fn stepper(_: &M, _: &F, y0: &Y) -> Result<Registers<Y, M>> {
        const { assert!(M::COEFFICIENTS.is_well_formed(), "the coefficients do not fit") };
        Ok(Registers {
            slope: y0.clone(),
            second: y0.clone(),
            error: None,
            ends: None,
            at: Where::Elsewhere,
            inside: false,
            h: 0.0,
            method: PhantomData,
        })
    }
}

/// The registers of a low-storage Runge–Kutta method, beside the states before and after a step.
#[derive(Debug, Clone)]
pub struct Registers<Y, M> {
    slope: Y,
    second: Y,
    /// The error estimate as it adds up, for adaptive steps.
    error: Option<Y>,
    /// The slopes at both ends, for steps that are looked into.
    ends: Option<[Y; 2]>,
    /// Where `slope` was evaluated.
    at: Where,
    /// Whether `ends` belongs to the last step.
    inside: bool,
    /// Signed length of the step.
    h: f64,
    method: PhantomData<M>,
}

/// Where in a step a slope belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Start,
    Elsewhere,
    End,
}

impl<F, Y, M> Stepper<F, Y> for Registers<Y, M>
where
    F: VectorField<Y>,
    Y: State,
    M: LowStorageRungeKutta,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        evaluate(field, t, y, &mut self.slope, statistics)?;
        self.at = Where::Start;
        check_slope(y, &self.slope, t, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        let room = (&mut self.second, self.error.get_or_insert_with(|| y.clone()));
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            evaluate(field, t, y, f, statistics)
        };
        probed_step(at, span, y, &self.slope, room, M::COEFFICIENTS.order, norm, statistics)
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
        let coefficients = &M::COEFFICIENTS;
        let stages = coefficients.stages();
        let estimate = match (norm, coefficients.embedded) {
            (None, _) => None,
            (Some(norm), Some(embedded)) => Some((norm, embedded.error)),
            (Some(_), None) => {
                let expected = "embedded weights in an adaptive method";
                return Err(Error::invalid("embedded weights", "none", expected));
            }
        };
        if estimate.is_some() {
            self.error.get_or_insert_with(|| y.clone());
        }
        self.h = h;
        self.inside = false;
        y_new.clone_from(y);
        let known = self.at == Where::Start;
        self.at = Where::Elsewhere;
        for i in 0..stages {
            if i > 0 || !known {
                evaluate(field, t + coefficients.c[i] * h, y_new, &mut self.slope, statistics)?;
            }
            if let (Some((_, weights)), Some(error)) = (estimate, &mut self.error) {
                let before = if i == 0 { 0.0 } else { 1.0 };
                error.accumulate(before, &[(h * weights[i], &self.slope)])?;
            }
            coefficients.recurrence.advance(i, h, y, &self.slope, y_new, &mut self.second)?;
        }
        let (Some((norm, weights)), Some(error)) = (estimate, &mut self.error) else {
            return Ok(Attempt::Made(None));
        };
        evaluate(field, t + h, y_new, &mut self.slope, statistics)?;
        self.at = Where::End;
        error.accumulate(1.0, &[(h * weights[stages], &self.slope)])?;
        Ok(Attempt::Made(Some(norm.norm(error, y, y_new)?)))
    }

    fn error_order(&self) -> u32 {
        let order = M::COEFFICIENTS.order;
        M::COEFFICIENTS.embedded.map_or(order, |embedded| embedded.order.min(order)) + 1
    }

    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if !needs.inside || self.inside {
            return Ok(());
        }
        if self.at != Where::End {
            evaluate(field, made.t, made.y, &mut self.slope, statistics)?;
            self.at = Where::End;
        }
        let [first, last] =
            self.ends.get_or_insert_with(|| [self.slope.clone(), self.slope.clone()]);
        evaluate(field, made.t0, made.y0, first, statistics)?;
        last.clone_from(&self.slope);
        self.inside = true;
        Ok(())
    }

    fn advance(&mut self) {
        self.at = if self.at == Where::End { Where::Start } else { Where::Elsewhere };
    }
}

impl<Y: State, M: LowStorageRungeKutta> Interpolates<Y> for Registers<Y, M> {
    type Interpolant = HermiteInterpolant<Y>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        // There since the step was completed to be looked into.
        let [first, last] = self.ends.as_ref().map_or([y, y], |[a, b]| [a, b]);
        hermite(theta, self.h, [y, y_new], [first, last], out)
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> HermiteInterpolant<Y> {
        let slopes = self.ends.clone().unwrap_or_else(|| [y.clone(), y.clone()]);
        HermiteInterpolant { h: self.h, y: [y.clone(), y_new.clone()], slopes }
    }
}
