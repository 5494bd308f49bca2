//! Sums of rows along edges without the messages in between: [`gather_segment_sum`], and the
//! gradient of their weights: [`edge_dot`].

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::{D, Tensor};

use super::Edges;
use super::chunks::{by_columns, chunk, for_rows, for_segments, put, zeros};
use super::segments::{leading, with_rows};
use crate::cpu::{Float, attach, by_float, values, vectorised};
use crate::{Error, Result};

/// `y[t] = Σ wₑ x[source(e)]` over the edges e into t: `[sources, features…]` →
/// `[targets, features…]`, 0 where no edge ends. This is the product of a sparse matrix with a
/// dense one.
///
/// `weights` is `[edges]`, or `[edges, heads]` where `x` is `[sources, heads, features…]` and each
/// head has weights of its own; without weights all are 1. The messages `wₑ x[source(e)]` are never
/// stored. Each sum runs over the edges in their order: same bits for any number of threads.
/// Gradients flow to `x` (the same sum along the reversed edges) and to the weights
/// ([`edge_dot`]), and are of any order.
///
/// # Errors
/// [`Error::Shape`] when `x` does not have a row for each source, or `weights` not one for each
/// edge and head; [`Error::DType`] when they differ in dtype; or candle fails.
#[doc(alias = "spmm")]
pub fn gather_segment_sum(x: &Tensor, weights: Option<&Tensor>, edges: &Edges) -> Result<Tensor> {
    let sources = edges.by_source().count();
    let width = leading("gather_segment_sum: rows", x, sources)?;
    let heads = match weights {
        Some(w) => check_weights(x, w, edges)?,
        None => 1,
    };
    by_float!(x, T => {
        let x_all = x.contiguous()?;
        let x_read = values::<T>(&x_all)?;
        let x_values: &[T] = &x_read;
        let by_target = edges.by_target();
        let (offsets, others) = (by_target.offsets(), edges.sources_by_target());
        let weights_all = weights.map(Tensor::contiguous).transpose()?;
        let weights_read = weights_all.as_ref().map(values::<T>).transpose()?;
        let weights_values: Option<&[T]> = weights_read.as_deref();
        // SAFETY: the kernels write every column of every segment.
        #[allow(unsafe_code)]
        let out = unsafe {
            for_segments(offsets, width, width, |range, out| {
                let common = (x_values, width, offsets, others, range);
                match weights_values {
                    None => vectorised!(plain, (common, out)),
                    Some(w) => vectorised!(weighted, (common, w, by_target.order(), heads, out)),
                }
            })
        };
        let (along, xs, ws) = (edges.clone(), x.clone(), weights.cloned());
        let inputs: Vec<&Tensor> = std::iter::once(x).chain(weights).collect();
        let shape = with_rows(x, by_target.count());
        attach("gather_segment_sum", &inputs, out, shape, move |_, g| {
            let by_x = xs.track_op().then(|| gather_segment_sum(g, ws.as_ref(), &along.reversed()));
            let mut gradients = vec![by_x.transpose()?];
            if let Some(w) = &ws {
                let by_w = w.track_op().then(|| products(g, &xs, &along, w.dims()));
                gradients.push(by_w.transpose()?);
            }
            Ok(gradients)
        })
    }, _ => composed_sum(x, weights, edges))
}

/// `yₑ = a[target(e)] · b[source(e)]`, the scalar product over all features: `[targets, features…]`
/// and `[sources, features…]` → `[edges]`. This is the product of two dense matrices sampled at
/// the entries of a sparse one.
///
/// Gradients flow to both (by [`gather_segment_sum`]) and are of any order.
///
/// # Errors
/// [`Error::Shape`] when `a` or `b` do not have a row for each target or source, or differ in
/// features; [`Error::DType`] when they differ in dtype; or candle fails.
#[doc(alias = "sddmm")]
pub fn edge_dot(a: &Tensor, b: &Tensor, edges: &Edges) -> Result<Tensor> {
    products(a, b, edges, &[edges.len()])
}

/// [`edge_dot`] for each head alone where `dims` is `[edges, heads]`.
fn products(a: &Tensor, b: &Tensor, edges: &Edges, dims: &[usize]) -> Result<Tensor> {
    let (targets, sources) = (edges.by_target().count(), edges.by_source().count());
    let width = leading("edge_dot: rows of the targets", a, targets)?;
    leading("edge_dot: rows of the sources", b, sources)?;
    if a.dims()[1..] != b.dims()[1..] {
        let expected = with_rows(a, sources).into();
        return Err(Error::Shape { what: "edge_dot: features", expected, got: b.shape().clone() });
    }
    same_type("edge_dot", a, b)?;
    let heads = if dims.len() == 2 { dims[1] } else { 1 };
    by_float!(a, T => {
        let (a_all, b_all) = (a.contiguous()?, b.contiguous()?);
        let (a_read, b_read) = (values::<T>(&a_all)?, values::<T>(&b_all)?);
        let (a_values, b_values): (&[T], &[T]) = (&a_read, &b_read);
        let (to, from) = (edges.by_target().ids(), edges.by_source().ids());
        // SAFETY: the kernel writes every head of every edge.
        #[allow(unsafe_code)]
        let out = unsafe {
            for_rows(edges.len(), heads, 2 * width, |first, out| {
                let rows = first..first + out.len() / heads;
                let ends = (&to[rows.clone()], &from[rows]);
                vectorised!(dots, (a_values, b_values, width, heads, ends, out));
            })
        };
        let (along, a_kept, b_kept) = (edges.clone(), a.clone(), b.clone());
        attach("edge_dot", &[a, b], out, dims, move |_, c| {
            let by_a = gather_segment_sum(&b_kept, Some(c), &along)?;
            let by_b = gather_segment_sum(&a_kept, Some(c), &along.reversed())?;
            Ok(vec![Some(by_a), Some(by_b)])
        })
    }, _ => composed_products(a, b, edges, dims))
}

