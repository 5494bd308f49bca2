//! Construction, access, and errors.

use ansatz_core::{
    Error, ForwardLaplacian, Jet, TensorLike,
    candle::{DType, Device, Tensor},
    directional_derivatives, jvp, mixed_partial, mixed_partials,
};

use crate::{generic, values};

#[test]
fn seeds_and_coefficients() {
    let x = generic(&[2, 3], 0.0);
    let common = generic(&[4, 3], 1.0);
    let jet = Jet::seed(&x, &common, 2).unwrap();
    assert_eq!(jet.stack().dims(), [9, 2, 3]);
    assert_eq!(values(&jet.value().unwrap()), values(&x));
    let row = common.get(2).unwrap().broadcast_as((2, 3)).unwrap();
    assert_eq!(values(&jet.coefficient(1, 2).unwrap()), values(&row));
    assert!(values(&jet.coefficients(2).unwrap()).iter().all(|v| *v == 0.0));

    let own = generic(&[4, 2, 3], 1.0);
    let second = generic(&[4, 2, 3], 2.0);
    let jet = Jet::from_coefficients(&x, &[own.clone(), second.clone()]).unwrap();
    assert_eq!((jet.order(), jet.directions()), (2, 4));
    assert_eq!(values(&jet.coefficients(1).unwrap()), values(&own));
    assert_eq!(
        values(&jet.derivative(2, 3).unwrap()),
        values(&(second.get(3).unwrap() * 2.0).unwrap())
    );
}

#[test]
fn no_directions_and_order_zero_behave() {
    let x = generic(&[2, 3], 0.0);
    for (directions, order) in [(0, 3), (3, 0), (0, 0)] {
        let v = Tensor::zeros((directions, 3), DType::F64, &Device::Cpu).unwrap();
        let jet = Jet::seed(&x, &v, order).unwrap();
        assert_eq!(jet.stack().dims(), [1, 2, 3]);
        let y = jet.tanh().unwrap().mul(&jet).unwrap().matmul_constant(&generic(&[3, 2], 0.0));
        let y = y.unwrap().softmax(1).unwrap();
        assert_eq!((y.order(), y.directions()), (order, directions));
        assert_eq!(y.value().unwrap().dims(), [2, 2]);
        let squared = jet.bilinear(&jet, |a, b| a * b).unwrap();
        assert_eq!(values(&squared.value().unwrap()), values(&x.sqr().unwrap()));
    }
}

#[test]
fn scalars_are_jets_too() {
    let x = Tensor::new(0.3f64, &Device::Cpu).unwrap();
    let one = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let y = Jet::seed(&x, &one, 3).unwrap().exp().unwrap().sum_all().unwrap();
    assert_eq!(y.shape().rank(), 0);
    assert!((values(&y.derivative(3, 0).unwrap())[0] - 0.3f64.exp()).abs() < 1e-15);
}

#[test]
fn single_precision_stays_single() {
    let x = generic(&[2, 3], 0.0).to_dtype(DType::F32).unwrap();
    let v = generic(&[1, 3], 0.0).to_dtype(DType::F32).unwrap();
    let y = Jet::seed(&x, &v, 2).unwrap().softmax(1).unwrap().add_scalar(1.0).unwrap();
    assert_eq!(y.layer_norm(None, None, 1e-5).unwrap().dtype().unwrap(), DType::F32);
    let u = |p: &Jet| p.tanh();
    let third = directional_derivatives(&u, &x, &v.get(0).unwrap(), 3).unwrap();
    assert_eq!((third.dtype(), third.dims()), (DType::F32, [4, 2, 3].as_slice()));
    let mixed = mixed_partial(&|p: &Jet| p.sin()?.sum(1), &x, &[1, 1]).unwrap();
    let expected = x.narrow(1, 1, 1).unwrap().squeeze(1).unwrap().sin().unwrap().neg().unwrap();
    crate::assert_close(&mixed, &expected, 1e-6, "f32");
    let l = ForwardLaplacian::seed_weighted(&x, &[1.0, 2.0, 3.0]).unwrap().silu().unwrap();
    assert_eq!(l.laplacian().unwrap().dtype(), DType::F32);
}

