//! Stabilised bi-conjugate gradients: [`BiCgStab`].

use super::{IterativeMethod, Monitor, Pause, System};
use crate::{Error, Result, Vector};

/// BiCGStab(ℓ), for any square operator, with a fixed number of vectors and no transpose
/// (G. Sleijpen, D. Fokkema, Electron. Trans. Numer. Anal. 1, 1993); preconditioned from the right.
///
/// One iteration is `2 ℓ` applications of the operator. ℓ = 1 is the method of H. van der Vorst
/// (1992); larger ones converge where eigenvalues are far from the real axis. Above about 8 the powers
/// of the operator are too nearly dependent to gain from: what rounding hides of them is left out.
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
        let zero = residual.zero_like()?;
        // Of the preconditioned unknown: x ← x + M y at the end.
        let (mut y, mut z) = (zero.clone(), zero.clone());
        let mut u = vec![zero.clone(); degree + 1];
        let mut r = vec![zero; degree + 1];
        r[0] = residual;
        let (mut rho, mut alpha, mut omega) = (1.0, 0.0, 1.0);
        let mut advance = |powers: &mut [V], j: usize| -> Result<()> {
            let (known, next) = powers.split_at_mut(j + 1);
            if system.preconditioner.is_some() {
                system.precondition(&known[j], &mut z)?;
                return system.operator.apply_into(&z, &mut next[0]);
            }
            system.operator.apply_into(&known[j], &mut next[0])
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
                advance(&mut u, j)?;
                alpha = rho / u[j + 1].inner(&shadow)?;
                if !alpha.is_finite() {
                    break 'all Pause::Breakdown(BREAKDOWN);
                }
                for i in 0..=j {
                    r[i].axpby(1.0, -alpha, &u[i + 1])?;
                }
                advance(&mut r, j)?;
                y.axpby(1.0, alpha, &u[0])?;
                // An exact solution half-way has no polynomial left to minimise.
                let norm = r[0].norm2()?;
                if norm <= 0.01 * monitor.target() {
                    break 'all monitor.record(norm).unwrap_or(Pause::Restart);
                }
            }
            let minimum = Minimum::new(&mut r)?;
            let Some(last) = minimum.gamma.last() else {
                break Pause::Breakdown(BREAKDOWN);
            };
            omega = *last;
            for (gamma, i) in minimum.gamma.iter().zip(1..) {
                let (u0, rest) = u.split_at_mut(i);
                u0[0].axpby(1.0, -gamma, &rest[0])?;
            }
            for (gamma, r) in minimum.of_iterate().iter().zip(&r) {
                y.axpby(1.0, *gamma, r)?;
            }
            let (r0, rest) = r.split_at_mut(1);
            for (gamma, r) in minimum.orthogonal.iter().zip(rest) {
                r0[0].axpby(1.0, -gamma, r)?;
            }
            if let Some(pause) = monitor.record(r[0].norm2()?) {
                break pause;
            }
            // The recurrence needs the full degree.
            if omega == 0.0 || minimum.gamma.len() < degree {
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

/// The `γ` for which `|r₀ − Σ γⱼ rⱼ|` is smallest, by modified Gram–Schmidt orthogonalisation of
/// `r₁, r₂, …` in place (algorithm 3.1 of the paper). What is dependent of those before, but for
/// rounding, and all beyond it are left out.
struct Minimum {
    gamma: Vec<f64>,
    /// The coefficients in the orthogonal vectors.
    orthogonal: Vec<f64>,
    /// Columns of the unit upper triangle `T` with `R = Q T`.
    triangle: Vec<Vec<f64>>,
}

impl Minimum {
    fn new<V: Vector>(r: &mut [V]) -> Result<Self> {
        let (mut orthogonal, mut triangle) = (Vec::new(), Vec::<Vec<f64>>::new());
        let mut squares: Vec<f64> = Vec::new();
        for j in 1..r.len() {
            let (known, rest) = r.split_at_mut(j);
            let before = rest[0].norm2()?;
            let mut column = Vec::with_capacity(j);
            for (q, square) in known[1..].iter().zip(&squares) {
                let tau = rest[0].inner(q)? / square;
                rest[0].axpby(1.0, -tau, q)?;
                column.push(tau);
            }
            let (norm, square) = (rest[0].norm2()?, rest[0].inner(&rest[0])?);
            let independent = norm > rest[0].epsilon().sqrt() * before && norm.is_finite();
            if !independent || square == 0.0 {
                break;
            }
            orthogonal.push(known[0].inner(&rest[0])? / square);
            squares.push(square);
            triangle.push(column);
        }
        let mut gamma: Vec<f64> = orthogonal.clone();
        for i in (1..gamma.len()).rev() {
            for j in 0..i {
                gamma[j] -= triangle[i][j] * gamma[i];
            }
        }
        Ok(Self { gamma, orthogonal, triangle })
    }

    /// The coefficients of `Σ γⱼ rⱼ₋₁` in `r₀` and the orthogonal vectors.
    fn of_iterate(&self) -> Vec<f64> {
        let mut shifted = self.gamma.clone();
        for i in 1..shifted.len() {
            for j in 1..i {
                shifted[j] += self.triangle[i - 1][j - 1] * self.gamma[i];
            }
        }
        shifted
    }
}
