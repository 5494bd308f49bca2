//! The two inner loops: sums over taps ([`correlate`]) and over positions ([`contract`]).
//!
//! Both hold a rectangle of sums in registers. `correlate` adds up, for some output channels and a
//! run of positions, weight times input, where each tap is the same run of the input begun at
//! another offset: nothing is gathered. `contract` adds up products of output gradient and input
//! over the positions, for some output channels and taps.

use pulp::Simd;

use super::lanes::Lanes;

/// Output channels whose weights lie side by side.
pub(super) const PANEL: usize = 8;

/// Elements that [`correlate`] may write and read after the last position.
pub(super) const SLACK: usize = 64;

/// `out[i·pitch + p] = Σ_k weights[k·PANEL + i] x[offsets[k] + p]` for `i` in `0..rows` and all
/// `p` in `0..positions` (and up to [`SLACK`] more).
#[inline(always)]
pub(super) fn correlate<T: Lanes, S: Simd>(
    simd: S,
    x: &[T],
    offsets: &[u32],
    weights: &[T],
    out: &mut [T],
    (rows, pitch, positions): (usize, usize, usize),
) {
    let reach = offsets.iter().max().map_or(0, |&o| o as usize) + positions + SLACK;
    assert!(x.len() >= reach || offsets.is_empty(), "input of correlate");
    assert!(weights.len() >= offsets.len() * PANEL, "weights of correlate");
    assert!(rows <= PANEL && pitch >= positions + SLACK, "rows of correlate");
    assert!(out.len() >= rows * pitch, "output of correlate");
    let mut row = 0;
    while row < rows {
        let done;
        // SAFETY: a tile of `v` vectors that begins before `positions` ends before
        // `positions + SLACK`; the lengths were checked above.
        #[allow(unsafe_code)]
        unsafe {
            let args = (x.as_ptr(), offsets, weights.as_ptr().add(row), positions);
            let to = (out.as_mut_ptr().add(row * pitch), pitch);
            done = match rows - row {
                8.. if S::REGISTER_COUNT >= 32 => run::<T, S, 8, 3>(simd, args, to),
                4.. if S::REGISTER_COUNT >= 32 => run::<T, S, 4, 4>(simd, args, to),
                4.. => run::<T, S, 4, 2>(simd, args, to),
                2.. => run::<T, S, 2, 4>(simd, args, to),
                _ => run::<T, S, 1, 4>(simd, args, to),
            };
        }
        row += done;
    }
}

/// Tiles of `R` rows and `V` vectors along all positions; returns `R`.
///
/// # Safety
/// `x` readable at all offsets for `positions + SLACK` elements, `weights` at all taps, `out`
/// writable in `R` rows.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn run<T: Lanes, S: Simd, const R: usize, const V: usize>(
    simd: S,
    (x, offsets, weights, positions): (*const T, &[u32], *const T, usize),
    (out, pitch): (*mut T, usize),
) -> usize {
    let lanes = T::count::<S>();
    let mut p = 0;
    while p < positions {
        let mut sums = [[T::splat(simd, T::zero()); V]; R];
        for (k, &offset) in offsets.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe {
                let from = x.add(p + offset as usize).cast::<T::Vector<S>>();
                let weight = weights.add(k * PANEL);
                let mut run = [T::splat(simd, T::zero()); V];
                for (v, value) in run.iter_mut().enumerate() {
                    *value = from.add(v).read_unaligned();
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let w = T::splat(simd, *weight.add(i));
                    for (sum, value) in row.iter_mut().zip(&run) {
                        *sum = T::mul_add(simd, w, *value, *sum);
                    }
                }
            }
        }
        for (i, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                // SAFETY: the caller's.
                unsafe {
                    out.add(i * pitch + p).cast::<T::Vector<S>>().add(v).write_unaligned(*sum);
                }
            }
        }
        p += V * lanes;
    }
    R
}