#[test]
fn different_kinds_do_not_mix() {
    let x = generic(&[2, 3], 0.0);
    let jet = |d: usize, k: usize| Jet::seed(&x, &generic(&[d, 3], 0.0), k).unwrap();
    let a = jet(2, 2);
    for b in [jet(2, 1), jet(3, 2), jet(4, 1), jet(2, 0)] {
        assert!(matches!(a.add(&b), Err(Error::Shape { .. })));
        assert!(matches!(a.sub(&b), Err(Error::Shape { .. })));
        assert!(matches!(a.mul(&b), Err(Error::Shape { .. })));
        assert!(matches!(a.matmul(&b), Err(Error::Shape { .. })));
        assert!(matches!(a.bilinear(&b, |x, y| x * y), Err(Error::Shape { .. })));
        assert!(matches!(Jet::cat(&[&a, &b], 0), Err(Error::Shape { .. })));
    }
    let plain = ForwardLaplacian::seed(&x).unwrap();
    let weighted = ForwardLaplacian::seed_weighted(&x, &[1.0, 2.0, 3.0]).unwrap();
    let again = ForwardLaplacian::seed_weighted(&x, &[1.0, 2.0, 3.0]).unwrap();
    let other = ForwardLaplacian::seed_weighted(&x, &[1.0, 2.0, 4.0]).unwrap();
    assert!(weighted.mul(&again).is_ok());
    for wrong in [&plain, &other] {
        assert!(matches!(weighted.mul(wrong), Err(Error::Shape { .. })));
        assert!(matches!(weighted.add(wrong), Err(Error::Shape { .. })));
    }
}

#[test]
fn wrong_arguments_are_errors() {
    let x = generic(&[2, 3], 0.0);
    let scalar = Tensor::new(1f64, &Device::Cpu).unwrap();
    assert!(matches!(Jet::seed(&x, &scalar, 1), Err(Error::Shape { .. })));
    assert!(matches!(Jet::seed(&x, &generic(&[1, 1, 2, 3], 0.0), 1), Err(Error::Shape { .. })));
    assert!(matches!(Jet::seed(&x, &generic(&[1, 4], 0.0), 1), Err(Error::Candle(_))));
    let bad = Jet::from_coefficients(&x, &[generic(&[2, 3], 0.0)]);
    assert!(matches!(bad, Err(Error::Shape { .. })));

    let jet = Jet::seed(&x, &generic(&[2, 3], 0.0), 2).unwrap();
    assert!(matches!(jet.coefficient(3, 0), Err(Error::InvalidArgument { .. })));
    assert!(matches!(jet.coefficient(1, 2), Err(Error::InvalidArgument { .. })));
    assert!(matches!(jet.coefficients(0), Err(Error::InvalidArgument { .. })));
    assert!(matches!(Jet::cat(&[], 0), Err(Error::InvalidArgument { .. })));
    assert!(matches!(jet.dense(&generic(&[2, 4], 0.0), None), Err(Error::Shape { .. })));
    assert!(matches!(jet.conv1d(&generic(&[2, 3, 1], 0.0), 0, 1, 1, 1), Err(Error::Shape { .. })));
    let short = generic(&[2], 0.0);
    assert!(matches!(jet.layer_norm(Some(&short), None, 1e-5), Err(Error::Shape { .. })));
    assert!(matches!(jet.layer_norm(None, None, -1.0), Err(Error::InvalidArgument { .. })));
    assert!(matches!(jet.sum(2), Err(Error::Candle(_))));

    let u = |p: &Jet| p.sum_keepdim(1);
    assert!(matches!(mixed_partial(&u, &x, &[0, 3]), Err(Error::InvalidArgument { .. })));
    assert!(matches!(mixed_partial(&u, &scalar, &[0]), Err(Error::Shape { .. })));
    assert!(mixed_partials(&u, &x, &[]).unwrap().is_empty());
    assert_eq!(mixed_partial(&u, &x, &[]).unwrap().dims(), [2, 1]);
    assert!(matches!(jvp(&u, &x, &generic(&[3], 0.0)), Err(Error::Shape { .. })));
    assert!(matches!(ForwardLaplacian::seed(&scalar), Err(Error::Shape { .. })));
    let weights = ForwardLaplacian::seed_weighted(&x, &[1.0]);
    assert!(matches!(weights, Err(Error::Shape { .. })));
}
