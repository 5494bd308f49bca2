//! Newton's method for the equations of one stage: [`Newton`].

use ansatz_linalg::Components;

use super::{
    ImplicitField,
    krylov::Place,
    linear::{Linear, value},
};
use crate::{ErrorNorm, Result, Rms, Statistics};

/// The equation `M z − γh f(t, y + z) = known` of a stage.
pub(crate) struct Stage<'a, Y> {
    pub(crate) t: f64,
    pub(crate) y: &'a Y,
    pub(crate) gamma_h: f64,
    pub(crate) known: &'a Y,
}

/// Simplified Newton iterations (E. Hairer, G. Wanner, *Solving ODEs II*, section IV.8): one
/// factorisation for all, judged by how fast the corrections shrink.
pub(crate) struct Newton<Y> {
    /// `θ/(1 − θ)` of the last solve, which bounds what remains by the last correction.
    remainder: f64,
    /// The slowest convergence since it was last reset.
    pub(crate) slowest: f64,
    value: Y,
    correction: Y,
    image: Y,
    /// The state of the stage.
    state: Y,
}

/// Most iterations of one solve, and where it goes on to rounding.
const ITERATIONS: usize = 10;
const ITERATIONS_TO_ROUNDING: usize = 60;

/// What may remain of the error of a stage, as a part of the tolerance.
const PART: f64 = 0.03;

/// The same where they are solved to rounding: a part of a thousand units in the last place.
const PART_OF_ROUNDING: f64 = 1e-2;

/// Systems without a matrix are solved to this part of that (P. Brown, A. Hindmarsh 1986), or to this
/// part of their right-hand side where there is no tolerance; and always to the last one.
const LINEAR: f64 = 0.05;
const LINEAR_TO_ROUNDING: f64 = 1e-6;
const LEAST_REDUCTION: f64 = 0.1;

impl<Y: Components> Newton<Y> {
    pub(crate) fn new(like: &Y) -> Self {
        Self {
            remainder: 1.0,
            slowest: 0.0,
            value: like.clone(),
            correction: like.clone(),
            image: like.clone(),
            state: like.clone(),
        }
    }

    /// Forgets how fast it converged before.
    pub(crate) fn restart(&mut self) {
        self.remainder = 1.0;
        self.slowest = 0.0;
    }

    /// Solves for `z`, which holds a first guess; `false` if that does not converge.
    pub(crate) fn solve<F, N>(
        &mut self,
        field: &F,
        linear: &mut Linear<Y>,
        stage: &Stage<'_, Y>,
        z: &mut Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<bool>
    where
        F: ImplicitField<Y>,
        N: ErrorNorm<Y>,
    {
        // Without a tolerance the equations are solved to rounding.
        let rounding = 1e3 * stage.y.epsilon();
        let exact = Rms { rtol: rounding, atol: 1e-3 * rounding };
        let part = if norm.is_some() { PART } else { PART_OF_ROUNDING };
        let iterations = if norm.is_some() { ITERATIONS } else { ITERATIONS_TO_ROUNDING };
        // A factorisation for another step length overshoots or falls short by about this factor.
        let relaxation = 2.0 / (1.0 + stage.gamma_h / linear.gamma_h);
        // The solve before tells enough for a tolerance, but not for rounding.
        let mut remainder = match norm {
            Some(_) => self.remainder.max(f64::EPSILON).powf(0.8),
            None => 1.0,
        };
        let mut before = f64::INFINITY;
        for iteration in 0..iterations {
            self.state.combine(Some(stage.y), 1.0, &[1.0], std::slice::from_ref(z))?;
            value(field, stage.t, &self.state, &mut self.value, statistics)?;
            linear.mass_times(z, &mut self.image)?;
            let terms = [stage.known, &self.value, &self.image];
            self.correction.combine_iter(
                None,
                1.0,
                &[1.0, stage.gamma_h, -1.0],
                terms.into_iter(),
            )?;
            let reduction = match norm {
                Some(norm) => LINEAR * part / norm.norm(&self.correction, stage.y, &self.state)?,
                None => LINEAR_TO_ROUNDING,
            };
            let (t, y, f) = (stage.t, &self.state, &self.value);
            let place = Place { field, t, y, f, norm };
            let reduction = reduction.min(LEAST_REDUCTION);
            let solved = linear.solve_at(&place, reduction, &mut self.correction, statistics)?;
            let Some(reached) = solved else { return Ok(false) };
            std::mem::swap(z, &mut self.value);
            z.combine(
                Some(&self.value),
                relaxation,
                &[1.0],
                std::slice::from_ref(&self.correction),
            )?;
            let size = match norm {
                Some(norm) => norm.norm(&self.correction, stage.y, &self.state)?,
                None => exact.norm(&self.correction, stage.y, &self.state)?,
            };
            if !size.is_finite() {
                return Ok(false);
            }
            // A correction of zero says nothing of the rate.
            if iteration > 0 && size > 0.0 {
                let rate = size / before;
                self.slowest = self.slowest.max(rate);
                if rate >= 1.0 {
                    // Corrections at the level of rounding no longer shrink.
                    return Ok(norm.is_none() && size <= 100.0 && iteration > 1);
                }
                remainder = rate / (1.0 - rate);
                let left = (iterations - 1 - iteration) as i32;
                if remainder * size * rate.powi(left) > part {
                    return Ok(false);
                }
            }
            // What a system without a matrix was not solved for remains, too.
            if size == 0.0 || remainder.max(reached / (1.0 - reached)) * size <= part {
                self.remainder = remainder;
                return Ok(true);
            }
            before = size;
        }
        Ok(false)
    }
}
