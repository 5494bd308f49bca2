//! How the kernels here go through their data: segments in pieces of equal work, rows in chunks of
//! columns whose width the compiler knows.

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::{Float, blocks, collect};

/// Elements of a piece of work: 128 KiB of f32, which fits the second-level cache.
const PIECE: usize = 1 << 15;
/// Below this many elements one thread is faster.
const PARALLEL_FROM: usize = 1 << 16;

/// Columns `$col..$col + $W` of a row of `$columns`, widest first, `$W` a constant.
macro_rules! by_columns {
    ($columns:expr, $col:ident, $W:ident => $body:expr) => {{
        let columns: std::ops::Range<usize> = $columns;
        let mut $col = columns.start;
        by_columns!(@ columns, $col, $W, 64 => $body);
        by_columns!(@ columns, $col, $W, 16 => $body);
        by_columns!(@ columns, $col, $W, 8 => $body);
        by_columns!(@ columns, $col, $W, 1 => $body);
    }};
    (@ $columns:ident, $col:ident, $W:ident, $width:literal => $body:expr) => {
        while $columns.end - $col >= $width {
            const $W: usize = $width;
            $body;
            $col += $width;
        }
    };
}
pub(super) use by_columns;

/// The rows of a segment: its positions in the sorted order, and where those are in the data.
pub(super) trait Rows: Copy + Sync {
    /// The row at a position.
    fn at(self, position: usize) -> usize;
}

/// Rows that lie in order.
#[derive(Clone, Copy)]
pub(super) struct InOrder;

impl Rows for InOrder {
    #[inline(always)]
    fn at(self, position: usize) -> usize {
        position
    }
}

/// Rows in the order of a list.
#[derive(Clone, Copy)]
pub(super) struct Listed<'a>(pub(super) &'a [u32]);

impl Rows for Listed<'_> {
    #[inline(always)]
    fn at(self, position: usize) -> usize {
        self.0[position] as usize
    }
}

/// Runs `$body` with `$rows` standing for the rows of these segments.
macro_rules! with_rows_of {
    ($segments:expr, $rows:ident => $body:expr) => {
        match $segments.order() {
            None => {
                let $rows = crate::segment::chunks::InOrder;
                $body
            }
            Some(order) => {
                let $rows = crate::segment::chunks::Listed(order);
                $body
            }
        }
    };
}
pub(super) use with_rows_of;

/// `W` elements of `x` from `start` on; they are there wherever the kernels ask.
#[inline(always)]
pub(super) fn chunk<T, const W: usize>(x: &[T], start: usize) -> &[T; W] {
    match x[start..start + W].first_chunk() {
        Some(chunk) => chunk,
        None => unreachable!("a slice of W elements has W elements"),
    }
}

/// A new vector of `out_width` elements for each segment. `work(segments, out)` writes those of
/// some consecutive segments.
///
/// The pieces hold about as many elements of rows of `width` each; their limits depend on the
/// offsets alone. A segment is never split.
///
/// # Safety
/// `work` must write all of `out`.
#[allow(unsafe_code)]
pub(super) unsafe fn for_segments<T: Send>(
    offsets: &[u32],
    width: usize,
    out_width: usize,
    work: impl Fn(Range<usize>, &mut [MaybeUninit<T>]) + Sync,
) -> Vec<T> {
    let count = offsets.len() - 1;
    let fill = |mut out: &mut [MaybeUninit<T>]| {
        let cost = |s: usize| offsets[s] as usize + s; // an empty segment has an output, too
        let limit = (PIECE / width.max(1)).max(1);
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < count {
            let mut end = start + 1;
            while end < count && cost(end + 1) <= cost(start) + limit {
                end += 1;
            }
            let (piece, rest) = std::mem::take(&mut out).split_at_mut((end - start) * out_width);
            pieces.push((start..end, piece));
            (start, out) = (end, rest);
        }
        let parallel = cost(count) * width >= PARALLEL_FROM && pieces.len() > 1;
        if parallel && rayon::current_num_threads() > 1 {
            pieces.into_par_iter().for_each(|(segments, out)| work(segments, out));
        } else {
            for (segments, out) in pieces {
                work(segments, out);
            }
        }
    };
    // SAFETY: the pieces cover the output, and the caller vouches for each.
    unsafe { collect(count * out_width, fill) }
}

/// A new vector of `rows` rows of `width` elements. `work(first, out)` writes some consecutive
/// rows; `cost` is the number of elements read for each.
///
/// # Safety
/// `work` must write all of `out`.
#[allow(unsafe_code)]
pub(super) unsafe fn for_rows<T: Send>(
    rows: usize,
    width: usize,
    cost: usize,
    work: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync,
) -> Vec<T> {
    if width == 0 {
        return Vec::new();
    }
    let block = (PIECE / cost.max(1)).max(1) * width;
    let from = PARALLEL_FROM / cost.max(1) * width;
    // SAFETY: the blocks cover the output, and the caller vouches for each.
    unsafe {
        collect(rows * width, |out| blocks(out, block, from, |at, out| work(at / width, out)))
    }
}

/// Writes `values` to a row of the output, from column `col` on.
#[inline(always)]
pub(super) fn put<T: Copy, const W: usize>(
    out: &mut [MaybeUninit<T>],
    start: usize,
    values: &[T; W],
) {
    for (o, v) in out[start..start + W].iter_mut().zip(values) {
        o.write(*v);
    }
}

/// The zero of `T`, `W` times.
#[inline(always)]
pub(super) fn zeros<T: Float, const W: usize>() -> [T; W] {
    [T::zero(); W]
}

/// Whether `v` is not a number, in a form that needs no branch.
#[inline(always)]
#[allow(clippy::eq_op)]
pub(super) fn is_nan<T: Float>(v: T) -> bool {
    v != v
}
