//! Sums over segments and what is adjoint to them: [`segment_sum`], [`segment_mean`],
//! [`gather_rows`].

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::Tensor;

use super::Segments;
use super::chunks::{Rows, by_columns, chunk, for_rows, for_segments, put, with_rows_of, zeros};
use super::segments::{leading, with_rows};
use crate::Result;
use crate::cpu::{Float, attach, by_float, values, vectorised};

/// Rows that are added to each other before they are added to the rest: the rounding error of a
/// sum of n rows grows like 512 + n / 512 instead of n.
const RUN: usize = 512;

/// The sum of the rows of each segment: `[rows, features…]` → `[count, features…]`, 0 for an empty
/// segment.
///
/// `yₛ = Σ xᵢ` over the rows i of segment s, in their order, so that the result has the same bits
/// for any number of threads. Relative error at most (512 + n/512) ε Σ|xᵢ| / |yₛ| for n rows.
/// NaN and infinities propagate. The gradient is [`gather_rows`], of any order.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when `x` does not have [`Segments::rows`] rows, or candle
/// fails.
#[doc(alias = "scatter_sum")]
#[doc(alias = "index_add")]
pub fn segment_sum(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    reduce(x, segments, false)
}

/// The mean of the rows of each segment: `[rows, features…]` → `[count, features…]`, 0 for an
/// empty segment.
///
/// As [`segment_sum`], divided by the number of rows.
///
/// # Errors
/// As [`segment_sum`].
#[doc(alias = "scatter_mean")]
pub fn segment_mean(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    reduce(x, segments, true)
}

/// The row of its segment for every row: `[count, features…]` → `[rows, features…]`.
///
/// `yᵢ = x[ids[i]]`: candle's `index_select`, in parallel and with a gradient that is summed in a
/// fixed order and in parallel, too ([`segment_sum`], of any order). To gather by any list of
/// indexes make [`Segments`] of it.
///
/// ```
/// use ansatz_ops::{Segments, gather_rows};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[1.0f32, 2.0], [3.0, 4.0]], &Device::Cpu)?;
/// let pick = Segments::new(&Tensor::new(&[1u32, 1, 0], &Device::Cpu)?, 2)?;
/// assert_eq!(gather_rows(&x, &pick)?.to_vec2::<f32>()?, [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when `x` does not have [`Segments::count`] rows, or candle
/// fails.
#[doc(alias = "index_select")]
pub fn gather_rows(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    expand(x, segments, false)
}

/// Sums or means; adjoint to [`expand`] with the same `mean`.
fn reduce(x: &Tensor, segments: &Segments, mean: bool) -> Result<Tensor> {
    let width = segments.width("segment_sum, segment_mean: rows", x)?;
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let read = values::<T>(&contiguous)?;
        let x_values: &[T] = &read;
        let offsets = segments.offsets();
        // SAFETY: the kernel writes every column of every segment.
        #[allow(unsafe_code)]
        let out = unsafe {
            for_segments(offsets, width, width, |range, out| {
                let common = (x_values, width, offsets, range, mean);
                with_rows_of!(segments, rows => vectorised!(sums, (common, rows, out)));
            })
        };
        let back = segments.clone();
        let name = if mean { "segment_mean" } else { "segment_sum" };
        attach(name, &[x], out, with_rows(x, segments.count()), move |_, g| {
            Ok(vec![Some(expand(g, &back, mean)?)])
        })
    }, _ => composed_reduce(x, segments, mean))
}

