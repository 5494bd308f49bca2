//! An explicit Runge–Kutta method at work: [`Stages`].

use std::marker::PhantomData;

use ansatz_core::State;

use super::{Explicit, ExplicitRungeKutta};
use crate::{
    Attempt, Error, ErrorNorm, Family, Interpolant, Interpolates, Made, Needs, Result, Span,
    Statistics, Stepper, VectorField,
    field::{check_slope, evaluate},
    first_step::probed_step,
};

impl<M, F, Y> Family<M, F, Y> for Explicit
where
    M: ExplicitRungeKutta,
    F: VectorField<Y>,
    Y: State,
{
    type Stepper = Stages<Y, M>;

    fn stepper(_: &M, _: &F, y0: &Y) -> Result<Stages<Y, M>> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's lengths do not fit") };
        const { assert!(M::TABLEAU.takes(M::SECOND_ESTIMATE), "the second estimate does not fit") };
        Ok(Stages::new(y0))
    }
}

/// The stages of a step of an explicit Runge–Kutta method.
#[derive(Debug, Clone)]
pub struct Stages<Y, M> {
    /// Stage derivatives, the derivative at the end of the step, the extra stages.
    pub(crate) slopes: Vec<Y>,
    /// Where a stage is evaluated.
    pub(crate) scratch: Y,
    /// Signed length of the step.
    pub(crate) h: f64,
    known: Known,
    method: PhantomData<M>,
}

/// Which slopes of the last step have been computed: looking into a step and leaving it behind may
/// both want the derivative at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Stages,
    End,
    All,
}

impl<Y: Clone, M: ExplicitRungeKutta> Stages<Y, M> {
    pub(crate) fn new(like: &Y) -> Self {
        // The extra stages take memory only where dense output wants them.
        let slopes = vec![like.clone(); M::TABLEAU.stages() + 1];
        let (scratch, known) = (like.clone(), Known::Stages);
        Self { slopes, scratch, h: 0.0, known, method: PhantomData }
    }

    /// Takes over the stages and the end slope of a step of signed length `h` that was made elsewhere.
    #[cfg(feature = "ensemble")]
    pub(crate) fn take_over(&mut self, h: f64, slopes: impl Iterator<Item = Y>) {
        (self.h, self.known) = (h, Known::Stages);
        for (own, slope) in self.slopes.iter_mut().zip(slopes) {
            *own = slope;
        }
    }

    /// The norm of the error estimate of a step with all stages known. Uses the scratch.
    #[inline]
    pub(crate) fn error_norm<N: ErrorNorm<Y>>(&mut self, y: &Y, y_new: &Y, norm: &N) -> Result<f64>
    where
        Y: State,
    {
        let tableau = &M::TABLEAU;
        let stages = tableau.stages();
        if !tableau.has_error_estimate() {
            let expected = "a weight for each stage and an embedded order in an adaptive method";
            return Err(Error::invalid("error weights", tableau.error.len(), expected));
        }
        self.scratch.combine(None, self.h, tableau.error, &self.slopes[..stages])?;
        let error = norm.norm(&self.scratch, y, y_new)?;
        let Some(second) = M::SECOND_ESTIMATE else { return Ok(error) };
        self.scratch.combine(None, self.h, second.error, &self.slopes[..stages])?;
        Ok(of_both(error, norm.norm(&self.scratch, y, y_new)?))
    }

    /// The slope that the next step begins with.
    pub(crate) fn last_slope() -> usize {
        let tableau = &M::TABLEAU;
        tableau.stages() - usize::from(tableau.first_same_as_last())
    }
}

/// Weights of dense output, without an allocation for methods of usual size.
fn with_weights<M: ExplicitRungeKutta, R>(theta: f64, use_them: impl FnOnce(&[f64]) -> R) -> R {
    const MOST: usize = 32;
    let slopes = M::TABLEAU.slopes();
    let (mut few, mut many);
    let weights = if slopes <= MOST {
        few = [0.0; MOST];
        &mut few[..slopes]
    } else {
        many = vec![0.0; slopes];
        &mut many[..]
    };
    M::dense_weights(theta, weights);
    use_them(weights)
}

