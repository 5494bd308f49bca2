//! K6: convolutions in f32, forward and gradients of input and kernel.
//!
//! `x[i] = sin(1 + 0.37 i)`, kernels `sin(0.5 + 0.73 i)/√(taps · in/groups)`; the gradients are those
//! of `Σ yᵢ sin(0.3 + 0.11 i)`. Padding 1, circular where the name says so. candle has no
//! circular padding (zeros there), no three-dimensional convolution, and wrong or failing gradients
//! in one dimension. Error: of the inner product of the kernel's gradient with the kernel, which
//! must equal the value of the sum; relative to the root of the sum of squares of its terms.
use ansatz::ops::{Conv, Padding, backward_from, conv, conv_transpose};
use candle_core::{DType, Device, Tensor, Var};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, timed};

pub(super) fn variants() -> Vec<Variant> {
    let ours = |workload, run| Variant { workload, library: "ansatz", method: "", run };
    let candle = |workload, run| Variant { workload, library: "candle", method: "", run };
    vec![
        ours("K6.conv1d", |r| {
            let o = Conv::<1>::default().padded(1, Padding::Circular);
            run(r, &[20, 64, 1024], &[64, 64, 3], 1024, |x, k| Ok(conv(x, k, None, &o)?))
        }),
        ours("K6.conv2d", |r| {
            let o = Conv::<2>::default().padded(1, Padding::Circular);
            run(r, &[8, 16, 64, 64], &[16, 16, 3, 3], 4096, |x, k| Ok(conv(x, k, None, &o)?))
        }),
        candle("K6.conv2d", |r| {
            let f = |x: &Tensor, k: &Tensor| Ok(x.conv2d(k, 1, 1, 1, 1)?);
            run(r, &[8, 16, 64, 64], &[16, 16, 3, 3], 4096, f)
        }),
        ours("K6.depthwise2d", |r| {
            let o = Conv::<2>::default().padded(1, Padding::Circular).with_groups(64);
            run(r, &[8, 64, 64, 64], &[64, 1, 3, 3], 4096, |x, k| Ok(conv(x, k, None, &o)?))
        }),
        candle("K6.depthwise2d", |r| {
            let f = |x: &Tensor, k: &Tensor| Ok(x.conv2d(k, 1, 1, 1, 64)?);
            run(r, &[8, 64, 64, 64], &[64, 1, 3, 3], 4096, f)
        }),
        ours("K6.conv3d", |r| {
            let o = Conv::<3>::default().padded(1, Padding::Circular);
            run(r, &[2, 8, 32, 32, 32], &[8, 8, 3, 3, 3], 32768, |x, k| Ok(conv(x, k, None, &o)?))
        }),
        ours("K6.transposed2d", |r| {
            let o = Conv::<2>::default().padded(1, Padding::Zeros).with_stride(2);
            run(r, &[8, 24, 32, 32], &[24, 24, 4, 4], 1024, |x, k| {
                Ok(conv_transpose(x, k, None, &o, [0, 0])?)
            })
        }),
        candle("K6.transposed2d", |r| {
            let f = |x: &Tensor, k: &Tensor| Ok(x.conv_transpose2d(k, 1, 0, 2, 1)?);
            run(r, &[8, 24, 32, 32], &[24, 24, 4, 4], 1024, f)
        }),
    ]
}

/// `scale sin(phase + frequency i)`.
fn sine(dims: &[usize], phase: f64, frequency: f64, scale: f64) -> Result<Tensor, AnyError> {
    let n: usize = dims.iter().product();
    let value = |i: usize| ((phase + frequency * i as f64).sin() * scale) as f32;
    Ok(Tensor::from_vec((0..n).map(value).collect(), dims, &Device::Cpu)?)
}

/// `places` positions of the kernel an image; multiplications and additions of all three products
/// give the figure `gflop_per_s`.
fn run(
    rules: &Rules,
    x: &[usize],
    kernel: &[usize],
    places: usize,
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor, AnyError>,
) -> Result<Measured, AnyError> {
    let flop = 6.0 * (x[0] * places * kernel.iter().product::<usize>()) as f64;
    let fan_in: usize = kernel[1..].iter().product();
    let x = Var::from_tensor(&sine(x, 1.0, 0.37, 1.0)?)?;
    let kernel = Var::from_tensor(&sine(kernel, 0.5, 0.73, (1.0 / fan_in as f64).sqrt())?)?;
    let weights = sine(f(&x, &kernel)?.dims(), 0.3, 0.11, 1.0)?;
    let ((y, gradient), timing) = timed(rules, || {
        let y = f(&x, &kernel)?;
        let gradients = backward_from(&[y.clone()], &[weights.clone()])?;
        gradients.get(&x).ok_or("the input received no gradient")?;
        Ok((y, gradients.get(&kernel).ok_or("the kernel received no gradient")?.clone()))
    })?;
    let (_, forward) =
        timed(&Rules { budget_s: 2.0, ..*rules }, || f(&x.detach(), &kernel.detach()))?;
    let wide = |t: &Tensor| t.to_dtype(DType::F64);
    let terms = (wide(&y)? * wide(&weights)?)?;
    let sum = terms.sum_all()?.to_scalar::<f64>()?;
    let size = terms.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt();
    let by_kernel = (wide(&gradient)? * wide(&kernel)?)?.sum_all()?.to_scalar::<f64>()?;
    Ok(Measured::new(timing, Work::Steps(1), (by_kernel - sum).abs() / size)
        .with("value", sum)
        .with("forward_median_s", forward.median_s)
        .with("gflop_per_s", flop * 1e-9 / timing.median_s))
}
