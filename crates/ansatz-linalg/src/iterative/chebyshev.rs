//! Chebyshev's iteration: [`Chebyshev`].

use super::{IterativeMethod, Monitor, Pause, System, cg, positive};
use crate::{Error, LinearOperator, Result, SymmetricEigen, Vector};

/// Chebyshev's iteration, for symmetric positive definite operators whose spectrum is known: no
/// inner products but for the residual's norm (Y. Saad, *Iterative Methods for Sparse Linear
/// Systems*, 2003, algorithm 12.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chebyshev {
    /// The smallest eigenvalue of `M A`, or a positive lower bound.
    pub smallest: f64,
    /// The largest eigenvalue of `M A`, or an upper bound.
    pub largest: f64,
}

impl Chebyshev {
    /// With bounds from `steps` steps of Lanczos' process on `M A` from `start`, the upper one
    /// raised by a twentieth and the lower one lowered by as much, because they are approached
    /// from inside. Take more steps for a better lower bound.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when `steps` or `start` is zero or the operator or the
    /// preconditioner turns out not to be positive definite; those of the operators.
    pub fn estimated<V: Vector>(
        operator: &dyn LinearOperator<V>,
        preconditioner: Option<&dyn LinearOperator<V>>,
        start: &V,
        steps: usize,
    ) -> Result<Self> {
        if steps == 0 {
            return Err(Error::invalid("steps of Lanczos' process", steps, "at least one"));
        }
        let system = System { operator, preconditioner };
        let values = ritz_values(&system, start, steps)?;
        let (Some(smallest), Some(largest)) = (values.first(), values.last()) else {
            return Err(Error::invalid("start of Lanczos' process", "zero", "another vector"));
        };
        Ok(Self { smallest: smallest / 1.05, largest: largest * 1.05 })
    }
}

/// Eigenvalues of the tridiagonal matrix that `steps` steps of conjugate gradients on `A x = start`
/// define: from the inside they approach the ends of the spectrum of `M A`.
pub(crate) fn ritz_values<V: Vector>(
    system: &System<'_, V>,
    start: &V,
    steps: usize,
) -> Result<Vec<f64>> {
    let mut r = start.clone();
    let mut z = r.clone();
    system.precondition(&r, &mut z)?;
    let mut p = z.clone();
    let mut image = r.clone();
    let definite = |rz: f64| {
        let expected = cg::INDEFINITE_PRECONDITIONER;
        let bad = rz < 0.0 || rz.is_nan();
        if bad { Err(Error::invalid("preconditioner", rz, expected)) } else { Ok(rz) }
    };
    let mut rz = definite(r.inner(&z)?)?;
    let first = rz;
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let (mut last_step, mut last_factor) = (1.0, 0.0);
    while diagonal.len() < steps && rz > f64::EPSILON.powi(2) * first {
        system.operator.apply_into(&p, &mut image)?;
        let curvature = p.inner(&image)?;
        if !positive(curvature) {
            return Err(Error::invalid("operator", "not positive definite", cg::INDEFINITE));
        }
        let step = rz / curvature;
        diagonal.push(1.0 / step + last_factor / last_step);
        r.axpby(1.0, -step, &image)?;
        system.precondition(&r, &mut z)?;
        let next = definite(r.inner(&z)?)?;
        let factor = next / rz;
        beside.push(factor.sqrt() / step);
        p.axpby(factor, 1.0, &z)?;
        (rz, last_step, last_factor) = (next, step, factor);
    }
    if diagonal.is_empty() {
        return Err(Error::invalid("start of Lanczos' process", "zero", "a vector to start from"));
    }
    let n = diagonal.len();
    let matrix = faer::Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    });
    Ok(SymmetricEigen::new(&crate::Dense::new(matrix)?)?.values().to_vec())
}

impl<V: Vector> IterativeMethod<V> for Chebyshev {
    fn name(&self) -> &'static str {
        "Chebyshev's iteration"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        mut r: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        let Self { smallest, largest } = *self;
        if !(smallest > 0.0 && smallest <= largest && largest.is_finite()) {
            let bounds = format!("[{smallest}, {largest}]");
            return Err(Error::invalid("bounds of the spectrum", bounds, "positive, rising ones"));
        }
        let (centre, radius) = (0.5 * (largest + smallest), 0.5 * (largest - smallest));
        let mut z = r.clone();
        let mut image = r.clone();
        system.precondition(&r, &mut z)?;
        let mut p = z.clone();
        p.scale_in_place(1.0 / centre)?;
        let mut rho = radius / centre;
        loop {
            x.axpby(1.0, 1.0, &p)?;
            system.operator.apply_into(&p, &mut image)?;
            r.axpby(1.0, -1.0, &image)?;
            if let Some(pause) = monitor.record(r.norm2()?) {
                return Ok(pause);
            }
            system.precondition(&r, &mut z)?;
            if radius == 0.0 {
                p.axpby(0.0, 1.0 / centre, &z)?;
                continue;
            }
            let next = 1.0 / (2.0 * centre / radius - rho);
            p.axpby(next * rho, 2.0 * next / radius, &z)?;
            rho = next;
        }
    }
}
