//! Newton's method for all stages of a step: [`CollocationNewton`].

use ansatz_linalg::Components;

use super::{CollocationTableau, systems::Systems};
use crate::{
    ErrorNorm, Result, Rms, Statistics,
    implicit::{ImplicitField, linear::value},
};

/// Simplified Newton iterations in the variables `w = T⁻¹ z`, in which the linear systems fall apart
/// (E. Hairer, G. Wanner, *Solving ODEs II*, section IV.8). In components; states are made of them
/// where the field or the norm wants them.
pub(crate) struct CollocationNewton<Y> {
    /// `θ/(1 − θ)` of the last solve, which bounds what remains by the last correction.
    remainder: f64,
    /// Rate of convergence of the last solve.
    pub(crate) rate: f64,
    /// Increments of the stages.
    pub(crate) z: Vec<Vec<f64>>,
    w: Vec<Vec<f64>>,
    /// The field at the stages.
    f: Vec<Vec<f64>>,
    correction: Vec<Vec<f64>>,
    image: Vec<f64>,
    base: Vec<f64>,
    sum: Vec<f64>,
    state: Y,
    value: Y,
}

/// A step whose stages are to be solved for.
pub(crate) struct CollocationStep<'a, Y> {
    pub(crate) tableau: &'static CollocationTableau,
    pub(crate) t: f64,
    pub(crate) h: f64,
    pub(crate) y: &'a Y,
}

/// Most iterations of one solve, and where it goes on to rounding.
const ITERATIONS: usize = 10;
const ITERATIONS_TO_ROUNDING: usize = 60;

/// What may remain of the error of the stages, as a part of the tolerance.
const PART: f64 = 0.01;

/// The same where they are solved to rounding: a part of a thousand units in the last place.
const PART_OF_ROUNDING: f64 = 1e-4;

/// `out ← Σ cⱼ xⱼ`.
pub(crate) fn combination(c: &[f64], x: &[Vec<f64>], out: &mut [f64]) {
    out.fill(0.0);
    for (c, x) in c.iter().zip(x).filter(|(c, _)| **c != 0.0) {
        for (out, x) in out.iter_mut().zip(x) {
            *out += c * x;
        }
    }
}

impl<Y: Components> CollocationNewton<Y> {
    pub(crate) fn new(like: &Y, stages: usize) -> Self {
        let n = like.dimension();
        let block = || vec![vec![0.0; n]; stages];
        let vector = || vec![0.0; n];
        Self {
            remainder: 1.0,
            rate: 0.0,
            z: block(),
            w: block(),
            f: block(),
            correction: block(),
            image: vector(),
            base: vector(),
            sum: vector(),
            state: like.clone(),
            value: like.clone(),
        }
    }

    /// Forgets how fast it converged before.
    pub(crate) fn restart(&mut self) {
        self.remainder = 1.0;
    }

