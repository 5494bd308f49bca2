//! A diagonally implicit Runge–Kutta method at work: [`DirkStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{
    DiagonallyImplicit, Dirk, DirkInterpolant,
    interpolant::{by_slopes, by_values, middle_stage},
};
use crate::{
    Attempt, Controller, Error, ErrorNorm, Family, Interpolates, JacobianAtHand, JacobianStorage,
    Judgement, Made, Needs, Result, Span, Statistics, Stepper, Trial,
    field::check_slope,
    first_step::{cautious_step, probed_step},
    implicit::{
        ImplicitField,
        initial::{check_consistent, drop_algebraic},
        krylov::Place,
        linear::{Linear, value},
        newton::{Newton, Stage},
        reuse::Reuse,
    },
};

impl<M, F, Y> Family<M, F, Y> for Dirk
where
    M: DiagonallyImplicit,
    F: ImplicitField<Y>,
    Y: Components,
{
    type Stepper = DirkStages<Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<DirkStages<Y, M>> {
        DirkStages::new(field, y0)
    }
}

/// The stages of a step of a diagonally implicit Runge–Kutta method.
pub struct DirkStages<Y, M> {
    /// `f` at the stages (not `y′`, which it is only without a mass matrix).
    pub(super) slopes: Vec<Y>,
    /// Increment of the stage at hand.
    z: Y,
    /// State of the stage nearest to the middle, for dense output with a mass matrix.
    middle: Y,
    /// With a mass matrix: length of the last step, increments to its middle stage and its end.
    last: Option<(f64, Y, Y)>,
    known: Y,
    scratch: Y,
    pub(super) newton: Newton<Y>,
    pub(super) reuse: Reuse<Y>,
    h: f64,
    /// A longer attempt at this step did not converge.
    failed: bool,
    method: PhantomData<M>,
}

/// An error estimate need not be right beyond this part of it.
const ESTIMATE: f64 = 0.05;

impl<Y: Components, M: DiagonallyImplicit> DirkStages<Y, M> {
    pub(super) fn new<F: ImplicitField<Y>>(field: &F, like: &Y) -> Result<Self> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        let linear = Linear::new(field, like)?;
        Ok(Self {
            slopes: vec![like.clone(); M::TABLEAU.stages()],
            z: like.clone(),
            middle: like.clone(),
            last: None,
            known: like.clone(),
            scratch: like.clone(),
            newton: Newton::new(like),
            reuse: Reuse::new(linear, like),
            h: 0.0,
            failed: false,
            method: PhantomData,
        })
    }

    /// Solves the stages of a step one after the other; `false` if one of them fails. The
    /// increment of the step is then in `z`.
    fn solve_stages<F: ImplicitField<Y>, N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<bool> {
        let tableau = &M::TABLEAU;
        let (h, gamma_h) = (self.h, tableau.gamma() * self.h);
        let plain = self.reuse.linear.mass().is_none();
        let middle = middle_stage::<M>();
        self.newton.slowest = 0.0;
        if !plain {
            self.z.combine(None, 1.0, &[], &[])?;
        }
        for i in 1..tableau.stages() {
            let (before, rest) = self.slopes.split_at_mut(i);
            self.known.combine(None, h, &tableau.a[i][..i], before)?;
            if plain {
                self.z.combine(None, h, tableau.predictor[i], before)?;
            } else if let (Some((last_h, half, whole)), Some(m)) = (&self.last, middle) {
                // The parabola of the step before goes on.
                let (at, c) = (1.0 + tableau.c[i] * h / last_h, tableau.c[m]);
                let bend = at * (at - 1.0) / (c - 1.0);
                let ends = [half, whole].into_iter();
                self.z.combine_iter(None, 1.0, &[bend / c, at - bend - 1.0], ends)?;
            }
            let t = t + tableau.c[i] * h;
            let stage = Stage { t, y, gamma_h, known: &self.known };
            let linear = &mut self.reuse.linear;
            if !self.newton.solve(field, linear, &stage, &mut self.z, norm, statistics)? {
                return Ok(false);
            }
            // γh f = M z − known: smoother than another evaluation of a stiff field.
            let slope = &mut rest[0];
            linear.mass_times(&self.z, &mut self.scratch)?;
            slope.combine(Some(&self.scratch), -1.0, &[1.0], std::slice::from_ref(&self.known))?;
            std::mem::swap(slope, &mut self.scratch);
            slope.combine(None, 1.0 / gamma_h, &[1.0], std::slice::from_ref(&self.scratch))?;
            if !plain && Some(i) == middle {
                self.middle.clone_from(&self.z);
            }
        }
        Ok(true)
    }
}

