//! Any operator factorised: [`Direct`].

use super::{Factorised, Lu, TridiagonalLu, probe::tridiagonal_of};
use crate::{
    Components, Dense, LinearOperator, LinearSolver, Outcome, Result, Solution, Vector,
    operator::{check_finite, matrix_of},
};

/// A solver that forms the dense matrix of an operator, by as many applications as it has columns,
/// and factorises it ([`Lu`]): for small systems, and for operators without a transpose whose
/// transposed system is to be solved. If the operator says that it is diagonal, one application
/// suffices, if tridiagonal, three ([`TridiagonalLu`]).
///
/// Its solutions tell the residual that is left, after no iterations. A singular matrix is an
/// [`Error::Singular`](crate::Error::Singular), a right-hand side or solution that is not finite an
/// [`Error::NotFinite`](crate::Error::NotFinite).
///
/// ```
/// use ansatz_linalg::{Dense, Direct, LinearSolver};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let a = Dense::from_rows(&[[2.0, 1.0], [1.0, 3.0]])?;
/// let solution = Direct.solve(&a, &vec![3.0, 4.0])?;
/// assert!(solution.residual() < 1e-14);
/// assert!((solution.x[0] - 1.0).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Direct;

impl<V: Components> LinearSolver<V> for Direct {
    fn solve(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
        let (matrix, lu) = factorise(a, b)?;
        let x = lu.solve(&finite(b)?)?;
        solution(b, matrix.apply(&x)?, x)
    }

    fn solve_transposed(&self, a: &dyn LinearOperator<V>, b: &V) -> Result<Solution<V>> {
        let (matrix, lu) = factorise(a, b)?;
        let x = lu.solve_transposed(&finite(b)?)?;
        solution(b, matrix.apply_transposed(&x)?, x)
    }

    fn inverse<'a>(
        &'a self,
        a: Box<dyn LinearOperator<V> + 'a>,
        like: &V,
    ) -> Result<Box<dyn LinearOperator<V> + 'a>>
    where
        V: 'a,
    {
        Ok(Box::new(InverseOf(factorise(&*a, like)?.1)))
    }
}

type Matrix = Box<dyn LinearOperator<Vec<f64>>>;

fn factorise<V: Components>(
    a: &dyn LinearOperator<V>,
    like: &V,
) -> Result<(Matrix, Box<dyn Factorised>)> {
    if a.properties().tridiagonal {
        let matrix = tridiagonal_of(a, like)?;
        let lu = TridiagonalLu::new(&matrix)?;
        return Ok((Box::new(matrix), Box::new(lu)));
    }
    let matrix = Dense::new(matrix_of(a, like)?)?;
    let lu = Lu::new(&matrix)?;
    Ok((Box::new(matrix), Box::new(lu)))
}

fn finite<V: Components>(b: &V) -> Result<Vec<f64>> {
    let b = b.components()?;
    check_finite("right-hand side", &b)?;
    Ok(b)
}

fn solution<V: Components>(b: &V, image: Vec<f64>, x: Vec<f64>) -> Result<Solution<V>> {
    check_finite("solution", &x)?;
    let mut residual = b.components()?;
    residual.axpby(1.0, -1.0, &image)?;
    let residual = residual.norm2()?;
    let x = b.with_components(x)?;
    Ok(Solution { x, outcome: Outcome::Converged, residuals: vec![residual], target: residual })
}

/// As [`Inverse`](super::Inverse), for any vectors.
struct InverseOf(Box<dyn Factorised>);

impl<V: Components> LinearOperator<V> for InverseOf {
    fn shape(&self) -> [usize; 2] {
        [self.0.dimension(); 2]
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        *y = x.with_components(self.0.solve(&x.components()?)?)?;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        *y = x.with_components(self.0.solve_transposed(&x.components()?)?)?;
        Ok(())
    }
}
