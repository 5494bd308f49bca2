//! Minimal residuals for symmetric operators: [`Minres`].

use super::{IterativeMethod, Monitor, Pause, System, cg::INDEFINITE_PRECONDITIONER, positive};
use crate::{Result, Vector};

/// Minimal residuals, for symmetric operators that may be indefinite or singular, and positive
/// definite preconditioners (C. Paige, M. Saunders, SIAM J. Numer. Anal. 12, 1975).
///
/// Minimises the residual in the norm of the preconditioner. The residual itself is updated beside,
/// so that its 2-norm is known at the price of one more sum of vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Minres;

/// A pass that reduced the residual to this part is worth another one.
const WORTH: f64 = 0.9;
const NO_SOLUTION: &str = "the system is singular and has no solution, as far as can be told";

impl<V: Vector> IterativeMethod<V> for Minres {
    fn name(&self) -> &'static str {
        "MINRES"
    }

    // With V the Lanczos vectors of the residuals, Z = M V and A Z = V T, the iterate is Z y where
    // y minimises |β e₁ − T y|, by one plane reflection (c, s; s, −c) per step.
    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        r: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        let mut z = r.clone();
        system.precondition(&r, &mut z)?;
        let beta = r.inner(&z)?;
        if !positive(beta) {
            return Ok(Pause::Breakdown(INDEFINITE_PRECONDITIONER));
        }
        let mut beta = beta.sqrt();
        let mut v = r;
        v.scale_in_place(1.0 / beta)?;
        z.scale_in_place(1.0 / beta)?;
        let mut v_before = v.zero_like()?;
        let (mut next, mut z_before) = (v_before.clone(), v_before.clone());
        // The direction of the residual, and the two last directions of the iterate.
        let mut w = v.clone();
        let (mut d, mut d_before) = (v_before.clone(), v_before.clone());
        let (mut c, mut s, mut c_before, mut s_before) = (-1.0, 0.0, -1.0, 0.0);
        let begun = beta;
        let mut rest = beta;
        beta = 0.0;
        // As near as MINRES comes to the residual of least squares (S.-C. Choi, C. Paige, M. Saunders,
        // SIAM J. Sci. Comput. 33, 2011, §1).
        let least_squares = v.epsilon().sqrt();
        // The size of the entries of T, to tell zero from rounding.
        let mut size = 0.0f64;
        loop {
            system.operator.apply_into(&z, &mut next)?;
            let alpha = z.inner(&next)?;
            next.axpby(1.0, -alpha, &v)?;
            next.axpby(1.0, -beta, &v_before)?;
            // The new column of T through the two last reflections.
            let far = s_before * beta;
            let near = -c_before * beta;
            let beside = c * near + s * alpha;
            let corner = s * near - c * alpha;
            std::mem::swap(&mut z_before, &mut z);
            system.precondition(&next, &mut z)?;
            let square = next.inner(&z)?;
            if square < 0.0 {
                return Ok(Pause::Breakdown(INDEFINITE_PRECONDITIONER));
            }
            let beta_next = square.sqrt();
            size = size.max(alpha.abs() + beta + beta_next);
            // |A r| / |A| |r| of the iterate so far is zero where r is a residual of least squares.
            // Beyond, iterates of a singular system grow without bound.
            if corner.hypot(c * beta_next) <= least_squares * size {
                // So it looks as well where eigenvalues differ much: told apart from the residual.
                let again = rest.abs() < WORTH * begun;
                return Ok(if again { Pause::Restart } else { Pause::Breakdown(NO_SOLUTION) });
            }
            let pivot = corner.hypot(beta_next);
            (c_before, s_before) = (c, s);
            (c, s) = (corner / pivot, beta_next / pivot);

            // d ← (z − far d₋₂ − beside d₋₁) / pivot
            d_before.axpby(-far / pivot, 1.0 / pivot, &z_before)?;
            d_before.axpby(1.0, -beside / pivot, &d)?;
            std::mem::swap(&mut d, &mut d_before);
            x.axpby(1.0, c * rest, &d)?;
            rest *= s;

            let exact = beta_next <= v.epsilon() * pivot;
            if !exact {
                next.scale_in_place(1.0 / beta_next)?;
                z.scale_in_place(1.0 / beta_next)?;
                w.axpby(s, -c, &next)?;
            }
            std::mem::swap(&mut v_before, &mut v);
            std::mem::swap(&mut v, &mut next);
            beta = beta_next;
            if let Some(pause) = monitor.record(rest.abs() * w.norm2()?) {
                return Ok(pause);
            }
            if exact {
                return Ok(Pause::Restart);
            }
        }
    }
}
