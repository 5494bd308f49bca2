//! The largest and smallest row of each segment: [`segment_max`], [`segment_min`].

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::Tensor;

use super::Segments;
use super::chunks::{Rows, by_columns, chunk, for_rows, for_segments, is_nan, put, with_rows_of};
use super::segments::{leading, with_rows};
use crate::Result;
use crate::cpu::{Float, attach, by_float, values, vectorised};

/// The largest value of each segment, for each feature alone: `[rows, features…]` →
/// `[count, features…]`, −∞ for an empty segment.
///
/// The gradient goes to the row that won, the first one among equals (so that it is a gradient
/// of some ordering of the ties, and sums to the cotangent); what flows into an empty segment is
/// dropped, so that replacing its −∞ by anything with `where_cond` is safe. NaN wins over
/// everything. Gradients of second order are right, too.
///
/// ```
/// use ansatz_ops::{Segments, segment_max};
/// use candle_core::{Device, Tensor, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let segments = Segments::from_offsets(&[0, 3, 3])?;
/// let x = Var::new(&[1.0f32, 5.0, 5.0], &Device::Cpu)?;
/// let y = segment_max(&x, &segments)?;
/// assert_eq!(y.to_vec1::<f32>()?, [5.0, f32::NEG_INFINITY]);
/// let grads = y.backward()?;
/// assert_eq!(grads.get(&x).unwrap().to_vec1::<f32>()?, [0.0, 1.0, 0.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when `x` does not have [`Segments::rows`] rows, or candle
/// fails.
#[doc(alias = "scatter_max")]
pub fn segment_max(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    extremum(x, segments, true)
}

/// The smallest value of each segment, for each feature alone: `[rows, features…]` →
/// `[count, features…]`, +∞ for an empty segment.
///
/// Otherwise as [`segment_max`].
///
/// # Errors
/// As [`segment_max`].
#[doc(alias = "scatter_min")]
pub fn segment_min(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    extremum(x, segments, false)
}

/// Marks an empty segment in the list of winners.
const NONE: u32 = u32::MAX;

fn extremum(x: &Tensor, segments: &Segments, largest: bool) -> Result<Tensor> {
    let width = segments.width("segment_max, segment_min: rows", x)?;
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let winners = {
            let read = values::<T>(&contiguous)?;
            let x_values: &[T] = &read;
            let offsets = segments.offsets();
            // SAFETY: the kernels write every column of every segment.
            #[allow(unsafe_code)]
            unsafe {
                for_segments(offsets, width, width, |range, out| {
                    let common = (x_values, width, offsets, range);
                    with_rows_of!(segments, rows => if largest {
                        vectorised!(first_best::<T, _, true>, (common, rows, out));
                    } else {
                        vectorised!(first_best::<T, _, false>, (common, rows, out));
                    });
                })
            }
        };
        let empty = if largest { f64::NEG_INFINITY } else { f64::INFINITY };
        pick::<T>(x, &Winners { rows: winners.into(), segments: segments.clone(), empty })
    }, _ => Ok(composed_extremum(x, segments, largest)?.0))
}

/// Which row of `[rows, features…]` each element of `[count, features…]` comes from.
#[derive(Clone)]
struct Winners {
    rows: std::sync::Arc<[u32]>,
    segments: Segments,
    /// What an empty segment gives.
    empty: f64,
}

/// The winning elements; [`spread`] is its gradient.
fn pick<T: Float>(x: &Tensor, winners: &Winners) -> Result<Tensor> {
    let width = winners.segments.width("segment_max, segment_min: rows", x)?;
    let contiguous = x.contiguous()?;
    let read = values::<T>(&contiguous)?;
    let x_values: &[T] = &read;
    let (count, list) = (winners.segments.count(), &winners.rows);
    let empty = T::from_f64(winners.empty);
    // SAFETY: every element of the block is written.
    #[allow(unsafe_code)]
    let out = unsafe {
        for_rows(count, width, width, |first, out| {
            let winners = list[first * width..].chunks_exact(width);
            for (out, winners) in out.chunks_exact_mut(width).zip(winners) {
                for (i, (o, &row)) in out.iter_mut().zip(winners).enumerate() {
                    let value =
                        if row == NONE { empty } else { x_values[row as usize * width + i] };
                    o.write(value);
                }
            }
        })
    };
    let back = winners.clone();
    attach("segment_max", &[x], out, with_rows(x, count), move |_, g| {
        Ok(vec![Some(spread::<T>(g, &back)?)])
    })
}

/// What arrives at each segment, at the rows that won; 0 at the others.
fn spread<T: Float>(g: &Tensor, winners: &Winners) -> Result<Tensor> {
    let width = leading("segment_max, segment_min: cotangent", g, winners.segments.count())?;
    let contiguous = g.contiguous()?;
    let read = values::<T>(&contiguous)?;
    let g_values: &[T] = &read;
    let (ids, list) = (winners.segments.ids(), &winners.rows[..]);
    // SAFETY: the kernel writes every column of every row.
    #[allow(unsafe_code)]
    let out = unsafe {
        for_rows(ids.len(), width, 2 * width, |first, out| {
            vectorised!(at_winners, (g_values, list, width, ids, first, out));
        })
    };
    let back = Winners { empty: 0.0, ..winners.clone() };
    attach("segment_max_pullback", &[g], out, with_rows(g, ids.len()), move |_, c| {
        Ok(vec![Some(pick::<T>(c, &back)?)])
    })
}

