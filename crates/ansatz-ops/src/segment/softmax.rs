//! Softmax and log-sum-exp within segments: [`segment_softmax`], [`segment_logsumexp`].

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::Tensor;

use super::chunks::{
    Rows, by_columns, chunk, for_rows, for_segments, is_nan, put, with_rows_of, zeros,
};
use super::extremum::composed_extremum;
use super::linear::{composed_expand, composed_reduce};
use super::segments::with_rows;
use super::{Segments, gather_rows, segment_sum};
use crate::Result;
use crate::combine::check_like;
use crate::cpu::{Float, attach, by_float, values, vectorised};
use crate::pointwise::Real;

/// `exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x)` over the rows j of the segment of row i, for each feature
/// alone: `[rows, features…]` → the same shape.
///
/// The attention weights of a graph: one row for each edge, segments by target. Relative error
/// below 4 ε (1 + ln n) where nothing underflows.
/// Minus infinity has weight 0; where a whole segment is minus infinity, or a value is NaN or
/// infinity, the segment's weights are NaN. Gradients of second order are right, too.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when `x` does not have [`Segments::rows`] rows, or candle
/// fails.
pub fn segment_softmax(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let width = segments.width("segment_softmax: rows", x)?;
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let read = values::<T>(&contiguous)?;
        let x_values: &[T] = &read;
        let scales = &scales(x_values, width, segments)[..];
        let ids = segments.ids();
        // SAFETY: the kernel writes every column of every row.
        #[allow(unsafe_code)]
        let out = unsafe {
            for_rows(ids.len(), width, 2 * width, |first, out| {
                vectorised!(weights, (x_values, scales, width, ids, first, out));
            })
        };
        let back = segments.clone();
        attach("segment_softmax", &[x], out, x.shape(), move |y, g| {
            Ok(vec![Some(softmax_pullback(y, g, &back)?)])
        })
    }, _ => composed_softmax(x, segments))
}

/// `ln Σ exp(xᵢ)` over the rows of each segment without overflow: `[rows, features…]` →
/// `[count, features…]`, −∞ for an empty segment.
///
/// Absolute error below 4 ε (1 + |y|). A segment of minus infinities gives minus infinity, one with
/// plus infinity plus infinity; NaN propagates. The gradient is [`segment_softmax`] (NaN where a
/// whole segment is −∞), of second order, too.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when `x` does not have [`Segments::rows`] rows, or candle
/// fails.
pub fn segment_logsumexp(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let width = segments.width("segment_logsumexp: rows", x)?;
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let read = values::<T>(&contiguous)?;
        let scales = scales::<T>(&read, width, segments);
        // Sequential: one logarithm for each segment and feature.
        let pairs = scales.chunks_exact(2 * width.max(1)).map(|s| s.split_at(width));
        let out = pairs.flat_map(|(m, s)| m.iter().zip(s).map(|(m, s)| *m + s.ln())).collect();
        let (back, again) = (segments.clone(), x.clone());
        attach::<T>("segment_logsumexp", &[x], out, with_rows(x, segments.count()), move |_, g| {
            let shares = segment_softmax(&again, &back)?;
            Ok(vec![Some((shares * gather_rows(g, &back)?)?)])
        })
    }, _ => composed_logsumexp(x, segments))
}

/// `y (g − t)` with `t = Σ y g` over the segment: linear in `g`, and its own adjoint there.
fn softmax_pullback(y: &Tensor, g: &Tensor, segments: &Segments) -> Result<Tensor> {
    check_like("segment_softmax: cotangent", y, g)?;
    let width = segments.width("segment_softmax: cotangent", y)?;
    by_float!(y, T => {
        let (y_all, g_all) = (y.contiguous()?, g.contiguous()?);
        let (y_read, g_read) = (values::<T>(&y_all)?, values::<T>(&g_all)?);
        let (y_values, g_values): (&[T], &[T]) = (&y_read, &g_read);
        let (ids, offsets) = (segments.ids(), segments.offsets());
        // SAFETY: the kernels write every column of every segment and of every row.
        #[allow(unsafe_code)]
        let out = unsafe {
            let dots = &for_segments(offsets, 2 * width, width, |range, out| {
                let common = (y_values, g_values, width, offsets, range);
                with_rows_of!(segments, rows => vectorised!(products, (common, rows, out)));
            })[..];
            for_rows(ids.len(), width, 3 * width, |first, out| {
                vectorised!(centred, (y_values, g_values, dots, width, ids, first, out));
            })
        };
        let (ys, gs, back) = (y.clone(), g.clone(), segments.clone());
        attach("segment_softmax_pullback", &[y, g], out, y.shape(), move |_, c| {
            let t = gather_rows(&segment_sum(&(&ys * &gs)?, &back)?, &back)?;
            let u = gather_rows(&segment_sum(&(&ys * c)?, &back)?, &back)?;
            let by_y = ((c * (&gs - t)?)? - (&gs * u)?)?;
            Ok(vec![Some(by_y), Some(softmax_pullback(&ys, c, &back)?)])
        })
    }, _ => {
        let t = composed_expand(&composed_reduce(&(y * g)?, segments, false)?, segments, false)?;
        Ok((y * (g - t)?)?)
    })
}

