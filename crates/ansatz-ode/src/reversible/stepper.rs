//! A reversible method at work: [`ReversibleStages`].

use ansatz_core::State;

use super::{Reversible, ReversibleFamily};
use crate::{
    Attempt, Error, ErrorNorm, ExplicitRungeKutta, Family, HermiteInterpolant, Interpolates, Made,
    Needs, Result, Span, Stages, Statistics, Stepper, VectorField,
    explicit::{error_order, run_stages},
    field::{check_slope, evaluate},
    hermite::hermite,
};

impl<M, F, Y> Family<Reversible<M>, F, Y> for ReversibleFamily
where
    M: ExplicitRungeKutta,
    F: VectorField<Y>,
    Y: State,
{
    type Stepper = ReversibleStages<Y, M>;

    fn stepper(method: &Reversible<M>, _: &F, y0: &Y) -> Result<ReversibleStages<Y, M>> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        let coupling = method.coupling;
        if !(coupling > 0.0 && coupling <= 1.0) {
            return Err(Error::invalid("coupling", coupling, "a number above 0, at most 1"));
        }
        Ok(ReversibleStages {
            forth: Stages::new(y0),
            back: Stages::new(y0),
            z: y0.clone(),
            z_new: y0.clone(),
            coupling,
            known: false,
            first: true,
        })
    }
}

/// Both increments of a step of a [`Reversible`] method, and the second state.
#[derive(Debug, Clone)]
pub struct ReversibleStages<Y, M> {
    /// From the second state forth, and from the new first one back.
    forth: Stages<Y, M>,
    back: Stages<Y, M>,
    pub(super) z: Y,
    pub(super) z_new: Y,
    coupling: f64,
    /// The slope at `z` has been computed.
    known: bool,
    /// The two states were one at the start of the step.
    pub(super) first: bool,
}

impl<F, Y, M> Stepper<F, Y> for ReversibleStages<Y, M>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        self.z.combine(Some(y), 0.0, &[], &[])?;
        let slope = &mut self.forth.slopes[0];
        evaluate(field, t, y, slope, statistics)?;
        (self.known, self.first) = (true, true);
        check_slope(y, slope, t, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        self.forth.first_step(field, span, y, norm, statistics)
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
        // The last stage of some methods only serves the error estimate.
        let used = tableau.stages() - usize::from(tableau.first_same_as_last());
        let computed = if norm.is_some() { tableau.stages() } else { used };
        if !self.known {
            evaluate(field, t, &self.z, &mut self.forth.slopes[0], statistics)?;
            self.known = true;
        }
        self.forth.h = h;
        run_stages(field, t, h, &self.z, &mut self.forth, computed, statistics)?;
        let both = [y, &self.z].into_iter();
        self.z_new.combine_iter(None, 1.0, &[self.coupling, 1.0 - self.coupling], both)?;
        y_new.combine(Some(&self.z_new), h, &tableau.b[..used], &self.forth.slopes[..used])?;

        evaluate(field, t + h, y_new, &mut self.back.slopes[0], statistics)?;
        run_stages(field, t + h, -h, y_new, &mut self.back, used, statistics)?;
        // z₁ = z₀ − Ψ₋ₕ: both signs cancel.
        self.z_new.combine(Some(&self.z), h, &tableau.b[..used], &self.back.slopes[..used])?;

        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        Ok(Attempt::Made(Some(self.forth.error_norm(y, y_new, norm)?)))
    }

    fn error_order(&self) -> u32 {
        error_order::<M>()
    }

    fn complete(&mut self, _: &F, _: &Made<'_, Y>, _: Needs, _: &mut Statistics) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self) {
        std::mem::swap(&mut self.z, &mut self.z_new);
        (self.known, self.first) = (false, false);
    }
}

impl<Y: State, M: ExplicitRungeKutta> Interpolates<Y> for ReversibleStages<Y, M> {
    type Interpolant = HermiteInterpolant<Y>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        let slopes = [&self.forth.slopes[0], &self.back.slopes[0]];
        hermite(theta, self.forth.h, [y, y_new], slopes, out)
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> HermiteInterpolant<Y> {
        HermiteInterpolant {
            h: self.forth.h,
            y: [y.clone(), y_new.clone()],
            slopes: [self.forth.slopes[0].clone(), self.back.slopes[0].clone()],
        }
    }
}