/// Number of heads of the weights of `x`.
fn check_weights(x: &Tensor, w: &Tensor, edges: &Edges) -> Result<usize> {
    let what = "gather_segment_sum: weights";
    let (fits, heads) = match w.dims() {
        [n] => (*n == edges.len(), 1),
        [n, heads] => (*n == edges.len() && x.dims().get(1) == Some(heads), *heads),
        _ => (false, 1),
    };
    if !fits {
        let expected = match (w.rank(), x.dims().get(1)) {
            (2, Some(&heads)) => vec![edges.len(), heads],
            _ => vec![edges.len()],
        };
        return Err(Error::Shape { what, expected: expected.into(), got: w.shape().clone() });
    }
    same_type(what, x, w)?;
    Ok(heads)
}

fn same_type(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        return Err(Error::DType { what, expected: a.dtype(), got: b.dtype() });
    }
    if !a.device().same_device(b.device()) {
        let (expected, got) = (a.device().location(), b.device().location());
        return Err(Error::Device { what, expected, got });
    }
    Ok(())
}

type Along<'a, T> = (&'a [T], usize, &'a [u32], &'a [u32], Range<usize>);

#[inline(always)]
fn plain<T: Float>(((x, width, offsets, others, range), out): (Along<T>, &mut [MaybeUninit<T>])) {
    by_columns!(0..width, col, W => {
        for (i, s) in range.clone().enumerate() {
            let mut sum = zeros::<T, W>();
            for &other in &others[offsets[s] as usize..offsets[s + 1] as usize] {
                let row: &[T; W] = chunk(x, other as usize * width + col);
                for i in 0..W {
                    sum[i] += row[i];
                }
            }
            put(out, i * width + col, &sum);
        }
    });
}

type Weighted<'a, 'b, T> =
    (Along<'a, T>, &'a [T], Option<&'a [u32]>, usize, &'b mut [MaybeUninit<T>]);

#[inline(always)]
fn weighted<T: Float>(((x, width, offsets, others, range), w, order, heads, out): Weighted<T>) {
    let depth = width / heads.max(1);
    for head in 0..heads {
        by_columns!(head * depth..(head + 1) * depth, col, W => {
            for (i, s) in range.clone().enumerate() {
                let mut sum = zeros::<T, W>();
                for k in offsets[s] as usize..offsets[s + 1] as usize {
                    let edge = order.map_or(k, |order| order[k] as usize);
                    let weight = w[edge * heads + head];
                    let row: &[T; W] = chunk(x, others[k] as usize * width + col);
                    for i in 0..W {
                        sum[i] += weight * row[i];
                    }
                }
                put(out, i * width + col, &sum);
            }
        });
    }
}

type Dots<'a, 'b, T> =
    (&'a [T], &'a [T], usize, usize, (&'a [u32], &'a [u32]), &'b mut [MaybeUninit<T>]);

#[inline(always)]
fn dots<T: Float>((a, b, width, heads, (to, from), out): Dots<T>) {
    let depth = width / heads.max(1);
    for ((out, &t), &s) in out.chunks_exact_mut(heads).zip(to).zip(from) {
        for (head, o) in out.iter_mut().enumerate() {
            let (mut sum, mut start) = (T::zero(), head * depth);
            let end = start + depth;
            let mut lanes = zeros::<T, 16>();
            while end - start >= 16 {
                let x: &[T; 16] = chunk(a, t as usize * width + start);
                let y: &[T; 16] = chunk(b, s as usize * width + start);
                for i in 0..16 {
                    lanes[i] += x[i] * y[i];
                }
                start += 16;
            }
            // Folding in halves: two vector additions instead of a chain of sixteen.
            let mut half = 8;
            while half > 0 {
                for i in 0..half {
                    lanes[i] += lanes[i + half];
                }
                half /= 2;
            }
            for i in start..end {
                sum += a[t as usize * width + i] * b[s as usize * width + i];
            }
            o.write(lanes[0] + sum);
        }
    }
}

/// `w` `[edges]` or `[edges, heads]` with axes of length 1 up to the rank of the messages.
fn for_messages(w: &Tensor, messages: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; messages.rank()];
    dims[..w.rank()].copy_from_slice(w.dims());
    Ok(w.reshape(dims)?)
}

pub(super) fn composed_sum(x: &Tensor, weights: Option<&Tensor>, edges: &Edges) -> Result<Tensor> {
    let from = edges.by_source().ids_on(x.device())?;
    let mut messages = x.contiguous()?.index_select(&from, 0)?;
    if let Some(w) = weights {
        messages = messages.broadcast_mul(&for_messages(w, &messages)?)?;
    }
    super::linear::composed_reduce(&messages, edges.by_target(), false)
}

pub(super) fn composed_products(
    a: &Tensor,
    b: &Tensor,
    edges: &Edges,
    dims: &[usize],
) -> Result<Tensor> {
    let a = super::linear::composed_expand(a, edges.by_target(), false)?;
    let b = super::linear::composed_expand(b, edges.by_source(), false)?;
    let width = a.elem_count() / dims.iter().product::<usize>().max(1);
    let shape: Vec<usize> = dims.iter().copied().chain([width]).collect();
    Ok((a * b)?.reshape(shape)?.sum(D::Minus1)?)
}
