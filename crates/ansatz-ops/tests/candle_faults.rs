//! What is wrong in candle 0.11.1's gradients, pinned so that an upstream fix is noticed, and what
//! is right, checked because we rely on it.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{GradCheck, Result, gradcheck};
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::Module;

const CPU: &Device = &Device::Cpu;

fn backward(f: fn(&Tensor) -> Result<Tensor>, at: &[f64], shape: &[usize]) -> Result<Vec<f64>> {
    let x = Var::from_tensor(&Tensor::from_slice(at, shape, CPU)?)?;
    let store = f(&x)?.sum_all()?.backward()?;
    Ok(store.get(&x).unwrap().flatten_all()?.to_vec1()?)
}

fn differences(f: fn(&Tensor) -> Result<Tensor>, at: &[f64], shape: &[usize]) -> Result<Vec<f64>> {
    let value = |i: usize, h: f64| -> Result<f64> {
        let mut x = at.to_vec();
        x[i] += h;
        Ok(f(&Tensor::from_vec(x, shape, CPU)?)?.sum_all()?.to_scalar()?)
    };
    (0..at.len()).map(|i| Ok((value(i, 1e-5)? - value(i, -1e-5)?) / 2e-5)).collect()
}

fn agree(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.iter().zip(b).all(|(x, y)| (x - y).abs() <= tolerance)
}

/// The gradient of the sum of `f` at `at`: what it is and what candle says.
struct Wrong {
    name: &'static str,
    workaround: &'static str,
    shape: &'static [usize],
    at: &'static [f64],
    f: fn(&Tensor) -> Result<Tensor>,
    right: &'static [f64],
    candle: &'static [f64],
}

impl Wrong {
    /// Fails when candle no longer gives its wrong value.
    fn check(&self) {
        let got = backward(self.f, self.at, self.shape).unwrap();
        assert!(
            !agree(&got, self.right, 1e-11),
            "candle fixed {}: remove the workaround in {}",
            self.name,
            self.workaround
        );
        assert!(
            agree(&got, self.candle, 1e-11),
            "candle changed {}: {got:?}, was {:?}, right is {:?}; see the workaround in {}",
            self.name,
            self.candle,
            self.right,
            self.workaround
        );
    }
}

const NO_USE: &str =
    "no place: ansatz does not use it (take the rule out of the contributor notes)";

const CONV1D: &str = "ansatz_core (src/conv1d.rs)";

/// 1, 2, 3, … in f64.
fn counting(shape: &[usize]) -> Tensor {
    let values: Vec<f64> = (1..=shape.iter().product::<usize>()).map(|i| i as f64).collect();
    Tensor::from_vec(values, shape, CPU).unwrap()
}

fn conv1d_weights() -> Tensor {
    Tensor::from_slice(&[1f64, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0], (2, 2, 2), CPU).unwrap()
}

