//! An exponential Rosenbrock method at work: [`ExponentialRosenbrockStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{
    ExponentialRosenbrock, ExponentialRosenbrockMethod,
    jacobian::{JacobianPart, Place},
};
use crate::{
    Attempt, Error, ErrorNorm, Family, HermiteInterpolant, ImplicitField, Interpolates, Made,
    Needs, Result, Span, Statistics, Stepper,
    field::check_slope,
    first_step::probed_step,
    hermite::hermite,
    implicit::{Linear, time_derivative, value},
};

impl<M, F, Y> Family<M, F, Y> for ExponentialRosenbrock
where
    M: ExponentialRosenbrockMethod,
    F: ImplicitField<Y>,
    Y: Components,
{
    type Stepper = ExponentialRosenbrockStages<Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<Self::Stepper> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's stages do not fit") };
        if field.mass().is_some() {
            let expected = "none in an exponential integrator; solve with an implicit method";
            return Err(Error::invalid("mass matrix", "given", expected));
        }
        let vector = || vec![0.0; y0.dimension()];
        Ok(ExponentialRosenbrockStages {
            linear: Linear::new(field, y0)?,
            jacobian: None,
            slope: y0.clone(),
            next: y0.clone(),
            time_derivative: y0.clone(),
            start: vector(),
            f: vector(),
            ft: vector(),
            rest: vec![vector(); M::TABLEAU.stages.len()],
            sums: vec![vector(); 2],
            scratch: y0.clone(),
            value: y0.clone(),
            h: 0.0,
            method: PhantomData,
        })
    }
}

/// The stages of a step of an exponential Rosenbrock method.
pub struct ExponentialRosenbrockStages<Y, M> {
    linear: Linear<Y>,
    /// The Jacobian at the start of the step, once it was found.
    jacobian: Option<JacobianPart>,
    /// The field at the start of the step and of the next one, and its derivative by time.
    slope: Y,
    next: Y,
    time_derivative: Y,
    /// The start, the field and the derivative by time in components.
    start: Vec<f64>,
    f: Vec<f64>,
    ft: Vec<f64>,
    /// The `Dⱼ`.
    rest: Vec<Vec<f64>>,
    sums: Vec<Vec<f64>>,
    scratch: Y,
    value: Y,
    h: f64,
    method: PhantomData<M>,
}

impl<Y: Components, M: ExponentialRosenbrockMethod> ExponentialRosenbrockStages<Y, M> {
    /// What the φ-functions of a stage with node `c` are applied to: term `k` belongs to `φₖ`. The
    /// field and its derivative by time are among them where `with_field` is set.
    fn terms(&self, c: f64, weights: &[&[f64]], with_field: bool) -> Vec<Vec<f64>> {
        let length = if with_field { weights.len().max(2) } else { weights.len() } + 1;
        let mut terms = vec![vec![0.0; self.start.len()]; length];
        if with_field {
            let ch = c * self.h;
            terms[1].iter_mut().zip(&self.f).for_each(|(term, f)| *term = ch * f);
            terms[2].iter_mut().zip(&self.ft).for_each(|(term, ft)| *term = ch * ch * ft);
        }
        for (term, weights) in terms[1..].iter_mut().zip(weights) {
            for (w, rest) in weights.iter().zip(&self.rest).filter(|(w, _)| **w != 0.0) {
                term.iter_mut().zip(rest).for_each(|(term, d)| *term += self.h * w * d);
            }
        }
        terms
    }

