//! Generalised minimal residuals: [`Gmres`] and [`Fgmres`].

use super::{IterativeMethod, Monitor, Pause, System};
use crate::{Error, Result, Vector};

/// Generalised minimal residuals, for any square operator, begun anew every `restart` iterations
/// (Y. Saad, M. Schultz, SIAM J. Sci. Stat. Comput. 7, 1986), preconditioned from the right, so that
/// what is minimised is the residual itself.
///
/// Keeps `restart + 1` vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gmres {
    /// Iterations between two restarts; 30 by default.
    pub restart: usize,
}

/// [`Gmres`] with a preconditioner that may differ from one application to the next, such as
/// another iteration (Y. Saad, SIAM J. Sci. Comput. 14, 1993).
///
/// Keeps `2 restart + 1` vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fgmres {
    /// Iterations between two restarts; 30 by default.
    pub restart: usize,
}

impl Default for Gmres {
    fn default() -> Self {
        Self { restart: 30 }
    }
}

impl Default for Fgmres {
    fn default() -> Self {
        Self { restart: 30 }
    }
}

impl<V: Vector> IterativeMethod<V> for Gmres {
    fn name(&self) -> &'static str {
        "GMRES"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        residual: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        let flexible = system.preconditioner.is_none();
        cycle(system, x, residual, monitor, self.restart, flexible)
    }
}

impl<V: Vector> IterativeMethod<V> for Fgmres {
    fn name(&self) -> &'static str {
        "FGMRES"
    }

    fn improve(
        &self,
        system: &System<'_, V>,
        x: &mut V,
        residual: V,
        monitor: &mut Monitor,
    ) -> Result<Pause> {
        cycle(system, x, residual, monitor, self.restart, true)
    }
}

/// One cycle. `keep` the preconditioned vectors, or apply the preconditioner, which is then always
/// the same, to their sum at the end.
fn cycle<V: Vector>(
    system: &System<'_, V>,
    x: &mut V,
    mut v: V,
    monitor: &mut Monitor,
    restart: usize,
    keep: bool,
) -> Result<Pause> {
    if restart == 0 {
        return Err(Error::invalid("restart", restart, "at least one iteration"));
    }
    let norm = v.norm2()?;
    let (mut w, mut spare, mut z) = (v.clone(), v.clone(), v.clone());
    v.scale_in_place(1.0 / norm)?;
    let mut arnoldi = Arnoldi { basis: vec![v], triangle: Vec::new(), rotations: Vec::new() };
    let mut kept = Vec::new();
    // The right-hand side of the small least-squares problem after the rotations.
    let mut g = vec![norm];
    let mut pause = Pause::Restart;
    for j in 0..restart {
        if system.preconditioner.is_some() {
            system.precondition(&arnoldi.basis[j], &mut z)?;
            system.operator.apply_into(&z, &mut w)?;
            if keep {
                kept.push(z.clone());
            }
        } else {
            system.operator.apply_into(&arnoldi.basis[j], &mut w)?;
        }
        let Some((c, s)) = arnoldi.extend(&mut w, &mut spare)? else {
            pause = Pause::Breakdown("the operator is singular, or its values are not finite");
            break;
        };
        g.push(-s * g[j]);
        g[j] *= c;
        if let Some(reason) = monitor.record(g[j + 1].abs()) {
            pause = reason;
            break;
        }
        if s == 0.0 {
            break;
        }
    }
    let y = arnoldi.coefficients(&g);
    let vectors = if system.preconditioner.is_some() && keep { &kept } else { &arnoldi.basis };
    w.combine(None, 1.0, &y, &vectors[..y.len()])?;
    if system.preconditioner.is_some() && !keep {
        system.precondition(&w, &mut z)?;
        w = z;
    }
    x.axpby(1.0, 1.0, &w)?;
    Ok(pause)
}

/// `A V = V H` with orthonormal `V`, and `H` made triangular by rotations as it grows.
struct Arnoldi<V> {
    basis: Vec<V>,
    /// Columns of the triangle.
    triangle: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
}

impl<V: Vector> Arnoldi<V> {
    /// Takes the image `w` of the newest vector, which it overwrites, as it does `spare`. The new
    /// rotation, whose sine is zero when the space is invariant; `None` when the new column is
    /// dependent of the others.
    fn extend(&mut self, w: &mut V, spare: &mut V) -> Result<Option<(f64, f64)>> {
        let before = w.norm2()?;
        let mut column = vec![0.0; self.basis.len()];
        let mut norm = before;
        // Twice is enough (B. Parlett, The Symmetric Eigenvalue Problem, §6.9).
        for _ in 0..2 {
            let inner = w.inner_all(&self.basis)?;
            std::mem::swap(w, spare);
            w.combine(Some(&*spare), -1.0, &inner, &self.basis)?;
            column.iter_mut().zip(&inner).for_each(|(h, i)| *h += i);
            let now = w.norm2()?;
            let done = now > 0.5 * norm;
            norm = now;
            if done {
                break;
            }
        }
        let rounding = 10.0 * w.epsilon() * before;
        if norm <= rounding {
            norm = 0.0;
        }
        for (i, (c, s)) in self.rotations.iter().enumerate() {
            let (a, b) = (column[i], column[i + 1]);
            (column[i], column[i + 1]) = (c * a + s * b, c * b - s * a);
        }
        let last = self.rotations.len();
        let pivot = column[last].hypot(norm);
        if pivot <= rounding || pivot.is_nan() {
            return Ok(None);
        }
        let rotation = (column[last] / pivot, norm / pivot);
        column[last] = pivot;
        self.triangle.push(column);
        self.rotations.push(rotation);
        if norm > 0.0 {
            let mut v = w.clone();
            v.scale_in_place(1.0 / norm)?;
            self.basis.push(v);
        }
        Ok(Some(rotation))
    }

    /// The solution of the triangular system.
    fn coefficients(&self, g: &[f64]) -> Vec<f64> {
        let n = self.triangle.len();
        let mut y = g[..n].to_vec();
        for i in (0..n).rev() {
            y[i] /= self.triangle[i][i];
            for k in 0..i {
                y[k] -= self.triangle[i][k] * y[i];
            }
        }
        y
    }
}
