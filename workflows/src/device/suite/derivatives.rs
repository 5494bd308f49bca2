//! Jets, forward Laplacians and what is read from them; gradients with respect to the weights too.
use ansatz::core::{
    ForwardLaplacian, Jet, Result as CoreResult, TensorLike, gradient, hessian, jvp, laplacian,
    mixed_partial,
};
use candle_core::{Device, Tensor};

use crate::device::Check;

/// Points `[batch, 3]`, and the weights of a network 3-16-2: `w0, b0, w1`.
const SHAPES: &[&[usize]] = &[&[11, 3], &[16, 3], &[16], &[2, 16]];

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("dense", &[&[21, 13], &[17, 13], &[17]], |x| {
            Ok(TensorLike::dense(&x[0], &x[1], Some(&x[2]))?)
        }),
        Check::new("dense, tanh, dense", SHAPES, |x| Ok(net(&x[0], x)?)),
        Check::new("jet of order 1", SHAPES, |x| Ok(taylor(x, 1)?)),
        Check::new("jet of order 4", SHAPES, |x| Ok(taylor(x, 4)?)),
        Check::new("gradient by jets", SHAPES, |x| Ok(gradient(&|p: &Jet| net(p, x), &x[0])?)),
        Check::new("Hessian by jets", SHAPES, |x| Ok(hessian(&|p: &Jet| net(p, x), &x[0])?)),
        Check::new("mixed partial of order 3", SHAPES, |x| {
            Ok(mixed_partial(&|p: &Jet| net(p, x), &x[0], &[0, 1, 2])?)
        })
        .looser(3.0),
        Check::new("jvp", SHAPES, |x| Ok(jvp(&|p: &Jet| net(p, x), &x[0], &x[0].sin()?)?.1)),
        Check::new("forward Laplacian", SHAPES, |x| {
            Ok(laplacian(&|p: &ForwardLaplacian| net(p, x), &x[0])?)
        }),
        Check::new("Burgers residual", &[&[23, 2], &[16, 2], &[16], &[1, 16]], |x| {
            Ok(burgers(&x[0], |p| net(p, x))?)
        }),
    ]
}

fn net<T: TensorLike>(p: &T, x: &[Tensor]) -> CoreResult<T> {
    p.dense(&x[1], Some(&x[2]))?.tanh()?.dense(&x[3], None)
}

/// All coefficients along two directions.
fn taylor(x: &[Tensor], order: usize) -> CoreResult<Tensor> {
    let directions = Tensor::new(&[[1.0, 0.0, -0.5], [0.3, 0.7, 0.2]], &Device::Cpu)?;
    // Converted before it moves: Metal has no f64.
    let directions = directions.to_dtype(x[0].dtype())?.to_device(x[0].device())?;
    let jet = Jet::seed(&x[0], &directions, order)?;
    Ok(net(&jet, x)?.stack().clone())
}

/// `u_t + u u_x − 0.01/π u_xx` at points `(x, t)`.
pub(in crate::device) fn burgers(
    points: &Tensor,
    model: impl Fn(&Jet) -> CoreResult<Jet>,
) -> CoreResult<Tensor> {
    let axes = Tensor::eye(2, points.dtype(), points.device())?;
    let u = model(&Jet::seed(points, &axes, 2)?)?;
    let (u_x, u_t, u_xx) = (u.derivative(1, 0)?, u.derivative(1, 1)?, u.derivative(2, 0)?);
    let viscosity = 0.01 / std::f64::consts::PI;
    Ok(((u_t + (u.value()? * u_x)?)? - (u_xx * viscosity)?)?)
}
