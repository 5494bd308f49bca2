//! Tensors drawn from keys: the same numbers in every dtype, ranges, errors.
#![allow(clippy::unwrap_used)] // in helpers of tests
#![cfg(feature = "candle")]

use ansatz_core::{Error, Key, Result};
use candle_core::{DType, Device, Tensor};

const CPU: Device = Device::Cpu;
const FLOATS: [DType; 4] = [DType::F64, DType::F32, DType::BF16, DType::F16];

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn tensors_hold_the_rounded_plain_draws() -> Result<()> {
    let key = Key::new(1);
    let n = 6000;
    let normal = key.normal_tensor((60, 100), 2.0, 0.5, DType::F64, &CPU)?;
    assert_eq!(normal.dims(), [60, 100]);
    let plain: Vec<f64> = key.normal(n).iter().map(|z| 2.0 + 0.5 * z).collect();
    assert_eq!(values(&normal), plain);
    let single = key.normal_tensor(n, 2.0, 0.5, DType::F32, &CPU)?.to_vec1::<f32>()?;
    assert!(single.iter().zip(&plain).all(|(a, &b)| *a == b as f32));
    assert_eq!(
        values(&key.truncated_normal_tensor(n, 1.0, 9.0, DType::F64, &CPU)?),
        key.truncated_normal(n, 1.0, 9.0)?
    );
    for dtype in FLOATS {
        let tensor = key.rademacher_tensor((n, 1), dtype, &CPU)?;
        assert_eq!((tensor.dtype(), tensor.dims()), (dtype, &[n, 1][..]));
        assert_eq!(values(&tensor), key.rademacher(n));
        assert_eq!(key.uniform_tensor((3, 0), 0.0, 1.0, dtype, &CPU)?.elem_count(), 0);
    }
    assert_eq!(values(&key.uniform_tensor((), 0.0, 1.0, DType::F64, &CPU)?), key.uniform(1));
    Ok(())
}

/// Half a unit in the last place at `x`.
fn half_ulp(x: f64, dtype: DType) -> f64 {
    let (relative, smallest) = match dtype {
        DType::F32 => (2f64.powi(-24), 2f64.powi(-150)),
        DType::BF16 => (2f64.powi(-8), 2f64.powi(-134)),
        DType::F16 => (2f64.powi(-11), 2f64.powi(-25)),
        _ => (0.0, 0.0),
    };
    (relative * x.abs()).max(smallest)
}

#[test]
fn uniforms_never_reach_the_upper_end() -> Result<()> {
    let key = Key::new(2);
    for (lo, hi) in [(0.0, 1.0), (-1.0, 0.0), (-0.7, 0.7), (1000.0, 1050.3), (-3.0, -1.0)] {
        for dtype in FLOATS {
            let round = |x: f64| values(&Tensor::new(x, &CPU).unwrap().to_dtype(dtype).unwrap())[0];
            let (low, high) = (round(lo), round(hi));
            let drawn = values(&key.uniform_tensor(50_000, lo, hi, dtype, &CPU)?);
            assert!(drawn.iter().all(|&u| low <= u && u < high), "[{lo}, {hi}) in {dtype:?}");
            // Away from the upper end it is rounding and nothing else.
            for (u, drawn) in key.uniform(drawn.len()).into_iter().zip(drawn) {
                let plain = lo + (hi - lo) * u;
                let near_end = plain + 2.0 * half_ulp(plain.abs().max(hi.abs()), dtype) >= high;
                assert!(near_end || (plain - drawn).abs() <= half_ulp(plain, dtype));
            }
        }
    }
    // Negative control: without the guard a coarse type does reach the end.
    let unguarded = Tensor::new(key.uniform(50_000), &CPU)?.to_dtype(DType::BF16)?;
    assert!(values(&unguarded).contains(&1.0));
    Ok(())
}

#[test]
fn invalid_arguments_are_errors() {
    let key = Key::new(0);
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (lo, hi, dtype) in [
        (1.0, 1.0, DType::F64),
        (1.0, 0.0, DType::F32),
        (nan, 1.0, DType::F32),
        (0.0, nan, DType::F64),
        (0.0, inf, DType::F64),
        (-1e308, 1e308, DType::F64),
        (0.0, 1e39, DType::F32),       // beyond f32
        (1.0, 1.0 + 1e-9, DType::F32), // equal in f32
        (0.0, 1e6, DType::F16),
    ] {
        let error = key.uniform_tensor(1, lo, hi, dtype, &CPU).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{lo} {hi} {dtype:?}: {error:?}");
    }
    for (mean, std) in [(0.0, -1.0), (nan, 1.0), (0.0, nan), (inf, 1.0), (0.0, inf)] {
        let error = key.normal_tensor(1, mean, std, DType::F64, &CPU).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{mean} {std}: {error:?}");
    }
    let error = key.truncated_normal_tensor(1, 1.0, 0.0, DType::F64, &CPU).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument { .. }));
    for dtype in [DType::U8, DType::I64, DType::F8E4M3] {
        let errors = [
            key.uniform_tensor(1, 0.0, 1.0, dtype, &CPU),
            key.normal_tensor(1, 0.0, 1.0, dtype, &CPU),
            key.truncated_normal_tensor(1, 0.0, 1.0, dtype, &CPU),
            key.rademacher_tensor(1, dtype, &CPU),
        ];
        assert!(errors.iter().all(|e| matches!(e, Err(Error::DType { .. }))), "{dtype:?}");
    }
}
