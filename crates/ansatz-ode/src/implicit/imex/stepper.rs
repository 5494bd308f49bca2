//! An implicit–explicit method at work: [`ImexStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{Imex, ImexMethod, SplitField};
use crate::{
    Attempt, Error, ErrorNorm, Family, ImplicitField, Interpolant, Interpolates, Made, Needs,
    Result, Span, Statistics, Stepper,
    field::check_slope,
    first_step::probed_step,
    implicit::{
        linear::{Linear, value},
        newton::{Newton, Stage},
        reuse::Reuse,
    },
};

impl<M, F, Y> Family<M, F, Y> for Imex
where
    M: ImexMethod,
    F: SplitField<Y>,
    Y: Components,
{
    type Stepper = ImexStages<Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<ImexStages<Y, M>> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        let implicit = field.implicit_part();
        if implicit.mass().is_some() {
            let expected = "none in a field of two parts; solve with a method that does not split";
            return Err(Error::invalid("mass matrix", "given", expected));
        }
        let slopes = || vec![y0.clone(); M::TABLEAU.stages()];
        Ok(ImexStages {
            explicit: slopes(),
            implicit: slopes(),
            sums: Vec::new(),
            next: [y0.clone(), y0.clone()],
            z: y0.clone(),
            known: y0.clone(),
            scratch: y0.clone(),
            newton: Newton::new(y0),
            reuse: Reuse::new(Linear::new(implicit, y0)?, y0),
            h: 0.0,
            method: PhantomData,
        })
    }
}

/// The stages of a step of an implicit–explicit Runge–Kutta method.
pub struct ImexStages<Y, M> {
    /// Both parts of the field at the stages.
    explicit: Vec<Y>,
    implicit: Vec<Y>,
    /// Their sums, where dense output wants them.
    sums: Vec<Y>,
    /// Both parts at the start of the next step.
    next: [Y; 2],
    /// Increment of the stage at hand.
    z: Y,
    known: Y,
    scratch: Y,
    newton: Newton<Y>,
    reuse: Reuse<Y>,
    h: f64,
    method: PhantomData<M>,
}

/// Evaluates the explicit part, counts it, and says when and where it failed.
fn explicit_value<F: SplitField<Y>, Y>(
    field: &F,
    t: f64,
    y: &Y,
    out: &mut Y,
    statistics: &mut Statistics,
) -> Result<()> {
    statistics.evaluations += 1;
    let step = statistics.attempted();
    field.explicit_into(t, y, out).map_err(|source| Error::Field { t, step, source })
}

/// `out ← base + h Σ (explicitⱼ fⱼ + implicitⱼ gⱼ)`.
fn both<Y: Components>(
    out: &mut Y,
    scratch: &mut Y,
    base: Option<&Y>,
    h: f64,
    (explicit, f): (&[f64], &[Y]),
    (implicit, g): (&[f64], &[Y]),
) -> Result<()> {
    scratch.combine(base, h, explicit, f)?;
    Ok(out.combine(Some(scratch), h, implicit, g)?)
}

impl<Y: Components, M: ImexMethod> ImexStages<Y, M> {
    /// Solves the stages of a step one after the other; `false` if one of them fails. The increment
    /// of the last one is then in `z`.
    fn solve_stages<F: SplitField<Y>, N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<bool> {
        let tableau = &M::TABLEAU;
        let (h, gamma_h) = (self.h, tableau.implicit.gamma() * self.h);
        self.newton.slowest = 0.0;
        for i in 1..tableau.stages() {
            let (f, f_rest) = self.explicit.split_at_mut(i);
            let (g, g_rest) = self.implicit.split_at_mut(i);
            let (scratch, guess) = (&mut self.scratch, tableau.implicit.predictor[i]);
            let explicit = (tableau.explicit[i], &*f);
            let implicit = (&tableau.implicit.a[i][..i], &*g);
            both(&mut self.known, scratch, None, h, explicit, implicit)?;
            both(&mut self.z, scratch, None, h, (guess, f), (guess, g))?;
            let t = t + tableau.implicit.c[i] * h;
            let stage = Stage { t, y, gamma_h, known: &self.known };
            let (part, linear) = (field.implicit_part(), &mut self.reuse.linear);
            if !self.newton.solve(part, linear, &stage, &mut self.z, norm, statistics)? {
                return Ok(false);
            }
            // γh g = z − known: smoother than another evaluation of a stiff field.
            let slope = &mut g_rest[0];
            scratch.combine(Some(&self.z), -1.0, &[1.0], std::slice::from_ref(&self.known))?;
            slope.combine(None, 1.0 / gamma_h, &[1.0], std::slice::from_ref(scratch))?;
            scratch.combine(Some(y), 1.0, &[1.0], std::slice::from_ref(&self.z))?;
            explicit_value(field, t, scratch, &mut f_rest[0], statistics)?;
        }
        Ok(true)
    }
}