    /// Solves for `z`, which holds a first guess. `None` if that converged; otherwise the factor by
    /// which a shorter step may.
    pub(crate) fn solve<F, N>(
        &mut self,
        field: &F,
        systems: &mut Systems<Y>,
        step: &CollocationStep<'_, Y>,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<Option<f64>>
    where
        F: ImplicitField<Y>,
        N: ErrorNorm<Y>,
    {
        const DIVERGED: Option<f64> = Some(0.5);
        let CollocationStep { tableau, y, .. } = *step;
        let (iterations, part) = match norm {
            Some(_) => (ITERATIONS, PART),
            None => (ITERATIONS_TO_ROUNDING, PART_OF_ROUNDING),
        };
        y.read_into(&mut self.base)?;
        for (row, w) in tableau.t_inverse.iter().zip(&mut self.w) {
            combination(row, &self.z, w);
        }
        let mut remainder = self.remainder.max(f64::EPSILON).powf(0.8);
        let (mut before, mut rate_before) = (f64::INFINITY, 0.0);
        self.rate = 0.0;
        for iteration in 0..iterations {
            self.correct(field, systems, step, statistics)?;
            let size = self.size(y, norm)?;
            if !size.is_finite() {
                return Ok(DIVERGED);
            }
            if iteration > 0 {
                let rate = size / before;
                if norm.is_none() && rate >= 1.0 && size <= 100.0 && iteration > 1 {
                    // Corrections at the level of rounding no longer shrink.
                    return Ok(None);
                }
                // The mean of two, since pairs of eigenvalues make it alternate.
                self.rate = if iteration > 1 { (rate * rate_before).sqrt() } else { rate };
                rate_before = rate;
                if self.rate >= 0.99 {
                    return Ok(DIVERGED);
                }
                remainder = self.rate / (1.0 - self.rate);
                let left = iterations - 1 - iteration;
                let expected = remainder * size * self.rate.powi(left as i32) / part;
                if expected > 1.0 {
                    let power = -1.0 / (4 + left) as f64;
                    return Ok(Some(0.8 * expected.min(20.0).powf(power)));
                }
            }
            for (w, correction) in self.w.iter_mut().zip(&self.correction) {
                for (w, correction) in w.iter_mut().zip(correction) {
                    *w += correction;
                }
            }
            for (row, z) in tableau.t.iter().zip(&mut self.z) {
                combination(row, &self.w, z);
            }
            if size == 0.0 || remainder * size <= part {
                self.remainder = remainder;
                return Ok(None);
            }
            before = size;
        }
        Ok(DIVERGED)
    }

    /// One correction of `w`.
    fn correct<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        systems: &mut Systems<Y>,
        step: &CollocationStep<'_, Y>,
        statistics: &mut Statistics,
    ) -> Result<()> {
        let CollocationStep { tableau, t, h, .. } = *step;
        for (i, f) in self.f.iter_mut().enumerate() {
            for ((sum, base), z) in self.sum.iter_mut().zip(&self.base).zip(&self.z[i]) {
                *sum = base + z;
            }
            self.state.write_from(&self.sum)?;
            value(field, t + tableau.c[i] * h, &self.state, &mut self.value, statistics)?;
            self.value.read_into(f)?;
        }
        for (row, correction) in tableau.t_inverse.iter().zip(&mut self.correction) {
            combination(row, &self.f, correction);
        }
        let first = usize::from(tableau.real.is_some());
        if let Some(gamma) = tableau.real {
            // (M − h/γ J) Δw = h/γ f − M w
            systems.linear.mass_components(&self.w[0], &mut self.image);
            for (x, image) in self.correction[0].iter_mut().zip(&self.image) {
                *x = h / gamma * *x - image;
            }
            systems.linear.solve_components(&mut self.correction[0], statistics)?;
        }
        for (k, &(alpha, beta)) in tableau.pairs.iter().enumerate() {
            let (at, next) = (first + 2 * k, first + 2 * k + 1);
            let (head, tail) = self.correction.split_at_mut(next);
            let (re, im) = (&mut head[at], &mut tail[0]);
            // ((α + iβ) M − h J) Δw = h f − (α + iβ) M w
            systems.linear.mass_components(&self.w[at], &mut self.image);
            for ((re, im), image) in re.iter_mut().zip(im.iter_mut()).zip(&self.image) {
                *re = h * *re - alpha * image;
                *im = h * *im - beta * image;
            }
            systems.linear.mass_components(&self.w[next], &mut self.image);
            for ((re, im), image) in re.iter_mut().zip(im.iter_mut()).zip(&self.image) {
                *re += beta * image;
                *im -= alpha * image;
            }
            systems.solve_pair(k, re, im, statistics)?;
        }
        Ok(())
    }

    /// The norm of the correction.
    fn size<N: ErrorNorm<Y>>(&mut self, y: &Y, norm: Option<&N>) -> Result<f64> {
        let rounding = 1e3 * y.epsilon();
        let exact = Rms { rtol: rounding, atol: 1e-3 * rounding };
        let mut sum = 0.0;
        for correction in &self.correction {
            self.state.write_from(correction)?;
            let one = match norm {
                Some(norm) => norm.norm(&self.state, y, y)?,
                None => exact.norm(&self.state, y, y)?,
            };
            sum += one * one;
        }
        Ok((sum / self.correction.len() as f64).sqrt())
    }
}
