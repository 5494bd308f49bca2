//! An exponential Runge–Kutta method at work: [`ExponentialStages`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::{Exponential, ExponentialMethod, ExponentialStage, LinearPart, SemiLinearField};
use crate::{
    Attempt, Error, ErrorNorm, Family, HermiteInterpolant, Interpolates, Made, Needs, Result, Span,
    Statistics, Stepper, field::check_slope, first_step::probed_step, hermite::hermite,
};

impl<M, F, Y> Family<M, F, Y> for Exponential
where
    M: ExponentialMethod,
    F: SemiLinearField<Y>,
    Y: Components,
{
    type Stepper = ExponentialStages<F::Linear, Y, M>;

    fn stepper(_: &M, field: &F, y0: &Y) -> Result<Self::Stepper> {
        const { assert!(M::TABLEAU.is_well_formed(), "the tableau's stages do not fit") };
        let (n, size) = (y0.dimension(), field.linear().dimension()?);
        if n != size {
            return Err(Error::Core(ansatz_core::Error::Shape {
                what: "linear part",
                expected: format!("[{n}, {n}]"),
                got: format!("[{size}, {size}]"),
            }));
        }
        let stages = M::TABLEAU.stages.len() + 1;
        Ok(ExponentialStages {
            functions: Vec::new(),
            h: f64::NAN,
            values: vec![vec![0.0; n]; stages],
            states: vec![vec![0.0; n]; stages],
            terms: vec![vec![0.0; n]; M::TABLEAU.functions() + 1],
            sum: vec![0.0; n],
            first: y0.clone(),
            next: y0.clone(),
            slopes: [y0.clone(), y0.clone()],
            scratch: y0.clone(),
            step: 0.0,
            method: PhantomData,
        })
    }
}

/// The stages of a step of an exponential Runge–Kutta method, and the φ-functions of its length.
pub struct ExponentialStages<L: LinearPart, Y, M> {
    /// The functions of every part of the step that a stage takes.
    functions: Vec<(f64, L::Functions)>,
    /// The step length that they belong to.
    h: f64,
    /// `N` at the stages, and the stages.
    values: Vec<Vec<f64>>,
    states: Vec<Vec<f64>>,
    terms: Vec<Vec<f64>>,
    sum: Vec<f64>,
    /// `N` at the start of the step and of the next one.
    first: Y,
    next: Y,
    /// The derivative at both ends, where the solution inside is read.
    slopes: [Y; 2],
    scratch: Y,
    step: f64,
    method: PhantomData<M>,
}

/// Evaluates the nonlinear part, counts it, and says when and where it failed.
fn nonlinear<F: SemiLinearField<Y>, Y>(
    field: &F,
    t: f64,
    y: &Y,
    out: &mut Y,
    statistics: &mut Statistics,
) -> Result<()> {
    statistics.evaluations += 1;
    let step = statistics.attempted();
    field.nonlinear_into(t, y, out).map_err(|source| Error::Field { t, step, source })
}

/// `out ← h Σ wⱼ xⱼ`.
fn weighted(h: f64, weights: &[f64], x: &[Vec<f64>], out: &mut [f64]) {
    out.fill(0.0);
    for (w, x) in weights.iter().zip(x).filter(|(w, _)| **w != 0.0) {
        for (out, x) in out.iter_mut().zip(x) {
            *out += h * w * x;
        }
    }
}

impl<L: LinearPart, Y: Components, M: ExponentialMethod> ExponentialStages<L, Y, M> {
    /// Sees to it that there are functions for a step of length `h` from `t`.
    fn prepare(&mut self, linear: &L, t: f64, h: f64) -> Result<()> {
        // Lengths that differ by the rounding of times are the same.
        let rounding = 4.0 * f64::EPSILON * t.abs().max((t + h).abs());
        if (h - self.h).abs() <= rounding {
            return Ok(());
        }
        self.functions.clear();
        self.h = f64::NAN;
        let tableau = &M::TABLEAU;
        for stage in tableau.stages.iter().chain([&tableau.step]) {
            if !self.functions.iter().any(|(scale, _)| *scale == stage.scale) {
                let functions = linear.functions(stage.scale * h, tableau.functions())?;
                self.functions.push((stage.scale, functions));
            }
        }
        self.h = h;
        Ok(())
    }

