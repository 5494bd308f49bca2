//! Taylor series of solutions: [`series`].

use ansatz_core::{Jet, TensorLike, jvp};
use candle_core::Tensor;

use super::Parametric;
use crate::{Error, LinearOperator, LinearSolver, Result, operator::check_length};

/// The Taylor series of the root `x` of `F(x, θ) = 0` from those of the parameters: forward mode, of
/// any order.
///
/// The coefficient of order `k` of `F` is `J xₖ` plus what the lower coefficients make, so that each
/// order and direction is one linear system with the same `J = ∂F/∂x`, solved by `solver`
/// (A. Griewank, A. Walther, *Evaluating Derivatives*, 2008, §13.6).
///
/// That `x` is a root is not checked, other than by [`super::root`]: of a point near one this is an
/// estimate, which is off by a multiple of the distance.
///
/// ```
/// use ansatz_linalg::core::{Jet, TensorLike, candle::{Device, Tensor}};
/// use ansatz_linalg::implicit::{self, Parametric};
/// use ansatz_linalg::{Gmres, Iterative, Result};
///
/// struct SquareRoot;
///
/// impl Parametric for SquareRoot {
///     fn evaluate<T: TensorLike>(&self, x: &T, theta: &[T]) -> Result<T> {
///         Ok(x.sqr()?.sub(&theta[0])?)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let (four, one) = (Tensor::new(&[4f64], &Device::Cpu)?, Tensor::new(&[[1f64]], &Device::Cpu)?);
/// let theta = Jet::seed(&four, &one, 3)?; // 4 + t
/// let solver = Iterative::new(Gmres::default()).relative(1e-12);
/// let x = implicit::series(&SquareRoot, &four.sqrt()?, &[theta], solver)?;
/// // √(4 + t) = 2 + t/4 − t²/64 + t³/512 − …
/// for (k, want) in [2.0, 0.25, -1.0 / 64.0, 1.0 / 512.0].into_iter().enumerate() {
///     assert!((x.coefficient(k, 0)?.to_vec1::<f64>()?[0] - want).abs() < 1e-10);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] when there is no parameter, [`Error::Size`] when their series differ in
/// kind or `F` has not as many components as `x`, and those of `F` and `solver`.
pub fn series<F: Parametric>(
    function: &F,
    x: &Tensor,
    parameters: &[Jet],
    solver: impl LinearSolver<Tensor>,
) -> Result<Jet> {
    let Some(first) = parameters.first() else {
        return Err(Error::invalid("number of parameters", 0, "at least one"));
    };
    let (order, directions) = (first.order(), first.directions());
    if let Some(other) =
        parameters.iter().find(|p| (p.order(), p.directions()) != (order, directions))
    {
        let kind = |p: &Jet| format!("order {}, {} directions", p.order(), p.directions());
        return Err(Error::size("series of a parameter", kind(first), kind(other)));
    }
    let x = x.detach();
    let values: Vec<Tensor> =
        parameters.iter().map(Jet::value).collect::<ansatz_core::Result<_>>()?;
    let jacobian = Jacobian { function, x: &x, parameters: &values };
    let shape: Vec<usize> = std::iter::once(directions).chain(x.dims().iter().copied()).collect();
    let mut coefficients = vec![Tensor::zeros(shape, x.dtype(), x.device())?; order];
    for k in 1..=order {
        let known = Jet::from_coefficients(&x, &coefficients)?;
        let rest = function.evaluate(&known, parameters)?;
        let solved = |direction| -> Result<Tensor> {
            let rest = rest.coefficient(k, direction)?.detach();
            check_length("components of a condition", x.elem_count(), rest.elem_count())?;
            if crate::Vector::norm2(&rest)? == 0.0 {
                return Ok(x.zeros_like()?);
            }
            Ok(solver.solve(&jacobian, &rest.neg()?)?.x.reshape(x.shape())?)
        };
        let all = (0..directions).map(solved).collect::<Result<Vec<_>>>()?;
        if !all.is_empty() {
            coefficients[k - 1] = Tensor::stack(&all, 0)?;
        }
    }
    Ok(Jet::from_coefficients(&x, &coefficients)?)
}

struct Jacobian<'a, F> {
    function: &'a F,
    x: &'a Tensor,
    parameters: &'a [Tensor],
}

impl<F: Parametric> LinearOperator<Tensor> for Jacobian<'_, F> {
    fn shape(&self) -> [usize; 2] {
        [self.x.elem_count(); 2]
    }

    fn apply_into(&self, v: &Tensor, y: &mut Tensor) -> Result<()> {
        check_length("argument of a Jacobian", self.x.elem_count(), v.elem_count())?;
        let along = |x: &Jet| -> ansatz_core::Result<Jet> {
            let constants = self.parameters.iter().map(|p| x.constant(p));
            Ok(self.function.evaluate(x, &constants.collect::<ansatz_core::Result<Vec<_>>>()?)?)
        };
        *y = jvp(&along, self.x, &v.reshape(self.x.shape())?)?.1.detach();
        Ok(())
    }
}
