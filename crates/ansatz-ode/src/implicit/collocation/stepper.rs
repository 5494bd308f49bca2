//! A collocation method at work: [`CollocationStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{
    Collocation, CollocationMethod,
    newton::{CollocationNewton, CollocationStep, combination},
    systems::Systems,
};
use crate::{
    Attempt, Error, ErrorNorm, Family, Interpolant, Interpolates, Made, Needs, Result, Span,
    Statistics, Stepper,
    field::check_slope,
    first_step::{cautious_step, probed_step},
    implicit::{
        ImplicitField,
        initial::check_consistent,
        linear::{Linear, value},
    },
};

impl<M, F, Y> Family<M, F, Y> for Collocation
where
    M: CollocationMethod,
    F: ImplicitField<Y>,
    Y: Components,
{
    type Stepper = CollocationStages<Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<CollocationStages<Y, M>> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        let stages = M::TABLEAU.stages();
        Ok(CollocationStages {
            systems: Systems::new(Linear::new(field, y0)?, &M::TABLEAU),
            newton: CollocationNewton::new(y0, stages),
            slope: y0.clone(),
            slope_is_known: false,
            increments: vec![y0.clone(); stages],
            last: vec![vec![0.0; y0.dimension()]; stages],
            last_h: None,
            h: 0.0,
            doubtful: true,
            scratch: y0.clone(),
            value: y0.clone(),
            components: vec![0.0; y0.dimension()],
            image: vec![0.0; y0.dimension()],
            method: PhantomData,
        })
    }
}

/// The stages of a step of a collocation method.
pub struct CollocationStages<Y, M> {
    systems: Systems<Y>,
    newton: CollocationNewton<Y>,
    /// `f` at the start of the step, where it was needed.
    slope: Y,
    slope_is_known: bool,
    /// The increments of the stages, as states.
    increments: Vec<Y>,
    /// Those of the step before, and its length: its polynomial goes on.
    last: Vec<Vec<f64>>,
    last_h: Option<f64>,
    h: f64,
    /// The first step after a restart, and attempts after a rejected one.
    doubtful: bool,
    scratch: Y,
    value: Y,
    components: Vec<f64>,
    image: Vec<f64>,
    method: PhantomData<M>,
}

impl<Y: Components, M: CollocationMethod> CollocationStages<Y, M> {
    /// A first guess of the increments: the polynomial of the step before goes on.
    fn predict(&mut self) {
        let tableau = &M::TABLEAU;
        for (c, z) in tableau.c.iter().zip(&mut self.newton.z) {
            let Some(last_h) = self.last_h else {
                z.fill(0.0);
                continue;
            };
            let mut weights = tableau.weights(1.0 + c * self.h / last_h);
            for (weight, d) in weights.iter_mut().zip(tableau.d) {
                *weight -= d;
            }
            combination(&weights, &self.last, z);
        }
    }

    /// The right-hand side of the error estimate, `h γ₀ f(t, y) + M Σ eᵢ zᵢ`, into `scratch`.
    fn error_right_side(&mut self, gamma: f64) -> Result<()> {
        self.slope.read_into(&mut self.components)?;
        combination(M::TABLEAU.error, &self.newton.z, &mut self.image);
        let mut sum = vec![0.0; self.image.len()];
        self.systems.linear.mass_components(&self.image, &mut sum);
        for (sum, f) in sum.iter_mut().zip(&self.components) {
            *sum += self.h / gamma * f;
        }
        Ok(self.scratch.write_from(&sum)?)
    }

    /// The norm of the error estimate (E. Hairer, G. Wanner, *Solving ODEs II*, eqs. IV.8.19 and
    /// IV.8.20). After a doubtful step, one with the field at `y` plus the first estimate, which
    /// stays small where the problem is stiffer than the step is short.
    #[allow(clippy::too_many_arguments)] // what a step is
    fn error<F: ImplicitField<Y>, N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        y_new: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        let Some(gamma) = M::TABLEAU.real.filter(|_| M::TABLEAU.has_error_estimate()) else {
            let expected = "a weight for each stage and an embedded order in an adaptive method";
            return Err(Error::invalid("error weights", M::TABLEAU.error.len(), expected));
        };
        self.error_right_side(gamma)?;
        self.systems.linear.solve(&mut self.scratch, statistics)?;
        let error = norm.norm(&self.scratch, y, y_new)?;
        if error <= 1.0 || !self.doubtful || !error.is_finite() {
            return Ok(error);
        }
        self.value.combine(Some(y), 1.0, &[1.0], std::slice::from_ref(&self.scratch))?;
        let mut moved = self.scratch.clone();
        value(field, t, &self.value, &mut moved, statistics)?;
        std::mem::swap(&mut self.slope, &mut moved);
        self.error_right_side(gamma)?;
        std::mem::swap(&mut self.slope, &mut moved);
        self.systems.linear.solve(&mut self.scratch, statistics)?;
        norm.norm(&self.scratch, y, y_new)
    }
}

