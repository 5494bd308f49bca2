//! Derivatives: first by central differences, second by the rule for gradients of gradients.

use ansatz_ops::candle::{DType, Device, Tensor, Var};
use ansatz_ops::{GradCheck, Pointwise, gradcheck, pointwise};

use crate::ALL;

fn more() -> impl Iterator<Item = Pointwise> {
    ALL.into_iter().chain([Pointwise::Powf(2.5), Pointwise::Powi(3), Pointwise::Powi(-2)])
}

/// Arguments where the function is smooth; positive ones where it must be.
fn arguments(function: Pointwise) -> Vec<f64> {
    let positive = matches!(function, Pointwise::Ln | Pointwise::Sqrt | Pointwise::Powf(_));
    let values = (0..41).map(|i| (f64::from(i) - 20.5) * 0.29);
    values.map(|x| if positive { x.abs() + 0.1 } else { x }).collect()
}

#[test]
fn gradients_agree_with_central_differences() {
    for function in more() {
        let x = Tensor::new(arguments(function), &Device::Cpu).unwrap();
        gradcheck(|v| pointwise(function, &v[0]), &[x], &GradCheck::default())
            .unwrap_or_else(|e| panic!("{function:?}: {e}"));
    }
}

/// d²f by backward through backward, in a process of its own.
#[test]
fn second_and_third_derivatives() {
    let run = || {
        for function in more() {
            let x = Var::new(arguments(function), &Device::Cpu).unwrap();
            let gradient = |y: &Tensor| y.backward().unwrap().get(&x).unwrap().clone();
            let first = gradient(&pointwise(function, &x).unwrap());
            let second = gradient(&first.sqr().unwrap()); // (f′²)′ = 2 f′ f″
            let third = gradient(&second); // 2 f″² + 2 f′ f‴
            let values = |t: &Tensor| t.to_vec1::<f64>().unwrap();
            let h = 1e-5;
            let slopes = |shift: f64| {
                let x = Var::from_tensor(&(x.as_tensor() + shift).unwrap()).unwrap();
                let y = pointwise(function, &x).unwrap();
                let first = y.backward().unwrap().get(&x).unwrap().clone();
                let squared = first.sqr().unwrap().backward().unwrap().get(&x).unwrap().clone();
                (values(&first), values(&squared))
            };
            let (low, high) = (slopes(-h), slopes(h));
            for (i, x) in values(&x).into_iter().enumerate() {
                let want = 2.0 * values(&first)[i] * (high.0[i] - low.0[i]) / (2.0 * h);
                let got = values(&second)[i];
                let close = |got: f64, want: f64| (got - want).abs() <= 1e-6 * (1.0 + want.abs());
                assert!(close(got, want), "{function:?}″({x}): {got} {want}");
                let want = (high.1[i] - low.1[i]) / (2.0 * h);
                let got = values(&third)[i];
                assert!(close(got, want), "{function:?}‴({x}): {got} {want}");
            }
        }
    };
    // candle reads the variable once in each thread: a process of our own has it from the start.
    if std::env::var_os("CANDLE_GRAD_DO_NOT_DETACH").is_some() {
        return run();
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["gradients::second_and_third_derivatives", "--exact"])
        .env("CANDLE_GRAD_DO_NOT_DETACH", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// The composition of candle operations has the same values and gradients as the kernels: half
/// precision takes it.
#[test]
fn half_precision_takes_the_composition() {
    for function in more() {
        let x = arguments(function);
        let exact = Var::new(x.as_slice(), &Device::Cpu).unwrap();
        let half = Var::from_tensor(&exact.to_dtype(DType::BF16).unwrap()).unwrap();
        let exact = Var::from_tensor(&half.to_dtype(DType::F64).unwrap()).unwrap();
        let run = |x: &Var| {
            let y = pointwise(function, x).unwrap();
            assert_eq!(y.dtype(), x.dtype());
            let g = y.backward().unwrap().get(x).unwrap().clone();
            let values = |t: &Tensor| t.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            (values(&y), values(&g))
        };
        let (a, b) = (run(&half), run(&exact));
        for (i, x) in x.iter().enumerate() {
            for (a, b) in [(a.0[i], b.0[i]), (a.1[i], b.1[i])] {
                assert!((a - b).abs() <= 0.03 * (0.5 + b.abs()), "{function:?}({x}): {a} {b}");
            }
        }
    }
}

/// The jumps: 0 there, like PyTorch.
#[test]
fn derivatives_at_kinks_are_zero() {
    for function in [Pointwise::Relu, Pointwise::Abs] {
        let x = Var::new(&[-2f32, -0.0, 0.0, 3.0], &Device::Cpu).unwrap();
        let g = pointwise(function, &x).unwrap().backward().unwrap().get(&x).unwrap().clone();
        let left = if function == Pointwise::Abs { -1.0 } else { 0.0 };
        assert_eq!(g.to_vec1::<f32>().unwrap(), [left, 0.0, 0.0, 1.0], "{function:?}");
    }
}

/// Where the function is constant to rounding, the gradient is 0, not NaN.
#[test]
fn gradients_far_out_are_finite() {
    for function in [
        Pointwise::Tanh,
        Pointwise::Sigmoid,
        Pointwise::Softplus,
        Pointwise::Silu,
        Pointwise::Gelu,
        Pointwise::GeluTanh,
        Pointwise::Erf,
    ] {
        let x: [f32; 8] = [-1e30, -300.0, -90.0, -12.0, 12.0, 90.0, 300.0, 1e30];
        let x = Var::new(&x, &Device::Cpu).unwrap();
        let g = pointwise(function, &x).unwrap().backward().unwrap().get(&x).unwrap().clone();
        let g = g.to_vec1::<f32>().unwrap();
        let right = if matches!(function, Pointwise::Tanh | Pointwise::Sigmoid | Pointwise::Erf) {
            0.0
        } else {
            1.0
        };
        for (i, limit) in [(0, 0.0), (1, 0.0), (6, right), (7, right)] {
            assert_eq!(g[i], limit, "{function:?}: {g:?}");
        }
        assert!(g.iter().all(|g| g.is_finite()), "{function:?}: {g:?}");
    }
}
