//! Dense output of diagonally implicit methods: [`DirkInterpolant`].

use std::marker::PhantomData;

use ansatz_linalg::Components;

use super::DiagonallyImplicit;
use crate::{Interpolant, Result, hermite::hermite};

/// The inner stage whose node is nearest to the middle of the step.
pub(super) fn middle_stage<M: DiagonallyImplicit>() -> Option<usize> {
    let c = M::TABLEAU.c;
    (1..c.len() - 1).min_by(|&i, &j| (c[i] - 0.5).abs().total_cmp(&(c[j] - 0.5).abs()))
}

/// Dense output of the method, or Hermite's.
pub(super) fn by_slopes<Y: Components, M: DiagonallyImplicit>(
    theta: f64,
    h: f64,
    y: &Y,
    y_new: &Y,
    slopes: &[Y],
    out: &mut Y,
) -> Result<()> {
    let tableau = &M::TABLEAU;
    if tableau.dense.is_empty() {
        let ends = [&slopes[0], &slopes[tableau.stages() - 1]];
        return hermite(theta, h, [y, y_new], ends, out);
    }
    let mut weights = vec![0.0; tableau.stages()];
    tableau.dense_weights(theta, &mut weights);
    Ok(out.combine(Some(y), h, &weights, slopes)?)
}

/// The parabola through both ends and one state between, given as its increment at `c`. With a mass
/// matrix the slopes are not at hand.
pub(super) fn by_values<Y: Components>(
    theta: f64,
    c: f64,
    y: &Y,
    middle: &Y,
    y_new: &Y,
    out: &mut Y,
) -> Result<()> {
    // θ z₁ + θ (θ − 1) (z_c / c − z₁) / (c − 1), with z₁ = y₁ − y₀.
    let bend = theta * (theta - 1.0) / (c - 1.0);
    let last = theta - bend;
    let states = [y, y_new, middle].into_iter();
    Ok(out.combine_iter(None, 1.0, &[1.0 - last, last, bend / c], states)?)
}

/// The dense output of one step of a diagonally implicit method, kept.
#[derive(Debug, Clone)]
pub struct DirkInterpolant<Y, M> {
    pub(super) h: f64,
    pub(super) y0: Y,
    pub(super) y1: Y,
    /// Empty with a mass matrix.
    pub(super) slopes: Vec<Y>,
    pub(super) middle: Y,
    pub(super) method: PhantomData<M>,
}

impl<Y: Components, M: DiagonallyImplicit> Interpolant<Y> for DirkInterpolant<Y, M> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.y0.clone();
        match middle_stage::<M>() {
            _ if !self.slopes.is_empty() => {
                by_slopes::<Y, M>(theta, self.h, &self.y0, &self.y1, &self.slopes, &mut y)?;
            }
            None => {
                let ends = [&self.y0, &self.y1].into_iter();
                y.combine_iter(None, 1.0, &[1.0 - theta, theta], ends)?;
            }
            Some(i) => {
                by_values(theta, M::TABLEAU.c[i], &self.y0, &self.middle, &self.y1, &mut y)?;
            }
        }
        Ok(y)
    }
}
