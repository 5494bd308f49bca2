//! Transforms along one axis of an array: rows as they are, other axes through blocks of columns
//! copied together.

use rayon::prelude::*;
use rustfft::{Fft, num_complex::Complex as C, num_traits::Zero};

use super::plan::FftFloat;

/// Columns copied together: a cache line or two of each row.
const COLUMNS: usize = 16;

/// From this many elements on an array is worth several threads.
pub(crate) const PARALLEL_FROM: usize = 1 << 14;

/// Calls `work(i, piece)` for the pieces of `out`, on several threads where `parallel`.
pub(crate) fn pieces<T: Send>(
    out: &mut [T],
    piece: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if parallel && out.len() > piece && rayon::current_num_threads() > 1 {
        out.par_chunks_mut(piece).enumerate().for_each(|(i, piece)| work(i, piece));
    } else {
        out.chunks_mut(piece).enumerate().for_each(|(i, piece)| work(i, piece));
    }
}

/// Copies some columns of `source` `[rows, columns]`, from `first` on, to the rows of `out`.
pub(crate) fn columns_to_rows<E: Copy>(
    source: &[E],
    rows: usize,
    columns: usize,
    first: usize,
    out: &mut [E],
) {
    let count = out.len() / rows;
    // Eight rows at a time, so that what is written stays in the first cache.
    for (block, source) in source.chunks(8 * columns).enumerate() {
        let height = source.len() / columns;
        for c in 0..count {
            let out = &mut out[c * rows + 8 * block..][..height];
            for (o, row) in out.iter_mut().zip(source.chunks_exact(columns)) {
                *o = row[first + c];
            }
        }
    }
}

/// Complex transforms along the middle axis of `work` `[…, n, inner]`, in place.
pub(crate) fn complex_pass<T: FftFloat>(
    work: &mut [C<T>],
    inner: usize,
    plan: &dyn Fft<T>,
    transposed: &mut Vec<C<T>>,
) {
    let n = plan.len();
    let parallel = work.len() >= PARALLEL_FROM;
    if inner == 1 {
        let rows = (PARALLEL_FROM / n).max(1);
        pieces(work, rows * n, parallel, |_, rows| plan.process(rows));
        return;
    }
    transposed.resize(n * inner, C::zero());
    for block in work.chunks_mut(n * inner) {
        let parallel = block.len() >= PARALLEL_FROM;
        let source: &[C<T>] = block;
        pieces(transposed, COLUMNS * n, parallel, |i, lines| {
            columns_to_rows(source, n, inner, i * COLUMNS, lines);
            plan.process(lines);
        });
        let source: &[C<T>] = transposed;
        pieces(block, COLUMNS * inner, parallel, |i, rows| {
            columns_to_rows(source, inner, n, i * COLUMNS, rows);
        });
    }
}

/// A map of lines of `n` numbers to lines of `m`, applied along the middle axis of `[…, n, inner]`.
///
/// `line(x, y)` may overwrite `x`. `start` makes the scratch space of one thread.
pub(crate) fn line_pass<A, B, S>(
    source: &[A],
    out: &mut [B],
    (n, m, inner): (usize, usize, usize),
    start: impl Fn() -> S + Sync + Send,
    line: impl Fn(&mut [A], &mut [B], &mut S) + Sync + Send,
) where
    A: Copy + Zero + Send + Sync,
    B: Copy + Zero + Send + Sync,
{
    if out.is_empty() {
        return;
    }
    // Pieces of whole rows, or of whole blocks [n, inner].
    let group = if inner == 1 { (PARALLEL_FROM / 4 / m).max(1) } else { 1 };
    let parallel = out.len() >= PARALLEL_FROM;
    pieces(out, group * m * inner, parallel, |i, out| {
        let source = &source[i * group * n * inner..];
        let mut scratch = start();
        let width = inner.min(COLUMNS);
        let mut x = vec![A::zero(); n * width];
        if inner == 1 {
            for (source, y) in source.chunks(n).zip(out.chunks_mut(m)) {
                x.copy_from_slice(source);
                line(&mut x, y, &mut scratch);
            }
            return;
        }
        let source = &source[..n * inner];
        let mut y = vec![B::zero(); m * width];
        for first in (0..inner).step_by(COLUMNS) {
            let width = width.min(inner - first);
            columns_to_rows(source, n, inner, first, &mut x[..n * width]);
            for (x, y) in x.chunks_mut(n).zip(y.chunks_mut(m)).take(width) {
                line(x, y, &mut scratch);
            }
            for (k, row) in out.chunks_mut(inner).enumerate() {
                for (c, o) in row[first..first + width].iter_mut().enumerate() {
                    *o = y[c * m + k];
                }
            }
        }
    });
}
