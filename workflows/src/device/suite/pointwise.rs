//! Every pointwise function, through the trait that models are written with.
use ansatz::core::TensorLike;

use crate::device::Check;

pub(super) fn checks() -> Vec<Check> {
    const SHAPE: &[&[usize]] = &[&[5, 203]];
    vec![
        Check::new("tanh", SHAPE, |x| Ok(TensorLike::tanh(&x[0])?)),
        Check::new("sin", SHAPE, |x| Ok(TensorLike::sin(&x[0])?)),
        Check::new("cos", SHAPE, |x| Ok(TensorLike::cos(&x[0])?)),
        Check::new("exp", SHAPE, |x| Ok(TensorLike::exp(&x[0])?)),
        Check::new("ln", SHAPE, |x| Ok(TensorLike::ln(&x[0])?)).positive(),
        Check::new("sqrt", SHAPE, |x| Ok(TensorLike::sqrt(&x[0])?)).positive(),
        Check::new("recip", SHAPE, |x| Ok(TensorLike::recip(&x[0])?)).positive(),
        Check::new("powf 2.5", SHAPE, |x| Ok(TensorLike::powf(&x[0], 2.5)?)).positive(),
        Check::new("powi 3", SHAPE, |x| Ok(TensorLike::powi(&x[0], 3)?)),
        Check::new("sigmoid", SHAPE, |x| Ok(TensorLike::sigmoid(&x[0])?)),
        Check::new("softplus", SHAPE, |x| Ok(TensorLike::softplus(&x[0])?)),
        Check::new("silu", SHAPE, |x| Ok(TensorLike::silu(&x[0])?)),
        Check::new("gelu", SHAPE, |x| Ok(TensorLike::gelu(&x[0])?)),
        Check::new("gelu, tanh form", SHAPE, |x| Ok(TensorLike::gelu_tanh(&x[0])?)),
        Check::new("erf", SHAPE, |x| Ok(TensorLike::erf(&x[0])?)),
        Check::new("relu", SHAPE, |x| Ok(TensorLike::relu(&x[0])?)),
        Check::new("abs", SHAPE, |x| Ok(TensorLike::abs(&x[0])?)),
        Check::new("tanh, strided", &[&[203, 6]], |x| Ok(TensorLike::tanh(&x[0].t()?)?)),
        // Above the size from which the CPU uses threads.
        Check::new("tanh of 100,000", &[&[100_000]], |x| Ok(TensorLike::tanh(&x[0])?)),
    ]
}
