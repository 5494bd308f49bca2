//! Gradients of solutions of linear systems without a matrix: [`linear_solve`].

use ansatz_ops::custom_vjp;
use candle_core::Tensor;

use super::{gradients, outward, vjp};
use crate::{LinearOperator, LinearSolver, Properties, Result, operator::check_length};

/// The solution of `A(θ) x = b`, attached to the graph of `b`, of the parameters `θ` and of every
/// variable that `apply` captures. `apply` is `A(θ) x`, linear in `x`; of the operator hold
/// `properties`, which are believed.
///
/// Solved by `solver`, forwards and, with the transpose, in `backward`: `Aᵀ u = g` gives `u` to `b`
/// and `−(∂(A x)/∂θ)ᵀ u` to the parameters. The transpose comes from a backward pass.
///
/// # Errors
/// Those of `solver` and of `apply`.
pub fn linear_solve<F, S>(
    apply: F,
    parameters: &[Tensor],
    b: &Tensor,
    properties: Properties,
    solver: S,
) -> Result<Tensor>
where
    F: Fn(&Tensor, &[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    S: LinearSolver<Tensor> + Send + Sync + 'static,
{
    let detached: Vec<Tensor> = parameters.iter().map(Tensor::detach).collect();
    let map = Map { apply, parameters: detached, shape: b.dims().to_vec(), properties };
    let x = solver.solve(&map, &b.detach())?.x.reshape(b.shape())?;
    let (_, pullback) = vjp(|x| (map.apply)(&x[0], &map.parameters), std::slice::from_ref(&x))?;
    let captured = pullback.captured_variables();
    drop(pullback);
    let inputs: Vec<Tensor> =
        std::iter::once(b).chain(parameters).chain(&captured).cloned().collect();
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let output = x.clone();
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let u = solver.solve_transposed(&map, g)?.x.reshape(g.shape())?;
        let (value, pullback) = vjp(|all| (map.apply)(&x, all), &map.parameters)?;
        let mut all = vec![Some(u.clone())];
        let cotangent = u.neg()?.reshape(value.shape())?;
        all.extend(gradients(pullback.apply(&[cotangent])?, 0, &captured));
        Ok(all)
    };
    Ok(custom_vjp(&inputs, &output, move |g| rule(g).map_err(outward))?)
}

struct Map<F> {
    apply: F,
    parameters: Vec<Tensor>,
    shape: Vec<usize>,
    properties: Properties,
}

impl<F: Fn(&Tensor, &[Tensor]) -> Result<Tensor>> Map<F> {
    fn arranged(&self, x: &Tensor) -> Result<Tensor> {
        check_length("argument of a linear map", self.shape.iter().product(), x.elem_count())?;
        Ok(x.reshape(self.shape.as_slice())?)
    }
}

impl<F: Fn(&Tensor, &[Tensor]) -> Result<Tensor>> LinearOperator<Tensor> for Map<F> {
    fn shape(&self) -> [usize; 2] {
        [self.shape.iter().product(); 2]
    }

    fn apply_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        let value = (self.apply)(&self.arranged(x)?, &self.parameters)?.detach();
        check_length("value of a linear map", x.elem_count(), value.elem_count())?;
        *y = value.reshape(x.shape())?;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        if self.properties.symmetric {
            return self.apply_into(x, y);
        }
        // Linear: its Jacobian is the same everywhere, at zero too.
        let zero = x.zeros_like()?.reshape(self.shape.as_slice())?;
        let (value, pullback) = vjp(|z| (self.apply)(&z[0], &self.parameters), &[zero])?;
        let gradients = pullback.apply(&[x.reshape(value.shape())?])?;
        *y = gradients.inputs[0].reshape(x.shape())?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}