fn wrong() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "max_pool2d (too small by the size of the window)",
            workaround: NO_USE,
            shape: &[1, 1, 2, 2],
            at: &[0.1, 0.7, 0.3, 0.2],
            f: |x| Ok((x.max_pool2d(2)? * 2.6)?),
            right: &[0.0, 2.6, 0.0, 0.0],
            candle: &[0.0, 0.65, 0.0, 0.0],
        },
        Wrong {
            name: "scatter, gradient of the tensor scattered into",
            workaround: NO_USE,
            shape: &[3],
            at: &[1.0, 2.0, 3.0],
            f: |x| {
                let y = x.scatter(&ids(&[1]), &Tensor::new(&[5f64], CPU)?, 0)?;
                Ok((y * Tensor::new(&[1f64, 10.0, 100.0], CPU)?)?)
            },
            right: &[1.0, 0.0, 100.0],
            candle: &[1.0, 10.0, 100.0],
        },
        Wrong {
            name: "scatter_add, gradient of the tensor added to",
            workaround: NO_USE,
            shape: &[3],
            at: &[1.0, 2.0, 3.0],
            f: |x| {
                let y =
                    x.scatter_add(&ids(&[1, 1, 2]), &Tensor::new(&[5f64, 6.0, 7.0], CPU)?, 0)?;
                Ok((y * Tensor::new(&[1f64, 10.0, 100.0], CPU)?)?)
            },
            right: &[1.0, 10.0, 100.0],
            candle: &[1.0, 0.0, 0.0],
        },
        Wrong {
            // Wrong when the other use comes first in the backward pass: here, as the second term.
            name: "upsample_nearest1d of a tensor that is used elsewhere (the other use is lost)",
            workaround: NO_USE,
            shape: &[1, 1, 2],
            at: &[1.0, 2.0],
            f: |x| {
                let up = x.upsample_nearest1d(4)?;
                let weights = Tensor::new(&[[[1f64, 2.0, 3.0, 4.0]]], CPU)?;
                Ok(((up * weights)?.sum_all()? + x.sqr()?.sum_all()?)?)
            },
            right: &[5.0, 11.0],
            candle: &[3.0, 7.0],
        },
        Wrong {
            name: "upsample_nearest2d of a tensor that is used elsewhere (the other use is lost)",
            workaround: NO_USE,
            shape: &[1, 1, 1, 2],
            at: &[1.0, 2.0],
            f: |x| {
                let up = x.upsample_nearest2d(2, 4)?;
                let weights = [[[[1f64, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]];
                let up = (up * Tensor::new(&weights, CPU)?)?;
                Ok((up.sum_all()? + x.sqr()?.sum_all()?)?)
            },
            right: &[16.0, 26.0],
            candle: &[14.0, 22.0],
        },
        Wrong {
            // The backward pass convolves with a strided kernel, whose memory the CPU reads as if
            // it were contiguous (pull request 3836 of candle, open).
            name: "conv1d, gradient of the kernel, more than one example and output channel",
            workaround: CONV1D,
            shape: &[2, 2, 2],
            at: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
            f: |x| Ok((counting(&[2, 2, 3]).conv1d(x, 0, 1, 1, 1)? * conv1d_weights())?),
            right: &[88.0, 102.0, 130.0, 144.0, 132.0, 155.0, 201.0, 224.0],
            candle: &[58.0, 68.0, 88.0, 98.0, 138.0, 165.0, 219.0, 246.0],
        },
        Wrong {
            // The matrix product of the test below, inside the transposed convolution.
            name: "conv1d without padding, gradient of the input, more than one example and channel",
            workaround: CONV1D,
            shape: &[2, 2, 3],
            at: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0],
            f: |x| Ok((x.conv1d(&counting(&[2, 2, 2]), 0, 1, 1, 1)? * conv1d_weights())?),
            right: &[16.0, 42.0, 28.0, 24.0, 62.0, 40.0, 40.0, 103.0, 66.0, 64.0, 157.0, 96.0],
            candle: &[16.0, 42.0, 28.0, 24.0, 62.0, 40.0, 28.0, 70.0, 44.0, 44.0, 106.0, 64.0],
        },
        Wrong {
            name: "gelu (constants of six digits in the gradient)",
            workaround: "ansatz_core::Pointwise (src/pointwise.rs)",
            shape: &[1],
            at: &[0.8],
            f: |x| Ok(x.gelu()?),
            right: &[1.0195837310573033],
            candle: &[1.019583600368936],
        },
        Wrong {
            name: "gelu_erf (a constant of six digits in the gradient)",
            workaround: "ansatz_core::Pointwise (src/pointwise.rs)",
            shape: &[1],
            at: &[0.8],
            f: |x| Ok(x.gelu_erf()?),
            right: &[1.0198978436257895],
            candle: &[1.0198976807352051],
        },
    ]
}

#[test]
fn wrong_gradients_are_still_wrong() {
    for entry in wrong() {
        entry.check();
        // The table itself is right.
        let numeric = differences(entry.f, entry.at, entry.shape).unwrap();
        let size = entry.right.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
        assert!(agree(&numeric, entry.right, 1e-8 * size), "{}: {numeric:?}", entry.name);
    }
}

