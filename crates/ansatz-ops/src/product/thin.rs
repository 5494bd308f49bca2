//! Products with one short axis (at most [`MOST`]), which a general kernel spends mostly on packing.
//!
//! All matrices here are contiguous, row by row. `MOST` bounds the length `K` of the short axis,
//! a constant of each compiled loop.

use crate::pointwise::Real;

/// Longest axis that counts as short.
pub(crate) const MOST: usize = 4;

/// Numbers summed side by side in [`contract`] and [`outer`].
const LANES: usize = 16;

/// Runs `$kernel::<T, K>($arguments)` with `K` the value of `$k`, at most [`MOST`].
macro_rules! by_length {
    ($k:expr, $kernel:ident, $arguments:expr) => {
        match $k {
            1 => $crate::cpu::vectorised!($kernel::<T, 1>, $arguments),
            2 => $crate::cpu::vectorised!($kernel::<T, 2>, $arguments),
            3 => $crate::cpu::vectorised!($kernel::<T, 3>, $arguments),
            _ => $crate::cpu::vectorised!($kernel::<T, 4>, $arguments),
        }
    };
}
pub(super) use by_length;

/// Calls `$piece::<T, K, W>($start, …)` for pieces of W = `LANES`, 8, 4 and 1 columns that cover `$n`:
/// loops of a constant length, which become vectors, and no long scalar remainder.
macro_rules! by_pieces {
    ($n:expr, $piece:ident, $($argument:expr),+) => {{
        let (n, mut start) = ($n, 0);
        while start + LANES <= n {
            $piece::<T, K, LANES>(start, $($argument),+);
            start += LANES;
        }
        if start + 8 <= n {
            $piece::<T, K, 8>(start, $($argument),+);
            start += 8;
        }
        if start + 4 <= n {
            $piece::<T, K, 4>(start, $($argument),+);
            start += 4;
        }
        while start < n {
            $piece::<T, K, 1>(start, $($argument),+);
            start += 1;
        }
    }};
}

/// `out += a b`: `a` is `[rows, K]`, `b` `[K, n]`, `out` `[rows, n]`.
#[inline(always)]
pub(super) fn expand<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    for (a, out) in a.chunks_exact(K).zip(out.chunks_exact_mut(n)) {
        let mut factors = [T::zero(); K];
        factors.copy_from_slice(a);
        by_pieces!(n, expand_piece, &factors, b, out);
    }
}

/// One row from column `start` on.
#[inline(always)]
fn expand_piece<T: Real, const K: usize, const W: usize>(
    start: usize,
    factors: &[T; K],
    b: &[T],
    out: &mut [T],
) {
    let n = out.len();
    let out = &mut out[start..start + W];
    // Copied one by one: a call of `copy_from_slice` may not be inlined.
    let mut sums = [T::zero(); W];
    for (s, o) in sums.iter_mut().zip(&*out) {
        *s = *o;
    }
    for k in 0..K {
        let row = &b[k * n + start..k * n + start + W];
        for i in 0..W {
            sums[i] = factors[k].fma(row[i], sums[i]);
        }
    }
    for (o, s) in out.iter_mut().zip(sums) {
        *o = s;
    }
}

/// Rows whose sums [`contract`] keeps before it adds their lanes.
const ROWS: usize = 16;

/// `out += a bᵀ`: `a` is `[rows, n]`, `b` `[K, n]`, `out` `[rows, K]`.
#[inline(always)]
pub(super) fn contract<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    // The lanes of a row are added in a loop of their own: together with the products, the compiler
    // would build its vectors from the last two of the sum.
    let mut sums = [[[T::zero(); LANES]; K]; ROWS];
    for (a, out) in a.chunks(ROWS * n).zip(out.chunks_mut(ROWS * K)) {
        for (a, sums) in a.chunks_exact(n).zip(&mut sums) {
            *sums = [[T::zero(); LANES]; K];
            by_pieces!(n, contract_piece, a, b, sums);
        }
        for (out, sums) in out.chunks_exact_mut(K).zip(&sums) {
            for (o, lanes) in out.iter_mut().zip(sums) {
                *o += sum_of(*lanes);
            }
        }
    }
}

/// The products of one row from column `start` on.
#[inline(always)]
fn contract_piece<T: Real, const K: usize, const W: usize>(
    start: usize,
    a: &[T],
    b: &[T],
    sums: &mut [[T; LANES]; K],
) {
    let n = a.len();
    let a = &a[start..start + W];
    for k in 0..K {
        let row = &b[k * n + start..k * n + start + W];
        for i in 0..W {
            sums[k][i] = a[i].fma(row[i], sums[k][i]);
        }
    }
}

#[inline(always)]
fn sum_of<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// `out += aᵀ b`: `a` is `[rows, K]`, `b` `[rows, n]`, `out` `[K, n]`.
#[inline(always)]
pub(super) fn outer<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    by_pieces!(n, outer_piece, a, b, n, out);
}

/// The columns from `start` on, over all rows.
#[inline(always)]
fn outer_piece<T: Real, const K: usize, const W: usize>(
    start: usize,
    a: &[T],
    b: &[T],
    n: usize,
    out: &mut [T],
) {
    // Even and odd rows apart, so that additions need not wait for each other.
    let mut sums = [[[T::zero(); W]; K]; 2];
    let rows = a.len() / K;
    for pair in 0..rows / 2 {
        for half in 0..2 {
            outer_row(2 * pair + half, start, (a, b, n), &mut sums[half]);
        }
    }
    if rows % 2 == 1 {
        outer_row(rows - 1, start, (a, b, n), &mut sums[0]);
    }
    for k in 0..K {
        let out = &mut out[k * n + start..k * n + start + W];
        for i in 0..W {
            out[i] += sums[0][k][i] + sums[1][k][i];
        }
    }
}

#[inline(always)]
fn outer_row<T: Real, const K: usize, const W: usize>(
    row: usize,
    start: usize,
    (a, b, n): (&[T], &[T], usize),
    sums: &mut [[T; W]; K],
) {
    let (a, b) = (&a[row * K..row * K + K], &b[row * n + start..row * n + start + W]);
    for k in 0..K {
        for i in 0..W {
            sums[k][i] = a[k].fma(b[i], sums[k][i]);
        }
    }
}
