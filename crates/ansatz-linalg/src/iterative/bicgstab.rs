//! Stabilised bi-conjugate gradients: [`BiCgStab`].

use super::{IterativeMethod, Monitor, Pause, System};
use crate::{Error, Result, Vector};

/// BiCGStab(ℓ), for any square operator, with a fixed number of vectors and no transpose
/// (G. Sleijpen, D. Fokkema, Electron. Trans. Numer. Anal. 1, 1993); preconditioned from the right.
///
/// One iteration is `2 ℓ` applications of the operator. ℓ = 1 is the method of H. van der Vorst
/// (1992); larger ones converge where eigenvalues are far from the real axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BiCgStab {
    /// Degree ℓ of the residual polynomial that each iteration minimises; 2 by default.
    pub degree: usize,
}

impl Default for BiCgStab {
    fn default() -> Self {
        Self { degree: 2 }
    }
}

const BREAKDOWN: &str = "an inner product vanished: take Gmres, or another preconditioner";

impl<V: Vector> IterativeMethod<V> for BiCgStab {
    fn name(&self) -> &'static str {
        "BiCGStab"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        residual: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        let degree = self.degree;
        if degree == 0 {
            return Err(Error::invalid("degree of BiCGStab(l)", degree, "at least 1"));
        }
        let shadow = residual.clone();
        let mut z = residual.clone();
        // Of the preconditioned unknown: x ← x + M y at the end.
        let mut y = residual.zero_like()?;
        let mut r = vec![residual];
        let mut u = vec![y.clone()];
        let (mut rho, mut alpha, mut omega) = (1.0, 0.0, 1.0);
        let mut image = z.clone();
        let mut apply = |from: &V| -> Result<V> {
            if system.preconditioner.is_some() {
                system.precondition(from, &mut z)?;
                system.operator.apply_into(&z, &mut image)?;
            } else {
                system.operator.apply_into(from, &mut image)?;
            }
            Ok(image.clone())
        };
        let begun = monitor.iterations();
        let pause = 'all: loop {
            rho *= -omega;
            for j in 0..degree {
                let next = r[j].inner(&shadow)?;
                let beta = alpha * next / rho;
                if !beta.is_finite() || next == 0.0 {
                    break 'all Pause::Breakdown(BREAKDOWN);
                }
                rho = next;
                for i in 0..=j {
                    u[i].axpby(-beta, 1.0, &r[i])?;
                }
                u.truncate(j + 1);
                u.push(apply(&u[j])?);
                alpha = rho / u[j + 1].inner(&shadow)?;
                if !alpha.is_finite() {
                    break 'all Pause::Breakdown(BREAKDOWN);
                }
                for i in 0..=j {
                    r[i].axpby(1.0, -alpha, &u[i + 1])?;
                }
                r.truncate(j + 1);
                r.push(apply(&r[j])?);
                y.axpby(1.0, alpha, &u[0])?;
                // An exact solution half-way has no polynomial left to minimise.
                if r[0].norm2()? <= 0.01 * monitor.target() {
                    break 'all monitor.record(r[0].norm2()?).unwrap_or(Pause::Restart);
                }
            }
            let Some(gamma) = minimise(&r)? else {
                break Pause::Breakdown(BREAKDOWN);
            };
            omega = gamma[degree - 1];
            for (i, gamma) in gamma.iter().enumerate() {
                let (u0, rest) = u.split_at_mut(1);
                u0[0].axpby(1.0, -gamma, &rest[i])?;
                y.axpby(1.0, *gamma, &r[i])?;
            }
            let (r0, rest) = r.split_at_mut(1);
            for (gamma, r) in gamma.iter().zip(rest) {
                r0[0].axpby(1.0, -gamma, r)?;
            }
            if let Some(pause) = monitor.record(r[0].norm2()?) {
                break pause;
            }
            if omega == 0.0 {
                break Pause::Breakdown(BREAKDOWN);
            }
        };
        system.precondition(&y, &mut z)?;
        x.axpby(1.0, 1.0, &z)?;
        match pause {
            // With another shadow the inner products may be others.
            Pause::Breakdown(BREAKDOWN) if monitor.iterations() > begun => Ok(Pause::Restart),
            other => Ok(other),
        }
    }
}

/// The `γ` for which `|r₀ − Σ γⱼ rⱼ|` is smallest, from the normal equations, which are small: as
/// many unknowns as the degree.
fn minimise<V: Vector>(r: &[V]) -> Result<Option<Vec<f64>>> {
    let count = r.len() - 1;
    let mut gram = faer::Mat::zeros(count, count);
    let mut right = vec![0.0; count];
    for i in 0..count {
        for j in 0..=i {
            let inner = r[i + 1].inner(&r[j + 1])?;
            (gram[(i, j)], gram[(j, i)]) = (inner, inner);
        }
        right[i] = r[i + 1].inner(&r[0])?;
    }
    // Scaled to a diagonal of ones: the powers differ in size.
    let scale: Vec<f64> = (0..count).map(|i| gram[(i, i)].sqrt()).collect();
    if scale.iter().any(|s| !(*s > 0.0 && s.is_finite())) {
        return Ok(None);
    }
    let scaled = faer::Mat::from_fn(count, count, |i, j| gram[(i, j)] / (scale[i] * scale[j]));
    right.iter_mut().zip(&scale).for_each(|(b, s)| *b /= s);
    let Ok(factors) = crate::Qr::new(&crate::Dense::new(scaled)?) else {
        return Ok(None);
    };
    let solution = factors.solve_least_squares(&right)?;
    Ok(Some(solution.iter().zip(&scale).map(|(y, s)| y / s).collect()))
}