/// Worse than a gradient: values that depend on the layout of an operand (issue 3744 of candle and
/// pull requests 3758 and 3836, open).
#[test]
#[cfg(not(any(feature = "mkl", feature = "accelerate")))]
fn wrong_values_of_strided_operands_are_still_wrong() {
    let strided = counting(&[2, 3, 2]).transpose(1, 2).unwrap();
    let contiguous = strided.contiguous().unwrap();
    let wide = counting(&[3, 2]);
    let linear = candle_nn::Linear::new(counting(&[4, 3]), None);
    let kernel = counting(&[2, 2, 2]).transpose(0, 1).unwrap();
    let line = counting(&[1, 2, 4]);
    let repeated = wide.broadcast_as((2, 3, 2)).unwrap();
    let table = [
        (
            "matmul of transposed matrices with one repeated by stride zero",
            strided.matmul(&repeated),
            contiguous.matmul(&repeated),
        ),
        (
            "candle_nn::Linear of a transposed batch",
            linear.forward(&strided),
            linear.forward(&contiguous),
        ),
        (
            "conv1d with a strided kernel",
            line.conv1d(&kernel, 0, 1, 1, 1),
            line.conv1d(&kernel.contiguous().unwrap(), 0, 1, 1, 1),
        ),
    ];
    for (name, got, right) in table {
        let apart = (got.unwrap() - right.unwrap()).unwrap().abs().unwrap().max_all().unwrap();
        assert!(
            apart.to_scalar::<f64>().unwrap() > 1.0,
            "candle fixed {name}: remove the calls of `contiguous` that avoid it"
        );
    }
    // What is right: the repeated matrix made contiguous, and broadcast_matmul, which does so.
    let want = contiguous.matmul(&repeated.contiguous().unwrap()).unwrap().flatten_all().unwrap();
    for right in [
        contiguous.matmul(&repeated),
        strided.matmul(&repeated.contiguous().unwrap()),
        strided.broadcast_matmul(&wide),
    ] {
        let right = right.unwrap().flatten_all().unwrap();
        assert_eq!(right.to_vec1::<f64>().unwrap(), want.to_vec1::<f64>().unwrap());
    }
}

/// Kinks, where no value is wrong but PyTorch (here called right) takes another.
#[test]
fn conventions_at_kinks_are_the_same() {
    let entry = |name, at, f, right, candle| Wrong {
        name,
        workaround: "the documentation of the conventions at kinks",
        shape: if candle == [1.0, 1.0].as_slice() { &[2] } else { &[1] },
        at,
        f,
        right,
        candle,
    };
    for entry in [
        entry("relu'(0)", &[0.0], |x| Ok(x.relu()?), &[0.0], &[1.0]),
        entry("abs'(0)", &[0.0], |x| Ok(x.abs()?), &[0.0], &[1.0]),
        // Every tie gets the whole gradient: their sum is 2.
        entry("ties of max", &[0.5, 0.5], |x| Ok(x.max(0)?), &[0.5, 0.5], &[1.0, 1.0]),
        entry("ties of min", &[0.5, 0.5], |x| Ok(x.min(0)?), &[0.5, 0.5], &[1.0, 1.0]),
    ] {
        entry.check();
    }
    // Between two tensors the tie is shared, as it should be.
    let f: fn(&Tensor) -> Result<Tensor> = |x| Ok(x.maximum(&x.ones_like()?)?);
    assert_eq!(backward(f, &[1.0], &[1]).unwrap(), [0.5]);
}

/// Values and gradients that surprise, where ansatz has its own way.
#[test]
fn surprises_are_still_there() {
    // A NaN after the largest number is not seen.
    let hidden = Tensor::new(&[1.0, f64::NAN], CPU).unwrap().max(0).unwrap();
    assert_eq!(hidden.to_scalar::<f64>().unwrap(), 1.0, "candle's max now shows a NaN");
    // The branch that is not taken spoils the gradient (as in PyTorch): guard the argument too.
    let spoilt: fn(&Tensor) -> Result<Tensor> =
        |x| Ok(x.gt(0.0)?.where_cond(&x.sqrt()?, &x.zeros_like()?)?);
    assert!(backward(spoilt, &[0.0], &[1]).unwrap()[0].is_nan(), "candle's where_cond changed");
    // A power by a tensor goes through the logarithm; `powf` does not.
    let base = Tensor::new(&[-2.0], CPU).unwrap();
    let cube = base.pow(&Tensor::new(&[3.0], CPU).unwrap()).unwrap();
    assert!(cube.to_vec1::<f64>().unwrap()[0].is_nan(), "candle's pow takes negative bases now");
    assert_eq!(base.powf(3.0).unwrap().to_vec1::<f64>().unwrap(), [-8.0]);
    // The fused normalisations take no f64.
    let (x, p) = (counting(&[2, 4]), counting(&[4]));
    assert!(candle_nn::ops::rms_norm(&x, &p, 1e-5).is_err(), "candle's rms_norm takes f64 now");
    assert!(candle_nn::ops::layer_norm(&x, &p, &p, 1e-5).is_err(), "candle's layer_norm too");
    // Operations by index want contiguous operands, and so does `flip`.
    let strided = x.t().unwrap();
    assert!(strided.index_select(&ids(&[0]), 0).is_err(), "index_select takes views now");
    assert!(strided.flip(&[0]).is_err(), "flip takes views now");
}

