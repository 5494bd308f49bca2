//! The kernel that takes signals apart: [`run`].

use super::bank::{Bank, MAX_TAPS, spread};
use crate::{cpu::vectorised, pointwise::Real, scan::lanes::Out};

/// Coefficients of one task along a contiguous axis, and neighbours computed together.
const PIECE: usize = 512;
const WIDTH: usize = 32;
const SCRATCH: usize = PIECE + WIDTH + MAX_TAPS;

/// Both bands of `x`, `[outer, n, inner]`, into `out`, `[outer, m, inner]`.
pub(super) fn run<T: Real>(x: &[T], bank: &Bank, (outer, inner): (usize, usize), out: [Out<T>; 2]) {
    let m = bank.frame.m;
    let taps = bank.taps::<T>();
    let taps = [&taps[0][..], &taps[1][..]];
    let elements = outer * m * inner;
    if elements == 0 {
        return;
    }
    if inner == 1 {
        let pieces = m.div_ceil(PIECE);
        spread(outer * pieces, elements, |task| {
            let (row, first) = (task / pieces, task % pieces * PIECE);
            let signal = &x[row * bank.frame.n..][..bank.frame.n];
            vectorised!(along, (signal, bank, taps, first, row * m, out));
        });
    } else {
        let rows = (4096 / inner).max(1);
        let pieces = m.div_ceil(rows);
        spread(outer * pieces, elements, |task| {
            let (block, first) = (task / pieces, task % pieces * rows);
            let data = &x[block * bank.frame.n * inner..][..bank.frame.n * inner];
            let range = first..(first + rows).min(m);
            vectorised!(across, (data, bank, taps, range, inner, block * m * inner, out));
        });
    }
}

type Along<'a, T> = (&'a [T], &'a Bank, [&'a [T]; 2], usize, usize, [Out<T>; 2]);

/// One piece of one contiguous signal: even and odd positions apart, so that neighbouring
/// coefficients are neighbours in a vector.
#[inline(always)]
fn along<T: Real>((x, bank, taps, first, base, out): Along<'_, T>) {
    let frame = &bank.frame;
    let half = frame.taps / 2;
    let count = (frame.m - first).min(PIECE);
    let mut even = [T::zero(); SCRATCH];
    let mut odd = [T::zero(); SCRATCH];
    let pairs = count + half - 1;
    // Pairs inside the signal.
    let start = 2 * first;
    let inside_from = frame.left.saturating_sub(start).div_ceil(2).min(pairs);
    let inside_to = ((frame.left + frame.n).saturating_sub(start) / 2).clamp(inside_from, pairs);
    if inside_to > inside_from {
        let source = &x[start + 2 * inside_from - frame.left..][..2 * (inside_to - inside_from)];
        let targets = even[inside_from..inside_to].iter_mut().zip(&mut odd[inside_from..inside_to]);
        for ((e, o), pair) in targets.zip(source.chunks_exact(2)) {
            *e = pair[0];
            *o = pair[1];
        }
    }
    for p in (0..inside_from).chain(inside_to..pairs) {
        let at = start + 2 * p;
        even[p] = frame.source(at).map_or(T::zero(), |i| x[i]);
        odd[p] = frame.source(at + 1).map_or(T::zero(), |i| x[i]);
    }
    let mut block = 0;
    while block < count {
        let mut sums = [[T::zero(); WIDTH]; 2];
        for i in 0..half {
            let (e, o) = (&even[block + i..][..WIDTH], &odd[block + i..][..WIDTH]);
            for (sums, taps) in sums.iter_mut().zip(taps) {
                let (w, v) = (taps[2 * i], taps[2 * i + 1]);
                for ((sum, e), o) in sums.iter_mut().zip(e).zip(o) {
                    *sum = v.fma(*o, w.fma(*e, *sum));
                }
            }
        }
        let len = (count - block).min(WIDTH);
        for (out, sums) in out.iter().zip(&sums) {
            out.write_slice(base + first + block, &sums[..len]);
        }
        block += WIDTH;
    }
}

type Across<'a, T> =
    (&'a [T], &'a Bank, [&'a [T]; 2], std::ops::Range<usize>, usize, usize, [Out<T>; 2]);

/// Some rows of coefficients of many signals side by side.
#[inline(always)]
fn across<T: Real>((x, bank, taps, rows, inner, base, out): Across<'_, T>) {
    for k in rows {
        // The rows that a filter meets here, with its taps.
        let mut met = [(0, T::zero(), T::zero()); MAX_TAPS];
        let mut count = 0;
        for (j, (w, v)) in taps[0].iter().zip(taps[1]).enumerate() {
            if let Some(source) = bank.frame.source(2 * k + j) {
                met[count] = (source * inner, *w, *v);
                count += 1;
            }
        }
        let (met, at) = (&met[..count], base + k * inner);
        let mut column = 0;
        while column + 32 <= inner {
            columns::<T, 32>(x, met, column, at, out);
            column += 32;
        }
        while column + 8 <= inner {
            columns::<T, 8>(x, met, column, at, out);
            column += 8;
        }
        while column < inner {
            columns::<T, 1>(x, met, column, at, out);
            column += 1;
        }
    }
}

#[inline(always)]
fn columns<T: Real, const W: usize>(
    x: &[T],
    met: &[(usize, T, T)],
    column: usize,
    at: usize,
    out: [Out<T>; 2],
) {
    let mut low = [T::zero(); W];
    let mut high = [T::zero(); W];
    for (row, w, v) in met {
        let x = &x[row + column..][..W];
        for ((l, h), x) in low.iter_mut().zip(&mut high).zip(x) {
            *l = w.fma(*x, *l);
            *h = v.fma(*x, *h);
        }
    }
    out[0].write(at + column, low);
    out[1].write(at + column, high);
}
