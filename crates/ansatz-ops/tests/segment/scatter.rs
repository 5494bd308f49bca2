//! Element-wise gather and scatter.

use ansatz_ops::{Error, GradCheck, gather, gradcheck, scatter, scatter_add};
use candle_core::{DType, Device, Tensor};

use super::{assert_close, flat, ramp};

/// `[2, 3, 2]` into axis 1 of `[2, 4, 2]`, with repetitions.
fn indexes(dtype: DType) -> Tensor {
    let ids = [0u32, 3, 2, 3, 0, 1, 1, 1, 1, 0, 1, 2];
    Tensor::from_vec(ids.to_vec(), (2, 3, 2), &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// Calls `f(element of the small tensor, element of the large one it belongs to)` in order.
fn pairs(mut f: impl FnMut(usize, usize)) {
    let ids = flat(&indexes(DType::U32));
    for a in 0..2 {
        for j in 0..3 {
            for c in 0..2 {
                let small = (a * 3 + j) * 2 + c;
                f(small, (a * 4 + ids[small] as usize) * 2 + c);
            }
        }
    }
}

#[test]
fn values_equal_loops() {
    let (init, source) = (ramp(&[2, 4, 2], DType::F64), ramp(&[2, 3, 2], DType::F64));
    for dtype in [DType::U8, DType::U32, DType::I64] {
        let ids = indexes(dtype);
        let (mut added, mut written) = (flat(&init), flat(&init));
        let mut gathered = vec![0.0; 12];
        pairs(|small, large| {
            added[large] += flat(&source)[small];
            written[large] = flat(&source)[small];
            gathered[small] = flat(&init)[large];
        });
        assert_close(&scatter_add(&init, &ids, &source, 1).unwrap(), &added, 0.0);
        assert_close(&scatter(&init, &ids, &source, 1).unwrap(), &written, 0.0);
        assert_close(&gather(&init, &ids, 1).unwrap(), &gathered, 0.0);
        for half in [DType::F32, DType::BF16] {
            let (init, source) = (init.to_dtype(half).unwrap(), source.to_dtype(half).unwrap());
            let y = scatter(&init, &ids, &source, 1).unwrap();
            assert_eq!(y.dtype(), half);
            assert_close(&y, &written, 0.01);
        }
    }
}

#[test]
fn every_axis_and_strided_operands() {
    for axis in 0..3 {
        let swap = |x: &Tensor| x.transpose(1, axis).unwrap();
        let (init, source) = (ramp(&[2, 4, 2], DType::F64), ramp(&[2, 3, 2], DType::F64));
        let ids = indexes(DType::U32);
        let want = scatter_add(&init, &ids, &source, 1).unwrap();
        let got = scatter_add(&swap(&init), &swap(&ids), &swap(&source), axis).unwrap();
        assert_eq!(flat(&swap(&got)), flat(&want));
        let want = scatter(&init, &ids, &source, 1).unwrap();
        let got = scatter(&swap(&init), &swap(&ids), &swap(&source), axis).unwrap();
        assert_eq!(flat(&swap(&got)), flat(&want));
        let want = gather(&init, &ids, 1).unwrap();
        let got = gather(&swap(&init), &swap(&ids), axis).unwrap();
        assert_eq!(flat(&swap(&got)), flat(&want));
    }
}

#[test]
fn gradients() {
    let ids = indexes(DType::I64);
    let inputs = [ramp(&[2, 4, 2], DType::F64), ramp(&[2, 3, 2], DType::F64)];
    let check = GradCheck::default();
    gradcheck(|v| gather(&v[0], &ids, 1), &inputs[..1], &check).unwrap();
    gradcheck(|v| scatter_add(&v[0], &ids, &v[1], 1), &inputs, &check).unwrap();
    gradcheck(|v| scatter(&v[0], &ids, &v[1], 1), &inputs, &check).unwrap();
    // candle's own rules fail this test: see candle_faults.rs.
    let candle = |v: &[Tensor]| Ok(v[0].scatter(&ids, &v[1], 1)?);
    assert!(matches!(gradcheck(candle, &inputs, &check), Err(Error::GradientMismatch { .. })));
}

#[test]
fn bad_operands_are_errors() {
    let cpu = &Device::Cpu;
    let x = ramp(&[4], DType::F32);
    for bad in [
        Tensor::new(&[0u32, 4], cpu).unwrap(),
        Tensor::new(&[u32::MAX, 1], cpu).unwrap(),
        Tensor::new(&[-1i64, 1], cpu).unwrap(),
        Tensor::new(&[i64::MAX, 1], cpu).unwrap(),
        Tensor::new(&[255u8, 1], cpu).unwrap(),
    ] {
        let source = ramp(&[2], DType::F32);
        for result in
            [gather(&x, &bad, 0), scatter_add(&x, &bad, &source, 0), scatter(&x, &bad, &source, 0)]
        {
            assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{bad}: {result:?}");
        }
    }
    let ids = Tensor::new(&[0u32, 1], cpu).unwrap();
    let shape = |r: ansatz_ops::Result<Tensor>| matches!(r, Err(Error::Shape { .. }));
    assert!(shape(scatter_add(&x, &ids, &ramp(&[3], DType::F32), 0)));
    assert!(shape(gather(&ramp(&[4, 2], DType::F32), &ids, 0)));
    let double = ramp(&[2], DType::F64);
    assert!(matches!(scatter(&x, &ids, &double, 0), Err(Error::DType { .. })));
    let real = ids.to_dtype(DType::F32).unwrap();
    assert!(matches!(gather(&x, &real, 0), Err(Error::DType { .. })));
    assert!(gather(&x, &ids, 1).is_err());
    // Nothing to write.
    let none = Tensor::zeros(0, DType::U32, cpu).unwrap();
    let nothing = Tensor::zeros(0, DType::F32, cpu).unwrap();
    assert_eq!(flat(&scatter(&x, &none, &nothing, 0).unwrap()), flat(&x));
}
