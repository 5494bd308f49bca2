//! Losses built from derivatives, differentiated by the weights.

use ansatz_core::{
    ForwardLaplacian, Jet, Module, TensorLike,
    candle::{DType, Tensor},
    gradient, hessian, laplacian, mixed_partials,
};
use ansatz_ops::{GradCheck, gradcheck};

use crate::{Net, assert_close, generic};

#[test]
fn loss_of_third_and_fourth_derivatives() {
    let x = generic(&[3, 2], 0.4);
    let report = gradcheck(
        |p| {
            let u = mixed_partials(
                &Net::from_parameters(p),
                &x,
                &[&[], &[0], &[1, 1, 1], &[0, 0, 1], &[0, 0, 1, 1], &[1, 1, 1, 1]],
            )?;
            let korteweg = ((&u[1] + (&u[0] * &u[2])?)? + &u[3])?;
            let plate = ((&u[4] * 2.0)? + &u[5])?;
            Ok((korteweg.sqr()? + plate.sqr()?)?.mean_all()?)
        },
        &Net::new(2, 1).parameters(),
        &GradCheck::default(),
    )
    .unwrap();
    assert_eq!(report.elements, 10 + 25 + 5 + 5 + 5 + 1);
}

#[test]
fn losses_of_gradients_hessians_and_laplacians() {
    let x = generic(&[3, 2], 0.4);
    gradcheck(
        |p| {
            let net = Net::from_parameters(p);
            let g = gradient(&net, &x)?.sqr()?.sum_all()?;
            let h = hessian(&net, &x)?.sqr()?.sum_all()?;
            let l = laplacian(&net, &x)?.sqr()?.sum_all()?;
            Ok(((g + h)? + l)?)
        },
        &Net::new(2, 2).parameters(),
        &GradCheck::default(),
    )
    .unwrap();
}

#[test]
fn points_can_be_trained_too() {
    // ∂/∂x Σ (u_xy) is a sum of third derivatives.
    let net = Net::new(2, 1);
    let x = ansatz_core::candle::Var::from_tensor(&generic(&[3, 2], 0.4)).unwrap();
    let mixed = ansatz_core::mixed_partial(&net, x.as_tensor(), &[0, 1]).unwrap();
    let reverse = mixed.sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
    let third = mixed_partials(&net, x.as_tensor(), &[&[0, 0, 1], &[0, 1, 1]]).unwrap();
    assert_close(&reverse, &Tensor::cat(&third, 1).unwrap(), 1e-13, "third derivatives");
}

#[test]
fn a_loss_in_f32_trains_like_in_f64() {
    let x = generic(&[3, 2], 0.4);
    let loss = |dtype: DType| {
        let net = Net::new(2, 1);
        let parameters: Vec<Tensor> =
            net.parameters().iter().map(|p| p.to_dtype(dtype).unwrap()).collect();
        let net = Net::from_parameters(&parameters).trainable();
        let x = x.to_dtype(dtype).unwrap();
        let axes = Tensor::eye(2, dtype, x.device()).unwrap();
        let u = net.forward(&Jet::seed(&x, &axes, 2).unwrap()).unwrap();
        let residual = (u.derivative(1, 0).unwrap() - u.derivative(2, 1).unwrap()).unwrap();
        let flat = net.forward(&ForwardLaplacian::seed(&x).unwrap()).unwrap().laplacian().unwrap();
        let loss = (residual.sqr().unwrap() + flat.sqr().unwrap()).unwrap().mean_all().unwrap();
        let store = loss.backward().unwrap();
        net.parameters()
            .iter()
            .map(|p| store.get(p).unwrap().to_dtype(DType::F64).unwrap())
            .collect::<Vec<_>>()
    };
    for (single, double) in loss(DType::F32).iter().zip(loss(DType::F64)) {
        assert_close(single, &double, 1e-4, "gradient");
    }
}

#[test]
fn the_tape_of_a_layer_is_short() {
    // One node for a dense layer, one for an activation: what keeps training cheap.
    let net = Net::new(2, 1).trainable();
    let axes = Tensor::eye(2, DType::F64, &ansatz_core::candle::Device::Cpu).unwrap();
    let jet = Jet::seed(&generic(&[3, 2], 0.4), &axes, 4).unwrap();
    let hidden = jet.dense(&net.weights[0], Some(&net.biases[0])).unwrap();
    let before = hidden.stack().sorted_nodes().len();
    let after = hidden.tanh().unwrap().stack().sorted_nodes().len();
    assert!(after - before <= 2, "{before} nodes grew to {after}");
}
