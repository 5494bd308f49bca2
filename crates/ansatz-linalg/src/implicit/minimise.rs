//! Gradients of minima: [`minimise`], [`least_squares`].

use ansatz_core::{Jet, TensorLike};
use ansatz_ops::custom_vjp;
use candle_core::Tensor;

use super::{check_solved, gradients, outward, vjp};
use crate::{Error, LinearOperator, LinearSolver, Properties, Result, operator::check_length};

/// A function of an unknown and of parameters, written once for tensors and for Taylor series.
///
/// For [`super::series`] parameters must be given, not captured: they come as series as well.
pub trait Parametric {
    /// The value at `x`.
    ///
    /// # Errors
    /// Those of the operations.
    fn evaluate<T: TensorLike>(&self, x: &T, parameters: &[T]) -> Result<T>;
}

/// `x`, a minimum of `f(x, θ)` found in any way, attached to the graph of the parameters `θ` and of
/// every variable that `f` captures.
///
/// `f` is a number. `backward` solves `H u = g` with the Hessian `H = ∂²f/∂x²`, each application of
/// which is one evaluation on a jet and one backward pass, by `solver`: CG where the minimum is
/// isolated. Maxima and saddle points work as well, with MINRES.
///
/// ```
/// use ansatz_linalg::core::{TensorLike, candle::{Device, Tensor, Var}};
/// use ansatz_linalg::implicit::{self, Parametric};
/// use ansatz_linalg::{Cg, Iterative, Result};
///
/// /// Σ ¼ x⁴ − θ x, which is smallest where x³ = θ.
/// struct Quartic;
///
/// impl Parametric for Quartic {
///     fn evaluate<T: TensorLike>(&self, x: &T, theta: &[T]) -> Result<T> {
///         Ok(x.powi(4)?.scale(0.25)?.sub(&x.mul(&theta[0])?)?.sum_all()?)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let theta = Var::new(&[8f64, 27.0], &Device::Cpu)?;
/// let x = Tensor::new(&[2f64, 3.0], &Device::Cpu)?;
/// let solver = Iterative::new(Cg).relative(1e-12);
/// let x = implicit::minimise(Quartic, &x, &[theta.as_tensor().clone()], solver)?;
/// let gradient = x.sum_all()?.backward()?.get(&theta).unwrap().to_vec1::<f64>()?;
/// assert!((gradient[0] - 1.0 / 12.0).abs() < 1e-10);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Size`] when `f` is not one number, and those of `f`. During `backward`:
/// [`Error::NotSolved`] when the gradient does not vanish at `x`, and those of `solver`.
pub fn minimise<F, S>(objective: F, x: &Tensor, parameters: &[Tensor], solver: S) -> Result<Tensor>
where
    F: Parametric + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    let x = x.detach();
    let value = objective.evaluate(&x, parameters)?;
    if value.elem_count() != 1 {
        return Err(Error::size("value of an objective", "one number", value.elem_count()));
    }
    let detached: Vec<Tensor> = parameters.iter().map(Tensor::detach).collect();
    // One evaluation, for what the objective captures; its tape is not kept.
    let along = |parameters: &[Tensor]| slope_along(&objective, &x, &x.ones_like()?, parameters);
    let captured = vjp(along, &detached)?.1.captured_variables();
    let output = x.clone();
    let inputs: Vec<Tensor> = parameters.iter().chain(&captured).cloned().collect();
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let hessian = Hessian { objective: &objective, x: &x, parameters: &detached };
        let u = solver.solve(&hessian, g)?.x;
        let (_, pullback) =
            vjp(|x| objective.evaluate(&x[0], &detached), std::slice::from_ref(&x))?;
        let slope = pullback.apply(&[value_like(&x, value.dims())?])?.inputs.swap_remove(0);
        check_solved("minimum", &x, &slope, g, &u)?;
        let along = |parameters: &[Tensor]| slope_along(&objective, &x, &u, parameters);
        let (value, pullback) = vjp(along, &detached)?;
        let cotangent = value_like(&x, value.dims())?.neg()?;
        Ok(gradients(pullback.apply(&[cotangent])?, 0, &captured))
    };
    Ok(custom_vjp(&inputs, &output, move |g| rule(g).map_err(outward))?)
}

/// `x`, a minimum of `½ |r(x, θ)|²` found in any way, attached as by [`minimise`]. The
/// full Hessian is used, not that of Gauss and Newton: residuals need not vanish.
///
/// # Errors
/// As [`minimise`].
pub fn least_squares<F, S>(
    residual: F,
    x: &Tensor,
    parameters: &[Tensor],
    solver: S,
) -> Result<Tensor>
where
    F: Parametric + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    minimise(HalfSquare(residual), x, parameters, solver)
}

struct HalfSquare<F>(F);

impl<F: Parametric> Parametric for HalfSquare<F> {
    fn evaluate<T: TensorLike>(&self, x: &T, parameters: &[T]) -> Result<T> {
        Ok(self.0.evaluate(x, parameters)?.sqr()?.sum_all()?.scale(0.5)?)
    }
}

/// A one of the dtype and device of `x`.
fn value_like(x: &Tensor, dims: &[usize]) -> Result<Tensor> {
    Ok(Tensor::ones(dims, x.dtype(), x.device())?)
}

/// `∂f/∂x · v`, with its graph.
fn slope_along<F: Parametric>(
    objective: &F,
    x: &Tensor,
    v: &Tensor,
    parameters: &[Tensor],
) -> Result<Tensor> {
    let x = Jet::seed(x, &v.unsqueeze(0)?, 1)?;
    let parameters: Vec<Jet> =
        parameters.iter().map(|p| x.constant(p)).collect::<ansatz_core::Result<_>>()?;
    Ok(objective.evaluate(&x, &parameters)?.coefficient(1, 0)?)
}

/// `∂²f/∂x²` at a point: the gradient of the slope along a direction.
struct Hessian<'a, F> {
    objective: &'a F,
    x: &'a Tensor,
    parameters: &'a [Tensor],
}

impl<F: Parametric> LinearOperator<Tensor> for Hessian<'_, F> {
    fn shape(&self) -> [usize; 2] {
        [self.x.elem_count(); 2]
    }

    fn apply_into(&self, v: &Tensor, y: &mut Tensor) -> Result<()> {
        check_length("argument of a Hessian", self.x.elem_count(), v.elem_count())?;
        let v = v.reshape(self.x.shape())?;
        let along = |x: &[Tensor]| slope_along(self.objective, &x[0], &v, self.parameters);
        let (value, pullback) = vjp(along, std::slice::from_ref(self.x))?;
        *y = pullback.apply(&[value_like(self.x, value.dims())?])?.inputs.swap_remove(0);
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties::SYMMETRIC
    }
}
