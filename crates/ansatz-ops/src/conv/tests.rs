//! The path of other devices, run on the CPU: values and gradients of both must agree.

use candle_core::{Device, Tensor, Var};

use super::*;
use crate::Padding;

fn ramp(dims: &[usize], phase: f64) -> Var {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.7 * i as f64 + phase).sin()).collect();
    Var::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn agree(a: &Tensor, b: &Tensor, vars: [&Var; 2]) {
    let close = |a: &Tensor, b: &Tensor| {
        assert_eq!(a.dims(), b.dims());
        let error = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        assert!(error.to_scalar::<f64>().unwrap() < 1e-12);
    };
    close(a, b);
    let gradients = [a, b].map(|y| y.sqr().unwrap().sum_all().unwrap().backward().unwrap());
    for var in vars {
        close(gradients[0].get(var).unwrap(), gradients[1].get(var).unwrap());
    }
}

#[test]
fn composed_equals_the_kernel() {
    let modes = [Padding::Zeros, Padding::Circular, Padding::Reflect, Padding::Replicate];
    for (i, mode) in modes.into_iter().enumerate() {
        let conv = Conv::<3> {
            stride: [1, 1 + i % 3, 2],
            dilation: [1, 2, 1 + i % 2],
            padding: [(1, 0), (1, 2), (2, 1)],
            mode: [mode, modes[(i + 1) % 4], mode],
            groups: 2,
        };
        let (x, kernel) = (ramp(&[2, 4, 3, 6, 7], 0.0), ramp(&[6, 2, 2, 3, 2], 1.0));
        let geo = Geometry::forward(&x, &kernel, &conv).unwrap();
        let ours = forward(&x, &kernel, None, geo).unwrap();
        agree(&ours, &composed::forward(&x, &kernel, &geo).unwrap(), [&x, &kernel]);

        let y = ramp(ours.dims(), 2.0);
        let ours = spread(&y, &kernel, None, geo).unwrap();
        agree(&ours, &composed::spread(&y, &kernel, &geo).unwrap(), [&y, &kernel]);
    }
}

#[test]
fn bias_of_the_composition() {
    let (y, bias) = (ramp(&[2, 3, 4], 0.0), ramp(&[3], 1.0));
    let sum = with_bias(&y, Some(&bias)).unwrap().to_vec3::<f64>().unwrap();
    let (y, bias) = (y.to_vec3::<f64>().unwrap(), bias.to_vec1::<f64>().unwrap());
    assert_eq!(sum[1][2][3], y[1][2][3] + bias[2]);
}