impl<F, Y, M> Stepper<F, Y> for ImexStages<Y, M>
where
    F: SplitField<Y>,
    Y: Components,
    M: ImexMethod,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        explicit_value(field, t, y, &mut self.explicit[0], statistics)?;
        check_slope(y, &self.explicit[0], t, statistics)?;
        value(field.implicit_part(), t, y, &mut self.implicit[0], statistics)?;
        check_slope(y, &self.implicit[0], t, statistics)?;
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
        let sum =
            |f: &Y, g: &Y, out: &mut Y| out.combine(Some(f), 1.0, &[1.0], std::slice::from_ref(g));
        sum(&self.explicit[0], &self.implicit[0], &mut self.known)?;
        let evaluate = |t: f64, y: &Y, out: &mut Y, statistics: &mut Statistics| {
            let (mut f, mut g) = (y.clone(), y.clone());
            explicit_value(field, t, y, &mut f, statistics)?;
            value(field.implicit_part(), t, y, &mut g, statistics)?;
            Ok(sum(&f, &g, out)?)
        };
        let room = (&mut self.scratch, &mut self.z);
        let order = M::TABLEAU.implicit.order;
        probed_step(evaluate, span, y, &self.known, room, order, norm, statistics)
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
        let tableau = &M::TABLEAU.implicit;
        let part = field.implicit_part();
        self.h = h;
        loop {
            let gamma_h = tableau.gamma() * h;
            if !self.reuse.prepare(part, t, y, gamma_h, statistics)? {
                return Ok(Attempt::Failed(0.5));
            }
            if self.solve_stages(field, t, y, norm, statistics)? {
                break;
            }
            if !self.reuse.can_renew(gamma_h) {
                return Ok(Attempt::Failed(0.25));
            }
        }
        let b = tableau.b();
        both(y_new, &mut self.scratch, Some(y), h, (b, &self.explicit), (b, &self.implicit))?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        if !tableau.has_error_estimate() {
            let expected = "a weight for each stage and an embedded order in an adaptive method";
            return Err(Error::invalid("error weights", tableau.error.len(), expected));
        }
        let (explicit, implicit) =
            ((tableau.error, &*self.explicit), (tableau.error, &*self.implicit));
        both(&mut self.known, &mut self.scratch, None, h, explicit, implicit)?;
        // Not filtered as in methods that are implicit throughout: the explicit part leaves errors
        // in stiff components that the last stage does not damp.
        Ok(Attempt::Made(Some(norm.norm(&self.known, y, y_new)?)))
    }

    fn error_order(&self) -> u32 {
        M::TABLEAU.implicit.order.min(M::TABLEAU.implicit.embedded_order) + 1
    }

    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if needs.inside {
            self.sums.resize(M::TABLEAU.stages(), self.scratch.clone());
            for (sum, (f, g)) in self.sums.iter_mut().zip(self.explicit.iter().zip(&self.implicit))
            {
                sum.combine(Some(f), 1.0, &[1.0], std::slice::from_ref(g))?;
            }
        }
        if needs.next {
            explicit_value(field, made.t, made.y, &mut self.next[0], statistics)?;
            value(field.implicit_part(), made.t, made.y, &mut self.next[1], statistics)?;
        }
        Ok(())
    }

    fn advance(&mut self) {
        std::mem::swap(&mut self.explicit[0], &mut self.next[0]);
        std::mem::swap(&mut self.implicit[0], &mut self.next[1]);
        self.reuse.accepted(self.newton.slowest);
    }
}

fn interpolate<Y: Components, M: ImexMethod>(
    theta: f64,
    h: f64,
    y: &Y,
    sums: &[Y],
    out: &mut Y,
) -> Result<()> {
    let polynomial = |row: &&[f64]| theta * row.iter().rev().fold(0.0, |sum, c| c + theta * sum);
    let weights: Vec<f64> = M::TABLEAU.implicit.dense.iter().map(polynomial).collect();
    Ok(out.combine(Some(y), h, &weights, sums)?)
}

impl<Y: Components, M: ImexMethod> Interpolates<Y> for ImexStages<Y, M> {
    type Interpolant = ImexInterpolant<Y, M>;

    fn interpolate(&self, theta: f64, y: &Y, _: &Y, out: &mut Y) -> Result<()> {
        interpolate::<Y, M>(theta, self.h, y, &self.sums, out)
    }

    fn interpolant(&self, y: &Y, _: &Y) -> ImexInterpolant<Y, M> {
        ImexInterpolant { h: self.h, y0: y.clone(), sums: self.sums.clone(), method: PhantomData }
    }
}

/// The dense output of one step of an implicit–explicit method, kept.
#[derive(Debug, Clone)]
pub struct ImexInterpolant<Y, M> {
    h: f64,
    y0: Y,
    /// The field at the stages.
    sums: Vec<Y>,
    method: PhantomData<M>,
}

impl<Y: Components, M: ImexMethod> Interpolant<Y> for ImexInterpolant<Y, M> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        interpolate::<Y, M>(theta, self.h, &self.y0, &self.sums, &mut y)?;
        Ok(y)
    }
}
