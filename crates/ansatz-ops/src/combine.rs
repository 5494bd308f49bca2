//! Linear combinations and error norms in one pass: what a solver does between evaluations.
//!
//! Both return plain values: their results are not attached to candle's graph. Solvers here
//! differentiate by replaying steps, not by taping them.

use candle_core::{CpuStorage, DType, Storage, Tensor};

use crate::{Error, Result};

/// `base + Σⱼ cⱼ xⱼ` (without `base`: the sum alone), detached from the graph.
///
/// All tensors have one shape, dtype and device. On the CPU, contiguous f32 and f64 tensors are
/// combined in one pass without temporaries; elsewhere a composition of candle operations.
///
/// # Errors
/// When shapes, dtypes or devices differ, there is nothing to add, or candle fails.
pub fn linear_combination(base: Option<&Tensor>, terms: &[(f64, &Tensor)]) -> Result<Tensor> {
    let Some(first) = base.or(terms.first().map(|(_, x)| *x)) else {
        return Err(Error::Count {
            what: "linear_combination: base and terms",
            expected: 1,
            got: 0,
        });
    };
    for (_, x) in terms {
        check_like("linear_combination term", first, x)?;
    }
    if first.device().is_cpu() {
        let combined = match first.dtype() {
            DType::F64 => combine_cpu(base, terms, first, f64_slice, |c| c)?,
            DType::F32 => combine_cpu(base, terms, first, f32_slice, |c| c as f32)?,
            _ => None,
        };
        if let Some(tensor) = combined {
            return Ok(tensor);
        }
    }
    let mut sum = match base {
        // Nothing to add: still a value of its own, which a later `Var::set` leaves alone.
        Some(b) if terms.is_empty() => return Ok(b.detach().force_contiguous()?),
        Some(b) => b.detach(),
        None => first.zeros_like()?,
    };
    for (c, x) in terms {
        sum = (sum + x.detach().affine(*c, 0.0)?)?;
    }
    Ok(sum)
}

/// The weighted root mean square `√(mean ((eᵢ / (atol + rtol·max(|aᵢ|, |bᵢ|)))²))` over all
/// elements (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, eq. II.4.11); 0 for empty tensors.
///
/// Summed in f64 on the CPU; elsewhere in the tensors' own precision, at least f32.
///
/// # Errors
/// When shapes, dtypes or devices differ, or candle fails.
pub fn weighted_rms(error: &Tensor, a: &Tensor, b: &Tensor, rtol: f64, atol: f64) -> Result<f64> {
    check_like("weighted_rms", error, a)?;
    check_like("weighted_rms", error, b)?;
    // Squares of half-precision numbers overflow soon.
    let dtype = if error.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let load = |x: &Tensor| x.detach().to_dtype(dtype)?.contiguous();
    let (error, a, b) = (load(error)?, load(a)?, load(b)?);
    let n = error.elem_count().max(1) as f64;
    if error.device().is_cpu() {
        let sum = match dtype {
            DType::F64 => rms_cpu(&error, &a, &b, f64_slice, |x| x, rtol, atol),
            _ => rms_cpu(&error, &a, &b, f32_slice, f64::from, rtol, atol),
        };
        if let Some(sum) = sum {
            return Ok((sum / n).sqrt());
        }
    }
    Ok((rms_composed(&error, &a, &b, rtol, atol)? / n).sqrt())
}

/// The sum under the root of [`weighted_rms`] by candle operations, for f32 and f64 anywhere.
fn rms_composed(error: &Tensor, a: &Tensor, b: &Tensor, rtol: f64, atol: f64) -> Result<f64> {
    let scale = a.abs()?.maximum(&b.abs()?)?.affine(rtol, atol)?;
    let sum = (error / scale)?.sqr()?.sum_all()?;
    Ok(match sum.dtype() {
        DType::F64 => sum.to_scalar::<f64>()?,
        _ => f64::from(sum.to_scalar::<f32>()?),
    })
}

/// Whether every element is finite.
///
/// # Errors
/// When candle fails.
pub fn is_finite(x: &Tensor) -> Result<bool> {
    if x.device().is_cpu() && x.is_contiguous() {
        let (storage, layout) = x.storage_and_layout();
        let (start, n) = (layout.start_offset(), layout.shape().elem_count());
        match &*storage {
            Storage::Cpu(CpuStorage::F64(v)) => {
                return Ok(v[start..start + n].iter().all(|x| x.is_finite()));
            }
            Storage::Cpu(CpuStorage::F32(v)) => {
                return Ok(v[start..start + n].iter().all(|x| x.is_finite()));
            }
            _ => {}
        }
    }
    // x·0 is 0 for finite numbers and NaN for the others; a NaN survives the sum.
    let probe = x.detach().affine(0.0, 0.0)?.sum_all()?.to_dtype(DType::F32)?;
    Ok(probe.to_scalar::<f32>()? == 0.0)
}

