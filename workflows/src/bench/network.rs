//! Networks with the weights that the peers compute by formula.
use ansatz::core::Key;
use ansatz::nn::{Mlp, MlpConfig, Parameters};
use candle_core::{DType, Device, Tensor, Var};

use super::{bias, weight};
use crate::AnyError;

/// A tanh network of these sizes, layers numbered from 0, and its parameters.
pub(super) fn mlp(sizes: &[usize]) -> Result<(Parameters, Mlp), AnyError> {
    let parameters = Parameters::new(Key::new(0), DType::F32, &Device::Cpu)?;
    let net = Mlp::new(&MlpConfig::new(sizes), parameters.builder())?;
    for (layer, size) in sizes.windows(2).enumerate() {
        let (inputs, outputs) = (size[0], size[1]);
        let of = |name: &str| parameters.get(&format!("{layer}.{name}")).ok_or("no such parameter");
        of("weight")?.set(&single(weight(outputs, inputs, layer), &[outputs, inputs])?)?;
        of("bias")?.set(&single(bias(outputs, layer), &[outputs])?)?;
    }
    Ok((parameters, net))
}

/// Numbers as an f32 tensor.
pub(super) fn single(values: Vec<f64>, shape: &[usize]) -> Result<Tensor, AnyError> {
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// The 2-norm of the gradients of all variables; a variable without one counts as zero.
pub(super) fn gradient_norm(
    gradients: &candle_core::backprop::GradStore,
    variables: &[Var],
) -> Result<f64, AnyError> {
    let mut squares = 0.0;
    for v in variables {
        if let Some(g) = gradients.get(v) {
            squares += g.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?;
        }
    }
    Ok(squares.sqrt())
}
