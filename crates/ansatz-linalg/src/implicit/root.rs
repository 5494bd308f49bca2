//! Gradients of roots and fixed points: [`root`], [`fixed_point`].

use ansatz_ops::custom_vjp;
use candle_core::Tensor;

use super::{TransposedJacobian, check_solved, gradients, outward, vjp};
use crate::{Error, LinearSolver, Properties, Result};

/// `x`, a root of `F(x, θ) = 0` found in any way, attached to the graph of the parameters `θ` and of
/// every variable that the condition `F` captures.
///
/// `backward` solves `(∂F/∂x)ᵀ u = g` with `solver`, which must not need the transpose of its
/// operator (GMRES, BiCGStab; CG and MINRES where `∂F/∂x` is symmetric), and hands `−(∂F/∂θ)ᵀ u` to
/// the parameters. Parameters given as arguments are cheaper than captured variables: the gradients
/// of the latter are computed in each iteration of the linear solver.
///
/// ```
/// use ansatz_linalg::{Gmres, Iterative, implicit};
/// use ansatz_linalg::core::candle::{Device, Tensor, Var};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // x³ = θ: the cube root, by Newton's method.
/// let theta = Var::new(&[8f64, 27.0], &Device::Cpu)?;
/// let mut x = Tensor::new(&[1f64, 1.0], &Device::Cpu)?;
/// for _ in 0..40 {
///     let step = ((x.powf(3.0)? - theta.as_detached_tensor())? / (x.sqr()? * 3.0)?)?;
///     x = (x - step)?;
/// }
/// let condition = |x: &Tensor, theta: &[Tensor]| Ok((x.powf(3.0)? - &theta[0])?);
/// let solver = Iterative::new(Gmres::default()).relative(1e-12);
/// let x = implicit::root(condition, &x, &[theta.as_tensor().clone()], solver)?;
/// let gradient = x.sum_all()?.backward()?.get(&theta).unwrap().to_vec1::<f64>()?;
/// assert!((gradient[0] - 1.0 / 12.0).abs() < 1e-10); // 1 / (3 x²)
/// assert!((gradient[1] - 1.0 / 27.0).abs() < 1e-10);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Size`] when `F` has not as many components as `x`, and those of `F`. During `backward`:
/// [`Error::NotSolved`] when `x` is no root, and those of `solver`.
pub fn root<F, S>(condition: F, x: &Tensor, parameters: &[Tensor], solver: S) -> Result<Tensor>
where
    F: Fn(&Tensor, &[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    attach("root", condition, x, parameters, solver)
}

/// `x`, a fixed point `x = g(x, θ)` found in any way, attached to the graph of the parameters `θ` and
/// of every variable that `map` captures; see [`root`].
///
/// # Errors
/// As [`root`].
pub fn fixed_point<F, S>(map: F, x: &Tensor, parameters: &[Tensor], solver: S) -> Result<Tensor>
where
    F: Fn(&Tensor, &[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    let condition = move |x: &Tensor, parameters: &[Tensor]| {
        let image = map(x, parameters)?;
        if image.dims() == x.dims() {
            return Ok((x - image)?);
        }
        let (expected, got) = (format!("{:?}", x.dims()), format!("{:?}", image.dims()));
        Err(Error::size("value of the map of a fixed point", expected, got))
    };
    attach("fixed point", condition, x, parameters, solver)
}

fn attach<F, S>(
    what: &'static str,
    condition: F,
    x: &Tensor,
    parameters: &[Tensor],
    solver: S,
) -> Result<Tensor>
where
    F: Fn(&Tensor, &[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    let x = x.detach();
    let detached: Vec<Tensor> = parameters.iter().map(Tensor::detach).collect();
    // One evaluation, for what the condition captures; its tape is not kept.
    let (value, pullback) = vjp(|x| condition(&x[0], &detached), std::slice::from_ref(&x))?;
    if value.elem_count() != x.elem_count() {
        let expected = format!("{} as the unknown", x.elem_count());
        return Err(Error::size("components of a condition", expected, value.elem_count()));
    }
    let captured = pullback.captured_variables();
    drop(pullback);
    let inputs: Vec<Tensor> = parameters.iter().chain(&captured).cloned().collect();
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let output = x.clone();
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let (value, at_x) = vjp(|x| condition(&x[0], &detached), std::slice::from_ref(&x))?;
        let transposed = TransposedJacobian {
            pullback: &at_x,
            size: x.elem_count(),
            properties: Properties::NONE,
        };
        let g = g.reshape(value.shape())?;
        let u = solver.solve(&transposed, &g)?.x;
        check_solved(what, &x, &value, &g, &u)?;
        drop(at_x);
        let all: Vec<Tensor> = std::iter::once(&x).chain(&detached).cloned().collect();
        let (_, pullback) = vjp(|all| condition(&all[0], &all[1..]), &all)?;
        Ok(gradients(pullback.apply(&[u.neg()?])?, 1, &captured))
    };
    Ok(custom_vjp(&inputs, &output, move |g| rule(g).map_err(outward))?)
}
