//! Gradients through solutions, by the implicit function theorem: no tape of the solver, the same
//! memory however many iterations it took (M. Blondel et al., *Efficient and Modular Implicit
//! Differentiation*, NeurIPS 2022).
//!
//! A solution `x(θ)` is given by a condition that it fulfils. Solve for it in any way; the functions
//! here return the same numbers attached to candle's graph, so that `backward` goes on to the
//! parameters: one linear system with the transposed Jacobian of the condition, matrix-free, by any
//! [`LinearSolver`](crate::LinearSolver).
//!
//! | the solution is | function |
//! |---|---|
//! | a root, `F(x, θ) = 0` | [`root`] |
//! | a fixed point, `x = g(x, θ)` | [`fixed_point`] |
//! | a minimum of `f(x, θ)` | [`minimise`] |
//! | a minimum of `½ |r(x, θ)|²` | [`least_squares`] |
//! | `A(θ) x = b`, without a matrix | [`linear_solve`] |
//! | `A x = b` with a sparse matrix | [`sparse_solve`] |
//! | a projection | [`project_simplex`], [`project_box`], [`project_affine`] |
//! | one onto a ball or half-space | [`project_l1_ball`], [`project_l2_ball`], [`project_halfspace`] |
//! | a minimum of a quadratic function under linear equations | [`quadratic_program`] |
//!
//! [`series`] goes the other way: from Taylor series of the parameters to that of the solution.
//!
//! All gradients are of first order. They are as exact as the solution: a solution that is off by ε
//! has a gradient that is off by a multiple of ε (theorem 1 there). One that is off by a hundredth of
//! its size is an error.

mod ball;
mod linear;
mod minimise;
mod projection;
mod quadratic_program;
mod root;
mod series;
mod sparse;

pub use ball::{project_halfspace, project_l1_ball, project_l2_ball};
pub use linear::linear_solve;
pub use minimise::{Parametric, least_squares, minimise};
pub use projection::{project_affine, project_box, project_simplex};
pub use quadratic_program::quadratic_program;
pub use root::{fixed_point, root};
pub use series::series;
pub use sparse::sparse_solve;

use ansatz_ops::{Gradients, Pullback};
use candle_core::Tensor;

use crate::{Error, LinearOperator, Properties, Result, Vector};

/// An error on its way through a function of ansatz-ops.
fn outward(error: Error) -> ansatz_ops::Error {
    ansatz_ops::Error::custom(error)
}

/// [`ansatz_ops::vjp`] of a function with one value and errors of this crate.
fn vjp(
    f: impl FnOnce(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
) -> Result<(Tensor, Pullback)> {
    let (mut values, pullback) =
        ansatz_ops::vjp(|inputs| Ok(vec![f(inputs).map_err(outward)?]), inputs)?;
    Ok((values.remove(0), pullback))
}

/// The transposed Jacobian of one evaluation, with respect to its first input.
struct TransposedJacobian<'a> {
    pullback: &'a Pullback,
    size: usize,
    properties: Properties,
}

impl LinearOperator<Tensor> for TransposedJacobian<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.size; 2]
    }

    fn apply_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        let gradient = self.pullback.apply(std::slice::from_ref(x))?.inputs.swap_remove(0);
        *y = gradient.reshape(x.shape())?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

/// The gradients of the inputs after the first `skip`, then those of the captured variables.
fn gradients(all: Gradients, skip: usize, captured: &[Tensor]) -> Vec<Option<Tensor>> {
    let Gradients { inputs, captured: store } = all;
    let mut gradients: Vec<Option<Tensor>> = inputs.into_iter().skip(skip).map(Some).collect();
    gradients.extend(captured.iter().map(|v| store.get(v).map(Tensor::detach)));
    gradients
}

/// Errors when a step of Newton's method would change `x` by more than a hundredth of its size, or of
/// `√ε` where it is smaller, as seen by the cotangent `g`: with `u = J⁻ᵀ g` that change is `⟨u, F⟩`,
/// here without signs, so that nothing cancels.
fn check_solved(what: &'static str, x: &Tensor, f: &Tensor, g: &Tensor, u: &Tensor) -> Result<()> {
    let change = u.abs()?.inner(&f.abs()?)?;
    let size = g.norm2()? * x.norm2()?.max(x.epsilon().sqrt());
    if change <= 0.01 * size {
        return Ok(());
    }
    Err(Error::NotSolved { what, change: change / size })
}