/// Positions that [`contract`] treats before it goes on to the next channels, so that they stay
/// in the first cache.
const RUN: usize = 1024;

/// `sums[i·taps + k] += Σ_p g[i·pitch + p] x[offsets[k] + p]` over `p` in `0..positions`, a
/// multiple of 16; `i` in `0..rows`.
#[inline(always)]
pub(super) fn contract<T: Lanes, S: Simd>(
    simd: S,
    x: &[T],
    offsets: &[u32],
    g: &[T],
    sums: &mut [T],
    (rows, pitch, positions): (usize, usize, usize),
) {
    let taps = offsets.len();
    let reach = offsets.iter().max().map_or(0, |&o| o as usize) + positions;
    assert!(x.len() >= reach || taps == 0, "input of contract");
    assert!(g.len() >= rows * pitch && pitch >= positions, "gradient of contract");
    assert!(sums.len() >= rows * taps && positions.is_multiple_of(16), "sums of contract");
    let mut start = 0;
    while start < positions {
        let length = RUN.min(positions - start);
        let mut row = 0;
        while row < rows {
            let mut done = 0;
            let mut k = 0;
            while k < taps {
                // SAFETY: rows, taps and positions lie within what was checked above.
                #[allow(unsafe_code)]
                unsafe {
                    let args = (x.as_ptr().add(start), offsets.as_ptr().add(k));
                    let g = (g.as_ptr().add(row * pitch + start), pitch);
                    let to = (sums.as_mut_ptr().add(row * taps + k), taps);
                    let wide = S::REGISTER_COUNT >= 32;
                    (done, k) = match (rows - row, taps - k) {
                        (4.., 6..) if wide => block::<T, S, 4, 6>(simd, args, g, to, length, k),
                        (4.., 3..) if wide => block::<T, S, 4, 3>(simd, args, g, to, length, k),
                        (4.., _) if wide => block::<T, S, 4, 1>(simd, args, g, to, length, k),
                        (2.., 4..) => block::<T, S, 2, 4>(simd, args, g, to, length, k),
                        (2.., _) => block::<T, S, 2, 1>(simd, args, g, to, length, k),
                        (_, 4..) => block::<T, S, 1, 4>(simd, args, g, to, length, k),
                        _ => block::<T, S, 1, 1>(simd, args, g, to, length, k),
                    };
                }
            }
            row += done.max(1);
        }
        start += length;
    }
}

/// One rectangle of `R` rows and `K` taps over a run of positions; returns `R` and the next tap.
///
/// # Safety
/// All that is read and written must be there.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn block<T: Lanes, S: Simd, const R: usize, const K: usize>(
    simd: S,
    (x, offsets): (*const T, *const u32),
    (g, pitch): (*const T, usize),
    (out, taps): (*mut T, usize),
    length: usize,
    k: usize,
) -> (usize, usize) {
    let lanes = T::count::<S>();
    let mut sums = [[T::splat(simd, T::zero()); K]; R];
    let mut from = [x; K];
    for (j, pointer) in from.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *pointer = unsafe { x.add(*offsets.add(j) as usize) };
    }
    let mut p = 0;
    while p < length {
        let mut gs = [T::splat(simd, T::zero()); R];
        for (i, value) in gs.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *value = unsafe { g.add(i * pitch + p).cast::<T::Vector<S>>().read_unaligned() };
        }
        for (j, pointer) in from.iter().enumerate() {
            // SAFETY: the caller's.
            let v = unsafe { pointer.add(p).cast::<T::Vector<S>>().read_unaligned() };
            for (row, g) in sums.iter_mut().zip(&gs) {
                row[j] = T::mul_add(simd, *g, v, row[j]);
            }
        }
        p += lanes;
    }
    for (i, row) in sums.iter().enumerate() {
        for (j, sum) in row.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe {
                *out.add(i * taps + j) += T::sum(simd, *sum);
            }
        }
    }
    (R, k + K)
}
