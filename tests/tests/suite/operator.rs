//! Our operator layer and loss, on the modules of ansatz and of candle.

use ansatz::{
    core::{Candle, Error, Jet, Module, Result, TensorLike, directional_derivatives},
    nn::{Linear, Parameters},
    ops::{self, GradCheck, gradcheck},
};
use ansatz_tests::{CosineOperator, relative_l2};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, assert_close, flat, normal, store};

/// A function without modes above the third, at the midpoints of `n` cells.
fn function(n: usize) -> Tensor {
    let values: Vec<f64> = (0..n)
        .map(|j| {
            let x = std::f64::consts::PI * (j as f64 + 0.5) / n as f64;
            0.3 + x.cos() - 0.5 * (3.0 * x).cos()
        })
        .collect();
    Tensor::from_vec(values, (1, n), &Device::Cpu).unwrap()
}

/// The midpoints of 8 cells are among those of 24.
#[test]
fn the_same_function_on_every_grid() -> Checked {
    let layer = CosineOperator::new(5, store(1, DType::F64).builder())?;
    let coarse = flat(&layer.forward(&function(8))?);
    let fine = flat(&layer.forward(&function(24))?);
    let common: Vec<f64> = fine.iter().skip(1).step_by(3).copied().collect();
    assert_close(&common, &coarse, 1e-13);
    assert!(matches!(layer.forward(&function(4)), Err(Error::Shape { .. })));
    Ok(())
}

#[test]
fn gradients_of_layer_and_loss() -> Checked {
    let parameters = store(2, DType::F64);
    let layer = CosineOperator::new(3, parameters.builder())?;
    let target = normal(3, &[2, 6], DType::F64);
    let loss = |v: &[Tensor]| {
        // Sets the parameter, so that the gradient check covers it as well.
        let vb = ansatz::nn::VarBuilder::from_tensors(
            [("mixing".to_owned(), v[1].clone())].into(),
            DType::F64,
            &Device::Cpu,
        );
        let layer = CosineOperator::new(3, vb).map_err(ops::Error::custom)?;
        Ok(relative_l2(&layer.forward(&v[0])?, &target)?)
    };
    let mixing = parameters.get("mixing").unwrap().as_tensor().clone();
    gradcheck(loss, &[normal(4, &[2, 6], DType::F64), mixing], &GradCheck::default())?;
    let itself: Tensor = layer.forward(&target)?;
    assert_eq!(flat(&relative_l2(&itself, &itself)?), [0.0]);
    Ok(())
}

/// The loss on a jet is the loss along a line, derivatives and all.
#[test]
fn layer_and_loss_on_jets() -> Checked {
    let layer = CosineOperator::new(3, store(5, DType::F64).builder())?;
    let target = normal(6, &[1, 6], DType::F64);
    let model = |u: &Jet| relative_l2(&layer.forward(u)?, &target);
    let (u, v) = (normal(7, &[1, 6], DType::F64), normal(8, &[1, 6], DType::F64));
    let jet = flat(&directional_derivatives(&model, &u, &v, 2)?);
    let plain = |t: f64| -> Result<f64> {
        let moved = (&u + v.affine(t, 0.0)?)?;
        Ok(flat(&relative_l2::<Tensor>(&layer.forward(&moved)?, &target)?)[0])
    };
    let h = 1e-4;
    let (below, at, above) = (plain(-h)?, plain(0.0)?, plain(h)?);
    assert_close(&jet[..1], &[at], 1e-14);
    assert_close(&jet[1..2], &[(above - below) / (2.0 * h)], 1e-7);
    assert_close(&jet[2..], &[(above - 2.0 * at + below) / (h * h)], 1e-6);
    Ok(())
}

/// candle's own layers take their parameters from our store and stand beside ours.
#[test]
fn layers_of_candle_over_our_store() -> Checked {
    let build = |seed: u64| -> Checked<(Vec<f64>, Parameters)> {
        let parameters = store(seed, DType::F64);
        let vb = parameters.builder();
        let first = Candle(candle_nn::linear(3, 4, vb.pp("first"))?);
        let second = Linear::new(4, 2, vb.pp("second"))?;
        let parts: [Box<dyn Module>; 3] =
            [Box::new(first), Box::new(|x: &Tensor| TensorLike::tanh(x)), Box::new(second)];
        let mut x = normal(9, &[5, 3], DType::F64);
        for part in &parts {
            x = part.forward(&x)?;
        }
        Ok((flat(&x), parameters))
    };
    let (a, parameters) = build(10)?;
    assert_eq!(parameters.names(), ["first.bias", "first.weight", "second.bias", "second.weight"]);
    assert_eq!(a, build(10)?.0);
    assert_ne!(a, build(11)?.0);
    Ok(())
}