/// `x[id]`, or `x[id]` divided by the size of the segment.
fn expand(x: &Tensor, segments: &Segments, mean: bool) -> Result<Tensor> {
    let width = leading("gather_rows: rows", x, segments.count())?;
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let read = values::<T>(&contiguous)?;
        let x_values: &[T] = &read;
        let (ids, offsets) = (segments.ids(), segments.offsets());
        // SAFETY: the kernel writes every column of every row.
        #[allow(unsafe_code)]
        let out = unsafe {
            for_rows(ids.len(), width, width, |first, out| {
                let ids = &ids[first..first + out.len() / width];
                if mean {
                    vectorised!(shares, (x_values, width, ids, offsets, out));
                } else {
                    vectorised!(copies, (x_values, width, ids, out));
                }
            })
        };
        let back = segments.clone();
        attach("gather_rows", &[x], out, with_rows(x, segments.rows()), move |_, g| {
            Ok(vec![Some(reduce(g, &back, mean)?)])
        })
    }, _ => composed_expand(x, segments, mean))
}

type Sums<'a, T> = (&'a [T], usize, &'a [u32], Range<usize>, bool);

#[inline(always)]
fn sums<T: Float, R: Rows>(
    ((x, width, offsets, range, mean), rows, out): (Sums<T>, R, &mut [MaybeUninit<T>]),
) {
    by_columns!(0..width, col, W => {
        for (i, s) in range.clone().enumerate() {
            let (start, end) = (offsets[s] as usize, offsets[s + 1] as usize);
            let mut sum = zeros::<T, W>();
            let mut run = start;
            while run < end {
                let stop = end.min(run + RUN);
                let mut part = zeros::<T, W>();
                for k in run..stop {
                    let row: &[T; W] = chunk(x, rows.at(k) * width + col);
                    for i in 0..W {
                        part[i] += row[i];
                    }
                }
                for i in 0..W {
                    sum[i] += part[i];
                }
                run = stop;
            }
            if mean && end > start {
                let size = T::from_f64((end - start) as f64);
                for i in 0..W {
                    sum[i] /= size;
                }
            }
            put(out, i * width + col, &sum);
        }
    });
}

#[inline(always)]
fn copies<T: Float>((x, width, ids, out): (&[T], usize, &[u32], &mut [MaybeUninit<T>])) {
    by_columns!(0..width, col, W => {
        for (i, &id) in ids.iter().enumerate() {
            put::<T, W>(out, i * width + col, chunk(x, id as usize * width + col));
        }
    });
}

#[inline(always)]
fn shares<T: Float>(
    (x, width, ids, offsets, out): (&[T], usize, &[u32], &[u32], &mut [MaybeUninit<T>]),
) {
    by_columns!(0..width, col, W => {
        for (i, &id) in ids.iter().enumerate() {
            let id = id as usize;
            let size = T::from_f64((offsets[id + 1] - offsets[id]) as f64);
            let row: &[T; W] = chunk(x, id * width + col);
            let mut share = zeros::<T, W>();
            for i in 0..W {
                share[i] = row[i] / size;
            }
            put(out, i * width + col, &share);
        }
    });
}

/// Divides each row of `x` `[count, features…]` by the size of its segment, or by 1 if empty.
fn divide_by_sizes(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let mut shape = vec![1; x.rank()];
    shape[0] = segments.count();
    let sizes = segments.sizes(candle_core::DType::F32, x.device())?.clamp(1f32, f32::MAX)?;
    Ok(x.broadcast_div(&sizes.to_dtype(x.dtype())?.reshape(shape)?)?)
}

pub(super) fn composed_reduce(x: &Tensor, segments: &Segments, mean: bool) -> Result<Tensor> {
    let zeros = Tensor::zeros(with_rows(x, segments.count()), x.dtype(), x.device())?;
    let sum = zeros.index_add(&segments.ids_on(x.device())?, &x.contiguous()?, 0)?;
    if mean { divide_by_sizes(&sum, segments) } else { Ok(sum) }
}

pub(super) fn composed_expand(x: &Tensor, segments: &Segments, mean: bool) -> Result<Tensor> {
    let x = if mean { divide_by_sizes(x, segments)? } else { x.clone() };
    Ok(x.contiguous()?.index_select(&segments.ids_on(x.device())?, 0)?)
}
