//! The kernel that puts signals together: [`run`].

use super::bank::{Bank, MAX_TAPS, spread};
use crate::{cpu::vectorised, pointwise::Real, scan::lanes::Out};

/// Elements of one task along a contiguous axis, and pairs of them computed together.
const PIECE: usize = 1024;
const WIDTH: usize = 32;
/// Pairs of a piece, with an odd start and the last block.
const PAIRS: usize = PIECE / 2 + 1 + WIDTH;
const SCRATCH: usize = PAIRS + MAX_TAPS;

/// The transpose of the analysis: `[outer, m, inner]` each into `out`, `[outer, n, inner]`.
pub(super) fn run<T: Real>(
    bands: [Option<&[T]>; 2],
    bank: &Bank,
    (outer, inner): (usize, usize),
    out: Out<T>,
) {
    let (n, m) = (bank.frame.n, bank.frame.m);
    let taps = bank.taps::<T>();
    let taps = [&taps[0][..], &taps[1][..]];
    let elements = outer * n * inner;
    if elements == 0 {
        return;
    }
    let block = |i: usize| bands.map(|band| band.map(|c| &c[i * m * inner..][..m * inner]));
    if inner == 1 {
        let pieces = n.div_ceil(PIECE);
        spread(outer * pieces, elements, |task| {
            let (row, first) = (task / pieces, task % pieces * PIECE);
            vectorised!(along, (block(row), bank, taps, first, row * n, out));
        });
    } else {
        let rows = (4096 / inner).max(1);
        let pieces = n.div_ceil(rows);
        spread(outer * pieces, elements, |task| {
            let (i, first) = (task / pieces, task % pieces * rows);
            let range = first..(first + rows).min(n);
            vectorised!(across, (block(i), bank, taps, range, inner, i * n * inner, out));
        });
    }
}

/// The coefficients whose filters cover window position `i`.
#[inline(always)]
fn covering(bank: &Bank, i: usize) -> std::ops::Range<usize> {
    (i + 1).saturating_sub(bank.frame.taps).div_ceil(2).min(bank.frame.m)
        ..(i / 2 + 1).min(bank.frame.m)
}

type Along<'a, T> = ([Option<&'a [T]>; 2], &'a Bank, [&'a [T]; 2], usize, usize, Out<T>);

/// One piece of one contiguous signal: even and odd positions apart, as in the analysis.
#[inline(always)]
fn along<T: Real>((bands, bank, taps, first, base, out): Along<'_, T>) {
    let frame = &bank.frame;
    let half = frame.taps / 2;
    let count = (frame.n - first).min(PIECE);
    let start = first + frame.left; // window position of the first element
    let pair = start / 2;
    let pairs = (start + count - 1) / 2 + 1 - pair;
    let mut window = [T::zero(); 2 * PAIRS];
    for (band, taps) in bands.iter().zip(taps) {
        let Some(band) = band else { continue };
        // Coefficients pair − (half − 1) … pair + pairs − 1, zeros beyond the ends.
        let mut near = [T::zero(); SCRATCH];
        let before = (half - 1).saturating_sub(pair);
        let from = (pair + before + 1 - half).min(frame.m);
        let to = (pair + pairs).min(frame.m).max(from);
        near[before..before + to - from].copy_from_slice(&band[from..to]);
        let mut block = 0;
        while block < pairs {
            let mut even = [T::zero(); WIDTH];
            let mut odd = [T::zero(); WIDTH];
            for i in 0..half {
                let c = &near[block + half - 1 - i..][..WIDTH];
                let (w, v) = (taps[2 * i], taps[2 * i + 1]);
                for ((e, o), c) in even.iter_mut().zip(&mut odd).zip(c) {
                    *e = w.fma(*c, *e);
                    *o = v.fma(*c, *o);
                }
            }
            let target = window[2 * block..][..2 * WIDTH].chunks_exact_mut(2);
            for ((pair, e), o) in target.zip(&even).zip(&odd) {
                pair[0] += *e;
                pair[1] += *o;
            }
            block += WIDTH;
        }
    }
    let window = &mut window[start - 2 * pair..][..count];
    // What the extension of the signal would have received.
    for (at, i) in frame.copies_of(first..first + count) {
        let mut sum = T::zero();
        for (band, taps) in bands.iter().zip(taps) {
            let Some(band) = band else { continue };
            for k in covering(bank, *i) {
                sum += taps[i - 2 * k] * band[k];
            }
        }
        window[at - first] += sum;
    }
    out.write_slice(base + first, window);
}

type Across<'a, T> =
    ([Option<&'a [T]>; 2], &'a Bank, [&'a [T]; 2], std::ops::Range<usize>, usize, usize, Out<T>);

/// Some rows of many signals side by side.
#[inline(always)]
fn across<T: Real>((bands, bank, taps, rows, inner, base, out): Across<'_, T>) {
    // The rows of coefficients whose filters cover this one, with their taps.
    let mut met = Vec::new();
    for p in rows {
        met.clear();
        let copies = bank.frame.copies_of(p..p + 1).iter().map(|(_, i)| *i);
        for i in std::iter::once(p + bank.frame.left).chain(copies) {
            for (band, taps) in bands.iter().zip(taps) {
                let Some(band) = band else { continue };
                for k in covering(bank, i) {
                    met.push((&band[k * inner..][..inner], taps[i - 2 * k]));
                }
            }
        }
        let at = base + p * inner;
        let mut column = 0;
        while column + 32 <= inner {
            columns::<T, 32>(&met, column, at, out);
            column += 32;
        }
        while column + 8 <= inner {
            columns::<T, 8>(&met, column, at, out);
            column += 8;
        }
        while column < inner {
            columns::<T, 1>(&met, column, at, out);
            column += 1;
        }
    }
}

#[inline(always)]
fn columns<T: Real, const W: usize>(met: &[(&[T], T)], column: usize, at: usize, out: Out<T>) {
    let mut sums = [T::zero(); W];
    for (row, w) in met {
        let row = &row[column..][..W];
        for (sum, c) in sums.iter_mut().zip(row) {
            *sum = w.fma(*c, *sum);
        }
    }
    out.write(at + column, sums);
}