    /// The value of a stage, into `sum`; without a base only the part of the φ-functions from `φ₁`.
    fn stage(&mut self, linear: &L, stage: &ExponentialStage, with_base: bool) -> Result<()> {
        let (base, others) = self.terms.split_at_mut(1);
        if with_base {
            base[0].copy_from_slice(&self.states[stage.base]);
        } else {
            base[0].fill(0.0);
        }
        for (term, weights) in others.iter_mut().zip(stage.weights) {
            weighted(self.h, weights, &self.values, term);
        }
        let terms = &self.terms[..=stage.weights.len()];
        let found = self.functions.iter().find(|(scale, _)| *scale == stage.scale);
        let Some((_, functions)) = found else { return Err(Error::EmptyState) };
        linear.combine(functions, terms, &mut self.sum)
    }

    /// The derivative `L y + N` at an end of the step.
    fn slope(&mut self, linear: &L, y: &Y, end: usize) -> Result<()> {
        let mut all = y.components()?;
        linear.apply(&all, &mut self.sum)?;
        let part = if end == 0 { &self.first } else { &self.next };
        part.read_into(&mut all)?;
        all.iter_mut().zip(&self.sum).for_each(|(all, x)| *all += x);
        Ok(self.slopes[end].write_from(&all)?)
    }
}

impl<F, Y, M> Stepper<F, Y> for ExponentialStages<F::Linear, Y, M>
where
    F: SemiLinearField<Y>,
    Y: Components,
    M: ExponentialMethod,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        nonlinear(field, t, y, &mut self.first, statistics)?;
        check_slope(y, &self.first, t, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        // The linear part is exact, however long the step.
        let at = |t: f64, y: &Y, f: &mut Y, statistics: &mut Statistics| {
            nonlinear(field, t, y, f, statistics)
        };
        let room = (&mut self.scratch, &mut self.next);
        probed_step(at, span, y, &self.first, room, M::TABLEAU.order, norm, statistics)
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
        let (tableau, linear) = (&M::TABLEAU, field.linear());
        self.prepare(linear, t, h)?;
        self.step = h;
        y.read_into(&mut self.states[0])?;
        self.first.read_into(&mut self.values[0])?;
        for (i, stage) in tableau.stages.iter().enumerate() {
            self.stage(linear, stage, true)?;
            self.states[i + 1].copy_from_slice(&self.sum);
            self.scratch.write_from(&self.sum)?;
            nonlinear(field, t + stage.c * h, &self.scratch, &mut self.next, statistics)?;
            self.next.read_into(&mut self.values[i + 1])?;
        }
        self.stage(linear, &tableau.step, true)?;
        y_new.write_from(&self.sum)?;
        let Some(norm) = norm else { return Ok(Attempt::Made(None)) };
        if tableau.error.is_empty() {
            let expected = "weights of the stages in an adaptive method";
            return Err(Error::invalid("error weights", 0, expected));
        }
        self.stage(linear, &ExponentialStage { weights: tableau.error, ..tableau.step }, false)?;
        self.scratch.write_from(&self.sum)?;
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
            nonlinear(field, made.t, made.y, &mut self.next, statistics)?;
        }
        if needs.inside {
            self.slope(field.linear(), made.y0, 0)?;
            self.slope(field.linear(), made.y, 1)?;
        }
        Ok(())
    }

    fn advance(&mut self) {
        std::mem::swap(&mut self.first, &mut self.next);
    }
}

impl<L: LinearPart, Y: Components, M: ExponentialMethod> Interpolates<Y>
    for ExponentialStages<L, Y, M>
{
    type Interpolant = HermiteInterpolant<Y>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        hermite(theta, self.step, [y, y_new], [&self.slopes[0], &self.slopes[1]], out)
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> HermiteInterpolant<Y> {
        let y = [y.clone(), y_new.clone()];
        HermiteInterpolant { h: self.step, y, slopes: self.slopes.clone() }
    }
}
