//! The operations of ansatz-ops, and those of candle that everything rests on.
use ansatz::core::TensorLike;
use ansatz::ops::{
    custom_vjp, is_finite, linear_combination, sum_of_squares, vjp, weighted_rms, weighted_rms_rows,
};
use candle_core::{DType, Tensor};

use crate::AnyError;
use crate::device::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![
        // candle's own
        Check::new("matmul", &[&[33, 65], &[65, 17]], |x| Ok(x[0].matmul(&x[1])?)),
        Check::new("matmul, batched", &[&[3, 5, 7], &[3, 7, 4]], |x| Ok(x[0].matmul(&x[1])?)),
        Check::new("matmul, transposed", &[&[9, 6], &[9, 5]], |x| Ok(x[0].t()?.matmul(&x[1])?)),
        Check::new("broadcast add, mul, div", &[&[4, 1, 6], &[5, 6]], |x| {
            let sum = x[0].broadcast_add(&x[1])?;
            Ok(sum.broadcast_mul(&x[1])?.broadcast_div(&(x[1].sqr()? + 1.0)?)?)
        }),
        Check::new("sum, mean over axes", &[&[6, 7, 5]], |x| {
            Ok((x[0].sum(1)? + x[0].mean_keepdim(0)?.squeeze(0)?.mean(0)?.broadcast_as((6, 5))?)?)
        }),
        Check::new("sum of 100,000", &[&[100_000]], |x| Ok((x[0].sum_all()? * 1e-3)?)),
        Check::new("index_select", &[&[9, 4]], |x| {
            let index = Tensor::new(&[3_u32, 0, 8, 3], x[0].device())?;
            Ok(x[0].index_select(&index, 0)?)
        }),
        Check::new("gather", &[&[3, 6]], |x| {
            let index = Tensor::new(&[[5_u32, 0], [1, 1], [2, 4]], x[0].device())?;
            Ok(x[0].gather(&index, 1)?)
        }),
        Check::new("index_add", &[&[5, 3], &[4, 3]], |x| {
            let index = Tensor::new(&[4_u32, 0, 0, 2], x[0].device())?;
            Ok(x[0].index_add(&index, &x[1], 0)?)
        }),
        Check::new("narrow, cat, transpose", &[&[6, 4], &[6, 2]], |x| {
            let part = x[0].narrow(1, 1, 3)?;
            Ok(Tensor::cat(&[&part, &x[1]], 1)?.t()?.contiguous()?)
        }),
        Check::new("where", &[&[40]], |x| {
            Ok(x[0].ge(0.0)?.where_cond(&x[0].sqr()?, &x[0].neg()?)?)
        }),
        Check::new("conv2d", &[&[2, 3, 9, 8], &[4, 3, 3, 3]], |x| {
            Ok(TensorLike::conv2d(&x[0], &x[1], 1, 1, 1, 1)?)
        }),
        Check::new("conv1d", &[&[2, 3, 19], &[4, 3, 5]], |x| {
            Ok(TensorLike::conv1d(&x[0], &x[1], 2, 1, 1, 1)?)
        }),
        // ansatz-ops
        Check::new("custom_vjp", &[&[3, 4]], |x| {
            let value = x[0].detach();
            let slope = (value.sqr()? * 3.0)?;
            Ok(custom_vjp(&[&x[0]], &(value.sqr()? * &value)?, move |g| {
                Ok(vec![Some((g * &slope)?)])
            })?)
        }),
        Check::new("custom_vjp, four inputs", &[&[5], &[5], &[5], &[5]], product_of_four),
        Check::new("vjp", &[&[4, 3]], |x| {
            let (y, pullback) = vjp(|v| Ok(vec![v[0].sin()?]), &[x[0].clone()])?;
            Ok(pullback.apply(&y)?.inputs.remove(0))
        })
        .value_only(),
        Check::new("linear_combination", &[&[4, 5], &[4, 5], &[4, 5]], |x| {
            Ok(linear_combination(Some(&x[0]), &[(0.3, &x[1]), (-1.7, &x[2])])?)
        })
        .value_only(),
        Check::new("weighted_rms", &[&[999], &[999], &[999]], |x| {
            let norm = weighted_rms(&x[0], &x[1], &x[2], 1e-1, 1e-2)?;
            Ok(Tensor::new(norm, &candle_core::Device::Cpu)?)
        })
        .value_only(),
        Check::new("weighted_rms_rows", &[&[9, 50], &[9, 50], &[9, 50]], |x| {
            let norms = weighted_rms_rows(&x[0], &x[1], &x[2], 1e-1, 1e-2)?;
            Ok(Tensor::new(norms, &candle_core::Device::Cpu)?)
        })
        .value_only(),
        Check::new("sum_of_squares", &[&[999]], |x| {
            Ok(Tensor::new(sum_of_squares(&x[0], 0.1)?, &candle_core::Device::Cpu)?)
        })
        .value_only(),
        Check::identical("is_finite", |device, dtype| {
            let finite = Tensor::ones(300, dtype, device)?;
            let zero = Tensor::zeros(1, dtype, device)?;
            let infinite = Tensor::cat(&[&finite, &zero.recip()?], 0)?;
            let nan = Tensor::cat(&[&finite, &(zero.recip()? * &zero)?], 0)?;
            let wrong = [(&finite, true), (&infinite, false), (&nan, false)];
            let wrong = wrong.iter().map(|(x, expected)| Ok(is_finite(x)? != *expected));
            let wrong: Vec<bool> = wrong.collect::<Result<_, AnyError>>()?;
            Ok(wrong.iter().filter(|w| **w).count() as f64)
        }),
        Check::identical("to the device and back", |device, dtype| {
            let values: Vec<f64> = (0..1000).map(|i| (0.37 * f64::from(i)).sin()).collect();
            let here = Tensor::new(values, &candle_core::Device::Cpu)?.to_dtype(dtype)?;
            let back = here.to_device(device)?.to_device(&candle_core::Device::Cpu)?;
            let apart = (back.to_dtype(DType::F64)? - here.to_dtype(DType::F64)?)?;
            Ok(apart.abs()?.max_all()?.to_scalar::<f64>()?)
        }),
    ]
}

fn product_of_four(x: &[Tensor]) -> Result<Tensor, AnyError> {
    let values: Vec<Tensor> = x.iter().map(Tensor::detach).collect();
    let product = |skip: usize, start: &Tensor| -> candle_core::Result<Tensor> {
        let mut others = values.iter().enumerate().filter(|(i, _)| *i != skip);
        others.try_fold(start.clone(), |p, (_, v)| p * v)
    };
    let value = product(4, &x[0].ones_like()?.detach())?;
    let inputs: Vec<&Tensor> = x.iter().collect();
    let others: Vec<Tensor> =
        (0..4).map(|i| product(i, &values[i].ones_like()?)).collect::<candle_core::Result<_>>()?;
    Ok(custom_vjp(&inputs, &value, move |g| others.iter().map(|o| Ok(Some((g * o)?))).collect())?)
}
