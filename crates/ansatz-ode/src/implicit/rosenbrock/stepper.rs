//! A Rosenbrock method at work: [`RosenbrockStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{Rosenbrock, RosenbrockMethod};
use crate::{
    Attempt, ErrorNorm, Family, Interpolant, Interpolates, JacobianAtHand, JacobianStorage, Made,
    Needs, Result, Span, Statistics, Stepper,
    field::check_slope,
    first_step::{cautious_step, probed_step},
    implicit::{
        ImplicitField,
        initial::check_consistent,
        linear::{Linear, value},
        time_derivative::time_derivative,
    },
};

impl<M, F, Y> Family<M, F, Y> for Rosenbrock
where
    M: RosenbrockMethod,
    F: ImplicitField<Y>,
    Y: Components,
{
    type Stepper = RosenbrockStages<Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<RosenbrockStages<Y, M>> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        Ok(RosenbrockStages {
            linear: Linear::new(field, y0)?,
            increments: vec![y0.clone(); M::TABLEAU.stages()],
            slope: y0.clone(),
            time_derivative: y0.clone(),
            scratch: y0.clone(),
            value: y0.clone(),
            linearised: false,
            ahead: false,
            method: PhantomData,
        })
    }
}

/// The stages of a step of a Rosenbrock method.
pub struct RosenbrockStages<Y, M> {
    linear: Linear<Y>,
    /// The `uᵢ`.
    increments: Vec<Y>,
    /// `f` at the start of the step, and its derivative by time.
    slope: Y,
    time_derivative: Y,
    scratch: Y,
    value: Y,
    /// Whether the Jacobian and the time derivative are those of the start of the step.
    linearised: bool,
    /// Whether `slope` is already that at the start of the next step.
    ahead: bool,
    method: PhantomData<M>,
}

impl<Y: Components, M: RosenbrockMethod> RosenbrockStages<Y, M> {
    /// Finds the Jacobian and the time derivative at the start of the step.
    fn linearise<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        t: f64,
        h: f64,
        y: &Y,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if self.ahead {
            value(field, t, y, &mut self.slope, statistics)?;
            self.ahead = false;
        }
        self.linear.linearise(field, t, y, &self.slope, statistics)?;
        let room = (&mut self.value, &mut self.scratch);
        let out = &mut self.time_derivative;
        time_derivative(field, t, h, y, &self.slope, room, out, statistics)?;
        self.linearised = true;
        Ok(())
    }
}

impl<F, Y, M> Stepper<F, Y> for RosenbrockStages<Y, M>
where
    F: ImplicitField<Y>,
    Y: Components,
    M: RosenbrockMethod,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        value(field, t, y, &mut self.slope, statistics)?;
        check_slope(y, &self.slope, t, statistics)?;
        (self.linearised, self.ahead) = (false, false);
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
        if self.linear.mass().is_some() {
            check_consistent(field, span.t0, y, &mut self.linear, norm, statistics)?;
            return cautious_step(span, y, &self.slope, norm);
        }
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
        if !self.linearised {
            self.linearise(field, t, h, y, statistics)?;
        }
        let gamma_h = tableau.gamma * h;
        // The same length again needs no other factorisation.
        let known = self.linear.gamma_h.to_bits() == gamma_h.to_bits();
        if !known && !self.linear.factorise(gamma_h, statistics)? {
            return Ok(Attempt::Failed(0.5));
        }
        for i in 0..tableau.stages() {
            let (before, rest) = self.increments.split_at_mut(i);
            let u = &mut rest[0];
            if i == 0 {
                self.value.clone_from(&self.slope);
            } else if !tableau.repeats(i) {
                self.scratch.combine(Some(y), 1.0, tableau.a[i], before)?;
                let time = t + tableau.nodes[i] * h;
                value(field, time, &self.scratch, &mut self.value, statistics)?;
            }
            // W uᵢ = γh (f + dᵢ h ∂f/∂t) + γ M Σ cᵢⱼ uⱼ
            self.scratch.combine(None, tableau.gamma, tableau.c[i], before)?;
            self.linear.mass_times(&self.scratch, u)?;
            self.scratch.combine(Some(u), gamma_h, &[1.0], std::slice::from_ref(&self.value))?;
            u.combine(
                Some(&self.scratch),
                gamma_h * h,
                &[tableau.d[i]],
                std::slice::from_ref(&self.time_derivative),
            )?;
            self.linear.solve(u, statistics)?;
        }
        y_new.combine(Some(y), 1.0, tableau.m, &self.increments)?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        self.scratch.combine(None, 1.0, tableau.error, &self.increments)?;
        Ok(Attempt::Made(Some(norm.norm(&self.scratch, y, y_new)?)))
    }

    fn error_order(&self) -> u32 {
        M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1
    }

    fn complete(&mut self, _: &F, _: &Made<'_, Y>, _: Needs, _: &mut Statistics) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self) {
        (self.linearised, self.ahead) = (false, true);
    }
}

fn interpolate<Y: Components, M: RosenbrockMethod>(
    theta: f64,
    y: &Y,
    increments: &[Y],
    out: &mut Y,
) -> Result<()> {
    let polynomial = |row: &&[f64]| theta * row.iter().rev().fold(0.0, |sum, c| c + theta * sum);
    let weights: Vec<f64> = M::TABLEAU.dense.iter().map(polynomial).collect();
    Ok(out.combine(Some(y), 1.0, &weights, increments)?)
}

impl<Y: Components, M: RosenbrockMethod> JacobianAtHand for RosenbrockStages<Y, M> {
    fn jacobian(&self) -> &JacobianStorage {
        self.linear.jacobian()
    }
}

impl<Y: Components, M: RosenbrockMethod> Interpolates<Y> for RosenbrockStages<Y, M> {
    type Interpolant = RosenbrockInterpolant<Y, M>;

    fn interpolate(&self, theta: f64, y: &Y, _: &Y, out: &mut Y) -> Result<()> {
        interpolate::<Y, M>(theta, y, &self.increments, out)
    }

    fn interpolant(&self, y: &Y, _: &Y) -> RosenbrockInterpolant<Y, M> {
        let increments = self.increments.clone();
        RosenbrockInterpolant { y0: y.clone(), increments, method: PhantomData }
    }
}

/// The dense output of one step of a Rosenbrock method, kept.
#[derive(Debug, Clone)]
pub struct RosenbrockInterpolant<Y, M> {
    y0: Y,
    increments: Vec<Y>,
    method: PhantomData<M>,
}

impl<Y: Components, M: RosenbrockMethod> Interpolant<Y> for RosenbrockInterpolant<Y, M> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        interpolate::<Y, M>(theta, &self.y0, &self.increments, &mut y)?;
        Ok(y)
    }
}