/// Without `CANDLE_GRAD_DO_NOT_DETACH`, the gradient of a gradient loses every term in which one
/// tracked factor is differentiated through the other's cotangent.
#[test]
fn second_order_is_still_wrong() {
    assert!(
        std::env::var_os("CANDLE_GRAD_DO_NOT_DETACH").is_none(),
        "run this test without CANDLE_GRAD_DO_NOT_DETACH"
    );
    let x = Var::new(0.7f64, CPU).unwrap();
    let y = (x.sqr().unwrap() * x.sin().unwrap()).unwrap();
    let first = y.backward().unwrap().get(&x).unwrap().clone();
    let (s, c) = 0.7f64.sin_cos();
    assert!((first.to_scalar::<f64>().unwrap() - (1.4 * s + 0.49 * c)).abs() < 1e-14);
    let second = first.backward().unwrap().get(&x).unwrap().to_scalar::<f64>().unwrap();
    let right = 2.0 * s + 2.8 * c - 0.49 * s;
    let candle = 2.0 * s - 0.49 * s; // without the two cross terms 2x cos x
    assert!(
        (second - right).abs() > 1e-6,
        "candle fixed gradients of gradients: jets are no longer the only way in ansatz_core"
    );
    assert!((second - candle).abs() < 1e-14, "candle changed gradients of gradients: {second}");
}

/// A fused operation whose result is cut from the graph without an error.
struct Missing {
    name: &'static str,
    workaround: &'static str,
    shape: &'static [usize],
    fused: fn(&Tensor) -> Result<Tensor>,
    /// The same function, composed of operations that have a gradient.
    composed: fn(&Tensor) -> Result<Tensor>,
}

fn single(shape: impl Into<Shape>, seed: f64) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> =
        (0..shape.elem_count()).map(|i| (1.1 * i as f64 + seed).sin() as f32).collect();
    Tensor::from_vec(values, shape, CPU).unwrap()
}

#[test]
fn missing_gradients_are_still_missing() {
    const NORM: &str = "ansatz_ops::layer_norm, rms_norm (src/norm/layer.rs)";
    let table = [
        Missing {
            name: "candle_nn::ops::softmax_last_dim",
            workaround: "ansatz_ops::softmax (src/norm/softmax.rs)",
            shape: &[2, 4],
            fused: |x| Ok(candle_nn::ops::softmax_last_dim(x)?),
            composed: |x| ansatz_ops::softmax(x, 1),
        },
        Missing {
            name: "candle_nn::ops::layer_norm",
            workaround: NORM,
            shape: &[2, 4],
            fused: |x| Ok(candle_nn::ops::layer_norm(x, &single(4, 1.0), &single(4, 2.0), 1e-5)?),
            composed: |x| {
                ansatz_ops::layer_norm(x, Some(&single(4, 1.0)), Some(&single(4, 2.0)), 1e-5)
            },
        },
        Missing {
            name: "candle_nn::LayerNorm on contiguous input",
            workaround: NORM,
            shape: &[2, 4],
            fused: |x| {
                Ok(candle_nn::LayerNorm::new(single(4, 1.0), single(4, 2.0), 1e-5).forward(x)?)
            },
            composed: |x| {
                ansatz_ops::layer_norm(x, Some(&single(4, 1.0)), Some(&single(4, 2.0)), 1e-5)
            },
        },
        Missing {
            name: "candle_nn::ops::rms_norm",
            workaround: NORM,
            shape: &[2, 4],
            fused: |x| Ok(candle_nn::ops::rms_norm(x, &single(4, 1.0), 1e-5)?),
            composed: |x| ansatz_ops::rms_norm(x, Some(&single(4, 1.0)), 1e-5),
        },
        Missing {
            name: "candle_nn::RmsNorm on contiguous input",
            workaround: NORM,
            shape: &[2, 4],
            fused: |x| Ok(candle_nn::RmsNorm::new(single(4, 1.0), 1e-5).forward(x)?),
            composed: |x| ansatz_ops::rms_norm(x, Some(&single(4, 1.0)), 1e-5),
        },
        Missing {
            name: "candle_nn::rotary_emb::rope",
            workaround: NO_USE,
            shape: &[1, 2, 3, 4],
            fused: |x| {
                Ok(candle_nn::rotary_emb::rope(x, &single((3, 2), 1.0), &single((3, 2), 2.0))?)
            },
            composed: |x| {
                Ok(candle_nn::rotary_emb::rope_slow(x, &single((3, 2), 1.0), &single((3, 2), 2.0))?)
            },
        },
        Missing {
            name: "candle_nn::rotary_emb::rope_i",
            workaround: NO_USE,
            shape: &[1, 2, 3, 4],
            fused: |x| {
                Ok(candle_nn::rotary_emb::rope_i(x, &single((3, 2), 1.0), &single((3, 2), 2.0))?)
            },
            composed: |x| {
                let (cos, sin) = (single((3, 2), 1.0), single((3, 2), 2.0));
                Ok(candle_nn::rotary_emb::rope_i_slow(x, &cos, &sin)?)
            },
        },
    ];
    for entry in table {
        let x = Var::from_tensor(&single(entry.shape, 0.0)).unwrap();
        let (fused, composed) = ((entry.fused)(&x).unwrap(), (entry.composed)(&x).unwrap());
        let apart = (&fused - &composed).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 1e-5, "{}: values differ", entry.name);
        let right = composed.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let right = right.get(&x).unwrap().abs().unwrap().max_all().unwrap();
        assert!(right.to_scalar::<f32>().unwrap() > 1e-3, "{}: a gradient to miss", entry.name);
        let store = fused.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert!(
            store.get(&x).is_none(),
            "candle fixed {}: remove the workaround in {}",
            entry.name,
            entry.workaround
        );
    }
}

