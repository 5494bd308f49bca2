//! Element-wise gather and scatter along any axis with right gradients: [`gather`], [`scatter`],
//! [`scatter_add`].

use candle_core::{D, DType, Device, Tensor, WithDType, shape::Dim};

use crate::cpu::{attach, by_float, values};
use crate::{Error, Result, custom_vjp};

/// `y[…, j, …] = x[…, indexes[…, j, …], …]` along `dim`; the shape of `indexes`.
///
/// Replaces [`Tensor::gather`], whose gradient has no gradient of its own. `indexes` is u8, u32 or
/// i64; its other axes are as long as those of `x`. The gradient is [`scatter_add`], of any order
/// for f32 and f64 on the CPU and of first order elsewhere. Whole rows are gathered faster by
/// [`gather_rows`](crate::gather_rows).
///
/// # Errors
/// [`Error::Shape`] when the axes do not fit; [`Error::InvalidArgument`] when an index is out of
/// range, the largest number of its type (which candle treats as padding) included;
/// [`Error::DType`] for indexes of another dtype; or candle fails.
pub fn gather<I: Dim>(x: &Tensor, indexes: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(x.shape(), "gather")?;
    check("gather: indexes", x, indexes, dim)?;
    let value = x.detach().contiguous()?.gather(&indexes.contiguous()?, dim)?;
    let (shape, back) = (x.shape().clone(), indexes.clone());
    linear("gather", &[x], value, move |g| {
        let zeros = Tensor::zeros(&shape, g.dtype(), g.device())?;
        Ok(vec![Some(scatter_add(&zeros, &back, g, dim)?)])
    })
}

/// `init` with `y[…, indexes[…, j, …], …] += source[…, j, …]` along `dim`; the shape of `init`.
///
/// Replaces [`Tensor::scatter_add`], whose gradient in `init` is wrong and which fails in
/// `backward` where `init` and `source` differ in shape. `indexes` has the shape of `source` and
/// dtype u8, u32 or i64. Additions happen in the order of `source`. The gradients are the cotangent
/// and [`gather`] of it, of any order for f32 and f64 on the CPU and of first order elsewhere.
/// Whole rows are added faster by [`segment_sum`](crate::segment_sum).
///
/// # Errors
/// As [`gather`]; [`Error::Shape`] when `indexes` and `source` differ in shape, [`Error::DType`]
/// when `init` and `source` differ in dtype.
pub fn scatter_add<I: Dim>(
    init: &Tensor,
    indexes: &Tensor,
    source: &Tensor,
    dim: I,
) -> Result<Tensor> {
    let dim = dim.to_index(init.shape(), "scatter_add")?;
    check("scatter_add: indexes", init, indexes, dim)?;
    check_source(init, indexes, source)?;
    let (indexes, values) = (indexes.contiguous()?, source.detach().contiguous()?);
    let value = init.detach().contiguous()?.scatter_add(&indexes, &values, dim)?;
    linear("scatter_add", &[init, source], value, move |g| {
        Ok(vec![Some(g.clone()), Some(gather(g, &indexes, dim)?)])
    })
}

