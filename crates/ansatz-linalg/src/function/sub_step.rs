//! One sub-step of an exponential action, and what the next one should be.

use faer::Mat;

use super::{exponential, krylov::Basis, norm_1};
use crate::{LinearOperator, Vector};

/// Aims of step and dimension, relative to the tolerance: below 1, or every other one would fail.
const SAFETY: f64 = 0.8;
const SAFETY_OF_STEP: f64 = 0.6;

/// A sub-step that has been computed, but not taken.
pub(super) struct Attempt {
    pub(super) coefficients: Vec<f64>,
    pub(super) error: f64,
}

impl Attempt {
    /// The estimate is the residual of `w' = t Ã w`, integrated over the step (Y. Saad, *Analysis of
    /// some Krylov subspace approximations to the matrix exponential operator*, 1992, §5). Its last
    /// factor oscillates in the length of the step when the operator is skew, and may happen to be
    /// zero: then the one before it counts, by a tenth.
    pub(super) fn new<V: Vector, A: LinearOperator<V> + ?Sized>(
        basis: &Basis<'_, V, A>,
        step: f64,
        inside: bool,
    ) -> Self {
        let j = basis.dimension();
        let small = Mat::from_fn(j + 1, j + 1, |row, column| {
            if row < j && column < j {
                step * basis.factor * basis.h[(row, column)]
            } else {
                // Makes the last column step · φ₁(step · H) e₁.
                if row == 0 && column == j { step } else { 0.0 }
            }
        });
        let failed = Self { coefficients: Vec::new(), error: f64::INFINITY };
        if norm_1(&small) > 2f64.powi(100) {
            return failed;
        }
        let f = exponential::of(&small);
        let coefficients: Vec<f64> = (0..j).map(|i| basis.beta * f[(i, 0)]).collect();
        let last = |back: usize| if j >= back { f[(j - back, j)].abs() } else { 0.0 };
        let factor = if inside { 0.0 } else { (basis.factor * basis.h[(j, j - 1)]).abs() };
        let error = basis.beta * factor * last(1).max(0.1 * last(2));
        if error.is_finite() && coefficients.iter().all(|c| c.is_finite()) {
            Self { coefficients, error }
        } else {
            failed
        }
    }
}

/// What attempts at one sub-step have taught: how the error falls with the length of the step and
/// with the dimension (Niesen & Wright, §3.3).
#[derive(Default)]
pub(super) struct History {
    pub(super) attempts: usize,
    /// The last attempt: error relative to its aim, step, dimension.
    pub(super) last: Option<(f64, f64, usize)>,
}

impl History {
    /// The length of step that would do.
    pub(super) fn step(&self, omega: f64, step: f64, j: usize) -> f64 {
        if !omega.is_finite() {
            return step / 5.0;
        }
        let order = match self.last {
            Some((before, tried, dimension))
                if dimension == j && tried != step && before.is_finite() =>
            {
                ((omega / before).ln() / (step / tried).ln()).max(1.0)
            }
            _ => j as f64 / 4.0,
        };
        let factor = (SAFETY_OF_STEP / omega.max(f64::MIN_POSITIVE)).powf(1.0 / order);
        step * factor.clamp(0.2, 5.0)
    }

    /// The dimension that would do.
    pub(super) fn dimension(&self, omega: f64, j: usize) -> usize {
        let base = match self.last {
            Some((before, _, dimension)) if dimension < j && before.is_finite() => {
                (before / omega).powf(1.0 / (j - dimension) as f64).max(1.1)
            }
            _ => 2.0,
        };
        let more = (omega.max(f64::MIN_POSITIVE) / SAFETY).ln() / base.ln();
        let wanted = (j as f64 + more).ceil();
        wanted.clamp((0.75 * j as f64).floor(), (4.0 / 3.0 * j as f64).ceil()) as usize
    }
}