/// Gradients that candle refuses to compute. An error is safe; still worth knowing when it goes.
#[test]
fn refused_gradients_are_still_refused() {
    let f64s = |shape: &[usize]| {
        Var::from_tensor(&single(shape, 0.0).to_dtype(DType::F64).unwrap()).unwrap()
    };
    let (line, image) = (f64s(&[1, 2, 6]), f64s(&[1, 1, 4, 4]));
    let (kernel, window) = (f64s(&[2, 3, 3]), f64s(&[1, 1, 3, 3]));
    let (wide, ids) = (f64s(&[1, 1, 6, 5]), ids(&[0, 3]));
    let zeros = Tensor::zeros(4, DType::F64, CPU).unwrap();
    let table = [
        ("conv_transpose1d", line.conv_transpose1d(&kernel, 0, 0, 1, 1, 1)),
        ("upsample_bilinear2d", image.upsample_bilinear2d(8, 8, false)),
        ("avg_pool2d with stride ≠ window", image.avg_pool2d_with_stride(3, 1)),
        ("max_pool2d with stride ≠ window", image.max_pool2d_with_stride(3, 1)),
        ("conv2d whose stride leaves other remainders of height and width", {
            wide.conv2d(&window, 1, 2, 1, 1)
        }),
        ("scatter_add of fewer elements than it adds to", {
            zeros.scatter_add(&ids, f64s(&[2]).as_tensor(), 0)
        }),
        ("upsample_nearest1d by a fraction", line.upsample_nearest1d(9)),
    ];
    for (name, value) in table {
        let refused = value.unwrap().sum_all().unwrap().backward();
        assert!(refused.is_err(), "candle now differentiates {name}: update the table of faults");
    }
}

/// One operation that we rely on, at shapes that exercise its rule.
struct Right {
    name: &'static str,
    shapes: &'static [&'static [usize]],
    /// Added to inputs that lie in (−1, 1).
    shift: f64,
    f: fn(&[Tensor]) -> Result<Tensor>,
}

fn right(
    name: &'static str,
    shapes: &'static [&'static [usize]],
    shift: f64,
    f: fn(&[Tensor]) -> Result<Tensor>,
) -> Right {
    Right { name, shapes, shift, f }
}

fn ids(values: &[u32]) -> Tensor {
    Tensor::new(values, CPU).unwrap()
}

