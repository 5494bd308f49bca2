//! Linear combinations and error norms in one pass: what a solver does between evaluations.
//!
//! All return plain values: their results are not attached to candle's graph. Solvers here
//! differentiate by replaying steps, not by taping them.

mod finite;
mod norms;
mod real;
mod row_norms;
mod rows;
mod sum;

use std::mem::MaybeUninit;

use candle_core::{Device, Tensor};

use self::real::kernels::Kernels;
pub use self::{
    finite::{is_finite, is_finite_slice},
    norms::{sum_of_squares, weighted_rms, weighted_rms_slices},
    real::Real,
    row_norms::{finite_rows, weighted_rms_each_row, weighted_rms_rows},
    rows::{combine_rows, pick_rows},
};
use crate::{
    Error, Result,
    cpu::{by_float, collect, room, values},
};

/// `base + Σⱼ cⱼ xⱼ` (without `base`: the sum alone), detached from the graph.
///
/// All tensors have one shape, dtype and device. On the CPU, f32 and f64 tensors are combined in
/// one pass without temporaries; elsewhere a composition of candle operations. The terms are added
/// in their order, so that both give the same bits.
///
/// The result is always a new tensor: candle's tensors share their storage invisibly, so that none
/// can be overwritten safely. [`combine_slices`] works in place.
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
    if first.device().is_cpu()
        && !base.into_iter().chain(terms.iter().map(|(_, x)| *x)).all(Tensor::is_contiguous)
    {
        let copy = |x: &Tensor| x.detach().contiguous();
        let base = base.map(copy).transpose()?;
        let copies = terms.iter().map(|(_, x)| copy(x)).collect::<candle_core::Result<Vec<_>>>()?;
        let terms: Vec<_> = terms.iter().zip(&copies).map(|((c, _), x)| (*c, x)).collect();
        return linear_combination(base.as_ref(), &terms);
    }
    by_float!(first, T => {
        let base = base.map(values::<T>).transpose()?;
        let guards = terms.iter().map(|(_, x)| values::<T>(x)).collect::<Result<Vec<_>>>()?;
        let slices: Vec<(T, &[T])> =
            terms.iter().zip(&guards).map(|((c, _), x)| (*c as T, &**x)).collect();
        let fill = |out: &mut [MaybeUninit<T>]| T::combine(out, base.as_deref(), &slices);
        // SAFETY: the kernel writes every element of its output.
        #[allow(unsafe_code)]
        let out = unsafe { collect(first.elem_count(), fill) };
        Ok(Tensor::from_vec(out, first.shape(), &Device::Cpu)?)
    }, _ => composed(base, terms, first))
}

/// [`linear_combination`] by candle operations.
fn composed(base: Option<&Tensor>, terms: &[(f64, &Tensor)], like: &Tensor) -> Result<Tensor> {
    let mut sum = match base {
        // Nothing to add: still a value of its own, which a later `Var::set` leaves alone.
        Some(b) if terms.is_empty() => return Ok(b.detach().force_contiguous()?),
        Some(b) => b.detach(),
        None => like.zeros_like()?.detach(),
    };
    for (c, x) in terms {
        sum = (sum + x.detach().affine(*c, 0.0)?)?;
    }
    Ok(sum)
}

/// `out ← base + Σⱼ cⱼ xⱼ` for plain numbers; without `base`, the sum alone; with nothing to add,
/// zeros. The same bits as [`linear_combination`].
///
/// # Errors
/// [`Error::Shape`] when the lengths differ; then `out` is unchanged.
///
/// # Example
/// ```
/// use ansatz_ops::combine_slices;
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let (y, k1, k2) = ([1.0, 2.0], [0.5, 0.0], [0.0, 4.0]);
/// let mut out = [0.0; 2];
/// combine_slices(&mut out, Some(&y), &[(2.0, &k1), (0.25, &k2)])?;
/// assert_eq!(out, [2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
pub fn combine_slices<T: Real>(
    out: &mut [T],
    base: Option<&[T]>,
    terms: &[(T, &[T])],
) -> Result<()> {
    for x in base.into_iter().chain(terms.iter().map(|(_, x)| *x)) {
        if x.len() != out.len() {
            return Err(Error::Shape {
                what: "combine_slices",
                expected: out.len().into(),
                got: x.len().into(),
            });
        }
    }
    // SAFETY: the kernel writes nothing but numbers.
    #[allow(unsafe_code)]
    let out = unsafe { room(out) };
    T::combine(out, base, terms);
    Ok(())
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