impl<F, Y, M> Stepper<F, Y> for CollocationStages<Y, M>
where
    F: ImplicitField<Y>,
    Y: Components,
    M: CollocationMethod,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        value(field, t, y, &mut self.slope, statistics)?;
        check_slope(y, &self.slope, t, statistics)?;
        self.slope_is_known = true;
        self.last_h = None;
        self.doubtful = true;
        self.newton.restart();
        self.systems.restart();
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
        if self.systems.linear.mass().is_some() {
            check_consistent(field, span.t0, y, &mut self.systems.linear, norm, statistics)?;
            return cautious_step(span, y, &self.slope, norm);
        }
        let room = (&mut self.scratch, &mut self.value);
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            value(field, t, y, f, statistics)
        };
        let order = M::TABLEAU.order.min(M::TABLEAU.embedded_order);
        probed_step(at, span, y, &self.slope, room, order, norm, statistics)
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
        loop {
            let wanted = norm.is_some() || self.systems.jacobian_is_due();
            if wanted && !self.slope_is_known {
                value(field, t, y, &mut self.slope, statistics)?;
                self.slope_is_known = true;
            }
            self.systems.linearise(field, t, y, &self.slope, statistics)?;
            if !self.systems.factorise(tableau, h, statistics)? {
                self.doubtful = true;
                return Ok(Attempt::Failed(0.5));
            }
            self.predict();
            let step = CollocationStep { tableau, t, h, y };
            let systems = &mut self.systems;
            match self.newton.solve(field, systems, &step, norm, statistics)? {
                None => break,
                Some(factor) => {
                    self.doubtful = true;
                    if !self.systems.can_renew() {
                        return Ok(Attempt::Failed(factor));
                    }
                }
            }
        }
        for (increment, z) in self.increments.iter_mut().zip(&self.newton.z) {
            increment.write_from(z)?;
        }
        y_new.combine(Some(y), 1.0, tableau.d, &self.increments)?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        let error = self.error(field, t, y, y_new, norm, statistics)?;
        self.doubtful = true;
        Ok(Attempt::Made(Some(error)))
    }

    fn error_order(&self) -> u32 {
        M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1
    }

    fn complete(&mut self, _: &F, _: &Made<'_, Y>, _: Needs, _: &mut Statistics) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self) {
        std::mem::swap(&mut self.last, &mut self.newton.z);
        self.last_h = Some(self.h);
        self.slope_is_known = false;
        self.doubtful = false;
        self.systems.accepted(self.newton.rate);
    }
}

impl<Y: Components, M: CollocationMethod> Interpolates<Y> for CollocationStages<Y, M> {
    type Interpolant = CollocationInterpolant<Y, M>;

    fn interpolate(&self, theta: f64, y: &Y, _: &Y, out: &mut Y) -> Result<()> {
        Ok(out.combine(Some(y), 1.0, &M::TABLEAU.weights(theta), &self.increments)?)
    }

    fn interpolant(&self, y: &Y, _: &Y) -> CollocationInterpolant<Y, M> {
        let increments = self.increments.clone();
        CollocationInterpolant { y0: y.clone(), increments, method: PhantomData }
    }
}

/// The collocation polynomial of one step, kept.
#[derive(Debug, Clone)]
pub struct CollocationInterpolant<Y, M> {
    y0: Y,
    increments: Vec<Y>,
    method: PhantomData<M>,
}

impl<Y: Components, M: CollocationMethod> Interpolant<Y> for CollocationInterpolant<Y, M> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        y.combine(Some(&self.y0), 1.0, &M::TABLEAU.weights(theta), &self.increments)?;
        Ok(y)
    }
}