/// `init` with `y[…, indexes[…, j, …], …] = source[…, j, …]` along `dim`; the shape of `init`. Where
/// several are written to one place, the last one stays.
///
/// Replaces [`Tensor::scatter`], whose gradient in `init` ignores what was overwritten, and in
/// `source` gives every writer to one place the gradient of the last. `indexes` has the shape of
/// `source` and dtype u8, u32 or i64. Gradients are of any order for f32 and f64 on the CPU and
/// of first order elsewhere. Which writer is the last one is found on the CPU.
///
/// # Errors
/// As [`scatter_add`].
pub fn scatter<I: Dim>(init: &Tensor, indexes: &Tensor, source: &Tensor, dim: I) -> Result<Tensor> {
    let dim = dim.to_index(init.shape(), "scatter")?;
    check("scatter: indexes", init, indexes, dim)?;
    check_source(init, indexes, source)?;
    // Numbered from 1 in the order of writing; who stays, stays in the place where it was written.
    let n = source.elem_count();
    let numbers: Vec<i64> = (1..=n as i64).collect();
    let numbers = Tensor::from_vec(numbers, source.shape(), &Device::Cpu)?;
    let host = indexes.to_device(&Device::Cpu)?.contiguous()?;
    let nobody = Tensor::zeros(init.shape(), DType::I64, &Device::Cpu)?;
    let last = nobody.scatter(&host, &numbers, dim)?;
    let device = init.device();
    let kept = last.eq(&nobody)?.to_device(device)?;
    let stays = last.gather(&host, dim)?.eq(&numbers)?.to_device(device)?;
    // The order of writing matters to no one but the last: the others write it, too.
    let indexes = indexes.contiguous()?;
    let zeros = init.detach().zeros_like()?;
    let written =
        stays.where_cond(&source.detach().contiguous()?, &source.detach().zeros_like()?)?;
    let sum = zeros.scatter_add(&indexes, &written, dim)?;
    let value = kept.where_cond(&init.detach().contiguous()?, &sum)?;
    linear("scatter", &[init, source], value, move |g| {
        let of_init = kept.where_cond(g, &g.zeros_like()?)?;
        let all = gather(g, &indexes, dim)?;
        let of_source = stays.where_cond(&all, &all.zeros_like()?)?;
        Ok(vec![Some(of_init), Some(of_source)])
    })
}

/// Attaches a value to the graph with a rule that needs the cotangent alone.
fn linear<F>(name: &'static str, inputs: &[&Tensor], value: Tensor, vjp: F) -> Result<Tensor>
where
    F: Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
{
    if !inputs.iter().any(|x| x.track_op()) {
        return Ok(value);
    }
    by_float!(value, T => {
        let owned = values::<T>(&value)?.to_vec();
        attach(name, inputs, owned, value.shape(), move |_, g| vjp(g))
    }, _ => custom_vjp(inputs, &value, vjp))
}

/// The axes of `indexes` fit those of `x`, and its values the length of axis `dim`.
fn check(what: &'static str, x: &Tensor, indexes: &Tensor, dim: usize) -> Result<()> {
    let mut expected = x.dims().to_vec();
    if indexes.rank() == x.rank() {
        expected[dim] = indexes.dims()[dim];
    }
    if indexes.dims() != expected {
        return Err(Error::Shape { what, expected: expected.into(), got: indexes.shape().clone() });
    }
    if !x.device().same_device(indexes.device()) {
        let (expected, got) = (x.device().location(), indexes.device().location());
        return Err(Error::Device { what, expected, got });
    }
    let n = x.dims()[dim];
    match indexes.dtype() {
        DType::U8 => check_range::<u8>(what, indexes, n),
        DType::U32 => check_range::<u32>(what, indexes, n),
        DType::I64 => check_range::<i64>(what, indexes, n),
        got => Err(Error::DType { what, expected: DType::U32, got }),
    }
}

fn check_range<I: WithDType + Into<i64>>(
    what: &'static str,
    indexes: &Tensor,
    n: usize,
) -> Result<()> {
    if indexes.elem_count() == 0 {
        return Ok(());
    }
    let flat = indexes.flatten_all()?;
    for limit in [flat.min(D::Minus1)?, flat.max(D::Minus1)?] {
        let index: i64 = limit.to_scalar::<I>()?.into();
        let padding = index == I::from_f64(f64::MAX).into(); // saturates
        if index < 0 || index >= n as i64 || padding {
            return Err(Error::InvalidArgument {
                what,
                value: format!("{index} on an axis of length {n}"),
                expected: "a number from 0 to one below the length, and below the largest of its \
                           type",
            });
        }
    }
    Ok(())
}

fn check_source(init: &Tensor, indexes: &Tensor, source: &Tensor) -> Result<()> {
    if indexes.shape() != source.shape() {
        return Err(Error::Shape {
            what: "scatter: source",
            expected: indexes.shape().clone(),
            got: source.shape().clone(),
        });
    }
    if init.dtype() != source.dtype() {
        let (expected, got) = (init.dtype(), source.dtype());
        return Err(Error::DType { what: "scatter: source", expected, got });
    }
    if !init.device().same_device(source.device()) {
        let (expected, got) = (init.device().location(), source.device().location());
        return Err(Error::Device { what: "scatter: source", expected, got });
    }
    Ok(())
}