impl<F, Y, M> Stepper<F, Y> for DirkStages<Y, M>
where
    F: ImplicitField<Y>,
    Y: Components,
    M: DiagonallyImplicit,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        value(field, t, y, &mut self.slopes[0], statistics)?;
        check_slope(y, &self.slopes[0], t, statistics)?;
        if let Some(mass) = self.reuse.linear.mass() {
            drop_algebraic(&mut self.slopes[0], mass)?;
        }
        self.last = None;
        self.failed = false;
        self.newton.restart();
        self.reuse.restart();
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
            return cautious_step(span, y, &self.slopes[0], norm);
        }
        let (f0, rest) = self.slopes.split_at_mut(1);
        let room = (&mut self.scratch, &mut rest[0]);
        let evaluate = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            value(field, t, y, f, statistics)
        };
        probed_step(evaluate, span, y, &f0[0], room, M::TABLEAU.order, norm, statistics)
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
            let gamma_h = tableau.gamma() * h;
            if !self.reuse.prepare(field, t, y, gamma_h, statistics)? {
                self.failed = true;
                return Ok(Attempt::Failed(0.5));
            }
            if self.solve_stages(field, t, y, norm, statistics)? {
                break;
            }
            if !self.reuse.can_renew(gamma_h) {
                self.failed = true;
                return Ok(Attempt::Failed(0.25));
            }
        }
        y_new.combine(Some(y), 1.0, &[1.0], std::slice::from_ref(&self.z))?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        if !tableau.has_error_estimate() {
            let expected = "a weight for each stage and an embedded order in an adaptive method";
            return Err(Error::invalid("error weights", tableau.error.len(), expected));
        }
        self.scratch.combine(None, h, tableau.error, &self.slopes)?;
        // So that components that are stiffer than the step is short do not count beyond what
        // they contribute to the solution (M. E. Hosea, L. F. Shampine 1996).
        let linear = &mut self.reuse.linear;
        if linear.matrix_free {
            value(field, t, y, &mut self.known, statistics)?;
        }
        let place = Place { field, t, y, f: &self.known, norm: Some(norm) };
        if linear.solve_at(&place, ESTIMATE, &mut self.scratch, statistics)?.is_none() {
            self.failed = true;
            return Ok(Attempt::Failed(0.5));
        }
        Ok(Attempt::Made(Some(norm.norm(&self.scratch, y, y_new)?)))
    }

    fn error_order(&self) -> u32 {
        M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1
    }

    fn judge<C, D: Controller<C>>(&mut self, controller: &D, trial: &Trial) -> Judgement {
        let judgement = controller.judge(trial);
        // Where the equations could not be solved the error does not tell how long steps may be.
        let next = if self.failed { judgement.next.min(trial.h) } else { judgement.next };
        Judgement { next, ..judgement }
    }

    fn complete(&mut self, _: &F, _: &Made<'_, Y>, _: Needs, _: &mut Statistics) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self) {
        self.slopes.swap(0, M::TABLEAU.stages() - 1);
        if self.reuse.linear.mass().is_some() {
            self.last = Some((self.h, self.middle.clone(), self.z.clone()));
        }
        self.failed = false;
        self.reuse.accepted(self.newton.slowest);
    }
}

impl<Y: Components, M: DiagonallyImplicit> JacobianAtHand for DirkStages<Y, M> {
    fn jacobian(&self) -> &JacobianStorage {
        self.reuse.linear.jacobian()
    }
}

impl<Y: Components, M: DiagonallyImplicit> Interpolates<Y> for DirkStages<Y, M> {
    type Interpolant = DirkInterpolant<Y, M>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        match (self.reuse.linear.mass(), middle_stage::<M>()) {
            (None, _) => by_slopes::<Y, M>(theta, self.h, y, y_new, &self.slopes, out),
            (Some(_), None) => {
                Ok(out.combine_iter(None, 1.0, &[1.0 - theta, theta], [y, y_new].into_iter())?)
            }
            (Some(_), Some(i)) => by_values(theta, M::TABLEAU.c[i], y, &self.middle, y_new, out),
        }
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> DirkInterpolant<Y, M> {
        DirkInterpolant {
            h: self.h,
            y0: y.clone(),
            y1: y_new.clone(),
            slopes: if self.reuse.linear.mass().is_none() {
                self.slopes.clone()
            } else {
                Vec::new()
            },
            middle: self.middle.clone(),
            method: PhantomData,
        }
    }
}