fn pointwise() -> Vec<Right> {
    const X: &[&[usize]] = &[&[2, 3]];
    const XY: &[&[usize]] = &[&[2, 3], &[2, 3]];
    vec![
        right("affine", X, 0.0, |v| Ok(v[0].affine(-1.7, 0.3)?)),
        right("neg", X, 0.0, |v| Ok(v[0].neg()?)),
        right("tanh", X, 0.0, |v| Ok(v[0].tanh()?)),
        right("sin", X, 0.0, |v| Ok(v[0].sin()?)),
        right("cos", X, 0.0, |v| Ok(v[0].cos()?)),
        right("exp", X, 0.0, |v| Ok(v[0].exp()?)),
        right("log", X, 1.5, |v| Ok(v[0].log()?)),
        right("sqrt", X, 1.5, |v| Ok(v[0].sqrt()?)),
        right("recip", X, 2.0, |v| Ok(v[0].recip()?)),
        right("sqr", X, 0.0, |v| Ok(v[0].sqr()?)),
        right("powf(3), negative base", X, 0.0, |v| Ok(v[0].powf(3.0)?)),
        right("powf(-1.5)", X, 2.0, |v| Ok(v[0].powf(-1.5)?)),
        right("pow", XY, 2.0, |v| Ok(v[0].pow(&v[1])?)),
        right("erf", X, 0.0, |v| Ok(v[0].erf()?)),
        right("silu", X, 0.0, |v| Ok(v[0].silu()?)),
        right("sigmoid", X, 0.0, |v| Ok(candle_nn::ops::sigmoid(&v[0])?)),
        right("elu", X, 0.0, |v| Ok(v[0].elu(0.8)?)),
        right("relu away from 0", X, 0.0, |v| Ok(v[0].relu()?)),
        right("abs away from 0", X, 0.0, |v| Ok(v[0].abs()?)),
        right("clamp", X, 0.0, |v| Ok(v[0].clamp(-0.5, 0.5)?)),
        right("add", XY, 0.0, |v| Ok((&v[0] + &v[1])?)),
        right("sub", XY, 0.0, |v| Ok((&v[0] - &v[1])?)),
        right("mul", XY, 0.0, |v| Ok((&v[0] * &v[1])?)),
        right("div", XY, 2.0, |v| Ok((&v[0] / &v[1])?)),
        right("maximum", XY, 0.0, |v| Ok(v[0].maximum(&v[1])?)),
        right("minimum", XY, 0.0, |v| Ok(v[0].minimum(&v[1])?)),
        right("where_cond", XY, 0.0, |v| Ok(v[0].ge(&v[1])?.where_cond(&v[0], &v[1].sqr()?)?)),
        right("to_dtype f32 and back, of a linear map", X, 0.0, |v| {
            // f32 holds multiples of 2⁻¹⁰ exactly: the rounding does not enter the differences.
            let exact = (v[0].detach() * 0.0)?.to_dtype(DType::F32)?.to_dtype(DType::F64)?;
            Ok((&v[0] + exact)?)
        }),
    ]
}

fn broadcasts_and_reductions() -> Vec<Right> {
    const X: &[&[usize]] = &[&[2, 3, 2]];
    const COLUMN: &[&[usize]] = &[&[2, 3], &[2, 1]];
    const ROW: &[&[usize]] = &[&[3], &[2, 3]];
    vec![
        right("broadcast_add", ROW, 0.0, |v| Ok(v[0].broadcast_add(&v[1])?)),
        right("broadcast_sub", COLUMN, 0.0, |v| Ok(v[0].broadcast_sub(&v[1])?)),
        right("broadcast_mul", COLUMN, 0.0, |v| Ok(v[0].broadcast_mul(&v[1])?)),
        right("broadcast_div", COLUMN, 2.0, |v| Ok(v[0].broadcast_div(&v[1])?)),
        right("broadcast_mul of scalar", &[&[], &[2, 3]], 0.0, |v| Ok(v[0].broadcast_mul(&v[1])?)),
        right("broadcast_as", &[&[1, 3]], 0.0, |v| Ok(v[0].broadcast_as((2, 4, 3))?.sqr()?)),
        right("expand", &[&[2, 1]], 0.0, |v| Ok(v[0].expand((2, 3))?.sqr()?)),
        right("sum", X, 0.0, |v| Ok(v[0].sum(1)?)),
        right("sum of two axes", X, 0.0, |v| Ok(v[0].sum((0, 2))?)),
        right("sum_keepdim", X, 0.0, |v| Ok(v[0].sum_keepdim(2)?)),
        right("sum_all", X, 0.0, |v| Ok(v[0].sqr()?.sum_all()?)),
        right("mean", X, 0.0, |v| Ok(v[0].mean(0)?)),
        right("mean_keepdim", X, 0.0, |v| Ok(v[0].mean_keepdim(1)?)),
        right("mean_all", X, 0.0, |v| Ok(v[0].sqr()?.mean_all()?)),
        right("var", X, 0.0, |v| Ok(v[0].var(1)?)),
        right("max", X, 0.0, |v| Ok(v[0].max(1)?)),
        right("min_keepdim", X, 0.0, |v| Ok(v[0].min_keepdim(2)?)),
        right("log_sum_exp", X, 0.0, |v| Ok(v[0].log_sum_exp(1)?)),
        right("cumsum", X, 0.0, |v| Ok(v[0].cumsum(1)?)),
        right("softmax", X, 0.0, |v| Ok(candle_nn::ops::softmax(&v[0], 1)?)),
    ]
}

