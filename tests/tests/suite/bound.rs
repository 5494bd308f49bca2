//! Guaranteed ranges: sound on random points, tight for small boxes, trainable.

use ansatz::{
    core::{Key, Module, TensorLike, gradient},
    nn::{Activation, Adam, AdamConfig, Mlp, MlpConfig, Optimizer},
};
use ansatz_tests::{Bound, CosineOperator, relative_l2};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, assert_close, flat, normal, store};

/// Random points of the box around `x`, one a row.
fn points(x: &Tensor, radius: f64, n: usize) -> Tensor {
    let d = x.elem_count();
    let dtype = x.dtype();
    let offsets = Key::new(8).uniform_tensor((n, d), -radius, radius, dtype, &Device::Cpu).unwrap();
    x.reshape((1, d)).unwrap().broadcast_add(&offsets).unwrap()
}

/// How much of the width of the bound the values at random points fill, after checking that none
/// leaves it.
fn filled(model: &(impl Module + Module<Bound>), x: &Tensor, radius: f64) -> f64 {
    let y: Bound = model.forward(&Bound::around(x, radius).unwrap()).unwrap();
    let (lower, upper) = (flat(&y.lower().unwrap()), flat(&y.upper().unwrap()));
    let samples: Tensor = model.forward(&points(x, radius, 2000)).unwrap();
    let samples = flat(&samples);
    let slack = if x.dtype() == DType::F64 { 1e-13 } else { 1e-5 };
    let mut least = f64::INFINITY;
    for (i, (l, u)) in lower.iter().zip(&upper).enumerate() {
        let of = samples.iter().skip(i).step_by(lower.len());
        let min = of.clone().copied().fold(f64::INFINITY, f64::min);
        let max = of.copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(*l - slack <= min && max <= *u + slack, "[{min}, {max}] leaves [{l}, {u}]");
        least = least.min((max - min) / (u - l));
    }
    least
}

#[test]
fn networks_stay_inside() -> Checked {
    use Activation::{Gelu, GeluTanh, Relu, Sigmoid, Silu, Sin, Softplus, Tanh};
    for activation in [Tanh, Sin, Sigmoid, Softplus, Silu, Gelu, GeluTanh, Relu] {
        for dtype in [DType::F64, DType::F32] {
            let config = MlpConfig::new([2, 8, 8, 2]).activation(activation);
            let model = Mlp::new(&config, store(11, dtype).builder())?;
            let x = normal(12, &[1, 2], dtype);
            for (radius, most) in [(0.02, 0.7), (0.3, 0.15), (2.0, 0.0)] {
                let fill = filled(&model, &x, radius);
                assert!(fill > most, "{activation:?}, radius {radius}: {fill} of the bound");
            }
        }
    }
    Ok(())
}

#[test]
fn single_functions_stay_inside() -> Checked {
    use ansatz::core::Pointwise::{self, *};
    struct One(Pointwise);
    impl<T: TensorLike> Module<T> for One {
        fn forward(&self, x: &T) -> ansatz::core::Result<T> {
            x.pointwise(self.0)
        }
    }
    for function in [
        Tanh,
        Sin,
        Cos,
        Exp,
        Ln,
        Sqrt,
        Recip,
        Powf(1.5),
        Powf(-0.5),
        Powi(3),
        Powi(-2),
        Sigmoid,
        Softplus,
        Silu,
        Gelu,
        GeluTanh,
        Erf,
        Relu,
        Abs,
    ] {
        for at in [0.7, 1.6, 3.0] {
            let x = Tensor::new(&[[at]], &Device::Cpu)?;
            for radius in [0.01, 0.2, 0.6] {
                let fill = filled(&One(function), &x, radius);
                assert!(fill > 0.2, "{function:?} at {at} ± {radius}: {fill}");
            }
        }
    }
    for function in [Tanh, Sin, Cos, Exp, Sigmoid, Softplus, Silu, Gelu, Erf, Relu, Abs, Powi(2)] {
        for at in [-2.0, -0.1, 0.0] {
            filled(&One(function), &Tensor::new(&[[at]], &Device::Cpu)?, 0.6);
        }
    }
    // Outside the domain there is no bound.
    let around_zero = Bound::around(&Tensor::new(&[0.1f64], &Device::Cpu)?, 0.2)?;
    for function in [Ln, Sqrt, Recip, Powf(0.5)] {
        assert!(around_zero.pointwise(function).is_err(), "{function:?}");
    }
    Ok(())
}

