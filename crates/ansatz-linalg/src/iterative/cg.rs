//! Conjugate gradients: [`Cg`].

use super::{IterativeMethod, Monitor, Pause, System, positive};
use crate::{Result, Vector};

/// Conjugate gradients, for symmetric positive definite operators and preconditioners
/// (M. Hestenes, E. Stiefel, J. Res. Nat. Bur. Standards 49, 1952; with a preconditioner Y. Saad,
/// *Iterative Methods for Sparse Linear Systems*, 2003, algorithm 9.1).
///
/// Breaks down where it meets a direction of no or negative curvature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cg;

pub(super) const INDEFINITE: &str = "the operator is not positive definite: take Minres or Gmres";
pub(super) const UNDERFLOW: &str = "the square of the residual underflows: scale the system";
pub(super) const INDEFINITE_PRECONDITIONER: &str = "the preconditioner is not positive definite";

impl<V: Vector> IterativeMethod<V> for Cg {
    fn name(&self) -> &'static str {
        "CG"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        mut r: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        let norm = r.norm2()?;
        let mut z = system.preconditioner.map(|_| r.clone());
        let mut rz = square(system, &r, norm, z.as_mut())?;
        let mut p = z.as_ref().unwrap_or(&r).clone();
        let mut image = r.clone();
        loop {
            if !positive(rz) {
                let plain = z.is_none() && rz == 0.0;
                let reason = if plain { UNDERFLOW } else { INDEFINITE_PRECONDITIONER };
                return Ok(Pause::Breakdown(reason));
            }
            system.operator.apply_into(&p, &mut image)?;
            let curvature = p.inner(&image)?;
            if !positive(curvature) {
                return Ok(Pause::Breakdown(INDEFINITE));
            }
            let step = rz / curvature;
            x.axpby(1.0, step, &p)?;
            r.axpby(1.0, -step, &image)?;
            let norm = r.norm2()?;
            if let Some(pause) = monitor.record(norm) {
                return Ok(pause);
            }
            let next = square(system, &r, norm, z.as_mut())?;
            p.axpby(next / rz, 1.0, z.as_ref().unwrap_or(&r))?;
            rz = next;
        }
    }
}

/// `⟨r, M r⟩` with `z ← M r`; without a preconditioner `‖r‖²`.
fn square<V: Vector>(system: &System<'_, V>, r: &V, norm: f64, z: Option<&mut V>) -> Result<f64> {
    let Some(z) = z else {
        return Ok(norm * norm);
    };
    system.precondition(r, z)?;
    r.inner(z)
}