fn products() -> Vec<Right> {
    const IMAGE: &[&[usize]] = &[&[2, 4, 5, 4], &[4, 2, 3, 3]];
    vec![
        right("matmul", &[&[2, 3], &[3, 4]], 0.0, |v| Ok(v[0].matmul(&v[1])?)),
        right("matmul, transposed", &[&[3, 2], &[4, 3]], 0.0, |v| {
            Ok(v[0].t()?.matmul(&v[1].t()?)?)
        }),
        right("matmul, batched", &[&[2, 2, 3], &[2, 3, 2]], 0.0, |v| Ok(v[0].matmul(&v[1])?)),
        right("broadcast_matmul", &[&[2, 2, 3], &[3, 2]], 0.0, |v| {
            Ok(v[0].broadcast_matmul(&v[1])?)
        }),
        right("broadcast_matmul, both", &[&[2, 1, 2, 3], &[2, 3, 2]], 0.0, |v| {
            Ok(v[0].broadcast_matmul(&v[1])?)
        }),
        // One example, or one channel: see the table of faults.
        right("conv1d, batch of one", &[&[1, 2, 6], &[3, 2, 3]], 0.0, |v| {
            Ok(v[0].conv1d(&v[1], 1, 1, 1, 1)?)
        }),
        right("conv1d, one channel", &[&[3, 1, 6], &[1, 1, 3]], 0.0, |v| {
            Ok(v[0].conv1d(&v[1], 0, 1, 1, 1)?)
        }),
        right("conv1d as conv2d", &[&[2, 2, 6], &[3, 2, 3]], 0.0, |v| {
            Ok(v[0].unsqueeze(2)?.conv2d(&v[1].unsqueeze(2)?, 0, 1, 1, 1)?.squeeze(2)?)
        }),
        right("conv1d, strided, dilated", &[&[1, 2, 8], &[3, 2, 3]], 0.0, |v| {
            Ok(v[0].conv1d(&v[1], 2, 2, 2, 1)?)
        }),
        right("conv1d, groups", &[&[1, 4, 6], &[4, 2, 3]], 0.0, |v| {
            Ok(v[0].conv1d(&v[1], 0, 1, 1, 2)?)
        }),
        right("conv2d", &[&[2, 2, 5, 4], &[3, 2, 3, 3]], 0.0, |v| {
            Ok(v[0].conv2d(&v[1], 1, 1, 1, 1)?)
        }),
        right("conv2d, strided", &[&[2, 2, 7, 5], &[2, 2, 3, 3]], 0.0, |v| {
            Ok(v[0].conv2d(&v[1], 1, 2, 1, 1)?)
        }),
        right("conv2d, groups", IMAGE, 0.0, |v| Ok(v[0].conv2d(&v[1], 1, 1, 1, 2)?)),
        right("conv_transpose2d", &[&[1, 2, 3, 3], &[2, 3, 2, 2]], 0.0, |v| {
            Ok(v[0].conv_transpose2d(&v[1], 0, 0, 2, 1)?)
        }),
        right("avg_pool2d", &[&[1, 2, 4, 4]], 0.0, |v| Ok(v[0].avg_pool2d(2)?)),
    ]
}

