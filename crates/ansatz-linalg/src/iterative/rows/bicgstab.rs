//! [`BiCgStabRows`].

use candle_core::Tensor;

use super::{RowSolutions, RowSystem, Rows, VANISHED, inner, solve};
use crate::{Result, Stopping};

/// BiCGStab for the rows of a tensor `[batch, …]`, as [`CgRows`](super::CgRows) but for any square
/// operators (H. van der Vorst, SIAM J. Sci. Stat. Comput. 13, 1992); preconditioned from the right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BiCgStabRows {
    /// When a row stops.
    pub stopping: Stopping,
}

impl BiCgStabRows {
    /// The solutions of `A x = b` from zero, row by row.
    ///
    /// # Errors
    /// As [`CgRows::solve`](super::CgRows::solve).
    pub fn solve(
        &self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        b: &Tensor,
    ) -> Result<RowSolutions> {
        let system = RowSystem { operator: &apply, preconditioner: None };
        solve(&system, b, None, &self.stopping, pass)
    }

    /// The same with a preconditioner, a map near `A⁻¹`, and from a first guess or from zero.
    ///
    /// # Errors
    /// As [`CgRows::solve`](super::CgRows::solve), and those of the preconditioner.
    pub fn solve_with(
        &self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        preconditioner: impl Fn(&Tensor) -> Result<Tensor>,
        b: &Tensor,
        guess: Option<&Tensor>,
    ) -> Result<RowSolutions> {
        let system = RowSystem { operator: &apply, preconditioner: Some(&preconditioner) };
        solve(&system, b, guess, &self.stopping, pass)
    }
}

fn pass(system: &RowSystem<'_>, rows: &mut Rows, mut x: Tensor, mut r: Tensor) -> Result<Tensor> {
    let shadow = r.clone();
    let mut p = r.clone();
    let mut rho = inner(&r, &shadow)?;
    while rows.any_active() {
        let p_near = system.precondition(rows, &p)?;
        let image = rows.map(system.operator, &p_near)?;
        let along = inner(&image, &shadow)?;
        rows.stop_where(|i| along[i] == 0.0 || rho[i] == 0.0, VANISHED);
        let alpha = rows.quotients(&rho, &along);
        let s = rows.subtract(&r, &alpha, &image)?;
        let s_near = system.precondition(rows, &s)?;
        let t = rows.map(system.operator, &s_near)?;
        // Where s is zero the solution is exact, and the quotient zero.
        let omega = rows.quotients(&inner(&t, &s)?, &inner(&t, &t)?);
        x = rows.add(&rows.add(&x, &alpha, &p_near)?, &omega, &s_near)?;
        r = rows.subtract(&s, &omega, &t)?;
        rows.record(&rows.active_norms(&r)?);
        if !rows.any_active() {
            break;
        }
        let next = inner(&r, &shadow)?;
        rows.stop_where(|i| next[i] == 0.0 || omega[i] == 0.0, VANISHED);
        let forward = rows.quotients(&next, &rho);
        let turn = rows.quotients(&alpha, &omega);
        let beta: Vec<f64> = forward.iter().zip(&turn).map(|(a, b)| a * b).collect();
        p = rows.add(&r, &beta, &rows.subtract(&p, &omega, &image)?)?;
        rho = next;
    }
    Ok(x)
}