    /// `Dᵢ = f(tᵢ, Yᵢ) − f(t, y) − J (Yᵢ − y) − (tᵢ − t) ∂f/∂t`, where `sums[0]` is `Yᵢ − y`.
    fn remainder<F: ImplicitField<Y>>(
        &mut self,
        place: &Place<'_, F, Y>,
        part: &JacobianPart,
        i: usize,
        statistics: &mut Statistics,
    ) -> Result<()> {
        let ch = M::TABLEAU.stages[i].c * self.h;
        let moved: Vec<f64> = self.start.iter().zip(&self.sums[0]).map(|(y, z)| y + z).collect();
        self.scratch.write_from(&moved)?;
        value(place.field, place.t + ch, &self.scratch, &mut self.value, statistics)?;
        let (increment, image) = self.sums.split_at_mut(1);
        part.apply(place, &increment[0], &mut image[0], statistics)?;
        let rest = &mut self.rest[i];
        self.value.read_into(rest)?;
        for (j, rest) in rest.iter_mut().enumerate() {
            *rest -= self.f[j] + image[0][j] + ch * self.ft[j];
        }
        Ok(())
    }
}

impl<F, Y, M> Stepper<F, Y> for ExponentialRosenbrockStages<Y, M>
where
    F: ImplicitField<Y>,
    Y: Components,
    M: ExponentialRosenbrockMethod,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        value(field, t, y, &mut self.slope, statistics)?;
        check_slope(y, &self.slope, t, statistics)?;
        self.jacobian = None;
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
        let room = (&mut self.scratch, &mut self.value);
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            value(field, t, y, f, statistics)
        };
        probed_step(at, span, y, &self.slope, room, M::TABLEAU.order, norm, statistics)
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
        let tableau = &M::TABLEAU;
        self.h = h;
        let slope = self.slope.clone();
        let place = Place { field, t, y, f: &slope };
        let part = if let Some(known) = self.jacobian.take() {
            known
        } else {
            let room = (&mut self.value, &mut self.scratch);
            let out = &mut self.time_derivative;
            time_derivative(field, t, h, y, &slope, room, out, statistics)?;
            y.read_into(&mut self.start)?;
            slope.read_into(&mut self.f)?;
            self.time_derivative.read_into(&mut self.ft)?;
            JacobianPart::new(&place, &mut self.linear, statistics)?
        };
        for (i, stage) in tableau.stages.iter().enumerate() {
            let terms = self.terms(stage.c, stage.weights, true);
            part.combine(&place, stage.c * h, &[&terms], &mut self.sums, statistics)?;
            self.remainder(&place, &part, i, statistics)?;
        }
        let terms = self.terms(1.0, tableau.step, true);
        let error = self.terms(1.0, tableau.error, false);
        let with_error: [&[Vec<f64>]; 2] = [&terms, &error];
        let wanted = if norm.is_some() { &with_error[..] } else { &with_error[..1] };
        part.combine(&place, h, wanted, &mut self.sums, statistics)?;
        self.jacobian = Some(part);
        let moved: Vec<f64> = self.start.iter().zip(&self.sums[0]).map(|(y, z)| y + z).collect();
        y_new.write_from(&moved)?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        if tableau.error.is_empty() {
            let expected = "weights of the stages in an adaptive method";
            return Err(Error::invalid("error weights", 0, expected));
        }
        self.scratch.write_from(&self.sums[1])?;
        Ok(Attempt::Made(Some(norm.norm(&self.scratch, y, y_new)?)))
    }

    fn error_order(&self) -> u32 {
        M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1
    }

    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if needs.next || needs.inside {
            value(field, made.t, made.y, &mut self.next, statistics)?;
        }
        Ok(())
    }

    fn advance(&mut self) {
        std::mem::swap(&mut self.slope, &mut self.next);
        self.jacobian = None;
    }
}

impl<Y: Components, M: ExponentialRosenbrockMethod> Interpolates<Y>
    for ExponentialRosenbrockStages<Y, M>
{
    type Interpolant = HermiteInterpolant<Y>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        hermite(theta, self.h, [y, y_new], [&self.slope, &self.next], out)
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> HermiteInterpolant<Y> {
        let slopes = [self.slope.clone(), self.next.clone()];
        HermiteInterpolant { h: self.h, y: [y.clone(), y_new.clone()], slopes }
    }
}