fn rearrangements() -> Vec<Right> {
    const X: &[&[usize]] = &[&[2, 3]];
    const XY: &[&[usize]] = &[&[2, 3], &[2, 3]];
    const CUBE: &[&[usize]] = &[&[2, 3, 4]];
    vec![
        right("narrow", CUBE, 0.0, |v| Ok(v[0].narrow(2, 1, 2)?)),
        right("get", CUBE, 0.0, |v| Ok(v[0].get(1)?)),
        right("chunk", CUBE, 0.0, |v| Ok(v[0].chunk(2, 2)?[1].sqr()?)),
        right("cat", XY, 0.0, |v| Ok(Tensor::cat(&[&v[0], &v[1], &v[0]], 1)?)),
        right("cat along 0", XY, 0.0, |v| Ok(Tensor::cat(&[&v[0], &v[1]], 0)?)),
        right("stack", XY, 0.0, |v| Ok(Tensor::stack(&[&v[0], &v[1]], 1)?)),
        right("reshape", CUBE, 0.0, |v| Ok(v[0].reshape((4, 6))?)),
        right("reshape of a strided view", CUBE, 0.0, |v| Ok(v[0].transpose(0, 2)?.reshape(24)?)),
        right("flatten_all", CUBE, 0.0, |v| Ok(v[0].flatten_all()?)),
        right("squeeze and unsqueeze", X, 0.0, |v| Ok(v[0].unsqueeze(1)?.sqr()?.squeeze(1)?)),
        right("transpose", CUBE, 0.0, |v| Ok(v[0].transpose(0, 2)?)),
        right("t", X, 0.0, |v| Ok(v[0].t()?)),
        right("permute", CUBE, 0.0, |v| Ok(v[0].permute((2, 0, 1))?)),
        right("contiguous", X, 0.0, |v| Ok(v[0].t()?.contiguous()?)),
        right("index_select", X, 0.0, |v| Ok(v[0].index_select(&ids(&[2, 0, 2, 1]), 1)?)),
        right("index_add", &[&[3, 2], &[4, 2]], 0.0, |v| {
            Ok(v[0].index_add(&ids(&[2, 0, 2, 1]), &v[1], 0)?)
        }),
        right("gather", X, 0.0, |v| {
            let ids = Tensor::new(&[[2u32, 0], [1, 1]], CPU)?;
            Ok(v[0].gather(&ids, 1)?)
        }),
        right("scatter_add into zeros of the same shape", X, 0.0, |v| {
            let ids = Tensor::new(&[[2u32, 0, 2], [1, 1, 0]], CPU)?;
            Ok(Tensor::zeros((2, 3), DType::F64, CPU)?.scatter_add(&ids, &v[0], 1)?)
        }),
        right("pad_with_zeros", X, 0.0, |v| Ok(v[0].pad_with_zeros(1, 2, 1)?)),
        right("pad_with_same", X, 0.0, |v| Ok(v[0].pad_with_same(1, 2, 1)?)),
        right("roll", X, 0.0, |v| Ok(v[0].roll(1, 1)?)),
        right("flip", X, 0.0, |v| Ok(v[0].flip(&[1])?)),
        right("slice_scatter", &[&[4, 2], &[2, 2]], 0.0, |v| Ok(v[0].slice_scatter(&v[1], 0, 1)?)),
        right("upsample_nearest2d of a node of its own", &[&[1, 1, 2, 2]], 0.0, |v| {
            let up = v[0].affine(1.0, 0.0)?.upsample_nearest2d(4, 4)?;
            Ok((up.sqr()?.sum_all()? + v[0].sqr()?.sum_all()?)?)
        }),
    ]
}

#[test]
fn what_we_rely_on_is_right() {
    let mut table = pointwise();
    table.extend(broadcasts_and_reductions());
    table.extend(products());
    table.extend(rearrangements());
    let mut wrong = Vec::new();
    for op in table {
        let inputs: Vec<Tensor> = op
            .shapes
            .iter()
            .enumerate()
            .map(|(k, shape)| {
                let n = shape.iter().product::<usize>();
                let values: Vec<f64> = (0..n)
                    .map(|i| op.shift + (0.4 + 2.1 * i as f64 + 1.3 * k as f64).sin())
                    .collect();
                Tensor::from_vec(values, *shape, CPU).unwrap()
            })
            .collect();
        let report = gradcheck(op.f, &inputs, &GradCheck::default());
        if let Err(error) = report {
            wrong.push(format!("{}: {error:?}", op.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
