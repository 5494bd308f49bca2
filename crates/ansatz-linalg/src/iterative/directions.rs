//! Conjugate directions from any source: [`ConjugateDirections`].

use super::{
    IterativeMethod, Monitor, Pause, System, cg::INDEFINITE, monitor::NOT_FINITE, positive,
};
use crate::{Error, Result, Vector};

/// Conjugate gradients whose directions come from a function of the residual, for symmetric positive
/// definite operators (A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A Deep Conjugate
/// Direction Method for Iteratively Solving Linear Systems*, ICML 2023, algorithm 1).
///
/// Each direction is made conjugate to the last `memory` ones, and the step along it minimises the
/// error in the norm of the operator, which no function can make larger. With the identity and a memory of one it is [`Cg`](super::Cg); with a
/// preconditioner that changes it is flexible CG (Y. Notay, SIAM J. Sci. Comput. 22, 2000). A
/// preconditioner of the solver is applied to the residual first.
#[derive(Debug, Clone, Copy)]
pub struct ConjugateDirections<G> {
    /// A direction for a residual.
    pub generator: G,
    /// Former directions that a new one is made conjugate to; at least 1, the paper takes 2.
    pub memory: usize,
}

const WORTHLESS: &str = "the generator gave no new direction";

impl<V: Vector, G: Fn(&V) -> Result<V>> IterativeMethod<V> for ConjugateDirections<G> {
    fn name(&self) -> &'static str {
        "the method of conjugate directions"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        mut r: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        if self.memory == 0 {
            return Err(Error::invalid("memory", 0, "at least one former direction"));
        }
        let mut z = r.clone();
        // Direction, its image, and the inner product of the two; the oldest first.
        let mut former: Vec<(V, V, f64)> = Vec::with_capacity(self.memory);
        loop {
            system.precondition(&r, &mut z)?;
            let mut p = (self.generator)(&z)?;
            r.check_like("direction of a generator", &p)?;
            let own = p.clone();
            for (q, image, curvature) in &former {
                p.axpby(1.0, -own.inner(image)? / curvature, q)?;
            }
            let mut image = r.clone();
            system.operator.apply_into(&p, &mut image)?;
            let curvature = p.inner(&image)?;
            if !positive(curvature) {
                let new = p.norm2()? > 10.0 * p.epsilon() * own.norm2()?;
                return Ok(Pause::Breakdown(match new {
                    true if curvature.is_nan() => NOT_FINITE,
                    true => INDEFINITE,
                    false => WORTHLESS,
                }));
            }
            let step = r.inner(&p)? / curvature;
            x.axpby(1.0, step, &p)?;
            r.axpby(1.0, -step, &image)?;
            if former.len() == self.memory {
                former.remove(0);
            }
            former.push((p, image, curvature));
            if let Some(pause) = monitor.record(r.norm2()?) {
                return Ok(pause);
            }
        }
    }
}