/// Errors unless `b` has the shape, dtype and device of `a`.
///
/// # Errors
/// [`Error::Shape`], [`Error::DType`] or [`Error::Device`].
pub fn check_like(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.shape() != b.shape() {
        return Err(Error::Shape { what, expected: a.shape().clone(), got: b.shape().clone() });
    }
    if a.dtype() != b.dtype() {
        return Err(Error::DType { what, expected: a.dtype(), got: b.dtype() });
    }
    if !a.device().same_device(b.device()) {
        return Err(Error::Device {
            what,
            expected: a.device().location(),
            got: b.device().location(),
        });
    }
    Ok(())
}

fn f64_slice(storage: &Storage) -> Option<&[f64]> {
    match storage {
        Storage::Cpu(CpuStorage::F64(v)) => Some(v),
        _ => None,
    }
}

fn f32_slice(storage: &Storage) -> Option<&[f32]> {
    match storage {
        Storage::Cpu(CpuStorage::F32(v)) => Some(v),
        _ => None,
    }
}

/// Elements handled together, small enough that they stay in the first cache between terms.
const BLOCK: usize = 1024;

fn combine_cpu<T>(
    base: Option<&Tensor>,
    terms: &[(f64, &Tensor)],
    like: &Tensor,
    slice: impl Fn(&Storage) -> Option<&[T]>,
    cast: impl Fn(f64) -> T,
) -> Result<Option<Tensor>>
where
    T: candle_core::WithDType + std::ops::Mul<Output = T> + std::ops::AddAssign,
{
    let contiguous =
        base.is_none_or(Tensor::is_contiguous) && terms.iter().all(|(_, x)| x.is_contiguous());
    if !contiguous {
        return Ok(None);
    }
    let n = like.elem_count();
    let mut out: Vec<T> = Vec::with_capacity(n);
    match base {
        Some(b) => {
            let (storage, layout) = b.storage_and_layout();
            let Some(values) = slice(&storage) else { return Ok(None) };
            out.extend_from_slice(&values[layout.start_offset()..layout.start_offset() + n]);
        }
        None => out.resize(n, cast(0.0)),
    }
    let guards: Vec<_> = terms.iter().map(|(_, x)| x.storage_and_layout()).collect();
    let mut inputs = Vec::with_capacity(terms.len());
    for ((c, _), (storage, layout)) in terms.iter().zip(&guards) {
        let Some(values) = slice(storage) else { return Ok(None) };
        inputs.push((cast(*c), &values[layout.start_offset()..layout.start_offset() + n]));
    }
    for (block, chunk) in out.chunks_mut(BLOCK).enumerate() {
        for (c, values) in &inputs {
            for (o, x) in chunk.iter_mut().zip(&values[block * BLOCK..]) {
                *o += *c * *x;
            }
        }
    }
    drop(inputs);
    drop(guards);
    Ok(Some(Tensor::from_vec(out, like.shape(), like.device())?))
}

/// The sum under the root of [`weighted_rms`] for contiguous tensors.
fn rms_cpu<T: Copy>(
    error: &Tensor,
    a: &Tensor,
    b: &Tensor,
    slice: impl Fn(&Storage) -> Option<&[T]>,
    widen: impl Fn(T) -> f64,
    rtol: f64,
    atol: f64,
) -> Option<f64> {
    let n = error.elem_count();
    let (es, el) = error.storage_and_layout();
    let (sa, la) = a.storage_and_layout();
    let (sb, lb) = b.storage_and_layout();
    let e = &slice(&es)?[el.start_offset()..el.start_offset() + n];
    let a = &slice(&sa)?[la.start_offset()..la.start_offset() + n];
    let b = &slice(&sb)?[lb.start_offset()..lb.start_offset() + n];
    let mut sum = 0.0;
    for ((&e, &a), &b) in e.iter().zip(a).zip(b) {
        let scaled = widen(e) / (atol + rtol * widen(a).abs().max(widen(b).abs()));
        sum += scaled * scaled;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// The path of other devices, run on the CPU: f64 keeps its digits.
    #[test]
    fn composed_rms_equals_the_loop() {
        let make = |scale: f64| {
            let v: Vec<f64> = (0..1025).map(|i| scale * (0.3 * i as f64).sin()).collect();
            Tensor::from_vec(v, (5, 205), &Device::Cpu).unwrap()
        };
        let (e, a, b) = (make(1e-6), make(2.0), make(-3.0));
        let n = 1025f64;
        let loop64 = weighted_rms(&e, &a, &b, 1e-6, 1e-9).unwrap();
        let composed = (rms_composed(&e, &a, &b, 1e-6, 1e-9).unwrap() / n).sqrt();
        assert!((loop64 / composed - 1.0).abs() < 1e-13, "{loop64} {composed}");

        let single = |x: &Tensor| x.to_dtype(DType::F32).unwrap();
        let (e, a, b) = (single(&e), single(&a), single(&b));
        let composed = (rms_composed(&e, &a, &b, 1e-6, 1e-9).unwrap() / n).sqrt();
        assert!((loop64 / composed - 1.0).abs() < 1e-5, "{loop64} {composed}");
    }
}
