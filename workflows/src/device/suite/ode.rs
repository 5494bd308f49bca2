//! Solves of neural differential equations: states, and gradients by every adjoint.
use ansatz::core::{Result as CoreResult, TensorLike};
use ansatz::ode::{Backsolve, Direct, Dopri5, RecursiveCheckpoint, Rk4, Tsit5, solve};
use candle_core::Tensor;

use crate::device::Check;

/// The initial state `[batch, 2]`, and the weights of a field 2-16-2: `w0, b0, w1`.
const SHAPES: &[&[usize]] = &[&[13, 2], &[16, 2], &[16], &[2, 16]];

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("ODE, fixed steps", SHAPES, |x| {
            Ok(solve(field(x), x[0].clone(), (0.0, 1.0)).with(Rk4).steps(8).run()?.y_end)
        }),
        Check::new("ODE, checkpointed adjoint", SHAPES, |x| {
            let solve = solve(field(x), x[0].clone(), (0.0, 1.0)).with(Rk4).steps(20);
            Ok(solve.adjoint(RecursiveCheckpoint::new(3)).run()?.y_end)
        }),
        Check::new("ODE, direct adjoint", SHAPES, |x| {
            let solve = solve(field(x), x[0].clone(), (0.0, 1.0)).with(Rk4).steps(20);
            Ok(solve.adjoint(Direct).run()?.y_end)
        }),
        Check::new("ODE, back-solve adjoint", SHAPES, |x| {
            let solve = solve(field(x), x[0].clone(), (0.0, 1.0)).with(Rk4).steps(40);
            Ok(solve.adjoint(Backsolve).run()?.y_end)
        })
        .looser(3.0),
        // The steps depend on an error estimate and inherit its rounding: the results differ by a
        // part of the tolerance of the solve.
        Check::new("ODE, adaptive steps", SHAPES, |x| {
            let solve = solve(field(x), x[0].clone(), (0.0, 1.0)).with(Tsit5);
            Ok(solve.tolerance(1e-4, 1e-4).run()?.y_end)
        })
        .looser(300.0),
        Check::new("ODE, saved states", SHAPES, |x| {
            let solve = solve(field(x), x[0].clone(), (0.0, 1.0)).with(Dopri5).steps(8);
            Ok(solve.save_at([0.1, 0.5, 0.93]).run()?.stacked()?)
        }),
    ]
}

fn field(
    x: &[Tensor],
) -> impl Fn(f64, &Tensor) -> CoreResult<Tensor> + Clone + Send + Sync + 'static {
    let (w0, b0, w1) = (x[1].clone(), x[2].clone(), x[3].clone());
    move |t, y| {
        let hidden = TensorLike::tanh(&y.affine(1.0, 0.1 * t)?.dense(&w0, Some(&b0))?)?;
        // A mild field: rounding is not amplified.
        Ok((hidden.dense(&w1, None)? * 0.25)?)
    }
}