type Best<'a, T> = (&'a [T], usize, &'a [u32], Range<usize>);

#[inline(always)]
fn first_best<T: Float, R: Rows, const LARGEST: bool>(
    ((x, width, offsets, range), rows, out): (Best<T>, R, &mut [MaybeUninit<u32>]),
) {
    by_columns!(0..width, col, W => {
        for (i, s) in range.clone().enumerate() {
            let (start, end) = (offsets[s] as usize, offsets[s + 1] as usize);
            let mut winner = [NONE; W];
            if start < end {
                let first = rows.at(start);
                let mut best: [T; W] = *chunk(x, first * width + col);
                winner = [first as u32; W];
                for k in start + 1..end {
                    let row = rows.at(k);
                    let values: &[T; W] = chunk(x, row * width + col);
                    for i in 0..W {
                        let (v, b) = (values[i], best[i]);
                        let better = if LARGEST { v > b } else { v < b };
                        let take = better | (is_nan(v) & !is_nan(b));
                        best[i] = if take { v } else { b };
                        winner[i] = if take { row as u32 } else { winner[i] };
                    }
                }
            }
            put(out, i * width + col, &winner);
        }
    });
}

type AtWinners<'a, T> = (&'a [T], &'a [u32], usize, &'a [u32], usize, &'a mut [MaybeUninit<T>]);

#[inline(always)]
fn at_winners<T: Float>((g, winners, width, ids, first, out): AtWinners<T>) {
    let rows = first..first + out.len() / width;
    by_columns!(0..width, col, W => {
        for (i, row) in rows.clone().enumerate() {
            let at = ids[row] as usize * width + col;
            let winner: &[u32; W] = chunk(winners, at);
            let mut values: [T; W] = *chunk(g, at);
            for i in 0..W {
                values[i] = if winner[i] == row as u32 { values[i] } else { T::zero() };
            }
            put(out, i * width + col, &values);
        }
    });
}

/// The extreme values and, as `[count, features…]`, the rows they are in (0 for empty segments),
/// by candle operations: after round `d` every position of the sorted rows knows the first best of
/// the next 2ᵈ positions in its segment, so the rounds grow with the logarithm of the largest
/// segment.
pub(super) fn composed_extremum(
    x: &Tensor,
    segments: &Segments,
    largest: bool,
) -> Result<(Tensor, Tensor)> {
    let device = x.device();
    let (rows, count) = (segments.rows(), segments.count());
    let features = leading("segment_max, segment_min: rows", x, rows)?;
    let empty = if largest { f64::NEG_INFINITY } else { f64::INFINITY };
    let fill = |n: usize| Tensor::full(empty as f32, (n, features), device)?.to_dtype(x.dtype());
    if rows == 0 || features == 0 {
        let none = Tensor::zeros(with_rows(x, count), candle_core::DType::U32, device)?;
        return Ok((fill(count)?.reshape(with_rows(x, count))?, none));
    }
    let flat = x.reshape((rows, features))?;
    let order: Vec<u32> = match segments.order() {
        Some(order) => order.to_vec(),
        None => (0..rows as u32).collect(),
    };
    let ids: Vec<u32> = order.iter().map(|&row| segments.ids()[row as usize]).collect();
    let order = Tensor::from_vec(order, rows, device)?;
    let mut best = flat.detach().contiguous()?.index_select(&order, 0)?;
    let mut winner = order.reshape((rows, 1))?.broadcast_as((rows, features))?.contiguous()?;
    let longest = segments.offsets().windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0) as usize;
    let mut step = 1;
    while step < longest {
        let same: Vec<u8> = (0..rows - step).map(|i| u8::from(ids[i] == ids[i + step])).collect();
        let same = Tensor::from_vec(same, (rows - step, 1), device)?;
        let same = same.broadcast_as((rows - step, features))?;
        let (here, there) = (best.narrow(0, 0, rows - step)?, best.narrow(0, step, rows - step)?);
        let better = if largest { there.gt(&here)? } else { there.lt(&here)? };
        // A number that is not equal to itself wins over one that is.
        let nan = (there.ne(&there)? * here.eq(&here)?)?;
        let take = ((better + nan)?.clamp(0u8, 1u8)? * same)?;
        let join = |all: &Tensor| -> candle_core::Result<Tensor> {
            let (here, there) = (all.narrow(0, 0, rows - step)?, all.narrow(0, step, rows - step)?);
            let chosen = take.where_cond(&there.contiguous()?, &here.contiguous()?)?;
            Tensor::cat(&[&chosen, &all.narrow(0, rows - step, step)?], 0)
        };
        (best, winner) = (join(&best)?, join(&winner)?);
        step *= 2;
    }
    let limits = segments.offsets();
    let starts: Vec<u32> = limits[..count].iter().map(|&s| s.min(rows as u32 - 1)).collect();
    let winner = winner.index_select(&Tensor::from_vec(starts, count, device)?, 0)?;
    let is_empty: Vec<u8> = limits.windows(2).map(|w| u8::from(w[0] == w[1])).collect();
    let is_empty =
        Tensor::from_vec(is_empty, (count, 1), device)?.broadcast_as((count, features))?;
    let picked = crate::gather(&flat, &winner, 0)?;
    let value = is_empty.contiguous()?.where_cond(&fill(count)?, &picked)?;
    Ok((value.reshape(with_rows(x, count))?, winner.reshape(with_rows(x, count))?))
}