/// For a small box, the half width is `Σ |∂u/∂xᵢ| r`, which jets know exactly.
#[test]
fn small_boxes_give_the_gradient() -> Checked {
    let model = Mlp::new(&MlpConfig::new([3, 8, 8, 2]), store(13, DType::F64).builder())?;
    let x = normal(14, &[1, 3], DType::F64);
    let jacobian = gradient(&model, &x)?; // [1, 2, 3]
    let expected = flat(&jacobian.abs()?.sum(2)?);
    let mut errors = Vec::new();
    for radius in [1e-2, 1e-3, 1e-4] {
        let y: Bound = model.forward(&Bound::around(&x, radius)?)?;
        let slopes = flat(&(y.radius()? / radius)?);
        errors.push(slopes.iter().zip(&expected).map(|(s, e)| (s - e).abs()).fold(0.0, f64::max));
    }
    // What is left is of second order in the radius, hence of first order here.
    assert!(errors[2] < 1e-3 * expected[0].max(expected[1]), "{errors:?}");
    assert!((errors[0] / errors[2]).log10() > 1.8, "{errors:?}");
    Ok(())
}

#[test]
fn correlation_is_kept() -> Checked {
    let x = Bound::around(&normal(15, &[2, 2], DType::F64), 0.5)?;
    assert_close(&flat(&x.sub(&x)?.radius()?), &[0.0; 4], 0.0);
    // A square is not negative where the box is around 0: half of it is known to be.
    let zero = Bound::around(&Tensor::zeros(1, DType::F64, &Device::Cpu)?, 1.0)?;
    let square = zero.sqr()?;
    assert_close(&flat(&square.lower()?), &[0.0], 1e-15);
    assert_close(&flat(&square.upper()?), &[1.0], 1e-15);
    Ok(())
}

/// The overridden dense layer is the provided one.
#[test]
fn dense_in_one_product_is_dense_row_by_row() -> Checked {
    let x = Bound::around(&normal(16, &[2, 3], DType::F64), 0.3)?;
    let (w, b) = (normal(17, &[4, 3], DType::F64), normal(18, &[4], DType::F64));
    let fast = x.dense(&w, Some(&b))?;
    let slow = x.linear(|t| t.matmul(&w.t()?))?.add_constant(&b)?;
    assert_close(&flat(&fast.lower()?), &flat(&slow.lower()?), 1e-14);
    assert_close(&flat(&fast.upper()?), &flat(&slow.upper()?), 1e-14);
    Ok(())
}

/// Our own layer and loss run on bounds too.
#[test]
fn operators_and_losses_on_bounds() -> Checked {
    let layer = CosineOperator::new(4, store(19, DType::F64).builder())?;
    let u = normal(20, &[1, 8], DType::F64);
    assert!(filled(&layer, &u, 0.05) > 0.3);
    let target = normal(21, &[1, 8], DType::F64);
    let loss = |u: &Tensor| relative_l2(&Module::<Tensor>::forward(&layer, u).unwrap(), &target);
    let range = relative_l2(&layer.forward(&Bound::around(&u, 0.05)?)?, &target)?;
    let (lower, upper) = (flat(&range.lower()?)[0], flat(&range.upper()?)[0]);
    for i in 0..200 {
        let value = flat(&loss(&points(&u, 0.05, 200).narrow(0, i, 1)?)?)[0];
        assert!(lower <= value && value <= upper, "{value} leaves [{lower}, {upper}]");
    }
    Ok(())
}

/// Bounds are attached to the graph: a network learns to be insensitive.
#[test]
fn training_for_narrow_bounds() -> Checked {
    let parameters = store(22, DType::F64);
    let model = Mlp::new(&MlpConfig::new([2, 6, 1]), parameters.builder())?;
    let mut adam = Adam::for_parameters(&parameters, AdamConfig::new(0.02))?;
    let x = Bound::around(&normal(23, &[3, 2], DType::F64), 0.1)?;
    let mut widths = Vec::new();
    for _ in 0..8 {
        let y: Bound = model.forward(&x)?;
        let width = y.radius()?.mean_all()?;
        adam.backward_step(&width)?;
        widths.push(flat(&width)[0]);
    }
    assert!(widths[7] < 0.9 * widths[0], "{widths:?}");
    Ok(())
}
