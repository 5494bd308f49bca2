//! A symplectic method at work: [`Substeps`].

use std::{marker::PhantomData, mem::swap, slice::from_ref};

use ansatz_core::State;

use super::{Hermite, Splitting, Symplectic, SymplecticMethod, hermite::hermite};
use crate::{
    Attempt, Error, ErrorNorm, Family, Interpolates, Made, Needs, PartitionedField, Result, Span,
    Statistics, Stepper,
};

impl<M, F, Q, P> Family<M, F, (Q, P)> for Symplectic
where
    M: SymplecticMethod,
    F: PartitionedField<Q, P>,
    Q: State,
    P: State,
{
    type Stepper = Substeps<Q, P, M>;

    fn stepper(_: &M, _: &F, y0: &(Q, P)) -> Result<Substeps<Q, P, M>> {
        const { assert!(M::SPLITTING.is_well_formed(), "coefficients must add up to 1") };
        Ok(Substeps {
            start: y0.clone(),
            end: y0.clone(),
            known: [false; 2],
            scratch: y0.clone(),
            h: 0.0,
            method: PhantomData,
        })
    }
}

/// The drifts and kicks of a step of a symplectic method.
#[derive(Debug, Clone)]
pub struct Substeps<Q, P, M> {
    /// The derivative at the start of the step. Its kick is that which the step begins with, where
    /// [it is shared](Splitting::shares_kick).
    start: (Q, P),
    /// The derivative at the end of the step; before that, those of the substeps, the last of which
    /// is the kick at the end where it is shared.
    end: (Q, P),
    /// Whether all of `start` and of `end` are derivatives at the ends.
    known: [bool; 2],
    /// Where a substep goes.
    scratch: (Q, P),
    /// Signed length of the step.
    h: f64,
    method: PhantomData<M>,
}

impl<F, Q, P, M> Stepper<F, (Q, P)> for Substeps<Q, P, M>
where
    F: PartitionedField<Q, P>,
    Q: State,
    P: State,
    M: SymplecticMethod,
{
    #[inline]
    fn restart(
        &mut self,
        field: &F,
        t: f64,
        y: &(Q, P),
        statistics: &mut Statistics,
    ) -> Result<()> {
        self.known = [false; 2];
        if M::SPLITTING.shares_kick() {
            kick(field, t, y, &mut self.start.1, statistics)?;
        }
        Ok(())
    }

    fn first_step<N: ErrorNorm<(Q, P)>>(
        &mut self,
        _: &F,
        _: &Span,
        _: &(Q, P),
        _: &N,
        _: &mut Statistics,
    ) -> Result<f64> {
        Err(no_estimate())
    }

    #[inline]
    fn attempt<N: ErrorNorm<(Q, P)>>(
        &mut self,
        field: &F,
        t: f64,
        h: f64,
        y: &(Q, P),
        y_new: &mut (Q, P),
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<Attempt> {
        if norm.is_some() {
            return Err(no_estimate());
        }
        let Splitting { drift: drifts, kick: kicks, .. } = M::SPLITTING;
        let mut shared = M::SPLITTING.shares_kick();
        self.h = h;
        self.known[1] = false;
        y_new.0.clone_from(&y.0);
        y_new.1.clone_from(&y.1);
        let (mut drifted, mut kicked) = (0.0, 0.0);
        for (&c, &d) in drifts.iter().zip(kicks) {
            if c != 0.0 {
                drift(field, t + kicked * h, y_new, &mut self.end.0, statistics)?;
                self.scratch.0.combine(Some(&y_new.0), h, &[c], from_ref(&self.end.0))?;
                swap(&mut y_new.0, &mut self.scratch.0);
                drifted += c;
            }
            if d != 0.0 {
                let slope = if shared {
                    &self.start.1
                } else {
                    kick(field, t + drifted * h, y_new, &mut self.end.1, statistics)?;
                    &self.end.1
                };
                self.scratch.1.combine(Some(&y_new.1), h, &[d], from_ref(slope))?;
                swap(&mut y_new.1, &mut self.scratch.1);
                kicked += d;
            }
            shared = false;
        }
        Ok(Attempt::Made(None))
    }

    #[inline]
    fn error_order(&self) -> u32 {
        M::SPLITTING.order + 1
    }

    #[inline]
    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, (Q, P)>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if !needs.inside {
            return Ok(());
        }
        let ends = [(made.t0, made.y0, &mut self.start), (made.t, made.y, &mut self.end)];
        for ((t, y, slope), known) in ends.into_iter().zip(&mut self.known) {
            if !*known {
                drift(field, t, y, &mut slope.0, statistics)?;
                if !M::SPLITTING.shares_kick() {
                    kick(field, t, y, &mut slope.1, statistics)?;
                }
                *known = true;
            }
        }
        Ok(())
    }

    #[inline]
    fn advance(&mut self) {
        swap(&mut self.start, &mut self.end);
        self.known = [self.known[1], false];
    }
}

impl<Q: State, P: State, M: SymplecticMethod> Interpolates<(Q, P)> for Substeps<Q, P, M> {
    type Interpolant = Hermite<(Q, P)>;

    fn interpolate(&self, theta: f64, y: &(Q, P), y_new: &(Q, P), out: &mut (Q, P)) -> Result<()> {
        hermite(theta, self.h, [y, y_new], [&self.start, &self.end], out)
    }

    fn interpolant(&self, y: &(Q, P), y_new: &(Q, P)) -> Hermite<(Q, P)> {
        Hermite {
            h: self.h,
            ends: [y.clone(), y_new.clone()],
            slopes: [self.start.clone(), self.end.clone()],
        }
    }
}

/// Evaluates the drift, and says when and where it failed.
#[inline]
fn drift<F, Q, P>(field: &F, t: f64, y: &(Q, P), dq: &mut Q, statistics: &Statistics) -> Result<()>
where
    F: PartitionedField<Q, P>,
    Q: State,
{
    let step = statistics.attempted();
    field.drift_into(t, &y.1, dq).map_err(|source| Error::Field { t, step, source })?;
    Ok(y.0.check_like("the drift, compared with the position", dq)?)
}

/// Evaluates the kick, counts it, and says when and where it failed.
#[inline]
fn kick<F, Q, P>(
    field: &F,
    t: f64,
    y: &(Q, P),
    dp: &mut P,
    statistics: &mut Statistics,
) -> Result<()>
where
    F: PartitionedField<Q, P>,
    P: State,
{
    statistics.evaluations += 1;
    let step = statistics.attempted();
    field.kick_into(t, &y.0, dp).map_err(|source| Error::Field { t, step, source })?;
    Ok(y.1.check_like("the kick, compared with the momentum", dp)?)
}

/// For a controller of one's own that asks for errors.
fn no_estimate() -> Error {
    let expected = "a controller without a norm, such as FixedStep: a symplectic method has no \
                    error estimate";
    Error::invalid("error norm", "given", expected)
}