impl<F, Y, M> Stepper<F, Y> for Stages<Y, M>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
{
    #[inline]
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        evaluate(field, t, y, &mut self.slopes[0], statistics)?;
        check_slope(y, &self.slopes[0], t, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        let (f0, rest) = self.slopes.split_at_mut(1);
        let room = (&mut self.scratch, &mut rest[0]);
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            evaluate(field, t, y, f, statistics)
        };
        probed_step(at, span, y, &f0[0], room, M::TABLEAU.order, norm, statistics)
    }

    #[inline]
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
        let stages = tableau.stages();
        self.h = h;
        self.known = Known::Stages;
        run_stages(field, t, h, y, self, stages, statistics)?;
        if tableau.first_same_as_last() {
            // The last stage was evaluated at the new state.
            std::mem::swap(y_new, &mut self.scratch);
        } else {
            y_new.combine(Some(y), h, tableau.b, &self.slopes[..stages])?;
        }
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        let error = self.error_norm(y, y_new, norm)?;
        Ok(Attempt::Made(Some(error)))
    }

    #[inline]
    fn error_order(&self) -> u32 {
        error_order::<M>()
    }

    #[inline]
    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        let tableau = &M::TABLEAU;
        let stages = tableau.stages();
        let fsal = tableau.first_same_as_last();
        if self.known == Known::Stages && (needs.inside || (needs.next && !fsal)) {
            if fsal {
                let (head, tail) = self.slopes.split_at_mut(stages);
                tail[0].clone_from(&head[stages - 1]);
            } else {
                evaluate(field, made.t, made.y, &mut self.slopes[stages], statistics)?;
            }
            self.known = Known::End;
        }
        if needs.inside && self.known == Known::End {
            self.slopes.resize(tableau.slopes(), self.scratch.clone());
            for (i, stage) in tableau.extra.iter().enumerate() {
                let (known, rest) = self.slopes.split_at_mut(stages + 1 + i);
                self.scratch.combine(Some(made.y0), self.h, stage.a, known)?;
                let t = made.t0 + stage.c * self.h;
                evaluate(field, t, &self.scratch, &mut rest[0], statistics)?;
            }
            self.known = Known::All;
        }
        Ok(())
    }

    #[inline]
    fn advance(&mut self) {
        self.slopes.swap(0, Self::last_slope());
    }
}

impl<Y: State, M: ExplicitRungeKutta> Interpolates<Y> for Stages<Y, M> {
    type Interpolant = StageInterpolant<Y, M>;

    fn interpolate(&self, theta: f64, y: &Y, _: &Y, out: &mut Y) -> Result<()> {
        Ok(with_weights::<M, _>(theta, |w| out.combine(Some(y), self.h, w, &self.slopes))?)
    }

    fn interpolant(&self, y: &Y, _: &Y) -> StageInterpolant<Y, M> {
        StageInterpolant {
            h: self.h,
            y0: y.clone(),
            slopes: self.slopes.clone(),
            method: PhantomData,
        }
    }
}

/// The dense output of one step of an explicit Runge–Kutta method, kept.
#[derive(Debug, Clone)]
pub struct StageInterpolant<Y, M> {
    h: f64,
    y0: Y,
    slopes: Vec<Y>,
    method: PhantomData<M>,
}

impl<Y: State, M: ExplicitRungeKutta> Interpolant<Y> for StageInterpolant<Y, M> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        with_weights::<M, _>(theta, |w| y.combine(Some(&self.y0), self.h, w, &self.slopes))?;
        Ok(y)
    }
}

/// The power of the step length in the error estimate.
pub(crate) fn error_order<M: ExplicitRungeKutta>() -> u32 {
    let first = M::TABLEAU.order.min(M::TABLEAU.embedded_order) + 1;
    // The square of the first over the second, which is the larger of the two for short steps.
    M::SECOND_ESTIMATE.map_or(first, |second| 2 * first - (second.order + 1))
}

/// The norm of the error, from those of a first and a second estimate; see
/// [`SecondEstimate`](super::SecondEstimate).
pub(crate) fn of_both(first: f64, second: f64) -> f64 {
    let both = first.hypot(0.1 * second);
    if both == 0.0 { first } else { first * (first / both) }
}

/// Fills stages `1..count` of a step from `y` at `t`; the first one is there already.
#[inline]
pub(crate) fn run_stages<F, Y, M>(
    field: &F,
    t: f64,
    h: f64,
    y: &Y,
    work: &mut Stages<Y, M>,
    count: usize,
    statistics: &mut Statistics,
) -> Result<()>
where
    F: VectorField<Y>,
    Y: State,
    M: ExplicitRungeKutta,
{
    let tableau = &M::TABLEAU;
    for i in 1..count {
        let (known, rest) = work.slopes.split_at_mut(i);
        work.scratch.combine(Some(y), h, tableau.a[i], known)?;
        evaluate(field, t + tableau.c[i] * h, &work.scratch, &mut rest[0], statistics)?;
    }
    Ok(())
}
