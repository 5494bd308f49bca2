//! [`CgRows`].

use candle_core::Tensor;

use super::{RowSolutions, RowSystem, Rows, inner, solve};
use crate::{
    Result, Stopping,
    iterative::cg::{INDEFINITE, INDEFINITE_PRECONDITIONER, UNDERFLOW},
};

/// Conjugate gradients for the rows of a tensor `[batch, …]`: each row has its own step lengths and
/// its own stop, all rows share each application of the operator.
///
/// The operator is any function that maps each row by itself, with one matrix for all or one for
/// each, symmetric and positive definite. Two numbers per row and iteration are read from the device.
///
/// ```
/// use ansatz_linalg::{CgRows, Stopping};
/// use ansatz_linalg::core::candle::{Device, Tensor};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Tensor::new(&[[4f32, 1.0], [1.0, 3.0]], &Device::Cpu)?;
/// let b = Tensor::new(&[[1f32, 2.0], [4.0, 1.0], [0.0, 0.0]], &Device::Cpu)?;
/// let solver = CgRows { stopping: Stopping { relative: 1e-6, ..Stopping::default() } };
/// let solution = solver.solve(|x| Ok(x.matmul(&a)?), &b)?;
/// assert!(solution.outcomes.iter().all(|o| *o == ansatz_linalg::Outcome::Converged));
/// let x: Vec<Vec<f32>> = solution.x.to_vec2()?;
/// assert!((x[1][0] - 1.0).abs() < 1e-5 && x[1][1].abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CgRows {
    /// When a row stops.
    pub stopping: Stopping,
}

impl CgRows {
    /// The solutions of `A x = b` from zero, row by row.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when `b` has no axis for the rows or the operator returns
    /// another shape, [`Error::InvalidArgument`](crate::Error::InvalidArgument) for tolerances and
    /// right-hand sides that make no sense; those of the operator.
    pub fn solve(
        &self,
        apply: impl Fn(&Tensor) -> Result<Tensor>,
        b: &Tensor,
    ) -> Result<RowSolutions> {
        let system = RowSystem { operator: &apply, preconditioner: None };
        solve(&system, b, None, &self.stopping, pass)
    }

    /// The same with a preconditioner, a map near `A⁻¹` that is symmetric and positive definite, and
    /// from a first guess or from zero.
    ///
    /// # Errors
    /// As [`CgRows::solve`], and those of the preconditioner.
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
    let mut p = system.precondition(rows, &r)?;
    let mut square = inner(&r, &p)?;
    while rows.any_active() {
        rows.stop_where(|i| square[i] < 0.0, INDEFINITE_PRECONDITIONER);
        rows.stop_where(|i| square[i] == 0.0, UNDERFLOW);
        let image = rows.map(system.operator, &p)?;
        let curvature = inner(&p, &image)?;
        rows.stop_where(|i| curvature[i] <= 0.0, INDEFINITE);
        let step = rows.quotients(&square, &curvature);
        x = rows.add(&x, &step, &p)?;
        r = rows.subtract(&r, &step, &image)?;
        let norms = rows.active_norms(&r)?;
        rows.record(&norms);
        if !rows.any_active() {
            break;
        }
        let z = system.precondition(rows, &r)?;
        let next = match system.preconditioner {
            Some(_) => inner(&r, &z)?,
            None => norms.iter().map(|norm| norm * norm).collect(),
        };
        p = rows.add(&z, &rows.quotients(&next, &square), &p)?;
        square = next;
    }
    Ok(x)
}