/// For each segment a row of shifts (the maxima, or 0 where infinite) and one of the sums of
/// `exp(x − shift)`.
fn scales<T: Real>(x: &[T], width: usize, segments: &Segments) -> Vec<T> {
    let offsets = segments.offsets();
    // SAFETY: the kernel writes both rows of every segment.
    #[allow(unsafe_code)]
    unsafe {
        for_segments(offsets, 2 * width, 2 * width, |range, out| {
            with_rows_of!(segments, rows => vectorised!(shifts_and_sums, ((x, width, offsets, range), rows, out)));
        })
    }
}

type Logits<'a, T> = (&'a [T], usize, &'a [u32], Range<usize>);

#[inline(always)]
fn shifts_and_sums<T: Real, R: Rows>(
    ((x, width, offsets, range), rows, out): (Logits<T>, R, &mut [MaybeUninit<T>]),
) {
    let lowest = T::from_f64(f64::NEG_INFINITY);
    let highest = T::from_f64(f64::INFINITY);
    by_columns!(0..width, col, W => {
        for (i, s) in range.clone().enumerate() {
            let (start, end) = (offsets[s] as usize, offsets[s + 1] as usize);
            let mut shift = [lowest; W];
            for k in start..end {
                let row: &[T; W] = chunk(x, rows.at(k) * width + col);
                for i in 0..W {
                    let (v, m) = (row[i], shift[i]);
                    shift[i] = if (v > m) | is_nan(v) { v } else { m };
                }
            }
            for i in 0..W {
                let m = shift[i];
                shift[i] = if (m == lowest) | (m == highest) { T::zero() } else { m };
            }
            let mut sum = zeros::<T, W>();
            for k in start..end {
                let row: &[T; W] = chunk(x, rows.at(k) * width + col);
                for i in 0..W {
                    sum[i] += (row[i] - shift[i]).exp();
                }
            }
            put(out, i * 2 * width + col, &shift);
            put(out, (i * 2 + 1) * width + col, &sum);
        }
    });
}

type Weights<'a, T> = (&'a [T], &'a [T], usize, &'a [u32], usize, &'a mut [MaybeUninit<T>]);

#[inline(always)]
fn weights<T: Real>((x, scales, width, ids, first, out): Weights<T>) {
    let rows = first..first + out.len() / width;
    by_columns!(0..width, col, W => {
        for (i, row) in rows.clone().enumerate() {
            let scale = ids[row] as usize * 2 * width + col;
            let shift: &[T; W] = chunk(scales, scale);
            let sum: &[T; W] = chunk(scales, scale + width);
            let values: &[T; W] = chunk(x, row * width + col);
            let mut shares = zeros::<T, W>();
            for i in 0..W {
                shares[i] = (values[i] - shift[i]).exp() / sum[i];
            }
            put(out, i * width + col, &shares);
        }
    });
}

type Products<'a, T> = (&'a [T], &'a [T], usize, &'a [u32], Range<usize>);

#[inline(always)]
fn products<T: Float, R: Rows>(
    ((y, g, width, offsets, range), rows, out): (Products<T>, R, &mut [MaybeUninit<T>]),
) {
    by_columns!(0..width, col, W => {
        for (i, s) in range.clone().enumerate() {
            let mut sum = zeros::<T, W>();
            for k in offsets[s] as usize..offsets[s + 1] as usize {
                let at = rows.at(k) * width + col;
                let (y, g): (&[T; W], &[T; W]) = (chunk(y, at), chunk(g, at));
                for i in 0..W {
                    sum[i] += y[i] * g[i];
                }
            }
            put(out, i * width + col, &sum);
        }
    });
}

type Centred<'a, T> =
    (&'a [T], &'a [T], &'a [T], usize, &'a [u32], usize, &'a mut [MaybeUninit<T>]);

#[inline(always)]
fn centred<T: Float>((y, g, dots, width, ids, first, out): Centred<T>) {
    let rows = first..first + out.len() / width;
    by_columns!(0..width, col, W => {
        for (i, row) in rows.clone().enumerate() {
            let at = row * width + col;
            let dot: &[T; W] = chunk(dots, ids[row] as usize * width + col);
            let (y, g): (&[T; W], &[T; W]) = (chunk(y, at), chunk(g, at));
            let mut values = zeros::<T, W>();
            for i in 0..W {
                values[i] = y[i] * (g[i] - dot[i]);
            }
            put(out, i * width + col, &values);
        }
    });
}

/// The largest value of each segment without a gradient, 0 where there is none or it is infinite.
fn composed_shift(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let (largest, _) = composed_extremum(&x.detach(), segments, true)?;
    let infinite = largest.abs()?.ge(f64::INFINITY)?;
    Ok(infinite.where_cond(&largest.zeros_like()?, &largest)?)
}

pub(super) fn composed_softmax(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let shift = composed_shift(x, segments)?;
    let exp = (x - composed_expand(&shift, segments, false)?)?.exp()?;
    let sum = composed_reduce(&exp, segments, false)?;
    Ok((&exp / composed_expand(&sum, segments, false)?)?)
}

pub(super) fn composed_logsumexp(x: &Tensor, segments: &Segments) -> Result<Tensor> {
    let shift = composed_shift(x, segments)?;
    let exp = (x - composed_expand(&shift, segments, false)?)?.exp()?;
    Ok((shift + composed_reduce(&exp, segments, false)?.log()?)?)
}
